from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from sadinet.errors import OutputError, SourceError
from sadinet.skeletons import COCO17, SKELETONS, Skeleton
from sadinet.tables.read import read_recording, read_table
from sadinet.tables.schema import NOBODY, columns

SUFFIXES = ("csv", "parquet")


def need(name):
    if name == "parquet":
        pytest.importorskip("pyarrow")


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_a_recording_comes_back(tables, tmp_path, name, skeleton):
    need(name)
    whole = tables.recording(skeleton)
    target = tables.target(tmp_path, name)
    tables.write(name, target, [whole.part(0, 7), whole.part(7, 12)], tables.info(skeleton, is_pictures=True))
    found = read_recording(target)
    assert found.skeleton is skeleton
    assert found.sources == whole.sources
    assert found.index.tolist() == whole.index.tolist()
    assert (found.row_frame.dtype, found.joints.dtype) == (np.int64, np.float32)
    for field, within in (("time_s", 6e-7), ("joints", 6e-3), ("scores", 6e-4), ("sigmas", 6e-3)):
        np.testing.assert_allclose(getattr(found, field), getattr(whole, field), atol=within)
    np.testing.assert_array_equal(found.row_frame, whole.row_frame)
    np.testing.assert_array_equal(found.track_ids, whole.track_ids)
    np.testing.assert_allclose(found.boxes[:, :4], whole.boxes[:, :4], atol=6e-3)
    assert np.isnan(found.boxes[:, 4]).all()
    assert not found.sizes_wh.any()
    assert list(found.extra) == list(tables.extra)
    for column in tables.extra:
        np.testing.assert_allclose(found.extra[column], whole.extra[column], atol=6e-3)
    assert found.frame_flags[7] == ("after_skipped", "dark")
    assert found.flags[2] == ("after_skipped", "dark", "edge")
    assert found.flags[0] == ()


@pytest.mark.parametrize("name", SUFFIXES)
def test_what_was_read_is_written_again_the_same(tables, tmp_path, name):
    need(name)
    tables.write(name, tables.target(tmp_path, name, "first"), [tables.recording()])
    found = read_recording(tables.target(tmp_path, name, "first"))
    tables.write(name, tables.target(tmp_path, name, "second"), [found])
    assert len(set(tables.bytes_under(tmp_path).values())) == 1


@pytest.mark.parametrize("name", SUFFIXES)
def test_joints_of_a_skeleton_that_is_not_ours_are_taken_by_their_names(tables, tmp_path, name):
    need(name)
    hand = Skeleton("hand", ("thumb_tip", "wrist", "x"), (), (0.03,) * 3)
    whole = tables.recording(hand)
    tables.write(name, tables.target(tmp_path, name), [whole], tables.info(hand))
    found = read_recording(tables.target(tmp_path, name))
    assert found.skeleton.joints == hand.joints
    np.testing.assert_allclose(found.joints, whole.joints, atol=6e-3)


@pytest.mark.parametrize("name", SUFFIXES)
def test_a_recording_without_frames_comes_back(tables, tmp_path, name):
    need(name)
    tables.write(name, tables.target(tmp_path, name), [])
    found = read_recording(tables.target(tmp_path, name))
    assert (found.frames, found.rows) == (0, 0)
    assert found.joints.shape == (0, 19, 2)


def test_the_columns_of_a_table(tables, tmp_path):
    whole = tables.recording()
    tables.write("csv", tmp_path / "a.csv", [whole])
    found = read_table(tmp_path / "a.csv")
    assert tuple(found) == columns(whole.skeleton, extra=tables.extra)
    nobody = found["track_id"] == NOBODY
    assert found["frame"][nobody].tolist() == [7, 10]
    assert (found["frame"].dtype, found["track_id"].dtype) == (np.int64, np.int64)
    assert np.isnan(found["score"][nobody]).all()
    assert found["flags"][nobody].tolist() == ["after_skipped;dark", ""]


def test_more_lines_than_are_taken_apart_at_once(tables, tmp_path, monkeypatch):
    tables.write("csv", tmp_path / "a.csv", [tables.recording()])
    expected = read_table(tmp_path / "a.csv")
    monkeypatch.setattr("sadinet.tables.read._LINES", 3)
    for name, cells in read_table(tmp_path / "a.csv").items():
        np.testing.assert_array_equal(cells, expected[name])
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    (tmp_path / "cut.csv").write_text(text[:-40], encoding="utf-8")
    with pytest.raises(SourceError, match="line 17"):
        read_table(tmp_path / "cut.csv")


def test_a_table_without_rows_has_its_columns(tables, tmp_path):
    tables.write("csv", tmp_path / "a.csv", [])
    assert {len(column) for column in read_table(tmp_path / "a.csv").values()} == {0}


def test_a_table_in_another_order_is_told(tables, tmp_path):
    whole = tables.recording()
    tables.write("csv", tmp_path / "a.csv", [replace(whole, index=whole.index[::-1])])
    with pytest.raises(SourceError, match="order of frames"):
        read_recording(tmp_path / "a.csv")


def test_what_is_no_table_is_told(tmp_path):
    good = ",".join(columns(COCO17))
    for name, text, words in (
        ("empty.csv", "", "not a table"),
        ("other.csv", "a,b\n1,2\n", "not a table"),
        ("short.csv", f"{good}\n1,2,3\n", "line 2"),
        ("words.csv", f"{good}\n" + ",".join(["x"] * len(columns(COCO17))) + "\n", "not a number"),
    ):
        (tmp_path / name).write_text(text)
        for read in (read_table, read_recording):
            with pytest.raises(SourceError, match=words):
                read(tmp_path / name)
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
    for name, words in (("bytes.csv", "not a table"), ("missing.csv", "no such file")):
        with pytest.raises(SourceError, match=words):
            read_table(tmp_path / name)


def test_what_is_no_parquet_table_is_told(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (tmp_path / "bytes.parquet").write_bytes(bytes(range(256)))
    parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "other.parquet")
    for name, words in (("bytes", "not a table"), ("other", "not a table"), ("missing", "no such file")):
        with pytest.raises(SourceError, match=words):
            read_recording(tmp_path / f"{name}.parquet")


def test_parquet_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OutputError, match=r"sadinet\[parquet\]"):
        read_recording(tmp_path / "a.parquet")
