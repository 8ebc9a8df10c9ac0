from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from sadinet.recording import Recording
from sadinet.skeletons import BODY19, Skeleton

c3d = pytest.importorskip("c3d")


def read_c3d(path):
    """Return the reader and (n, points, 5): x, y, z, residual, cameras, as the `c3d` package has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it expects force plates
        with path.open("rb") as stream:
            reader = c3d.Reader(stream)
            frames = [(number, points) for number, points, _ in reader.read_frames()]
    return reader, np.array([number for number, _ in frames]), np.array([points for _, points in frames])


@pytest.fixture
def raw(tables):
    return replace(tables.recording(), extra={})


@pytest.mark.parametrize("scale", [None, 0.004])
def test_each_person_is_read_by_the_c3d_package(tables, raw, tmp_path, scale):
    info = tables.info(extra=(), metres_per_pixel=scale)
    table = tables.write("c3d", tmp_path / "läuft.c3d", [raw.part(0, 6), raw.part(6, 12)], info)
    unit = 1 if scale is None else 1000 * scale
    for path, (person, seen) in zip(table.paths, tables.spans.items(), strict=True):
        reader, numbers, points = read_c3d(path)
        assert path.name == f"läuft_person{person}.c3d"
        assert [label.strip() for label in reader.point_labels] == list(BODY19.joints)
        assert numbers.tolist() == list(range(seen[0] + 1, seen[-1] + 2))
        assert reader.point_rate == pytest.approx(25)
        assert reader.get("POINT:UNITS").string_array[0].strip() == "mm"
        assert reader.get("SADINET:SOURCE").string_array[0].strip() == "läuft.mp4"
        known = np.full((len(numbers), len(BODY19), 4), np.nan)
        rows = raw.rows_of_track(person)
        known[np.array(seen) - seen[0]] = np.concatenate([raw.joints[rows], raw.sigmas[rows]], axis=2)
        missing = np.isnan(known[..., 0])
        assert (points[missing][:, 3] == -1).all()
        assert not points[missing][:, :3].any()
        np.testing.assert_allclose(points[~missing][:, 0], unit * known[~missing][:, 0], rtol=1e-5)
        np.testing.assert_allclose(points[~missing][:, 1], unit * (1079 - known[~missing][:, 1]), rtol=1e-5, atol=1e-3)
        assert not points[..., 2].any()
        spread = np.sqrt((known[~missing][:, 2:] ** 2).mean(axis=1))
        expected = unit * np.nan_to_num(np.minimum(spread, 25.5))
        np.testing.assert_allclose(points[~missing][:, 3], expected, atol=0.0501 * unit)


def test_ezc3d_reads_the_same(tables, raw, tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    table = tables.write("c3d", tmp_path / "a.c3d", [raw], tables.info(extra=()))
    for path in table.paths:
        _, numbers, points = read_c3d(path)
        theirs = ezc3d.c3d(str(path))
        assert theirs["header"]["points"]["frame_rate"] == pytest.approx(25)
        assert theirs["header"]["points"]["first_frame"] + 1 == numbers[0]
        assert theirs["parameters"]["POINT"]["LABELS"]["value"] == list(BODY19.joints)
        places = theirs["data"]["points"][:3].transpose(2, 1, 0)
        missing = points[..., 3] < 0
        np.testing.assert_array_equal(np.isnan(places[..., 0]), missing)
        np.testing.assert_allclose(places[~missing], points[~missing][:, :3], rtol=1e-6)


def test_more_frames_than_a_word_counts(tables, tmp_path):
    frames = 66_000
    point = Skeleton("point", ("nose",), (), (0.03,))
    recording = Recording(
        skeleton=point,
        index=np.arange(frames),
        time_s=np.arange(frames) / 120,
        sizes_wh=np.full((frames, 2), 100),
        frame_flags=((),) * frames,
        sources=("",) * frames,
        row_frame=np.arange(frames),
        track_ids=np.zeros(frames, np.int64),
        boxes=np.zeros((frames, 5)),
        joints=np.arange(frames, dtype=np.float32)[:, None, None] * np.ones((1, 1, 2), np.float32),
        scores=np.ones((frames, 1), np.float32),
        sigmas=np.ones((frames, 1, 2), np.float32),
        flags=((),) * frames,
    )
    table = tables.write("c3d", tmp_path / "a.c3d", [recording], tables.info(point, extra=()))
    reader, numbers, points = read_c3d(table.paths[0])
    assert (numbers[0], numbers[-1], len(numbers)) == (1, frames, frames)
    np.testing.assert_array_equal(points[:, 0, 0], np.arange(frames))
    assert reader.point_rate == pytest.approx(120)
