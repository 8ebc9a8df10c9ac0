from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.__main__ import _parser, main
from app.choice import SourceChoice, SourceKind
from app.settings import VERSION, AppSettings, load, save

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_app(qapp, tmp_path, monkeypatch):
    """Runs the program with made-up models, and closes its window once something holds."""
    from PyQt6.QtCore import QTimer
    from PyQt6.QtWidgets import QApplication

    import app.loading as loading
    from app.main_window import MainWindow

    def run(arguments, holds=lambda window: window.shown is not None, then=lambda window: None, made_people=None):
        seen = []

        def look():
            for window in QApplication.topLevelWidgets():
                if isinstance(window, MainWindow) and window.isVisible() and (holds(window) or time.monotonic() > end):
                    then(window)
                    seen.append(window.notices.messages)
                    window.close()

        end = time.monotonic() + 60
        timer = QTimer()
        timer.timeout.connect(look)
        timer.start(20)
        hook, kept = sys.excepthook, {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            code = main(arguments)
        finally:
            timer.stop()
            sys.excepthook = hook
            for number, handler in kept.items():
                signal.signal(number, handler)
        return code, seen[0] if seen else None

    import threading

    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    assert loading
    return run


def test_the_program_opens_what_it_is_told_to_and_remembers_it(run_app, tmp_path, clip):
    path = tmp_path / "app.ini"
    code, messages = run_app(["--source", str(clip), "--settings", str(path), "--theme", "light"])
    assert code == 0
    assert messages == ()
    kept = load(path).settings
    assert kept.source == SourceChoice(SourceKind.FILE, str(clip))
    assert kept.recent == (str(clip),)
    assert kept.theme == "light"
    assert kept.geometry


def test_the_next_start_opens_what_was_open(run_app, tmp_path, clip):
    path = tmp_path / "app.ini"
    save(path, AppSettings(source=SourceChoice(SourceKind.FILE, str(clip)), speed=0.5))
    names = []
    run_app(["--settings", str(path)], then=lambda window: names.append(window.controller.state))
    assert names[0].source.where == str(clip)
    assert names[0].speed == 0.5


def test_the_first_start_shows_the_demo_clip(run_app, tmp_path):
    names = []
    run_app(["--settings", str(tmp_path / "app.ini")], then=lambda window: names.append(window.controller.state))
    assert names[0].source.kind is SourceKind.DEMO


def test_settings_of_a_later_version_are_told_and_left_alone(run_app, tmp_path):
    path = tmp_path / "app.ini"
    save(path, AppSettings(theme="light"))
    text = path.read_text(encoding="utf-8").replace(f"version={VERSION}", f"version={VERSION + 1}")
    path.write_text(text, encoding="utf-8")
    # Qt keeps what it read of a file until size or time of change differ, and two writes may fall into one tick.
    os.utime(path, (time.time() + 2, time.time() + 2))
    code, messages = run_app(["--settings", str(path)])
    assert code == 0
    assert "later version" in messages[0]
    assert path.read_text(encoding="utf-8") == text


def test_settings_that_cannot_be_written_cost_nothing_but_themselves(run_app, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, where a folder is needed")
    code, _ = run_app(["--settings", str(blocked / "app.ini")])
    assert code == 0


def test_an_error_that_nobody_caught_becomes_a_banner(run_app, tmp_path):
    def fail(window):
        try:
            raise ZeroDivisionError("made up")
        except ZeroDivisionError as error:
            sys.excepthook(type(error), error, error.__traceback__)

    done = []

    def holds(window):
        if window.shown is not None and not done:
            done.append(True)
            fail(window)
        return bool(window.notices.messages)

    _, messages = run_app(["--settings", str(tmp_path / "app.ini")], holds)
    assert "ZeroDivisionError: made up" in messages[0]


def test_a_missing_source_is_told_and_the_demo_clip_is_shown(run_app, tmp_path):
    missing = str(tmp_path / "gone.mp4")
    _, messages = run_app(["--settings", str(tmp_path / "app.ini"), "--source", missing])
    assert "no such file" in messages[0]
    assert load(tmp_path / "app.ini").settings.source is None


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(SystemExit):
        _parser().parse_args(["--engine", "abacus"])


LOAD_FIRST = """
import sys
from pathlib import Path
import app.__main__
app.__main__._load_torch_first({engine}, None, Path(sys.argv[1]))
assert "PyQt6" not in sys.modules
sys.exit("torch" in sys.modules)
"""


@pytest.mark.parametrize(
    ("engine", "remembered", "loaded"),
    [(None, "auto", 0), ("onnx", "torch", 0), ("torch", "auto", 1), (None, "torch", 1)],
)
def test_torch_is_loaded_before_qt_if_its_engine_is_chosen_or_remembered(tmp_path, engine, remembered, loaded):
    path = tmp_path / "app.ini"
    save(path, AppSettings(engine=remembered))
    run = subprocess.run(
        [sys.executable, "-c", LOAD_FIRST.format(engine=repr(engine)), str(path)], cwd=ROOT, check=False
    )
    assert run.returncode == loaded


def test_a_torch_that_is_missing_does_not_keep_the_window_from_coming(tmp_path):
    code = "import sys; sys.modules['torch'] = None\n" + LOAD_FIRST.format(engine="'torch'")
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "app.ini")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.stderr == ""


WORDS_OF_A_START = """
import sys
from app import main_window
from app.__main__ import main

class Watched(main_window.MainWindow):
    def tick(self):
        super().tick()
        if self.rendering.shown == 3:
            print("shown", flush=True)

main_window.MainWindow = Watched
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_program_as_its_window_does(tmp_path, number):
    path = tmp_path / "app.ini"
    places = {f"XDG_{name}_HOME": str(tmp_path) for name in ("CONFIG", "CACHE", "DATA", "STATE")}
    command = [sys.executable, "-c", WORDS_OF_A_START, "--source", "demo", "--settings", str(path), "--theme", "light"]
    # A shell's background jobs ignore the interrupt, and so would their children: it is put back.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **places},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        try:
            assert run.stdout.readline() == "shown\n"
            run.send_signal(number)
            assert run.wait(60) == 0
        finally:
            run.kill()
    assert load(path).settings.theme == "light"


def test_threads_that_hang_do_not_end_the_process_of_whoever_called(run_app, tmp_path, monkeypatch):
    monkeypatch.setattr("app.__main__._end", lambda window: (*window.controller.workers.stop(60.0), "a driver"))
    monkeypatch.setattr(os, "_exit", lambda code: pytest.fail("the process would have ended"))
    code, _ = run_app(["--source", "demo", "--settings", str(tmp_path / "app.ini")])
    assert code == 0
