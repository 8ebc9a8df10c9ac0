"""Drawn frames as a video, a picture, or a folder of pictures."""

from __future__ import annotations

import av
import numpy as np
import pytest

from sadinet.errors import OutputError
from sadinet.media.pictures import read_picture, write_picture
from sadinet.media.source import open_source
from sadinet.pipeline.overlays import FolderOverlay, PictureOverlay, VideoOverlay, open_overlay
from sadinet.results import Frame

IMAGE = np.full((16, 24, 3), 90, np.uint8)


def frame(source: str = "", time_s: float = float("nan")) -> Frame:
    return Frame(IMAGE, 0, time_s, source)


def test_the_source_and_the_name_decide(tmp_path, short_clip):
    write_picture(tmp_path / "a.png", IMAGE)
    picture = open_source(tmp_path / "a.png")
    assert isinstance(open_overlay(tmp_path / "b.png", picture), PictureOverlay)
    assert isinstance(open_overlay(tmp_path / "set.one-overlay", picture), FolderOverlay)
    with open_source(short_clip) as video, open_overlay(tmp_path / "b.mp4", video) as overlay:
        assert isinstance(overlay, VideoOverlay)


def test_frames_without_time_follow_right_behind(tmp_path):
    with VideoOverlay(tmp_path / "a.mp4") as overlay:
        for time_s in (0.0, float("nan"), 0.5):
            overlay.write(IMAGE, frame(time_s=time_s))
    with av.open(str(tmp_path / "a.mp4")) as container:
        times = [float(picture.time) for picture in container.decode(video=0)]
    assert times == pytest.approx([0, 1 / 90_000, 0.5], abs=1e-6)


def test_pictures_of_one_name_do_not_overwrite_each_other(tmp_path):
    with FolderOverlay(tmp_path / "out") as overlay:
        for source in ("a/x.png", "b/X.png", "c/x.tif", "d/y.JPG"):
            overlay.write(IMAGE, frame(source))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["X-2.png", "x-3.png", "x.png", "y.JPG"]
    assert np.array_equal(read_picture(tmp_path / "out" / "x-3.png"), IMAGE)


def test_a_file_in_the_folders_place_is_told(tmp_path):
    (tmp_path / "out").write_bytes(b"x")
    with pytest.raises(OutputError, match="cannot write"):
        FolderOverlay(tmp_path / "out")
