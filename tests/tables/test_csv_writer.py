from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from sadinet.recording import record
from sadinet.results import Box, Frame, FrameResult, Pose
from sadinet.skeletons import COCO17
from sadinet.tables.schema import NOBODY, columns
from sadinet.tables.writer import TableInfo, open_table

IMAGE = np.zeros((4, 4, 3), np.uint8)


def test_the_bytes_of_a_row(tmp_path):
    one = Pose(
        joints=np.array([[-0.001, 12.345]] * 17, np.float32),
        scores=np.array([0.5] * 16 + [np.nan], np.float32),
        sigmas=np.full((17, 2), np.nan, np.float32),
        box=Box(1, 2.5, 30.126, 40),
        skeleton=COCO17,
        flags=("edge", "blurred"),
    )
    frames = [
        FrameResult(Frame(IMAGE, 7, 1 / 3, "a", ("after_skipped", "edge")), (one,)),
        FrameResult(Frame(IMAGE, 8, float("nan"), "b"), ()),
    ]
    window = replace(record(frames, COCO17), extra={"angle": np.array([12.345678])})
    with open_table("csv", tmp_path / "a.csv", TableInfo(COCO17, extra=("angle", "other"))) as table:
        table.write(window)
    data = (tmp_path / "a.csv").read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")
    head, first, second = data.decode().splitlines()
    assert head == ",".join((*columns(COCO17), "angle", "other"))
    joint = "0.00,12.35,0.500,,"
    assert first == (
        "7,0.333333,0,0.500,1.00,2.50,30.13,40.00,"
        + ",".join([joint] * 16)
        + ",0.00,12.35,,,,after_skipped;edge;blurred,12.35,"
    )
    assert second == "8," + "," * len(columns(COCO17))


def test_pandas_reads_every_value(tables, tmp_path):
    pandas = pytest.importorskip("pandas")
    whole = tables.recording()
    target = tables.target(tmp_path, "csv")
    tables.write("csv", target, [whole], tables.info(is_pictures=True))
    found = pandas.read_csv(target)
    assert tuple(found.columns) == columns(whole.skeleton, with_source=True, extra=tables.extra)
    nobody = found[found["track_id"].isna()]
    assert nobody["frame"].tolist() == [7, 10]
    assert nobody["flags"].fillna("").tolist() == ["after_skipped;dark", ""]
    assert nobody.drop(columns=["frame", "time_s", "flags", "source"]).isna().all(axis=None)
    people = found[found["track_id"].notna()]
    assert people["frame"].tolist() == whole.index[whole.row_frame].tolist()
    assert people["track_id"].astype(int).tolist() == whole.track_ids.tolist()
    assert people["source"].tolist() == [whole.sources[at] for at in whole.row_frame]
    assert people["flags"].tolist()[2] == "after_skipped;dark;edge"
    np.testing.assert_allclose(people["time_s"], whole.row_times_s, atol=5.1e-7)
    np.testing.assert_allclose(people["score"], whole.row_scores, atol=5.1e-4)
    np.testing.assert_allclose(people[["box_x", "box_y", "box_w", "box_h"]], whole.boxes[:, :4], atol=5.1e-3)
    for place, name in enumerate(whole.skeleton.joints):
        np.testing.assert_allclose(people[[f"{name}_x", f"{name}_y"]], whole.joints[:, place], atol=5.1e-3)
        np.testing.assert_allclose(people[f"{name}_score"], whole.scores[:, place], atol=5.1e-4)
        np.testing.assert_allclose(people[[f"{name}_sigma_x", f"{name}_sigma_y"]], whole.sigmas[:, place], atol=5.1e-3)
    for name in tables.extra:
        np.testing.assert_allclose(people[name], whole.extra[name], atol=5.1e-3)


def test_a_window_that_lacks_an_extra_column_has_it_unknown(tables, tmp_path):
    whole = tables.recording()
    target = tables.target(tmp_path, "csv")
    tables.write("csv", target, [whole.part(0, 2), replace(whole.part(2, 4), extra={})])
    with target.open(newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    assert [row["left_knee_x_smooth"] != "" for row in found] == [True, True, False, False, False, False]


def test_nobody_is_no_persons_number(tables):
    assert NOBODY not in tables.spans


def test_texts_are_quoted_where_csv_needs_it(tmp_path, tables):
    name = 'odd, "name"\nläuft 🏃.png'
    whole = replace(tables.recording(frames=1), sources=(name,))
    tables.write("csv", tmp_path / "a.csv", [whole], tables.info(is_pictures=True))
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        assert next(csv.DictReader(stream))["source"] == name
