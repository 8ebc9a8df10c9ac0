"""The program in real windows, on an X display without a screen: needs Xvfb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.opening import demo_clip

ROOT = Path(__file__).parents[2]

SHOW_ONE_FRAME = """
import sys
import cv2
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication
from app import main_window
from app.__main__ import main

def look(window):
    if window.shown is not None:
        maps = open("/proc/self/maps").read().split()
        print(QApplication.platformName())
        print(*sorted({path for path in maps if "libqxcb" in path}))
        window.close()

class Watched(main_window.MainWindow):
    def tick(self):
        super().tick()
        look(self)

main_window.MainWindow = Watched
sys.argv[1:] = ["--source", "demo", "--settings", sys.argv[1]]
sys.exit(main())
"""


@pytest.fixture
def real(x_display, tmp_path):
    """Runs a command with a display, and with nothing of the user's."""
    places = {f"XDG_{name}_HOME": str(tmp_path / "user") for name in ("CONFIG", "CACHE", "DATA", "STATE")}
    own = {**places, "DISPLAY": x_display, "QT_QPA_PLATFORM": "xcb", "LANG": "C.UTF-8"}

    def run(command, **more):
        environment = {**os.environ, **own, **more}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500, check=False
        )

    return run


@pytest.mark.slow
def test_a_real_window_does_everything_and_exports_what_the_command_line_writes(real, tmp_path):
    kept, figures_path, results = tmp_path / "kept", tmp_path / "figures.json", tmp_path / "results"
    options = ["--self-test", "--seconds", "2", "--json", str(figures_path), "--keep", str(kept)]
    app = real([sys.executable, "-m", "app", *options])
    assert app.returncode == 0, app.stdout + app.stderr
    figures = json.loads(figures_path.read_text(encoding="utf-8"))
    assert figures["platform"] == "xcb"
    assert figures["result"] == "passed"
    assert figures["controls"] > 100
    (recorded,) = (kept / "recordings").iterdir()
    assert (recorded / "video.mkv").stat().st_size > 10_000

    command = [sys.executable, "-m", "sadinet", "run", str(demo_clip()), "-o", str(results), "--angles"]
    run = real(command)
    assert run.returncode == 0, run.stdout + run.stderr
    exported, written = kept / "exports" / "walk.csv", results / "walk.csv"
    assert exported.read_bytes() == written.read_bytes()
    assert len(exported.read_text(encoding="utf-8").splitlines()) > 100


@pytest.mark.skipif(sys.platform != "linux", reason="reads what is loaded from /proc")
def test_opencvs_qt_does_not_break_the_window(real, tmp_path):
    import cv2

    plugins = Path(cv2.__file__).parent / "qt" / "plugins"
    place = {"QT_QPA_PLATFORM_PLUGIN_PATH": str(plugins), "QT_QPA_FONTDIR": str(plugins.parent / "fonts")}
    run = real([sys.executable, "-c", SHOW_ONE_FRAME, str(tmp_path / "app.ini")], **place)
    assert run.returncode == 0, run.stderr
    platform, loaded = run.stdout.splitlines()
    assert platform == "xcb"
    assert "PyQt6" in loaded
    assert "cv2" not in loaded
    assert "Could not load the Qt platform plugin" not in run.stderr
