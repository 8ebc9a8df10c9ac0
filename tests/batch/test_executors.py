"""Processes that die take no other work with them."""

from __future__ import annotations

import multiprocessing
import sys

import pytest

from sadinet.batch.executors import Processes
from sadinet.batch.naming import Job, Outputs
from sadinet.batch.tasks import ChunkTask
from sadinet.errors import SourceError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")


def kill_workers() -> None:
    for process in multiprocessing.active_children():
        process.kill()


@pytest.mark.slow
def test_a_process_that_dies_once_costs_nothing(batches, stroll, digests, wait_for, tmp_path):
    batches(stroll, tmp_path / "one")
    killed = []

    def kill_once(stage: str, done: int) -> None:
        if not killed:
            killed.append(done)
            kill_workers()

    # Four chunks of one input are under way or wait, all of which lose their process.
    session = batches(stroll, tmp_path / "two", processes=2, on_advance=kill_once)
    (outcome,) = session.outcomes
    assert killed
    assert outcome.error is None
    assert digests(tmp_path / "two") == digests(tmp_path / "one")
    # A process may die with a word on its way; nothing is told twice.
    assert batches.heard.frames[("stroll.mp4", "poses")] <= 16
    wait_for(lambda: not multiprocessing.active_children())  # those that were killed may take a moment


@pytest.mark.slow
def test_an_input_that_kills_its_process_twice_fails_alone(batches, clip, short_clip, wait_for, tmp_path):
    # Long enough that chunks are under way whenever one is heard to be done.
    def kill(stage: str, done: int) -> None:
        if batches.heard.now == "walk.mp4" and done:
            kill_workers()

    session = batches([clip, short_clip], tmp_path / "out", processes=2, on_advance=kill)
    first, second = session.outcomes
    assert "the process that worked on it died" in first.error.message
    assert "--jobs" in first.error.remedy
    assert second.error is None
    wait_for(lambda: not multiprocessing.active_children())  # those that were killed may take a moment


def test_errors_of_a_process_come_out_here_and_it_goes_on(batches, stroll, wait_for, tmp_path):
    events = []
    executor = Processes(batches.people.settings, 1, events.append)
    try:
        outputs = Outputs(tmp_path, "x")
        (tmp_path / "none.mp4").write_bytes(b"no video")
        bad = ChunkTask(0, Job(str(tmp_path / "none.mp4"), "video", outputs, False), 0, tmp_path / "0.npz")
        good = ChunkTask(1, Job(str(stroll), "video", outputs, False), 0, tmp_path / "1.npz")
        first, second = executor.submit(bad), executor.submit(good)
        waiting = {first, second}
        while waiting:
            waiting -= executor.wait(list(waiting))
        with pytest.raises(SourceError, match="not a video"):
            first.result()
        (record,) = second.result()
        assert (record.number, record.is_last, record.facts["frames"]) == (0, True, 16)
        assert sum(event.frames for event in events) == 16
        assert {event.place for event in events} == {1}
    finally:
        executor.close()
    wait_for(lambda: not multiprocessing.active_children())  # those that were killed may take a moment
