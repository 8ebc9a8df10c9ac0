"""How far a run is: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest

from sadinet.cli import progress
from sadinet.cli.progress import Bars, JsonLines, Lines, clock, make_reporter, print_facts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (3600, "1:00:00"), (7325, "2:02:05"), (-1, "0:00")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_lines_come_now_and_then(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    reporter = Lines()
    walk = reporter.begin("walk.mp4", 100)
    for _ in range(50):
        now[0] += 0.5
        reporter.advance(walk)
    reporter.end(walk)
    assert capsys.readouterr().out.splitlines() == [
        "walk.mp4: 20 of 100 frames, 2.0 fps, 0:40 left",
        "walk.mp4: 40 of 100 frames, 2.0 fps, 0:30 left",
    ]


def test_lines_without_a_known_length(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    reporter = Lines()
    number = reporter.begin("camera", None)
    now[0] += 20
    reporter.advance(number)
    assert capsys.readouterr().out == "camera: 1 frames, 0.1 fps\n"


def test_lines_of_several_inputs_are_counted_apart_and_frames_of_earlier_runs_are_no_speed(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    reporter = Lines()
    a, b = reporter.begin("a.mp4", 100), reporter.begin("b.mp4", 1000, 600)
    now[0] += 10
    reporter.advance(b, 50)
    reporter.advance(a, 20)
    reporter.expect(a, 60)
    now[0] += 10
    reporter.advance(a, 20)
    assert capsys.readouterr().out.splitlines() == [
        "b.mp4: 650 of 1000 frames, 5.0 fps, 1:10 left",
        "a.mp4: 20 of 100 frames, 2.0 fps, 0:40 left",
        "a.mp4: 40 of 60 frames, 2.0 fps, 0:10 left",
    ]


@pytest.mark.parametrize("frames", [0, -5])
def test_no_progress_or_frames_to_be_done_again_have_no_time_left(capsys, monkeypatch, frames):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    reporter = Lines()
    number = reporter.begin("a.mp4", 100, 50)
    now[0] += 10
    reporter.advance(number, frames)
    assert capsys.readouterr().out == f"a.mp4: {50 + frames} of 100 frames, 0.0 fps\n"


def test_json_lines_are_objects_and_complaints_are_told_twice(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with make_reporter(is_quiet=False, is_json=True) as reporter:
        assert isinstance(reporter, JsonLines)
        number = reporter.begin('we\'ird "näme"\udcff.mp4', None, 3)
        for _ in range(16):
            now[0] += 0.125
            reporter.advance(number, 2)
        reporter.say("for people alone")
        reporter.complain("torn\nin two")
        reporter.end(number)
        reporter.tell("end", state="done", rows=7)
    printed, complained = capsys.readouterr()
    told = [json.loads(line) for line in printed.splitlines()]
    assert [each["event"] for each in told] == ["begin", "progress", "progress", "complaint", "end"]
    assert told[0] == {"event": "begin", "name": 'we\'ird "näme"\udcff.mp4', "frames": None, "done": 3}
    assert (told[1]["frames"], told[2]["frames"], told[2]["of"], told[2]["fps"]) == (19, 35, None, 16.0)
    assert told[3]["text"] == "torn in two"
    assert complained == "sadinet: torn in two\n"


def test_quiet_lines_still_complain(capsys):
    reporter = make_reporter(is_quiet=True)
    reporter.say("nothing of importance")
    reporter.complain("a line\nand another")
    assert capsys.readouterr() == ("", "sadinet: a line and another\n")


def test_facts_stand_below_each_other(capsys):
    print_facts([("a", "1"), ("longer", "2")])
    assert capsys.readouterr().out == "  a       1\n  longer  2\n"


def iter_terminal(leader: int):
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:  # the other end was closed
            return
        if not data:
            return
        yield data


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
def test_bars_on_a_terminal(monkeypatch):
    leader, follower = os.openpty()
    terminal = os.fdopen(follower, "w")
    seen = []
    reading = threading.Thread(target=lambda: seen.extend(iter_terminal(leader)))
    reading.start()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with make_reporter(is_quiet=False) as reporter:
        assert isinstance(reporter, Bars)
        every, one = reporter.begin("all 2 inputs", 6), reporter.begin("walk [1].mp4", 3)
        for _ in range(3):
            reporter.advance(one)
            reporter.advance(every)
        reporter.expect(every, 3)
        reporter.end(one)
        reporter.end(every)
        reporter.say("walk [1].mp4: done")
        reporter.complain("[red] is no colour")
    terminal.close()
    reading.join(timeout=20)
    os.close(leader)
    text = b"".join(seen).decode()
    assert "all 2 inputs" in text
    assert "walk [1].mp4: done" in text
    assert "sadinet: [red] is no colour" in text
