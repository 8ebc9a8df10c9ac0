"""A source in, table, sidecar and overlay out, with the shipped models."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

import av
import numpy as np
import pytest

from sadinet._version import __version__
from sadinet.errors import OutputError, SourceError
from sadinet.media.pictures import read_picture, write_picture
from sadinet.media.source import open_source
from sadinet.pipeline import Outputs, People, Pipeline, Settings, analyse
from sadinet.tables.read import NOBODY, read_table
from sadinet.tables.sidecar import read_sidecar

TIMES_S = [0.0, 0.04, 0.08, 0.2, 0.24, 0.5, 0.52]


@pytest.fixture(scope="module")
def done(short_clip, people, tmp_path_factory):
    """One run over the short clip: summary, and what `on_frame` was given."""
    folder = tmp_path_factory.mktemp("done")
    heard = []
    outputs = Outputs(folder / "short.csv", folder / "short.mp4")
    return analyse(open_source(short_clip), people, outputs, heard.append), heard


def test_only_whole_files_are_left(done):
    summary, _ = done
    assert {path.name for path in summary.outputs.table.parent.iterdir()} == {"short.csv", "short.json", "short.mp4"}


def test_table_holds_what_the_pipeline_gives(done, short_clip, people):
    summary, _ = done
    table = read_table(summary.outputs.table)
    expected = list(Pipeline(open_source(short_clip), people))
    assert table["frame"].tolist() == list(range(7))
    assert table["time_s"] == pytest.approx(TIMES_S, abs=2e-5)
    assert "source" not in table
    for row, result in enumerate(expected):
        (pose,) = result.poses
        assert table["box_x"][row] == pytest.approx(pose.box.x, abs=0.0051)
        for joint, name in enumerate(pose.skeleton.joints):
            got = [table[f"{name}_{part}"][row] for part in ("x", "y", "score")]
            assert got == pytest.approx([*pose.joints[joint], pose.scores[joint]], abs=0.0051)
            sigmas = [table[f"{name}_{part}"][row] for part in ("sigma_x", "sigma_y")]
            assert sigmas == pytest.approx(list(pose.sigmas[joint]), abs=0.0051)


def test_overlay_has_every_frame_at_its_time_and_something_drawn(done, short_clip):
    summary, _ = done
    with av.open(str(summary.outputs.overlay)) as container, av.open(str(short_clip)) as plain:
        drawn = [(float(picture.time), picture.to_ndarray(format="bgr24")) for picture in container.decode(video=0)]
        shown = [picture.to_ndarray(format="bgr24") for picture in plain.decode(video=0)]
    assert [time_s for time_s, _ in drawn] == pytest.approx(TIMES_S, abs=1e-4)
    for (_, picture), original in zip(drawn, shown, strict=True):
        changed = (np.abs(picture.astype(int) - original).max(axis=2) > 60).sum()
        assert 50 < changed < picture.size / 30


def test_sidecar_says_what_was_run(done, short_clip, people):
    summary, _ = done
    sidecar = read_sidecar(summary.outputs.sidecar)
    assert sidecar == replace(summary.sidecar, settings=sidecar.settings)
    assert sidecar.source.sha256 == hashlib.sha256(short_clip.read_bytes()).hexdigest()
    assert sidecar.source.bytes == short_clip.stat().st_size
    assert (sidecar.frames, sidecar.skipped_frames, sidecar.problems) == (7, 0, ())
    onnx = people.estimator.weights.file("onnx")
    assert sidecar.weights.sha256 == hashlib.sha256(onnx.read_bytes()).hexdigest()
    assert (sidecar.engine, sidecar.device, sidecar.precision) == ("onnxruntime", "cpu", "fp32")
    assert sidecar.detector.name == people.detector.weights.name
    assert sidecar.version == __version__
    settings = json.loads(summary.outputs.sidecar.read_text(encoding="utf-8"))["settings"]
    assert settings["decode"] == asdict(people.estimator.decode)
    assert settings["detector_score"] == people.detector.score
    assert settings["skeleton"] == sidecar.skeleton == people.estimator.skeleton.name
    assert settings["pose_runtime"]["version"] == people.estimator.runtime.version


def test_summary_and_callback_tell_the_stages(done):
    summary, heard = done
    assert [result.frame.index for result in heard] == list(range(7))
    stages = {"read", "detect", "pose", "draw", "write"}
    assert all(set(result.timings_ms) == stages for result in heard)
    assert set(summary.timings_ms) == stages
    assert summary.timings_ms["pose"] == pytest.approx(np.mean([r.timings_ms["pose"] for r in heard]))
    assert (summary.frames, summary.poses, summary.most_people, summary.empty_frames) == (7, 7, 1, 0)
    assert 0 < summary.fps < 1e4


def test_a_second_run_gives_the_same_bytes(done, short_clip, people, tmp_path):
    summary, _ = done
    again = analyse(open_source(short_clip), people, Outputs(tmp_path / "again.csv", tmp_path / "again.mp4"))
    assert again.outputs.table.read_bytes() == summary.outputs.table.read_bytes()
    assert again.outputs.overlay.read_bytes() == summary.outputs.overlay.read_bytes()


def test_a_frame_with_nobody_has_a_row(people, tmp_path):
    write_picture(tmp_path / "wall.png", np.full((120, 160, 3), 200, np.uint8))
    summary = analyse(open_source(tmp_path / "wall.png"), people, Outputs(tmp_path / "wall.csv"))
    table = read_table(summary.outputs.table)
    assert table["track_id"].tolist() == [NOBODY]
    assert np.isnan(table["score"]).all()
    assert np.isnan(table["time_s"]).all()
    assert (summary.poses, summary.empty_frames) == (0, 1)


def test_pictures_are_named_in_the_table_and_hashed_in_order(people, walker, tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("b 10.png", "b 9.png"):
        write_picture(shots / name, walker)
    (shots / "torn.png").write_bytes((shots / "b 9.png").read_bytes()[:500])
    outputs = Outputs(tmp_path / "shots.csv", tmp_path / "shots-overlay")
    summary = analyse(open_source(shots), people, outputs)
    table = read_table(outputs.table)
    assert table["source"].tolist() == [str(shots / "b 9.png"), str(shots / "b 10.png")]
    assert (summary.sidecar.frames, summary.sidecar.skipped_frames) == (2, 1)
    assert "torn.png" in summary.problems[0]
    lines = [f"{hashlib.sha256((shots / n).read_bytes()).hexdigest()}  {n}\n" for n in ("b 9.png", "b 10.png")]
    assert summary.sidecar.source.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    drawn = read_picture(outputs.overlay / "b 9.png")
    assert drawn.shape == walker.shape
    assert not np.array_equal(drawn, walker)


@pytest.mark.parametrize("name", ["short.csv", "short.json", "short.mp4"])
def test_a_file_that_is_no_earlier_result_stays(name, short_clip, people, tmp_path):
    (tmp_path / name).write_text('{"mine": "do not touch"}', encoding="utf-8")
    outputs = Outputs(tmp_path / "short.csv", tmp_path / "short.mp4")
    with pytest.raises(OutputError, match="no earlier result"):
        analyse(open_source(short_clip), people, outputs)
    assert (tmp_path / name).read_text(encoding="utf-8") == '{"mine": "do not touch"}'
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_earlier_result_is_replaced(people, tmp_path):
    outputs = Outputs(tmp_path / "wall.csv", tmp_path / "wall-overlay.png")
    for shade in (100, 200):
        write_picture(tmp_path / "wall.png", np.full((64, 64, 3), shade, np.uint8))
        analyse(open_source(tmp_path / "wall.png"), people, outputs)
    assert read_picture(outputs.overlay)[0, 0, 0] == 200


def test_what_stops_a_run_leaves_the_rows_so_far_and_no_table(short_clip, people, tmp_path):
    def stop(result):
        if result.frame.index == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyse(open_source(short_clip), people, Outputs(tmp_path / "a.csv", tmp_path / "a.mp4"), stop)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv.part"]
    assert len((tmp_path / "a.csv.part").read_text().splitlines()) == 1 + 4


def test_a_source_that_goes_away_is_told(people, tmp_path, short_clip):
    copy = tmp_path / "gone.mp4"
    copy.write_bytes(short_clip.read_bytes())
    source = open_source(copy)
    copy.unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        analyse(source, people, Outputs(tmp_path / "gone.csv"))
    assert list(tmp_path.iterdir()) == []


def test_the_file_that_was_run_is_the_one_in_the_sidecar(short_clip, tmp_path):
    half = People(Settings(engine="onnx", device="cpu", precision="fp16"))
    write_picture(tmp_path / "wall.png", np.full((64, 64, 3), 128, np.uint8))
    sidecar = analyse(open_source(tmp_path / "wall.png"), half, Outputs(tmp_path / "wall.csv")).sidecar
    assert sidecar.weights.sha256 == half.estimator.weights.manifest.files["onnx_fp16"].sha256
    assert sidecar.precision == half.estimator.runtime.precision
