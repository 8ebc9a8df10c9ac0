"""What a batch does and does not do again, and what happens to a source or a record that is not as it should be."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import threading
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from sadinet.batch.describe import BatchSettings, describe_models
from sadinet.batch.executors import InProcess
from sadinet.batch.ledger import Ledger
from sadinet.batch.naming import Wanted, plan_jobs
from sadinet.batch.parts import load_part
from sadinet.batch.runner import Batch
from sadinet.batch.tasks import ChunkTask
from sadinet.batch.worker import Worker
from sadinet.errors import InputError
from sadinet.media.packets import scan_packets
from sadinet.media.pictures import write_picture
from sadinet.media.source import open_source
from sadinet.media.video import VideoReader
from sadinet.motion.settings import MotionSettings
from sadinet.pipeline import People
from sadinet.tables.read import read_table
from sadinet.tables.sidecar import read_sidecar


class Silent:
    """Hears nothing."""

    def began(self, place, job, frames, done) -> None: ...

    def advanced(self, place, frames, stage) -> None: ...

    def ended(self, place, outcome) -> None: ...


OVERLAY = Wanted(overlay=True, page=True)


@pytest.fixture(scope="module")
def done(batches, stroll, tmp_path_factory):
    """A finished run in chunks of 4 frames; copied by whoever spoils it."""
    folder = tmp_path_factory.mktemp("done") / "out"
    batches(stroll, folder)
    return folder


@pytest.fixture
def out(done, tmp_path):
    """A copy of the finished run."""
    return shutil.copytree(done, tmp_path / "out")


def stop_after(frames: int):
    """Interrupt, as Ctrl-C does, after so many frames."""

    def stop(stage: str, done: int) -> None:
        if stage == "poses" and done >= frames:
            raise KeyboardInterrupt

    return stop


# What is taken over.


def test_a_finished_input_is_kept_and_not_touched(batches, stroll, out):
    before = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.is_file()}
    outcome = batches.one(stroll, out)
    assert (outcome.is_kept, outcome.computed_frames, outcome.error) == (True, 0, None)
    assert outcome.summary["frames"] == 16
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_interrupted_run_goes_on_and_ends_the_same(batches, stroll, done, digests, tmp_path):
    session = batches(stroll, tmp_path / "out", on_advance=stop_after(9))
    assert session.is_interrupted
    assert session.outcomes == ()
    assert digests(tmp_path / "out") == {}
    outcome = batches.one(stroll, tmp_path / "out")
    assert batches.heard.began_with == {"stroll.mp4": (16, 8)}
    assert (outcome.computed_frames, outcome.is_kept) == (8, False)
    assert digests(tmp_path / "out") == digests(done)


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"wanted": Wanted(("csv", "coco"))}, {"stroll_coco.json"}),
        ({"wanted": OVERLAY}, {"stroll.mp4", "stroll.html"}),
        ({"motion": MotionSettings(angles=True)}, set()),
        ({"motion": MotionSettings(smooth=False)}, set()),
    ],
    ids=["format", "overlay", "angles", "no smoothing"],
)
def test_other_outputs_need_no_new_poses(batches, stroll, out, more, names, digests):
    before = digests(out)
    outcome = batches.one(stroll, out, **more)
    assert (outcome.computed_frames, outcome.is_kept, outcome.error) == (0, False, None)
    assert names <= set(digests(out))
    is_table_changed = digests(out)["stroll.csv"] != before["stroll.csv"]
    assert is_table_changed == ("motion" in more)
    assert outcome.summary["frames"] == 16


def test_an_output_that_was_removed_or_changed_is_written_again(batches, stroll, out, digests):
    before = digests(out)
    (out / "stroll.csv").unlink()
    assert batches.one(stroll, out).computed_frames == 0
    assert digests(out) == before
    with (out / "stroll.json").open("a", encoding="utf-8") as stream:
        stream.write(" ")
    outcome = batches.one(stroll, out)
    assert (outcome.computed_frames, outcome.is_kept) == (0, False)
    assert digests(out) == before


def test_begun_anew_means_everything(batches, stroll, out, digests):
    before = digests(out)
    outcome = batches.one(stroll, out, fresh=True)
    assert outcome.computed_frames == 16
    assert digests(out) == before


class Crowd(InProcess):
    """Has several pieces of work under way, and does the last of them first."""

    capacity = 4

    def __init__(self, worker, tell) -> None:
        super().__init__(worker, tell)
        self.under_way = {}

    def submit(self, task):
        future = Future()
        self.under_way[future] = task
        parts = [each.part for each in self.under_way.values() if isinstance(each, ChunkTask)]
        assert len(set(parts)) == len(parts), "two write one file"
        return future

    def wait(self, futures):
        future = futures[-1]
        done = super().submit(self.under_way.pop(future))
        if error := done.exception():
            future.set_exception(error)
        else:
            future.set_result(done.result())
        return {future}


@pytest.mark.parametrize("fresh", [False, True])
def test_copies_of_a_file_are_computed_once_and_never_at_once(batches, stroll, tmp_path, fresh):
    out = tmp_path / "out"
    for name in ("out", "a", "b"):
        (tmp_path / name).mkdir()
    copies = [shutil.copy2(stroll, tmp_path / name / stroll.name) for name in "ab"]
    jobs, _ = plan_jobs(list(map(str, copies)), out)
    people = batches.with_chunks(4)
    with Ledger(out / ".sadinet") as ledger:
        batch = Batch(jobs, BatchSettings(people.settings), describe_models(people), ledger, Silent(), fresh=fresh)
        first, second = batch.run(Crowd(Worker(people), batch.hear))
    assert (first.error, second.error) == (None, None)
    assert (first.computed_frames, second.computed_frames) == (16, 0)
    assert (out / "stroll.csv").read_bytes() == (out / "stroll-2.csv").read_bytes()


# What is not.


@pytest.mark.parametrize("change", ["interval", "chunk_frames", "detector_score", "skeleton", "weights"])
def test_another_setting_or_model_never_takes_over_earlier_poses(batches, stroll, out, change, tmp_path, weights_copy):
    if change == "interval":
        following = replace(batches.people.settings.following, interval=1)
        people = batches.with_chunks(4)
        people.settings = replace(people.settings, following=following)
    elif change == "chunk_frames":
        people = batches.with_chunks(5)
    else:
        value = {"detector_score": 0.6, "skeleton": "lsp14", "weights": str(weights_copy)}[change]
        people = People(replace(batches.people.settings, chunk_frames=4, **{change: value}))
    outcome = batches.one(stroll, out, people=people)
    assert outcome.computed_frames == 16
    assert batches.heard.began_with == {"stroll.mp4": (16, 0)}
    settings = read_sidecar(out / "stroll.json").settings
    if change == "interval":
        assert settings["following"]["interval"] == 1
    # What the first run did is still there.
    assert batches.one(stroll, out).computed_frames == 0


@pytest.fixture
def weights_copy(tmp_path):
    """The shipped pose model under another name, with another file."""
    import onnx

    from sadinet.weights import file_entry, find_weights, write_manifest

    weights = find_weights("default")
    model = onnx.load(weights.file("onnx"))
    model.doc_string = "the same network in another file"
    (tmp_path / "model").mkdir()
    onnx.save(model, tmp_path / "model" / "other.onnx")
    files = {"onnx": file_entry(tmp_path / "model" / "other.onnx")}
    write_manifest(tmp_path / "model" / "other.json", replace(weights.manifest, files=files))
    return tmp_path / "model" / "other.json"


def test_another_source_of_the_same_name_is_computed(batches, images, write_video, stroll, out):
    place = out.parent / "stroll.mp4"
    write_video(place, images[15::-1])
    outcome = batches.one(place, out)
    assert outcome.computed_frames == 16
    assert read_sidecar(out / "stroll.json").source.path == str(place)


def test_a_source_that_moved_is_the_same(batches, stroll, out):
    moved = out.parent / "elsewhere" / "stroll.mp4"
    moved.parent.mkdir()
    shutil.copy2(stroll, moved)
    assert batches.one(moved, out).is_kept


def test_nothing_is_overwritten_that_is_no_earlier_result(batches, stroll, out, digests):
    (out / "stroll.mp4").write_bytes(b"my own video")
    before = digests(out)
    outcome = batches.one(stroll, out, wanted=OVERLAY)
    assert "no earlier result" in outcome.error.message
    assert outcome.computed_frames == 0
    assert digests(out) == before


def test_tables_of_a_run_that_was_stopped_before_its_sidecar_are_ours(batches, stroll, out, digests, monkeypatch):
    wanted = Wanted(("csv", "coco", "trc", "c3d", "openpose"))

    def stop(path, sidecar):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr("sadinet.batch.finish.write_sidecar", stop)
        (out / "stroll.json").unlink()
        assert batches(stroll, out, wanted=wanted).is_interrupted
    assert {"stroll_coco.json", "stroll_person1.trc", "stroll_person1.c3d"} <= set(digests(out))
    assert not (out / "stroll.json").exists()
    outcome = batches.one(stroll, out, wanted=wanted)
    assert outcome.error is None
    assert outcome.computed_frames == 0


# Records and parts that are damaged.


def parts_of(out) -> list:
    return sorted((out / ".sadinet" / "parts").glob("*/*.npz"))


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_part_that_is_lost_is_computed_again_alone(batches, stroll, out, digests, how):
    before = digests(out)
    (out / "stroll.csv").unlink()
    second = parts_of(out)[1]
    whole = second.read_bytes()
    if how == "missing":
        second.unlink()
    else:
        second.write_bytes(whole[:1000] + b"xx" + whole[1002:])
    outcome = batches.one(stroll, out)
    assert batches.heard.began_with == {"stroll.mp4": (16, 12)}
    assert outcome.computed_frames == 4
    assert second.read_bytes() == whole
    assert digests(out) == before


@pytest.mark.parametrize("how", ["garbage", "truncated", "other tables", "removed", "empty"])
def test_a_lost_ledger_costs_no_poses(batches, stroll, out, digests, how):
    before = digests(out)
    (out / "stroll.csv").unlink()
    ledger = out / ".sadinet" / "ledger.sqlite"
    if how == "garbage":
        ledger.write_bytes(b"no data base" * 999)
    elif how == "truncated":
        ledger.write_bytes(ledger.read_bytes()[:5000])
    elif how == "other tables":
        ledger.unlink()
        with sqlite3.connect(ledger) as connection:
            connection.execute("CREATE TABLE chunks (mine TEXT)")
        connection.close()
    elif how == "removed":
        ledger.unlink()
    else:
        ledger.write_bytes(b"")
    session = batches(stroll, out)
    (outcome,) = session.outcomes
    assert (outcome.error, outcome.computed_frames) == (None, 0)
    is_aside = how in ("garbage", "truncated", "other tables")
    assert [("damaged" in note) for note in session.notes] == [True] * is_aside
    assert (out / ".sadinet" / "ledger-damaged-1.sqlite").exists() == is_aside
    assert digests(out) == before
    assert batches.one(stroll, out).is_kept


# Sources that are not as they should be.


@pytest.mark.parametrize("how", ["longer", "other"])
def test_a_source_that_changes_while_it_is_read_is_done_anew(batches, stroll, images, write_video, tmp_path, how):
    place = tmp_path / "stroll.mp4"
    shutil.copy(stroll, place)

    def change(stage: str, done: int) -> None:
        if done == 8:
            if how == "longer":
                with place.open("ab") as stream:
                    stream.write(b"more")
            else:
                write_video(place, images[8:16] + images[:8])

    outcome = batches.one(place, tmp_path / "out", on_advance=change)
    assert "changed while it was read" in outcome.error.message
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".sadinet"]
    again = batches.one(place, tmp_path / "out")
    assert again.error is None
    assert again.computed_frames == 16


def test_a_source_that_changes_while_it_is_drawn_fails(batches, stroll, tmp_path):
    place = tmp_path / "stroll.mp4"
    shutil.copy(stroll, place)

    def change(stage: str, done: int) -> None:
        if stage == "drawing" and done == 10:
            os.utime(place, ns=(1, 1))

    outcome = batches.one(place, tmp_path / "out", wanted=OVERLAY, on_advance=change)
    assert "changed while it was read" in outcome.error.message
    assert not (tmp_path / "out" / "stroll.mp4").exists()
    assert not (tmp_path / "out" / "stroll.mp4.part").exists()


def test_a_source_that_goes_away_fails_alone(batches, stroll, short_clip, tmp_path):
    place = tmp_path / "stroll.mp4"
    shutil.copy(stroll, place)

    def remove(stage: str, done: int) -> None:
        place.unlink(missing_ok=True)

    first, second = batches([place, short_clip], tmp_path / "out", on_advance=remove).outcomes
    assert first.error is not None
    assert second.error is None


def test_what_nobody_foresaw_costs_its_input_alone(batches, stroll, short_clip, tmp_path, monkeypatch):
    people = batches.with_chunks(4)
    estimator = people.estimator

    def fail(image, boxes):
        if image.shape[1] < 900:
            raise ZeroDivisionError("what nobody thought of")
        return estimator(image, boxes)

    fail.skeleton, fail.weights, fail.runtime, fail.decode = (
        getattr(estimator, name) for name in ("skeleton", "weights", "runtime", "decode")
    )
    people.estimator = fail
    first, second = batches([stroll, short_clip], tmp_path / "out", people=people).outcomes
    assert first.error.message == "unexpected ZeroDivisionError: what nobody thought of"
    assert second.error is None


# A broad stretch that does not decode.


@pytest.fixture(scope="module")
def torn_done(batches, torn, tmp_path_factory):
    """A finished run over the damaged video."""
    folder = tmp_path_factory.mktemp("torn-done") / "out"
    batches(torn, folder, wanted=Wanted(overlay=True))
    return folder


def test_a_damaged_stretch_is_read_from_the_start_from_its_chunk_on(batches, torn, tmp_path):
    outcome = batches.one(torn, tmp_path / "out")
    assert outcome.error is None
    assert any("could not be decoded" in line or "damaged" in line for line in outcome.summary["problems"])
    with open_source(torn) as source:
        plain = list(source)
    table = read_table(tmp_path / "out" / "torn.csv")
    assert outcome.summary["frames"] == len(plain)
    assert np.unique(table["frame"]).tolist() == [frame.index for frame in plain]
    times = dict(zip(table["frame"].tolist(), table["time_s"].tolist(), strict=True))
    assert [times[frame.index] for frame in plain] == pytest.approx([frame.time_s for frame in plain], abs=1e-6)
    # The chunks before the damage were read from the middle, those from there on from the start.
    with sqlite3.connect(tmp_path / "out" / ".sadinet" / "ledger.sqlite") as ledger:
        rows = ledger.execute("SELECT number, from_start FROM chunks ORDER BY number").fetchall()
    ledger.close()
    assert rows[0] == (0, 0)
    assert rows[-1][1] == 1
    assert [flag for _, flag in rows] == sorted(flag for _, flag in rows)
    assert batches.heard.frames[("torn.mp4", "poses")] == len(plain)


@pytest.mark.parametrize("frames", [6, 18, *(pytest.param(frames, marks=pytest.mark.slow) for frames in (2, 11, 14))])
def test_a_damaged_video_resumed_anywhere_ends_the_same(batches, torn, torn_done, tmp_path, digests, frames):
    wanted = Wanted(overlay=True)
    assert batches(torn, tmp_path / "out", wanted=wanted, on_advance=stop_after(frames)).is_interrupted
    outcome = batches.one(torn, tmp_path / "out", wanted=wanted)
    assert outcome.error is None
    assert digests(tmp_path / "out") == digests(torn_done)


def test_a_damaged_video_whose_ledger_is_lost_ends_the_same(batches, torn, torn_done, tmp_path, digests):
    out = shutil.copytree(torn_done, tmp_path / "out")
    (out / ".sadinet" / "ledger.sqlite").unlink()
    (out / "torn.csv").unlink()
    parts_of(out)[-2].unlink()
    outcome = batches.one(torn, out, wanted=Wanted(overlay=True))
    assert outcome.error is None
    assert 0 < outcome.computed_frames < 13
    assert digests(out) == digests(torn_done)


# The ends of videos.


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 8, 9])
def test_videos_that_end_at_or_near_a_chunks_border(batches, images, write_video, tmp_path, frames):
    place = write_video(tmp_path / "short.mp4", images[:frames])
    outcome = batches.one(place, tmp_path / "out", wanted=OVERLAY)
    assert outcome.error is None
    assert outcome.computed_frames == outcome.summary["frames"] == frames
    assert read_table(tmp_path / "out" / "short.csv")["frame"].tolist() == list(range(frames))
    parts = [load_part(path) for path in parts_of(tmp_path / "out")]
    assert len(parts) == -(-frames // 4)
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]
    with VideoReader(tmp_path / "out" / "short.mp4") as overlay:
        assert len(list(overlay)) == frames


@pytest.mark.parametrize("frames", [4, 8, 9])
def test_the_same_when_read_from_the_start(batches, images, write_video, tmp_path, digests, frames, monkeypatch):
    place = write_video(tmp_path / "short.mp4", images[:frames])
    batches(place, tmp_path / "seeking")
    odd = replace(scan_packets(place), oddities=("made up",))
    monkeypatch.setattr("sadinet.batch.runner.scan_packets", lambda where: odd)
    assert batches.one(place, tmp_path / "start").error is None
    assert digests(tmp_path / "start") == digests(tmp_path / "seeking")


def test_a_rest_behind_the_real_end_begins_at_the_start(batches, images, write_video, stroll, tmp_path, digests):
    # Parts that an index foretold and a reading from the start does not give: a longer file's, found again.
    place = write_video(tmp_path / "short.mp4", images[:7])
    batches(place, tmp_path / "whole")
    batches(place, tmp_path / "out")
    batches(stroll, tmp_path / "longer")
    mine, longer = parts_of(tmp_path / "out"), parts_of(tmp_path / "longer")
    for number in range(3):
        shutil.copy(longer[number], mine[0].with_name(f"{number:06}.npz"))
    (tmp_path / "out" / ".sadinet" / "ledger.sqlite").unlink()
    (tmp_path / "out" / "short.csv").unlink()
    outcome = batches.one(place, tmp_path / "out")
    assert outcome.error is None
    assert outcome.computed_frames == 7
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_a_format_that_cannot_be_costs_no_work(batches, walker, tmp_path):
    write_picture(tmp_path / "one.png", walker)
    outcome = batches.one(tmp_path / "one.png", tmp_path / "out", wanted=Wanted(("csv", "trc")))
    assert isinstance(outcome.error, InputError)
    assert batches.heard.began_with == {}
    assert list((tmp_path / "out").glob("*")) == [tmp_path / "out" / ".sadinet"]


# What is left behind.


def test_no_thread_is_left(batches, stroll, wait_for, tmp_path):
    before = set(threading.enumerate())
    batches(stroll, tmp_path / "out", wanted=OVERLAY)
    batches(stroll, tmp_path / "stopped", on_advance=stop_after(5))
    # The detector's own thread ends, in its time, when nobody holds the detector any more.
    gc.collect()
    wait_for(lambda: not set(threading.enumerate()) - before)


def test_several_inputs_of_all_kinds(batches, stroll, walker, tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    write_picture(shots / "one.png", walker)
    write_picture(shots / "two.png", walker)
    shutil.copy(stroll, shots / "inside.mp4")
    (tmp_path / "none.mp4").write_bytes(b"nothing")
    session = batches([shots, tmp_path / "none.mp4", shots / "one.png"], tmp_path / "out")
    names = [outcome.job.where for outcome in session.outcomes]
    assert names == [str(shots), str(shots / "inside.mp4"), str(tmp_path / "none.mp4"), str(shots / "one.png")]
    assert [outcome.error is None for outcome in session.outcomes] == [True, True, False, True]
    assert [outcome.computed_frames for outcome in session.outcomes] == [2, 16, 0, 1]
