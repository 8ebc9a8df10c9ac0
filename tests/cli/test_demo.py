"""`sadinet demo`: the whole pipeline on the bundled clip, with the shipped models."""

from __future__ import annotations

import csv
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import av
import numpy as np
import onnxruntime
import pytest

from sadinet.media.pictures import read_picture
from sadinet.tables.read import read_table
from sadinet.tables.schema import JOINT_PARTS
from sadinet.tables.sidecar import read_sidecar
from sadinet.weights import find_weights


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One demo: exit code, what it printed, its folder."""
    from sadinet.cli.main import main

    out = tmp_path_factory.mktemp("demo") / "demo-out"
    printed, complained = StringIO(), StringIO()
    with redirect_stdout(printed), redirect_stderr(complained):
        code = main(["demo", "-o", str(out), "--device", "cpu"])
    assert complained.getvalue() == ""
    return code, printed.getvalue(), out


@pytest.fixture(scope="module")
def shown(clip):
    """The clip's own presentation times, seconds from the first."""
    with av.open(str(clip)) as container:
        times = [picture.pts * picture.time_base for picture in container.decode(video=0)]
    return [float(time - times[0]) for time in times]


def test_it_writes_everything_and_says_where(demo):
    code, printed, out = demo
    assert code == 0
    names = ["sheet.png", "walk.csv", "walk.html", "walk.json", "walk.mp4"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert all(str(path) in printed for path in out.iterdir())


def test_table_has_the_documented_form(demo, shown):
    *_, out = demo
    joints = find_weights("default").pose.skeleton.joints
    head = ["frame", "time_s", "track_id", "score", "box_x", "box_y", "box_w", "box_h"]
    head += [f"{joint}_{part}" for joint in joints for part in JOINT_PARTS]
    with (out / "walk.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    smooth = [f"{joint}_{axis}_smooth" for joint in joints for axis in "xy"]
    assert lines[0] == [*head, "flags", *smooth]
    assert [line[0] for line in lines[1:]] == [str(index) for index in range(len(shown))]
    assert [line[1] for line in lines[1:]] == [f"{time_s:.6f}" for time_s in shown]
    assert all(len(cell.partition(".")[2]) == 2 for cell in lines[1][4:10])


def test_the_walker_is_there_all_the_way(demo, shown):
    *_, out = demo
    table = read_table(out / "walk.csv")
    assert (table["track_id"] == 1).mean() > 0.98
    middle = table["box_x"] + table["box_w"] / 2
    assert middle[0] > 750
    assert middle[-1] < 250
    assert np.median(np.diff(table["neck_x"])) < -3
    inside = (table["nose_x"] > table["box_x"] - 20) & (table["nose_x"] < table["box_x"] + table["box_w"] + 20)
    assert inside.mean() > 0.9
    assert (table["nose_sigma_x"] > 0).all()


def test_overlay_has_every_frame_at_its_time(demo, shown):
    *_, out = demo
    with av.open(str(out / "walk.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        times = [float(picture.time) for picture in container.decode(video=0)]
    assert times == pytest.approx(shown, abs=1 / 90_000)


def test_summary_and_sidecar_are_honest(demo, shown):
    _, printed, out = demo
    sidecar = read_sidecar(out / "walk.json")
    weights = find_weights("default")
    assert sidecar.weights.name == weights.name
    assert sidecar.weights.sha256 == weights.manifest.files["onnx"].sha256
    assert (sidecar.engine, sidecar.device, sidecar.precision) == ("onnxruntime", "cpu", "fp32")
    assert sidecar.frames == len(shown)
    assert sidecar.settings["pose_runtime"]["version"] == onnxruntime.__version__
    facts = {line[:15].strip(): line[15:] for line in printed.splitlines()}
    assert facts["engine"].startswith(f"onnxruntime {onnxruntime.__version__}, fp32")
    assert facts["device"].startswith("cpu (asked for)")
    assert weights.name in facts["weights"]
    assert facts["frames"].startswith(f"{len(shown)} in ")
    assert "fps" in facts["frames"]
    assert facts["people"].endswith("1 at most at once")
    assert [word for word in facts["ms a frame"].split() if word.isalpha()] == ["detect", "pose", "track"]


def test_contact_sheet_has_eight_pictures(demo):
    *_, out = demo
    sheet = read_picture(out / "sheet.png")
    height, width = sheet.shape[:2]
    paper = (sheet > 240).all(axis=2)
    columns = np.flatnonzero(np.diff((~paper).mean(axis=0) > 0.4))
    rows = np.flatnonzero(np.diff((~paper).mean(axis=1) > 0.7))
    assert (len(columns), len(rows)) == (4, 8)  # two across, four down, each with a beginning and an end
    assert width > 900
    assert height > width


def test_a_folder_that_cannot_be_is_one_line(sadinet, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    code, printed, complained = sadinet("demo", "-o", tmp_path / "file")
    assert (code, printed, len(complained)) == (1, [], 1)
