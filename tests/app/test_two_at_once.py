"""Two programs at once, with the same settings and the same list of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.choice import SourceChoice, SourceKind
from app.settings import AppSettings, load, save

ROOT = Path(__file__).parents[2]

ONE_OF_TWO = """
import sys
from pathlib import Path
from app import main_window
from app.__main__ import main

own, other, settings = (Path(each) for each in sys.argv[1:])

class Watched(main_window.MainWindow):
    def tick(self):
        super().tick()
        if self.shown is not None and not own.exists():
            self.show_page("batch")
            own.write_text("here")
        # Open until the other one was open too.
        if own.exists() and other.exists() and self.side.current == "batch":
            self.controller.tick()
            print(*(problem.line for problem in self.controller.state.problems), sep="\\n")
            (own.parent / (own.name + " told")).touch()
            self.side.current = "told"
        if self.side.current == "told" and (other.parent / (other.name + " told")).exists():
            self.side.current = "batch"
            self.close()

main_window.MainWindow = Watched
sys.argv[1:] = ["--source", "demo", "--settings", str(settings)]
sys.exit(main())
"""


@pytest.mark.slow
def test_both_show_their_picture_one_keeps_the_list_and_the_settings_stay_whole(tmp_path):
    settings = tmp_path / "app.ini"
    save(settings, AppSettings(theme="light", recent=("/a.mp4",)))
    own = {f"XDG_{name}_HOME": str(tmp_path / "user") for name in ("CONFIG", "CACHE", "DATA", "STATE")}
    environment = {**os.environ, **own, "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"}
    names = [str(tmp_path / name) for name in ("one", "two")]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_OF_TWO, *order, str(settings)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for order in (names, names[::-1])
    ]
    try:
        told = [run.communicate(timeout=300) for run in runs]
    finally:
        for run in runs:
            run.kill()
    assert [run.returncode for run in runs] == [0, 0], told
    assert sum("open twice" in output for output, _ in told) == 1, told
    loaded = load(settings)
    assert (loaded.note, loaded.settings.theme, loaded.settings.recent) == ("", "light", ("/a.mp4",))


def test_settings_that_are_damaged_are_told_in_the_window(qtbot, tmp_path):
    from app.__main__ import _parser, _Places, _window

    path = tmp_path / "app.ini"
    save(path, AppSettings(source=SourceChoice(SourceKind.FILE, "/gone.mp4")))
    path.write_bytes(path.read_bytes()[:40] + b"\x00\xff" * 300)
    options = _parser().parse_args(["--settings", str(path), "--source", "demo"])
    window, may_save = _window(options, path, _Places.of_test(tmp_path))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: bool(window.notices.messages), timeout=20_000)
    assert "defaults" in window.notices.messages[0]
    assert may_save
    window.close()
    assert window.controller.workers.stop(20.0) == ()
