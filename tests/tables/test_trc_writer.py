from __future__ import annotations

import resource
from dataclasses import replace

import numpy as np
import pytest

from sadinet.skeletons import BODY19

HEAD = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames"
KEYS = HEAD.split()


def read_as_opensim_does(path):
    """Return head, markers, frames, times and (n, markers, 3) by the rules in OpenSim's documentation and reader."""
    lines = path.read_text(encoding="utf-8").split("\n")

    def cells(line):
        # Every tab ends a cell; what follows the last one is a cell only if it is not empty.
        found = line.rstrip("\r").split("\t")
        return found if found[-1] else found[:-1]

    assert lines[0].split()[:3] == ["PathFileType", "4", "(X/Y/Z)"]
    assert [cell for cell in cells(lines[1]) if cell] == KEYS
    values = [cell for cell in cells(lines[2]) if cell]
    assert len(values) == len(KEYS)
    head = dict(zip(KEYS, values, strict=True))
    count = int(head["NumMarkers"])
    labels = [cell for cell in cells(lines[3]) if cell]
    assert len(labels) == count + 2
    assert labels[:2] == ["Frame#", "Time"]
    axes = [cell for cell in cells(lines[4]) if cell]
    assert axes == [f"{axis}{number}" for number in range(1, count + 1) for axis in "XYZ"]
    assert lines[5] == ""
    rows = []
    for line in lines[6:]:
        if not line:  # the end of the data
            break
        row = cells(line)
        assert len(row) == 3 * count + 2
        rows.append([float(cell) for cell in row])
    assert len(rows) == int(head["NumFrames"])
    data = np.array(rows)
    return head, labels[2:], data[:, 0].astype(int), data[:, 1], data[:, 2:].reshape(len(data), count, 3)


@pytest.fixture
def raw(tables):
    return replace(tables.recording(), extra={})


def test_each_person_is_a_file_that_opensim_reads(tables, raw, tmp_path):
    target = tmp_path / "läuft.trc"
    table = tables.write("trc", target, [raw.part(0, 6), raw.part(6, 12)], tables.info(extra=()))
    assert [path.name for path in table.paths] == [f"läuft_person{person}.trc" for person in tables.spans]
    for person, seen in tables.spans.items():
        head, markers, frames, times_s, places = read_as_opensim_does(tmp_path / f"läuft_person{person}.trc")
        assert tuple(markers) == BODY19.joints
        assert head["Units"] == "mm"
        assert int(head["OrigDataStartFrame"]) == seen[0]
        assert frames.tolist() == list(range(seen[0], seen[-1] + 1))
        np.testing.assert_allclose(times_s, raw.time_s[frames], atol=1e-6)
        rows = raw.rows_of_track(person)
        known = np.full((len(frames), len(BODY19), 2), np.nan)
        known[np.array(seen) - seen[0]] = raw.joints[rows]
        np.testing.assert_allclose(places[..., 0], known[..., 0], atol=6e-4)
        np.testing.assert_allclose(places[..., 1], 1079 - known[..., 1], atol=6e-4)
        np.testing.assert_array_equal(places[..., 2], np.where(np.isnan(known[..., 0]), np.nan, 0))


def test_pandas_reads_the_columns_as_pose2sim_does(tables, raw, tmp_path):
    pandas = pytest.importorskip("pandas")
    table = tables.write("trc", tmp_path / "a.trc", [raw], tables.info(extra=()))
    found = pandas.read_csv(table.paths[0], sep="\t", skiprows=4)
    assert found.shape == (10, 2 + 3 * 19)
    assert found.iloc[:, 0].tolist() == list(range(10))
    assert found["X2"].isna().all()
    assert found["X1"].notna().sum() == 7


def test_a_person_stands_upright_and_has_metres_where_the_scale_is_known(tables, raw, tmp_path):
    joints = np.full_like(raw.joints, (100, 900))
    joints[:, BODY19.index("head_top")] = [100, 200]
    raw = replace(raw, joints=joints)
    for name, scale, high in (("px", None, 700), ("m", 0.0025, 1750)):
        info = tables.info(extra=(), metres_per_pixel=scale)
        table = tables.write("trc", tmp_path / f"{name}.trc", [raw], info)
        places = read_as_opensim_does(table.paths[0])[-1]
        head, foot = (places[0, BODY19.index(joint), 1] for joint in ("head_top", "left_ankle"))
        assert head - foot == pytest.approx(high)
        assert foot == pytest.approx(179 * high / 700)


def test_smoothed_joints_are_taken_where_they_are(tables, tmp_path):
    whole = tables.recording()
    table = tables.write("trc", tmp_path / "a.trc", [whole])
    places = read_as_opensim_does(table.paths[0])[-1]
    knee, hip = BODY19.index("left_knee"), BODY19.index("left_hip")
    assert places[0, knee, 0] == pytest.approx(whole.extra["left_knee_x_smooth"][0], abs=6e-4)
    assert places[0, knee, 1] == pytest.approx(1079 - whole.extra["left_knee_y_smooth"][0], abs=6e-4)
    assert places[0, hip, 0] == pytest.approx(whole.joints[0, hip, 0], abs=6e-4)


def test_the_rate_is_measured_and_times_that_differ_are_told(tables, raw, tmp_path):
    table = tables.write("trc", tmp_path / "a.trc", [raw], tables.info(extra=(), rate_hz=60))
    assert float(read_as_opensim_does(table.paths[0])[0]["DataRate"]) == pytest.approx(25)
    assert len(table.notes) == 1
    assert "0.460 s" in table.notes[0]
    even = replace(raw, time_s=np.arange(12) / 25)
    assert tables.write("trc", tmp_path / "b.trc", [even], tables.info(extra=())).notes == ()


def test_one_frame_has_the_rate_of_the_source(tables, raw, tmp_path):
    table = tables.write("trc", tmp_path / "a.trc", [raw.part(0, 1)], tables.info(extra=(), rate_hz=50))
    head, *_, places = read_as_opensim_does(table.paths[0])
    assert float(head["DataRate"]) == 50
    assert places.shape == (1, 19, 3)


def test_more_people_than_files_that_may_be_open(tables, raw, tmp_path):
    one = raw.part(0, 1)
    windows = [
        replace(one, index=np.array([at]), time_s=np.array([at / 25]), track_ids=np.array([at])) for at in range(300)
    ]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        table = tables.write("trc", tmp_path / "a.trc", windows, tables.info(extra=()))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(table.paths) == 300
