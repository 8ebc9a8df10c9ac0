"""What is kept of a chunk comes back as it was, and equal chunks are equal files."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from sadinet.batch import parts
from sadinet.batch.parts import Part, load_part, save_part
from sadinet.errors import OutputError, SourceError
from sadinet.geometry import Box
from sadinet.media.defects import Defects
from sadinet.recording import record
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import COCO17

DEFECTS = Defects(2, 1, 1, ((5, (64, 48)), (7, (48, 64))), ("the file is cut off",))


def result(index: int, people: int) -> FrameResult:
    rng = np.random.default_rng(index)
    poses = tuple(
        Pose(
            joints=rng.normal(100, 30, (17, 2)).astype(np.float32),
            scores=rng.random(17).astype(np.float32),
            sigmas=np.full((17, 2), np.nan, np.float32),
            box=Box(1.5, 2.5, 30, 60, 0.75),
            skeleton=COCO17,
            track_id=number,
            flags=("id_uncertain",) if number == 2 else (),
        )
        for number in range(1, people + 1)
    )
    image = np.zeros((48, 64, 3), np.uint8)
    flags = ("damaged",) if index == 6 else ()
    return FrameResult(
        Frame(image, index, index / 25 if index else float("nan"), f"naïve {index % 2}\udcff", flags), poses
    )


@pytest.fixture
def part() -> Part:
    return Part(record([result(5, 0), result(6, 2), result(7, 1)], COCO17), False, DEFECTS, ((1, b"jpeg"), (2, b"")))


def same(first, second) -> bool:
    for each in fields(first):
        a, b = getattr(first, each.name), getattr(second, each.name)
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=True):
                return False
        elif a != b:
            return False
    return True


def test_everything_comes_back(part, tmp_path):
    save_part(tmp_path / "0.npz", part)
    found = load_part(tmp_path / "0.npz")
    assert same(found.recording, part.recording)
    assert (found.is_last, found.defects, found.previews) == (False, DEFECTS, part.previews)


@pytest.mark.parametrize("frames", [0, 1])
def test_parts_without_people_or_frames_come_back(frames, tmp_path):
    part = Part(record([result(9, 0)][:frames], COCO17), True)
    save_part(tmp_path / "0.npz", part)
    found = load_part(tmp_path / "0.npz")
    assert same(found.recording, part.recording)
    assert (found.is_last, found.defects, found.previews) == (True, Defects(), ())


def test_equal_parts_are_equal_files_whenever_they_are_written(part, tmp_path, monkeypatch):
    first = save_part(tmp_path / "0.npz", part)
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert save_part(tmp_path / "1.npz", part) == first
    assert (tmp_path / "0.npz").read_bytes() == (tmp_path / "1.npz").read_bytes() == first


@pytest.mark.parametrize("place", [0, 500, b"jpeg", -30, -1])
def test_a_damaged_part_is_told(part, tmp_path, place):
    data = bytearray(save_part(tmp_path / "0.npz", part))
    data[data.index(place) if isinstance(place, bytes) else place] ^= 0xFF
    data = data[: len(data) - 1] if place == -1 else data
    (tmp_path / "0.npz").write_bytes(data)
    with pytest.raises(SourceError, match="damaged"):
        load_part(tmp_path / "0.npz")


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", b"text"])
def test_what_is_no_part_is_told(tmp_path: Path, content):
    if content is not None:
        (tmp_path / "0.npz").write_bytes(content)
    with pytest.raises(SourceError, match="not a part"):
        load_part(tmp_path / "0.npz")


def test_a_part_of_another_version_is_told(part, tmp_path, monkeypatch):
    with monkeypatch.context() as changed:
        changed.setattr(parts, "PART_SCHEMA", parts.PART_SCHEMA + 1)
        save_part(tmp_path / "0.npz", part)
    with pytest.raises(SourceError, match="another version"):
        load_part(tmp_path / "0.npz")


def test_a_skeleton_of_somebodys_own_comes_back_whole(part, tmp_path):
    own = replace(COCO17, name="own", limbs=COCO17.limbs[:3])
    save_part(tmp_path / "0.npz", replace(part, recording=replace(part.recording, skeleton=own)))
    assert load_part(tmp_path / "0.npz").recording.skeleton == own


def test_a_folder_that_is_not_there_is_told(part, tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        save_part(tmp_path / "none" / "0.npz", part)
