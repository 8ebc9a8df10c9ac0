"""The program over time: what is opened, shown, recorded and told leaves nothing behind once it is gone."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QEvent, QObject
from PyQt6.QtWidgets import QFileDialog

from app.choice import SourceChoice, SourceKind
from app.state import Problem

ROOT = Path(__file__).parents[2]
CAMERA = SourceChoice(SourceKind.CAMERA, "one", "One")

MINUTES = float(os.environ.get("SADINET_LIVE_MINUTES", "1"))
"""How long the program runs live here. A release is held to ten; memory's growth is only told of four and more."""

MOST_MB_AN_HOUR = 50
SETTLING_MB = 80  # while buffers fill; a leak of one picture in a hundred would be more within a minute

ROUNDS = 4
GROWING = {"_Sample"}  # of the plot of the last two minutes


@pytest.mark.slow
def test_live_for_minutes_memory_threads_and_timers_stay_as_they_were(tmp_path):
    path = tmp_path / "figures.json"
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "QT_QPA_PLATFORM")}
    platform = [] if shutil.which("Xvfb") else ["--platform", "offscreen"]
    command = [sys.executable, "scripts/measure_app.py", "--minutes", str(MINUTES), "--people", "2"]
    run = subprocess.run(
        [*command, "--json", str(path), *platform],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60 * MINUTES + 600,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert figures["result"] == "measured"
    assert figures["shown_fps"] > 0
    assert figures["threads_more"] <= 0, run.stdout
    assert figures["timers_more"] <= 0, run.stdout
    assert figures["threads_not_ended"] == []
    assert figures["memory_end_mb"] - figures["memory_start_mb"] <= SETTLING_MB, run.stdout
    if MINUTES >= 4:
        assert figures["memory_growth_mb_per_hour"] <= MOST_MB_AN_HOUR, run.stdout


@pytest.mark.slow
def test_rounds_of_all_that_can_be_done_leave_nothing_behind(make_window, wait, clip, running_timers):
    window = make_window(CAMERA)
    for _ in range(2):  # pages, plots and banners are made when they are first seen
        one_round(window, wait, clip)
    before, timers = counted(window, wait), len(running_timers())
    for _ in range(ROUNDS):
        one_round(window, wait, clip)
    after = counted(window, wait)
    grown = {name: (before[name], count) for name, count in after.items() if count - before[name] >= ROUNDS}
    assert {name: counts for name, counts in grown.items() if name not in GROWING} == {}
    assert after["running threads"] <= before["running threads"]
    # A page that was still at work, or a picture that waits its turn, has a timer for a moment; a forgotten one stays.
    wait(lambda: len(running_timers()) <= timers, "the end of the rounds' timers")


def one_round(window, wait, clip):
    """Open, watch, record, save, turn all pages, tell and close."""
    control, actions = window.controller, window.actions_by_name
    control.open(CAMERA)
    wait(lambda: window.shown is not None and window.shown.poses, "somebody")
    actions["record"].trigger()
    wait(lambda: window.desk.recorder.status.frames >= 3, "three frames")
    actions["record"].trigger()
    wait(lambda: not window.desk.recorder.status.is_busy, "the end of the recording")
    actions["snapshot"].trigger()
    wait(lambda: any(line.startswith("Snapshot saved") for line in window.notices.messages), "the note")
    for name in ("batch", "compare", "export", "viewer"):
        window.show_page(name)
    for place in range(window.viewer.tabs.count()):
        window.viewer.tabs.setCurrentIndex(place)
    for name in ("performance", "about"):
        actions[name].trigger()
    window.side.close()
    for name in ("open_video", "open_pictures"):
        actions[name].trigger()
        (dialog,) = window.findChildren(QFileDialog)
        dialog.reject()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for name in ("light", "light", "full_screen", "full_screen"):
        actions[name].toggle()
    control.tell(Problem("camera One is lost", "plug it in again", "SourceError"))
    control.open(SourceChoice(SourceKind.FILE, str(clip)))
    wait(lambda: control.state.is_file and window.shown is not None, "the file")
    for problem in control.state.problems:
        control.dismiss(problem.line)
    control.close()
    wait(lambda: window.shown is None and not window.notices.messages, "the end")


def is_ours(kind):
    return str(kind.__module__).startswith(("app.", "sadinet."))


def counted(window, wait):
    """Count our own objects, Qt's and threads, once what was closed has ended."""
    names = {"app opening", "app closing", "app player", "app snapshot", "app recording", "app models"}
    wait(lambda: not names & {thread.name for thread in threading.enumerate()}, "the end of what was closed")
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    objects = gc.get_objects()
    found = Counter(type(each).__name__ for each in objects if is_ours(type(each)))
    alive = [each for each in objects if issubclass(type(each), QObject) and not sip.isdeleted(each)]
    found["objects of Qt"] = len(alive) + len(window.findChildren(QObject))
    found["running threads"] = threading.active_count()
    return found
