"""Threads beside the window: all are known and waited for, and one failure costs nothing but itself."""

from __future__ import annotations

import threading
import time

from app.background import Background
from app.threads import Threads


def test_all_are_waited_for_also_those_that_others_begin_at_the_same_moment():
    threads, go, done = Threads(), threading.Event(), []

    def work(number):
        assert go.wait(30)
        done.append(number)

    def begin(first):
        for number in range(first, first + 10):
            threads.start("one of many", lambda number=number: work(number))

    beginners = [threading.Thread(target=begin, args=(first,)) for first in range(0, 80, 10)]
    for each in beginners:
        each.start()
    for each in beginners:
        each.join()
    assert threads.join(time.monotonic()) == ("one of many",) * 80
    assert threads.is_running("one of many")
    go.set()
    assert threads.join(time.monotonic() + 30) == ()
    assert sorted(done) == list(range(80))
    assert not threads.is_running("one of many")


def test_none_begins_once_all_were_told_to_end():
    threads, begun = Threads(), []
    threads.end()
    threads.start("late", lambda: begun.append(True))
    assert threads.is_ended
    assert threads.join(time.monotonic() + 30) == ()
    assert begun == []


def test_a_step_that_fails_is_told_and_the_next_one_is_done(monkeypatch):
    told, done = [], []
    monkeypatch.setattr(threading, "excepthook", told.append)
    background = Background("steps")
    background.do(lambda: 1 / 0)
    background.do(lambda: done.append("next"))
    assert background.close(time.monotonic() + 30) == ()
    assert [(each.exc_type, each.thread.name) for each in told] == [(ZeroDivisionError, "steps")]
    assert done == ["next"]


def test_a_step_that_does_not_end_is_named():
    go = threading.Event()
    background = Background("steps")
    background.do(lambda: go.wait(30))
    assert background.close(time.monotonic()) == ("steps",)
    assert background.is_closed
    go.set()
