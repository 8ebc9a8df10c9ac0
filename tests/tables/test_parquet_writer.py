from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sadinet.tables.read import read_recording
from sadinet.tables.schema import columns

pyarrow = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402


def test_columns_have_types_and_each_window_is_a_row_group(tables, tmp_path):
    whole = tables.recording()
    target = tables.target(tmp_path, "parquet")
    tables.write("parquet", target, [whole.part(0, 5), whole.part(5, 12)], tables.info(is_pictures=True))
    file = parquet.ParquetFile(target)
    assert file.num_row_groups == 2
    schema = file.schema_arrow
    assert tuple(schema.names) == columns(whole.skeleton, with_source=True, extra=tables.extra)
    kinds = {name: str(schema.field(name).type) for name in schema.names}
    assert (kinds["frame"], kinds["track_id"]) == ("int64", "int64")
    assert (kinds["time_s"], kinds["box_w"], kinds["angle_left_knee"]) == ("double", "double", "double")
    assert (kinds["score"], kinds["neck_x"], kinds["neck_sigma_y"]) == ("float", "float", "float")
    assert (kinds["flags"], kinds["source"]) == ("string", "string")
    assert schema.metadata[b"sadinet.skeleton"] == b"body19"
    assert schema.metadata[b"sadinet.source"].decode() == "läuft.mp4"
    assert b"pandas" not in schema.metadata


def test_pandas_reads_what_the_csv_has_unrounded(tables, tmp_path):
    pandas = pytest.importorskip("pandas")
    whole = tables.recording()
    for name in ("csv", "parquet"):
        tables.write(name, tables.target(tmp_path, name), [whole])
    found = pandas.read_parquet(tables.target(tmp_path, "parquet"))
    rounded = pandas.read_csv(tables.target(tmp_path, "csv"))
    assert list(found.columns) == list(rounded.columns)
    assert found["flags"].tolist() == rounded["flags"].fillna("").tolist()
    for name in found.columns.drop("flags"):
        np.testing.assert_allclose(found[name].astype(float), rounded[name].astype(float), atol=5.1e-3)
    people = found[found["track_id"].notna()]
    np.testing.assert_array_equal(people["left_knee_x"], whole.joints[:, whole.skeleton.index("left_knee"), 0])
    np.testing.assert_array_equal(people["time_s"], whole.row_times_s)
    assert found["track_id"].isna().sum() == 2
    assert parquet.read_table(tables.target(tmp_path, "parquet"))["right_knee_x"].null_count == len(found)


def test_windows_do_not_change_the_values(tables, tmp_path):
    whole = tables.recording()
    tables.write("parquet", tmp_path / "one.parquet", [whole])
    tables.write("parquet", tmp_path / "each.parquet", [whole.part(at, at + 1) for at in range(12)])
    one, each = (parquet.read_table(tmp_path / f"{name}.parquet") for name in ("one", "each"))
    assert one.equals(each, check_metadata=True)


def test_a_picture_whose_name_is_no_unicode_is_written(tables, tmp_path):
    whole = replace(tables.recording(frames=1), sources=("old \udcff.png",))
    tables.write("parquet", tmp_path / "a.parquet", [whole], tables.info(is_pictures=True))
    assert read_recording(tmp_path / "a.parquet").sources[0].startswith("old ")
