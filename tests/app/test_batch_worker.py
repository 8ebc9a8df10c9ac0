"""The process of a batch for real: what it begins the command line continues, and the other way round."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from app.batch_state import BatchOptions, BatchPhase, BatchState, ItemState
from app.batch_worker import BatchWorker
from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "sadinet" / "_demo" / "walk.mp4"
CHUNK = 12
FRAMES = 40


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "walk.mp4"
    with VideoReader(CLIP) as reader, OverlayWriter(path) as writer:
        for frame in islice(reader, 20, 20 + FRAMES):
            writer.write(frame.image, frame.time_s)
    return path


@pytest.fixture
def worker(tmp_path):
    worker = BatchWorker(tmp_path / "queue.json")
    yield worker
    assert worker.close(30) == ()


def options(folder: Path, **more) -> BatchOptions:
    return BatchOptions(str(folder), chunk_frames=CHUNK, **more)


def wait(worker: BatchWorker, holds, seconds: float = 240.0) -> BatchState:
    deadline = time.monotonic() + seconds
    while not holds(worker.poll()):
        assert time.monotonic() < deadline, worker.state
        time.sleep(0.02)
    return worker.state


HELD = """
import sys, time
from sadinet.batch.ledger import Ledger
from sadinet.cli.main import main

add_chunk, added = Ledger.add_chunk, []

def held(*arguments, **options):
    add_chunk(*arguments, **options)
    added.append(1)
    while len(added) == 2:
        time.sleep(0.02)

Ledger.add_chunk = held
sys.exit(main(sys.argv[1:]))
"""


def sadinet_run(clip: Path, folder: Path, code: str = "") -> subprocess.Popen[bytes]:
    program = ["-c", code] if code else ["-m", "sadinet"]
    command = [sys.executable, *program, "run", str(clip), "-o", str(folder), "--chunk-frames", str(CHUNK), "--quiet"]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})


def chunks_in(folder: Path) -> int:
    try:
        connection = sqlite3.connect(f"file:{folder / '.sadinet' / 'ledger.sqlite'}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return connection.execute("SELECT count(*) FROM chunks").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("the process goes on")


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith("walk.")}


@pytest.fixture(scope="module")
def expected(clip, tmp_path_factory) -> dict[str, bytes]:
    """What one uninterrupted run of the command line gives."""
    folder = tmp_path_factory.mktemp("expected")
    assert sadinet_run(clip, folder).wait(240) == 0
    found = results(folder)
    assert set(found) == {"walk.csv", "walk.json", "walk.html"}
    return found


@pytest.mark.slow
def test_what_the_command_line_began_the_queue_continues(worker, clip, expected, tmp_path):
    # It stands still once two of its four pieces are done, however fast the machine is.
    process = sadinet_run(clip, tmp_path / "out", HELD)
    try:
        deadline = time.monotonic() + 240
        while chunks_in(tmp_path / "out") < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert chunks_in(tmp_path / "out") == 2
    worker.set_options(options(tmp_path / "out"))
    worker.add([str(clip)])
    wait(worker, lambda state: state.items and state.items[0].frames == FRAMES)
    worker.start()
    state = wait(worker, lambda state: not state.phase.is_busy)
    assert (state.fault, state.items[0].state) == (None, ItemState.DONE)
    assert state.computed <= FRAMES - 2 * CHUNK + 4
    assert results(tmp_path / "out") == expected
    assert Path(state.report).is_file()
    # Once more: nothing is left to do, and nothing changes.
    worker.start()
    state = wait(worker, lambda state: not state.phase.is_busy)
    assert (state.items[0].state, state.computed) == (ItemState.KEPT, 0)
    assert results(tmp_path / "out") == expected


@pytest.mark.slow
def test_what_the_queue_began_the_command_line_continues(clip, expected, tmp_path):
    """Paused, gone on, and then the program is gone; the next one offers to go on."""
    worker = BatchWorker(tmp_path / "queue.json")
    worker.set_options(options(tmp_path / "out"))
    worker.add([str(clip)])
    wait(worker, lambda state: state.items)
    worker.start()
    wait(worker, lambda state: state.computed > 0)
    worker.pause()
    state = wait(worker, lambda state: state.phase is BatchPhase.PAUSED)
    before = state.computed
    time.sleep(0.6)
    assert worker.poll().computed == before
    worker.resume()
    wait(worker, lambda state: state.phase is BatchPhase.RUNNING and state.computed > before)
    wait(worker, lambda state: chunks_in(tmp_path / "out") >= 1)
    pid = worker._process._process.pid
    assert worker.close(0.0) in ((), ("app batch list",))
    wait_for_end(pid)

    reopened = BatchWorker(tmp_path / "queue.json")
    assert reopened.state.was_cut
    assert reopened.state.can_resume
    assert [item.where for item in reopened.state.shown] == [str(clip)]
    assert reopened.close() == ()

    assert sadinet_run(clip, tmp_path / "out").wait(240) == 0
    assert results(tmp_path / "out") == expected


@pytest.mark.slow
def test_one_bad_input_costs_no_other_and_a_folder_in_use_is_told(worker, clip, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "in" / "broken.mp4").write_bytes(b"no video")
    worker.set_options(options(tmp_path / "out", page=False))
    worker.add([str(tmp_path / "in"), str(tmp_path / "in" / "a.mp4"), str(tmp_path / "gone.mp4")])
    state = wait(worker, lambda state: len(state.items) == 3 and state.items[2].notes)
    assert [item.name for item in state.items] == ["a.mp4", "broken.mp4", "gone.mp4"]
    assert "damaged" in state.items[1].notes[0]
    assert "no such file" in state.items[2].notes[0]
    worker.start()
    wait(worker, lambda state: state.phase is BatchPhase.RUNNING)
    # Another program wants the same folder, meanwhile.
    other = BatchWorker()
    other.set_options(options(tmp_path / "out", page=False))
    other.add([str(clip)])
    wait(other, lambda state: state.items)
    worker.remove([str(tmp_path / "gone.mp4")])
    state = wait(worker, lambda state: state.computed > 0 or not state.phase.is_busy)
    worker.pause()
    other.start()
    fault = wait(other, lambda state: not state.phase.is_busy).fault
    assert "is in use by process" in fault.message
    assert other.close() == ()
    if worker.poll().phase is not BatchPhase.IDLE:
        wait(worker, lambda state: state.phase is BatchPhase.PAUSED)
        worker.resume()
    state = wait(worker, lambda state: not state.phase.is_busy)
    assert [item.state for item in state.items] == [ItemState.DONE, ItemState.FAILED]
    assert state.summary.startswith("2 inputs: 1 done, 1 failed")
    assert "gone.mp4" not in (tmp_path / "out" / "sadinet-report.json").read_text()


def test_stopping_while_models_load_is_no_fault(worker, clip, tmp_path):
    worker.set_options(options(tmp_path / "out"))
    worker.add([str(clip)])
    wait(worker, lambda state: state.items)
    worker.start()
    assert worker.state.phase is BatchPhase.STARTING
    worker.cancel()
    state = wait(worker, lambda state: not state.phase.is_busy)
    assert (state.fault, state.items[0].state) == (None, ItemState.WAITING)


def test_a_folder_that_cannot_be_made_is_told(worker, clip, tmp_path):
    (tmp_path / "file").write_text("")
    worker.set_options(options(tmp_path / "file" / "out"))
    worker.add([str(clip)])
    wait(worker, lambda state: state.items)
    worker.start()
    fault = wait(worker, lambda state: not state.phase.is_busy).fault
    assert "a file stands where a folder is needed" in fault.remedy


def test_the_second_of_two_programs_leaves_the_list_alone_and_says_so(tmp_path):
    path = tmp_path / "queue.json"
    first, second = BatchWorker(path), BatchWorker(path)
    assert first.note == ""
    assert "open twice" in second.note
    first.set_options(replace(first.state.options, folder="first"))
    second.set_options(replace(second.state.options, folder="second"))
    assert second.close() == ()
    assert first.close() == ()

    third = BatchWorker(path)
    assert (third.note, third.state.options.folder) == ("", "first")
    assert third.close() == ()


def test_a_place_that_cannot_be_locked_does_not_keep_the_program_from_working(tmp_path):
    (tmp_path / "file").touch()
    worker = BatchWorker(tmp_path / "file" / "queue.json")
    assert "open twice" not in worker.note
    worker.set_options(replace(worker.state.options, folder="here"))
    assert worker.state.options.folder == "here"
    assert worker.close() == ()
