from __future__ import annotations

import numpy as np
import pytest

from sadinet.errors import SourceError
from sadinet.media.pictures import PictureFolder, write_picture
from sadinet.media.source import Source, open_source
from sadinet.media.video import VideoReader

GREY = np.full((20, 30, 3), 99, np.uint8)


@pytest.fixture
def shots(tmp_path, clips):
    """A folder with three pictures, a folder of videos beside it."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "videos").mkdir()
    for number in (1, 2, 10):
        write_picture(tmp_path / "pictures" / f"shot {number}.png", GREY + number)
    for name in ("a.mp4", "b.mp4"):
        clips.write_clip(tmp_path / "videos" / name, [0, 0.1, 0.2])
    return tmp_path


def test_each_kind_finds_its_reader(shots):
    for where, kind, count in (
        (shots / "videos" / "a.mp4", VideoReader, 3),
        (shots / "pictures", PictureFolder, 3),
        (shots / "pictures" / "shot 2.png", PictureFolder, 1),
        (str(shots / "pictures" / "*.png"), PictureFolder, 3),
        (str(shots / "**" / "shot 1*.png"), PictureFolder, 2),
        (str(shots / "videos" / "a*"), VideoReader, 3),
    ):
        with open_source(where) as source:
            assert type(source) is kind
            assert isinstance(source, Source)
            assert source.expected_frames == count
            frames = list(source)
            assert len(frames) == count
            assert (source.skipped, source.problems) == (0, ())
        assert (source.info is None) == (source.size_wh is None) == (kind is PictureFolder)


def test_a_pattern_is_sorted_naturally(shots):
    frames = list(open_source(str(shots / "pictures" / "*.png")))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [100, 101, 109]


def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path, clips):
    path = clips.write_clip(tmp_path / "take[1].mp4", [0, 0.1])
    assert open_source(path).name == str(path)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("missing.mp4", "no such file"),
        ("missing.png", "no such file"),
        ("nothing*.mp4", "nothing matches"),
        ("videos", "no pictures"),
        ("*/*", "not all pictures"),
    ],
)
def test_what_cannot_be_opened_is_told(shots, where, words):
    with pytest.raises(SourceError, match=words) as told:
        open_source(str(shots / where))
    assert told.value.remedy


def test_addresses_are_refused_by_name():
    with pytest.raises(SourceError, match="is an address"):
        open_source("rtsp://camera/stream")
