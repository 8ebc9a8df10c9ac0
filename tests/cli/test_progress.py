"""How far a run is: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from sadinet.cli import progress
from sadinet.cli.progress import Bars, Lines, clock, make_reporter, print_facts


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
    reporter.begin("walk.mp4", 100)
    for _ in range(50):
        now[0] += 0.5
        reporter.frame()
    assert capsys.readouterr().out.splitlines() == [
        "walk.mp4: 20 of 100 frames, 2.0 fps, 0:40 left",
        "walk.mp4: 40 of 100 frames, 2.0 fps, 0:30 left",
    ]


def test_lines_without_a_known_length(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    reporter = Lines()
    reporter.begin("camera", None)
    now[0] += 20
    reporter.frame()
    assert capsys.readouterr().out == "camera: 1 frames, 0.1 fps\n"


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
        reporter.begin("walk [1].mp4", 3)
        for _ in range(3):
            reporter.frame()
        reporter.end()
        reporter.say("walk [1].mp4: done")
        reporter.complain("[red] is no colour")
    terminal.close()
    reading.join(timeout=20)
    os.close(leader)
    text = b"".join(seen).decode()
    assert "walk [1].mp4: done" in text
    assert "sadinet: [red] is no colour" in text
