"""Pictures of the desktop program for the README, and to look at: it is driven as a user would, on the demo clip.

xvfb-run -s "-screen 0 1920x1080x24" python scripts/screenshots.py -o shots --size 1280x800 1920x1080
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

# The checkout's own packages, however this file is started.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PyQt6.QtWidgets import QApplication

from app.choice import DEMO, SourceChoice, SourceKind
from app.controller import Controller
from app.loading import ModelChoice
from app.main_window import MainWindow
from app.opening import demo_clip
from app.settings import AppSettings
from app.state import Problem
from app.view_options import ViewOptions
from app.workers import Workers

PATIENCE_S = 900.0


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="where the pictures go")
    parser.add_argument("--size", nargs="+", default=["1280x800"], metavar="WxH", help="of the window (1280x800)")
    parser.add_argument("--theme", nargs="+", default=["dark", "light"], help="colours (dark light)")
    parser.add_argument("--file", type=Path, default=demo_clip(), help="video that is analysed (the demo clip)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101
    with tempfile.TemporaryDirectory(prefix="sadinet-") as folder:
        window = _window(Path(folder))
        window.show()
        window.controller.start(DEMO)
        for name, prepare in _scenes(window, options.file, Path(folder)):
            prepare()
            if options.only and name not in options.only:
                continue
            for size in options.size:
                for theme in options.theme:
                    _take(window, options.out / f"{name}-{theme}-{size}.png", size, theme)
        window.close()
        window.side.stop(2.0)
        window.desk.finish(2.0)


def _window(folder: Path) -> MainWindow:
    settings = AppSettings(folder=str(folder / "results"), recent=("squats.mp4", "gait-left.mov"))
    controller = Controller(Workers(ModelChoice(), folder / "cache"))
    controller.state = replace(controller.state, recent=settings.recent)
    return MainWindow(controller, settings, folder)


def _scenes(window: MainWindow, file: Path, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the name of each picture, and what leads to it."""
    control, viewer = window.controller, window.viewer

    def someone() -> bool:
        return window.shown is not None and len(window.shown.poses) > 0

    def live() -> None:
        _until(lambda: control.state.are_models_ready and someone())
        _wait(3)

    def everything() -> None:
        window.set_view(ViewOptions(names=True, boxes=True, trails=True, ellipses=True))
        viewer.view.set_options(window.settings.view)
        viewer.tabs.setCurrentIndex(1)
        _wait(1.5)

    def angles() -> None:
        window.set_view(ViewOptions())
        viewer.view.set_options(window.settings.view)
        viewer.show_angles()
        _wait(4)

    def problems() -> None:
        control.tell(Problem("camera 'C920' gives no picture any more", "plug it in again", "SourceError: /dev/video0"))
        control.tell(Problem("Recorded", "312 frames in 10.4 s -> recordings/2026-11-22 demo", is_error=False))
        _wait(0.5)

    def file_open() -> None:
        for problem in control.state.problems:
            control.dismiss(problem.line)
        viewer.tabs.setCurrentIndex(0)
        control.open(SourceChoice(SourceKind.FILE, str(file)))
        _until(lambda: control.state.is_file and someone())

    def analysed() -> None:
        control.analyse()
        _until(lambda: control.analysed is not None)
        control.seek(control.state.place.frames // 2)
        _wait(1.5)

    def course() -> None:
        viewer.show_angles()
        control.set_looped(False)
        # So slowly that every frame is shown, whatever else the machine does.
        control.set_speed(0.25)
        control.seek(0)
        _until(lambda: control.state.place.frame == 0)
        control.toggle_play()
        _until(lambda: control.state.place.frame >= control.state.place.frames * 6 // 7)
        control.toggle_play()
        _wait(1)

    def heatmap() -> None:
        control.set_speed(1.0)
        control.seek(control.state.place.frames // 2)
        viewer.tabs.setCurrentIndex(0)
        window.set_view(ViewOptions(heatmap_joint="left_knee", names=False))
        viewer.view.set_options(window.settings.view)
        _wait(1.5)

    def batch() -> None:
        clips = folder / "clips"
        clips.mkdir()
        for name in ("squats.mp4", "gait-left.mp4"):
            shutil.copy(file, clips / name)
        (clips / "cut-off.mp4").write_bytes(file.read_bytes()[:5000])
        window.show_page("batch")
        page = window.side.batch
        assert page is not None  # noqa: S101  just shown
        page.add([str(path) for path in sorted(clips.iterdir())])
        _until(lambda: page.commands.actions["start"].isEnabled())
        _wait(1)
        page.commands.actions["start"].trigger()
        _until(lambda: page.commands.actions["report"].isEnabled())
        _wait(1)

    def compare() -> None:
        for options in ([], ["--flip-test"]):
            out = folder / ("flip test" if options else "plain")
            command = [sys.executable, "-m", "sadinet", "run", str(file), "-o", str(out), "--no-page", *options]
            subprocess.run(command, cwd=Path(__file__).resolve().parents[1], check=True, stdout=subprocess.DEVNULL)
        window.show_page("compare")
        page = window.side.compare
        assert page is not None  # noqa: S101  just shown
        page.set_tables(folder / "plain" / f"{file.stem}.csv", folder / "flip test" / f"{file.stem}.csv")
        _until(lambda: page.is_shown)
        page.show_frame(40)
        _wait(2)

    yield from (("live", live), ("overlays", everything), ("angles", angles), ("notices", problems))
    yield from (("file", file_open), ("analysed", analysed), ("course", course), ("heatmap", heatmap))
    yield from (("batch", batch), ("compare", compare))
    yield "export", lambda: window.actions_by_name["export"].trigger()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("the program did not get there in time")
        _wait(0.05)


def _wait(seconds: float) -> None:
    """Let the program run."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        QApplication.processEvents()
        time.sleep(0.005)


def _take(window: MainWindow, path: Path, size: str, theme: str) -> None:
    width, height = (int(part) for part in size.split("x"))
    window.actions_by_name["light"].setChecked(theme == "light")
    window.resize(width, height)
    _wait(0.7)
    window.grab().save(str(path))
    print(path)


if __name__ == "__main__":
    main()
