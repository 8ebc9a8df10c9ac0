from __future__ import annotations

import csv
import resource
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.errors import InputError, OutputError, SourceError
from sadinet.geometry import Box
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import BODY19, COCO17, SKELETONS
from sadinet.tables.csv_table import CsvTable
from sadinet.tables.read import NOBODY, read_table
from sadinet.tables.schema import columns, flags, number

IMAGE = np.zeros((4, 4, 3), np.uint8)


def pose(seed=0, skeleton=COCO17, track_id=None, words=()):
    rng = np.random.default_rng(seed)
    count = len(skeleton)
    return Pose(
        joints=rng.uniform(-50, 2000, (count, 2)).astype(np.float32),
        scores=rng.uniform(0, 1, count).astype(np.float32),
        sigmas=rng.uniform(0.1, 30, (count, 2)).astype(np.float32),
        box=Box(*rng.uniform(1, 500, 4)),
        skeleton=skeleton,
        track_id=track_id,
        flags=words,
    )


def result(index, *poses, time_s=None, words=(), source="clip.mp4"):
    time_s = index / 30 if time_s is None else time_s
    return FrameResult(Frame(IMAGE, index, time_s, source, words), poses)


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_columns_are_those_of_the_design():
    head = columns(BODY19)
    assert head[:8] == ("frame", "time_s", "track_id", "score", "box_x", "box_y", "box_w", "box_h")
    joint = ("right_ankle_x", "right_ankle_y", "right_ankle_score", "right_ankle_sigma_x", "right_ankle_sigma_y")
    assert head[8:13] == joint
    assert head[-1] == "flags"
    assert len(head) == 8 + 5 * 19 + 1
    assert columns(BODY19, with_source=True) == (*head, "source")


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_what_is_written_is_read(tmp_path, skeleton):
    poses = [pose(seed, skeleton, track_id=seed + 5) for seed in range(3)]
    with CsvTable(tmp_path / "a.csv", skeleton) as table:
        table.write_all([result(0, *poses[:2]), result(1), result(2, poses[2])])
    assert (table.rows, table.frames) == (4, 3)
    values = read_table(tmp_path / "a.csv")
    assert tuple(values) == columns(skeleton)
    assert values["frame"].tolist() == [0, 0, 1, 2]
    assert values["track_id"].tolist() == [5, 6, NOBODY, 7]
    np.testing.assert_allclose(values["time_s"], [0, 0, 1 / 30, 2 / 30], atol=5e-7)
    for row, one in ((0, poses[0]), (1, poses[1]), (3, poses[2])):
        assert values["score"][row] == pytest.approx(one.score, abs=6e-4)
        assert values["box_w"][row] == pytest.approx(one.box.width, abs=6e-3)
        for joint, name in enumerate(skeleton.joints):
            assert values[f"{name}_x"][row] == pytest.approx(one.joints[joint, 0], abs=6e-3)
            assert values[f"{name}_y"][row] == pytest.approx(one.joints[joint, 1], abs=6e-3)
            assert values[f"{name}_score"][row] == pytest.approx(one.scores[joint], abs=6e-4)
            assert values[f"{name}_sigma_x"][row] == pytest.approx(one.sigmas[joint, 0], abs=6e-3)
            assert values[f"{name}_sigma_y"][row] == pytest.approx(one.sigmas[joint, 1], abs=6e-3)


def test_the_bytes_of_a_row(tmp_path):
    one = Pose(
        joints=np.array([[-0.001, 12.345]] * 17, np.float32),
        scores=np.array([0.5] * 16 + [np.nan], np.float32),
        sigmas=np.full((17, 2), np.nan, np.float32),
        box=Box(1, 2.5, 30.126, 40),
        skeleton=COCO17,
        flags=("edge", "blurred"),
    )
    with CsvTable(tmp_path / "a.csv", COCO17) as table:
        table.write(result(7, one, time_s=1 / 3, words=("after_skipped", "edge")))
        table.write(result(8, time_s=float("nan")))
    data = (tmp_path / "a.csv").read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")
    _, first, second = data.decode().splitlines()
    joint = "0.00,12.35,0.500,,"
    assert first == (
        "7,0.333333,0,0.500,1.00,2.50,30.13,40.00,"
        + ",".join([joint] * 16)
        + ",0.00,12.35,,,,after_skipped;edge;blurred"
    )
    assert second == "8," + "," * (len(columns(COCO17)) - 2)


def test_before_tracking_people_are_numbered_by_their_place(tmp_path):
    with CsvTable(tmp_path / "a.csv", COCO17) as table:
        table.write(result(0, pose(0), pose(1, track_id=9), pose(2)))
    assert read_table(tmp_path / "a.csv")["track_id"].tolist() == [0, 9, 2]


def test_pictures_are_named_in_a_last_column(tmp_path):
    name = 'odd, "name" läuft 🏃.png'
    with CsvTable(tmp_path / "a.csv", COCO17, with_source=True) as table:
        table.write(result(0, pose(), source=name, time_s=float("nan")))
        table.write(result(1, source="b.png", time_s=float("nan")))
    values = read_table(tmp_path / "a.csv")
    assert values["source"].tolist() == [name, "b.png"]
    assert np.isnan(values["time_s"]).all()


def test_a_pose_of_another_skeleton_is_refused(tmp_path):
    with pytest.raises(InputError, match="body19"), CsvTable(tmp_path / "a.csv", COCO17) as table:
        table.write(result(0, pose(skeleton=BODY19)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_table_that_breaks_off_keeps_its_rows_under_another_name(tmp_path, error):
    (tmp_path / "a.csv").write_text("of an earlier run")

    def fail():
        with CsvTable(tmp_path / "a.csv", COCO17) as table:
            table.write_all([result(0, pose()), result(1, pose(), pose(1))])
            raise error

    with pytest.raises(error):
        fail()
    assert (tmp_path / "a.csv").read_text() == "of an earlier run"
    assert len(lines_of(tmp_path / "a.csv.part")) == 1 + 3
    assert read_table(tmp_path / "a.csv.part")["frame"].tolist() == [0, 1, 1]
    with CsvTable(tmp_path / "a.csv", COCO17) as table:
        table.write(result(0))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.csv"]


def test_the_table_appears_only_when_it_is_whole(tmp_path):
    with CsvTable(tmp_path / "a.csv", COCO17) as table:
        table.write(result(0, pose()))
        assert not (tmp_path / "a.csv").exists()
        assert table.partial_path.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_folders_that_cannot_be_written(tmp_path):
    for where in (tmp_path / "missing" / "a.csv", tmp_path):
        with pytest.raises(OutputError, match="cannot write") as told:
            CsvTable(where, COCO17)
        assert told.value.remedy


@pytest.mark.parametrize("frames", [3, 400])
def test_a_disk_that_fills_up_keeps_the_rows_that_fit(tmp_path, frames):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))

    def fill():
        with CsvTable(tmp_path / "a.csv", COCO17) as table:
            table.write_all(result(index, pose(index)) for index in range(frames))

    try:
        with pytest.raises(OutputError, match="cannot write"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv.part"]
    assert threading.active_count() == 1


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9), st.sampled_from([2, 3, 6]))
def test_numbers_are_the_nearest_with_fixed_decimals(value, decimals):
    text = number(value, decimals)
    assert len(text.partition(".")[2]) == decimals
    assert abs(float(text) - value) <= 0.5 * 10**-decimals + 1e-6 * abs(value)
    assert float(text) != 0 or not text.startswith("-")


def test_what_is_not_finite_is_empty():
    assert [number(value, 2) for value in (float("nan"), float("inf"), -float("inf"))] == ["", "", ""]


def test_flags_come_once_in_order():
    assert flags(("b", "a"), (), ("a", "c")) == "b;a;c"


def test_what_is_no_table_is_told(tmp_path):
    good = ",".join(columns(COCO17))
    for name, text, words in (
        ("empty.csv", "", "not a table"),
        ("other.csv", "a,b\n1,2\n", "not a table"),
        ("short.csv", f"{good}\n1,2,3\n", "line 2"),
        ("words.csv", f"{good}\n" + ",".join(["x"] * len(columns(COCO17))) + "\n", "not a number"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(SourceError, match=words):
            read_table(tmp_path / name)
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
    for name, words in (("bytes.csv", "not a table"), ("missing.csv", "no such file")):
        with pytest.raises(SourceError, match=words):
            read_table(tmp_path / name)


def test_a_table_without_rows_has_its_columns(tmp_path):
    with CsvTable(tmp_path / "a.csv", COCO17):
        pass
    assert {len(column) for column in read_table(tmp_path / "a.csv").values()} == {0}
    with (tmp_path / "a.csv").open(newline="") as stream:
        assert tuple(next(csv.reader(stream))) == columns(COCO17)
