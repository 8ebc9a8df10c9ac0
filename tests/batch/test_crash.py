"""Killed at whatever moment and started again, a run ends with the bytes of one that was never disturbed."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from sadinet.batch.naming import Wanted
from sadinet.motion.settings import MotionSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")

OPTIONS = ("--overlay", "--angles", "--format", "csv,trc,openpose", "--engine", "onnx", "--device", "cpu")
WANTED = Wanted(("csv", "trc", "openpose"), overlay=True, page=True)


@pytest.fixture(scope="module")
def undisturbed(batches, stroll, digests, tmp_path_factory):
    """The digests of a run in this process that nobody stopped."""
    folder = tmp_path_factory.mktemp("undisturbed") / "out"
    assert batches.one(stroll, folder, wanted=WANTED, motion=MotionSettings(angles=True)).error is None
    return digests(folder)


def children_of(process: int) -> list[int]:
    """The processes that a process started, and theirs."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:
        return []
    own = [int(number) for number in text.split()]
    return own + [each for child in own for each in children_of(child)]


def state_of(process: int) -> str:
    """The letter that Linux has for what a process does; empty if there is none of that number."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[0]


def is_running(process: int) -> bool:
    return state_of(process) not in ("", "Z")


def minds_interruptions(process: int) -> bool:
    """Say whether Ctrl-C does to a process what it decided, not what it does to any."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
    return any(mask >> (signal.SIGINT - 1) & 1 for mask in masks)


class Held:
    """A run in a process of its own that stands still at the n-th call of a function, until it is told to go on."""

    CODE = """
import importlib, signal, sys, time
from pathlib import Path
from sadinet.cli.main import main
module, owner, name, count, marker, line = {!r}
holder = importlib.import_module(module)
holder = getattr(holder, owner) if owner else holder
real, calls, marker = getattr(holder, name), [], Path(marker)
def held(*arguments, **options):
    result = real(*arguments, **options)
    calls.append(1)
    if len(calls) == count:
        marker.touch()
        while marker.exists():
            time.sleep(0.02)
    return result
setattr(holder, name, held)
# A shell's background jobs ignore the signal and so would their children: it is put back first.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(line))
"""

    def __init__(self, start, wait_for, marker, line, place, count) -> None:
        module, owner, name = place
        code = self.CODE.format((module, owner, name, count, str(marker), ["run", *map(str, line)]))
        self.process, self.marker = start(code=code), marker
        wait_for(lambda: marker.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL
        self.marker.unlink()

    def go_on(self) -> None:
        self.marker.unlink()


CHUNK_IS_RECORDED = ("sadinet.batch.ledger", "Ledger", "add_chunk")
PART_IS_WRITTEN = ("sadinet.batch.chunks", "", "save_part")
PROCESS_BEGINS = ("sadinet.batch.executors", "Processes", "submit")
FRAME_IS_DRAWN = ("sadinet.batch.finish", "", "draw_poses")


@pytest.fixture
def hold(start, wait_for, tmp_path):
    """Starts runs that stand still somewhere."""
    return lambda line, place, count: Held(start, wait_for, tmp_path / "stands", line, place, count)


def test_killed_with_chunks_done_and_while_it_draws(start, hold, stroll, undisturbed, digests, tmp_path):
    out = tmp_path / "out"
    line = (stroll, "-o", out, "--chunk-frames", 4, *OPTIONS)
    hold(line, PART_IS_WRITTEN, 3).kill()
    assert len(list(out.glob(".sadinet/parts/*/*.npz"))) == 3
    assert digests(out).keys() & undisturbed.keys() == set()
    hold(line, FRAME_IS_DRAWN, 3).kill()
    assert not (out / "stroll.mp4").exists()
    assert (out / "stroll.mp4.part").exists()
    code, printed, complained = start.done(*line)
    assert (code, complained) == (0, [])
    assert digests(out) == undisturbed
    # All poses were there, only the outputs were missing.
    assert "fps" not in printed[-1]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ten_kills_at_random_moments(start, clip, digests, tmp_path, jobs):
    line = (clip, "--chunk-frames", 10, *OPTIONS, "--jobs", jobs)
    began = time.monotonic()
    assert start.done(*line, "-o", tmp_path / "whole")[0] == 0
    took_s = time.monotonic() - began
    moments = random.Random(jobs)
    out, killed = tmp_path / "out", 0
    while killed < 10:
        process = start(*line, "-o", out)
        # A run that goes on where another was has less to do: later kills come where nothing but outputs is missing.
        time.sleep(moments.uniform(0.2, 0.8) * took_s)
        workers = children_of(process.pid)
        process.kill()
        if process.wait() == 0:  # it was done before: undo something, and try again, sooner
            assert digests(out) == digests(tmp_path / "whole")
            took_s *= 0.8
            for name in ("walk.csv", "walk.mp4"):
                (out / name).unlink()
            continue
        assert process.returncode == -signal.SIGKILL
        killed += 1
        deadline = time.monotonic() + 300
        while any(map(is_running, workers)):
            assert time.monotonic() < deadline, "workers outlive their parent"
            time.sleep(0.1)
    assert start.done(*line, "-o", out)[0] == 0
    assert digests(out) == digests(tmp_path / "whole")


@pytest.mark.slow
def test_several_processes_give_the_bytes_of_one(start, hold, stroll, torn, short_clip, digests, wait_for, tmp_path):
    line = (torn, stroll, short_clip, "--chunk-frames", 4, *OPTIONS)
    assert start.done(*line, "-o", tmp_path / "one")[0] == 3
    assert start.done(*line, "-o", tmp_path / "two", "--jobs", 2)[0] == 3
    assert digests(tmp_path / "two") == digests(tmp_path / "one")
    # Stopped in one way, gone on with in the other.
    out = tmp_path / "mixed"
    held = hold((*line, "-o", out, "--jobs", 2), CHUNK_IS_RECORDED, 3)
    workers = children_of(held.process.pid)
    assert len(workers) >= 2
    held.kill()
    wait_for(lambda: not any(map(is_running, workers)))
    assert start.done(*line, "-o", out)[0] == 3
    assert digests(out) == digests(tmp_path / "one")


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_interrupted_run_ends_cleanly_and_goes_on(
    start, hold, stroll, undisturbed, digests, wait_for, tmp_path, jobs
):
    out = tmp_path / "out"
    arguments = [stroll, "-o", out, "--chunk-frames", 4, *OPTIONS, "--jobs", jobs]
    held = hold(arguments, CHUNK_IS_RECORDED, 1)
    process = held.process
    workers = children_of(process.pid)
    assert bool(workers) == (jobs > 1)
    process.send_signal(signal.SIGINT)
    _, complained = process.communicate(timeout=900)
    assert process.returncode == 130
    assert complained.splitlines() == ["sadinet: interrupted; give the same line again to go on"]
    wait_for(lambda: not any(map(is_running, workers)))
    assert digests(out) == {}
    assert (out / "sadinet-report.json").exists()
    code, _, complained = start.done(*arguments[:-1], 1)
    assert (code, complained) == (0, [])
    assert digests(out) == undisturbed


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs to know the processes of a process")
def test_interrupted_while_its_processes_begin_it_complains_once(start, hold, stroll, wait_for, tmp_path):
    held = hold((stroll, "-o", tmp_path / "out", "--chunk-frames", 4, "--jobs", 2), PROCESS_BEGINS, 1)
    family = [held.process.pid, *children_of(held.process.pid)]
    assert len(family) >= 2
    wait_for(lambda: all(map(minds_interruptions, family)))
    for process in family:  # as a terminal does
        os.kill(process, signal.SIGINT)
    _, complained = held.process.communicate(timeout=900)
    assert held.process.returncode == 130
    assert complained.splitlines() == ["sadinet: interrupted; give the same line again to go on"]
    wait_for(lambda: not any(map(is_running, family)))


IMPATIENT = """
import signal, sys, time
from pathlib import Path
from sadinet.batch.executors import Processes
from sadinet.batch.ledger import Ledger
from sadinet.cli.main import main
close, line = Processes.close, {line!r}
def stand(ledger, key, record):
    Path({stands!r}).touch()
    while True:
        time.sleep(0.02)
def tell(executor):
    Path({closes!r}).touch()
    close(executor)
Ledger.add_chunk, Processes.close = stand, tell
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(line))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs to know the processes of a process")
def test_interrupted_twice_it_ends_as_well(start, stroll, wait_for, tmp_path):
    stands, closes = tmp_path / "stands", tmp_path / "closes"
    line = ["run", stroll, "-o", tmp_path / "out", "--chunk-frames", 4, "--jobs", 2]
    process = start(code=IMPATIENT.format(stands=str(stands), closes=str(closes), line=list(map(str, line))))
    wait_for(lambda: stands.exists() or process.poll() is not None)
    workers = children_of(process.pid)
    assert len(workers) >= 2
    # They stand still, so that nobody has stopped when the second interruption comes.
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    wait_for(closes.exists)
    wait_for(lambda: state_of(process.pid) == "S")
    process.send_signal(signal.SIGINT)
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    _, complained = process.communicate(timeout=300)
    assert process.returncode == 130
    assert complained.splitlines() == ["sadinet: interrupted; give the same line again to go on"]
    wait_for(lambda: not any(map(is_running, workers)))


def test_a_second_run_on_the_folder_refuses_and_names_the_first(start, hold, stroll, tmp_path):
    out = tmp_path / "out"
    held = hold((stroll, "-o", out, "--chunk-frames", 4, *OPTIONS), CHUNK_IS_RECORDED, 1)
    code, _, complained = start.done(stroll, "-o", out, *OPTIONS)
    assert code == 1
    (line,) = complained
    assert f"in use by process {held.process.pid} on " in line
    held.go_on()
    held.process.communicate(timeout=900)
    assert held.process.returncode == 0
