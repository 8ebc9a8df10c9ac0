"""A source in; table, sidecar, overlay and page out, with the shipped models."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import c3d
import numpy as np
import pytest

from sadinet._version import __version__
from sadinet.batch.finish import are_outputs, describe_output
from sadinet.batch.naming import Wanted
from sadinet.media.pictures import read_picture, write_picture
from sadinet.media.probe import probe
from sadinet.media.source import open_source
from sadinet.motion.settings import MotionSettings
from sadinet.pipeline import Pipeline
from sadinet.tables.read import NOBODY, read_table
from sadinet.tables.sidecar import read_sidecar

TIMES_S = [0.0, 0.04, 0.08, 0.2, 0.24, 0.5, 0.52]
EVERYTHING = Wanted(("csv", "openpose", "coco", "trc", "c3d"), overlay=True, page=True)


@pytest.fixture(scope="module")
def done(short_clip, batches, tmp_path_factory):
    """One run over the short clip: outcome, folder, what the listener heard."""
    folder = tmp_path_factory.mktemp("done")
    outcome = batches.one(short_clip, folder, wanted=EVERYTHING, motion=MotionSettings(angles=True), chunk_frames=10)
    assert outcome.error is None
    return outcome, folder, batches.heard


def test_every_output_is_there_and_nothing_half_done(done):
    outcome, folder, _ = done
    names = {path.name for path in folder.iterdir()}
    files = {"short.csv", "short_json", "short_coco.json", "short_person1.trc", "short_person1.c3d"}
    assert names == {*files, "short.json", "short.mp4", "short.html", ".sadinet"}
    assert set(outcome.summary["files"]) == names - {".sadinet"}


def test_the_table_holds_what_the_pipeline_gives(done, short_clip, batches):
    _, folder, _ = done
    table = read_table(folder / "short.csv")
    expected = list(Pipeline(open_source(short_clip), batches.people))
    assert table["frame"].tolist() == list(range(7))
    assert table["time_s"] == pytest.approx(TIMES_S, abs=2e-5)
    assert "source" not in table
    for row, result in enumerate(expected):
        (pose,) = result.poses
        assert table["track_id"][row] == pose.track_id
        assert table["box_x"][row] == pytest.approx(pose.box.x, abs=0.0051)
        for joint, name in enumerate(pose.skeleton.joints):
            got = [table[f"{name}_{part}"][row] for part in ("x", "y", "score")]
            assert got == pytest.approx([*pose.joints[joint], pose.scores[joint]], abs=0.0051)
            sigmas = [table[f"{name}_{part}"][row] for part in ("sigma_x", "sigma_y")]
            assert sigmas == pytest.approx(list(pose.sigmas[joint]), abs=0.0051)


def test_smoothed_joints_and_angles_follow(done):
    _, folder, _ = done
    table = read_table(folder / "short.csv")
    sure = np.isfinite(table["nose_x_smooth"])
    assert sure.any()
    assert table["nose_x_smooth"][sure] == pytest.approx(table["nose_x"][sure], abs=15)
    angles = [name for name in table if name.startswith("angle_")]
    assert angles
    assert np.isfinite(table["angle_left_knee"]).any() or np.isfinite(table[angles[0]]).any()


def test_the_overlay_has_every_frame_at_its_time_and_something_drawn(done, short_clip):
    _, folder, _ = done
    with av.open(str(folder / "short.mp4")) as container, av.open(str(short_clip)) as plain:
        drawn = [(float(picture.time), picture.to_ndarray(format="bgr24")) for picture in container.decode(video=0)]
        shown = [picture.to_ndarray(format="bgr24") for picture in plain.decode(video=0)]
    assert [time_s for time_s, _ in drawn] == pytest.approx(TIMES_S, abs=1e-4)
    for (_, picture), original in zip(drawn, shown, strict=True):
        changed = (np.abs(picture.astype(int) - original).max(axis=2) > 60).sum()
        assert 50 < changed < picture.size / 30


def test_the_sidecar_says_what_was_run(done, short_clip, batches):
    _, folder, _ = done
    people = batches.people
    sidecar = read_sidecar(folder / "short.json")
    assert sidecar.source.sha256 == hashlib.sha256(short_clip.read_bytes()).hexdigest()
    assert sidecar.source.bytes == short_clip.stat().st_size
    assert (sidecar.frames, sidecar.skipped_frames, sidecar.problems) == (7, 0, ())
    onnx = people.estimator.weights.file("onnx")
    assert sidecar.weights.sha256 == hashlib.sha256(onnx.read_bytes()).hexdigest()
    assert (sidecar.engine, sidecar.device, sidecar.precision) == ("onnxruntime", "cpu", "fp32")
    assert sidecar.detector.name == people.detector.weights.name
    assert sidecar.version == __version__
    settings = json.loads((folder / "short.json").read_text(encoding="utf-8"))["settings"]
    assert settings["decode"] == asdict(people.estimator.decode)
    assert settings["detector_score"] == people.detector.score
    assert settings["skeleton"] == sidecar.skeleton == people.estimator.skeleton.name
    assert settings["pose_runtime"]["version"] == people.estimator.runtime.version
    assert settings["following"]["interval"] == people.settings.following.interval
    assert (settings["motion"]["angles"], settings["chunk_frames"]) == (True, 10)
    # A varying rate is no matter of trc and c3d, and the sidecar says so.
    assert any("trc" in note for note in settings["notes"])


def test_the_page_links_the_overlay_and_shows_the_frames(done):
    _, folder, _ = done
    text = (folder / "short.html").read_text(encoding="utf-8")
    assert 'href="./short.mp4#t=' in text
    assert text.count("data:image/") >= 3


def test_the_summary_and_the_listener_tell_of_every_frame(done):
    outcome, _, heard = done
    assert heard.began_with == {"short.mp4": (7, 0)}
    assert heard.frames[("short.mp4", "poses")] == 7
    assert set(outcome.timings_ms) == {"detect", "pose", "track"}
    assert all(spent > 0 for spent in outcome.timings_ms.values())
    told = {name: outcome.summary[name] for name in ("frames", "rows", "people", "most_people", "empty_frames")}
    assert told == {"frames": 7, "rows": 7, "people": 1, "most_people": 1, "empty_frames": 0}
    assert (outcome.computed_frames, outcome.is_kept) == (7, False)
    assert 0 < outcome.seconds < 600


def test_a_second_run_elsewhere_gives_the_same_bytes(done, short_clip, batches, digests, tmp_path):
    batches(short_clip, tmp_path / "again", wanted=EVERYTHING, motion=MotionSettings(angles=True), chunk_frames=10)
    assert digests(tmp_path / "again") == digests(done[1])


def test_a_frame_with_nobody_has_a_row(batches, tmp_path):
    write_picture(tmp_path / "wall.png", np.full((120, 160, 3), 200, np.uint8))
    outcome = batches.one(tmp_path / "wall.png", tmp_path / "out", wanted=Wanted(page=True))
    table = read_table(tmp_path / "out" / "wall.csv")
    assert table["track_id"].tolist() == [NOBODY]
    assert np.isnan(table["score"]).all()
    assert np.isnan(table["time_s"]).all()
    assert (outcome.summary["rows"], outcome.summary["empty_frames"]) == (0, 1)


def test_the_four_rotations_of_a_phone_give_the_same_table(batches, images, tmp_path):
    rotations = (0, 90, 180, 270)
    paths = [write_turned(tmp_path / f"{degrees}.mov", images[:5], degrees) for degrees in rotations]
    assert [probe(path).rotation_deg for path in paths] == list(rotations)
    outcomes = batches(paths, tmp_path / "out").outcomes
    assert [outcome.error for outcome in outcomes] == [None] * 4
    upright, *turned = ((tmp_path / "out" / f"{degrees}.csv").read_bytes() for degrees in rotations)
    assert [table == upright for table in turned] == [True] * 3
    assert (read_table(tmp_path / "out" / "90.csv")["track_id"] == 1).all()


def write_turned(path, images, degrees):
    """Store pictures without loss, turned so that they are shown as they are."""
    stored = [np.ascontiguousarray(np.rot90(image, -degrees // 90)) for image in images]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=30)
        stream.height, stream.width = stored[0].shape[:2]
        stream.pix_fmt = "rgb24"
        stream.set_display_rotation(degrees)
        for image in stored:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_a_video_with_nobody_is_no_trouble(batches, write_video, tmp_path):
    wall = np.full((120, 160, 3), 200, np.uint8)
    write_video(tmp_path / "wall.mp4", [wall] * 13)
    outcome = batches.one(tmp_path / "wall.mp4", tmp_path / "out", chunk_frames=5, wanted=EVERYTHING)
    assert outcome.error is None
    assert read_table(tmp_path / "out" / "wall.csv")["track_id"].tolist() == [NOBODY] * 13
    assert "wall_person1.trc" not in outcome.summary["files"]


def test_pictures_are_named_in_the_table_and_hashed_in_order(batches, walker, tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("b 10.png", "b 9.png", "b 8.png"):
        write_picture(shots / name, walker)
    (shots / "a torn.png").write_bytes((shots / "b 9.png").read_bytes()[:500])
    # Of a chunk of two the first cannot be read.
    outcome = batches.one(shots, tmp_path / "out", chunk_frames=2, wanted=Wanted(overlay=True, page=True))
    table = read_table(tmp_path / "out" / "shots.csv")
    read = ["b 8.png", "b 9.png", "b 10.png"]
    assert table["source"].tolist() == [str(shots / name) for name in read]
    assert table["frame"].tolist() == [0, 1, 2]
    sidecar = read_sidecar(tmp_path / "out" / "shots.json")
    assert (sidecar.frames, sidecar.skipped_frames) == (3, 1)
    assert "torn.png" in outcome.summary["problems"][0]
    lines = [f"{hashlib.sha256((shots / name).read_bytes()).hexdigest()}  {name}\n" for name in read]
    assert sidecar.source.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    drawn = read_picture(tmp_path / "out" / "shots-overlay" / "b 9.png")
    assert drawn.shape == walker.shape
    assert not np.array_equal(drawn, walker)


def test_a_chunk_of_pictures_of_which_none_can_be_read_costs_no_other(batches, walker, tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("a.png", "b.png"):
        (shots / name).write_bytes(b"no picture")
    write_picture(shots / "c.png", walker)
    outcome = batches.one(shots, tmp_path / "out", chunk_frames=2)
    assert outcome.error is None
    assert read_table(tmp_path / "out" / "shots.csv")["source"].tolist() == [str(shots / "c.png")]
    assert outcome.summary["skipped_frames"] == 2


def test_pictures_of_which_none_can_be_read_fail_and_leave_nothing(batches, tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (shots / name).write_bytes(b"no picture")
    outcome = batches.one(shots, tmp_path / "out", chunk_frames=2)
    assert "none of the pictures" in outcome.error.message
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".sadinet"]


@pytest.mark.filterwarnings("ignore:No analog data")  # of the reader; there is none
@pytest.mark.parametrize(
    ("name", "rate", "notes"),
    [("film.mkv", Fraction(30_000, 1001), 0), ("film.mp4", Fraction(24_000, 1001), 0), ("raw.h264", Fraction(25), 2)],
)
def test_files_of_one_rate_have_the_videos_own(batches, write_video, images, tmp_path, name, rate, notes):
    video = write_video(tmp_path / name, images[:6], rate=rate)
    outcome = batches.one(video, tmp_path / "out", chunk_frames=10, wanted=Wanted(("trc", "c3d")))
    assert outcome.error is None
    stem = tmp_path / "out" / video.stem
    data_rate = Path(f"{stem}_person1.trc").read_text(encoding="utf-8").splitlines()[2].split("\t")[0]
    assert float(data_rate) == pytest.approx(float(rate), rel=1e-6)
    with Path(f"{stem}_person1.c3d").open("rb") as stream:
        assert c3d.Reader(stream).point_rate == pytest.approx(float(rate), rel=1e-6)
    told = [note for note in outcome.summary["notes"] if "have no times, so it is 25 Hz, as the source claims" in note]
    assert len(told) == len(outcome.summary["notes"]) == notes


def test_outputs_are_known_by_their_content(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"abc")
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "x.png").write_bytes(b"x")
    recorded = {name: describe_output(tmp_path / name) for name in ("a.csv", "frames")}
    assert recorded["a.csv"] == (3, hashlib.sha256(b"abc").hexdigest())
    assert are_outputs(tmp_path, recorded)
    (tmp_path / "frames" / "x.png").rename(tmp_path / "frames" / "y.png")
    assert not are_outputs(tmp_path, recorded)
    (tmp_path / "frames" / "y.png").rename(tmp_path / "frames" / "x.png")
    assert are_outputs(tmp_path, recorded)
    (tmp_path / "a.csv").unlink()
    assert not are_outputs(tmp_path, recorded)
    assert not are_outputs(tmp_path, {})
