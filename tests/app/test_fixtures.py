"""What every test of the program is held to: a test that leaves something behind, or shows a box, fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from PyQt6.QtCore import QSettings, QStandardPaths

CARELESS = """
import threading, time
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QMessageBox

kept = []

# First, as what the others leave behind stays.
def test_is_careful(qapp):
    timer = QTimer()
    timer.start(1000)
    timer.stop()
    thread = threading.Thread(target=lambda: None)
    thread.start()

def test_leaves_a_thread(monkeypatch):
    kept.append(threading.Thread(target=lambda: time.sleep(20), name="forgotten", daemon=True))
    kept[0].start()

def test_leaves_a_timer(qapp):
    kept.append(QTimer())
    kept[-1].start(1000)

def test_shows_a_box(qapp):
    QMessageBox.warning(None, "Careful", "Nobody answers this")
"""


def test_what_is_left_behind_or_shown_fails(tmp_path):
    guards = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
    assert "_GRACE_S = 20.0" in guards
    # The deadline of threads is waited for in full.
    (tmp_path / "conftest.py").write_text(guards.replace("_GRACE_S = 20.0", "_GRACE_S = 2.0"), encoding="utf-8")
    (tmp_path / "test_careless.py").write_text(CARELESS, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = set(re.findall(r"^(ERROR|FAILED|PASSED) \S*::(\w+)", run.stdout, re.MULTILINE))
    assert ("ERROR", "test_leaves_a_thread") in found, run.stdout
    assert "threads left behind: ['forgotten']" in run.stdout
    assert ("ERROR", "test_leaves_a_timer") in found
    assert "timers left behind" in run.stdout
    assert ("FAILED", "test_shows_a_box") in found
    assert "a modal box was shown" in run.stdout
    assert {each for each in found if each[1] == "test_is_careful"} == {("PASSED", "test_is_careful")}


def test_settings_and_places_of_the_user_are_out_of_reach(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    own = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "sadinet", "app").fileName()
    places = [own, QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)]
    import platformdirs

    places += [platformdirs.user_config_path("sadinet"), platformdirs.user_data_path("sadinet")]
    if sys.platform == "linux":
        assert all(Path(place).is_relative_to(base) for place in places), places
