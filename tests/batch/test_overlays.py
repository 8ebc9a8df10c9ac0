"""Drawn frames as a video, a picture, or a folder of pictures."""

from __future__ import annotations

import av
import numpy as np
import pytest

from sadinet.batch.overlays import FolderOverlay, PictureOverlay, VideoOverlay, open_overlay
from sadinet.errors import OutputError
from sadinet.media.pictures import read_picture, write_picture
from sadinet.media.source import open_source
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


def test_a_folder_takes_its_name_when_it_is_whole_and_replaces_an_earlier_one(tmp_path):
    out = tmp_path / "out"
    for names in (("a.png", "b.png"), ("c.png",)):
        before = sorted(path.name for path in out.iterdir()) if out.exists() else None
        with FolderOverlay(out) as overlay:
            for name in names:
                overlay.write(IMAGE, frame(name))
            assert (sorted(path.name for path in out.iterdir()) if out.exists() else None) == before
        assert sorted(path.name for path in out.iterdir()) == list(names)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def write_and_fail(out) -> None:
    with FolderOverlay(out) as overlay:
        overlay.write(IMAGE, frame("a.png"))
        raise KeyError("what stopped it")


def test_a_folder_that_was_not_finished_leaves_nothing(tmp_path):
    with pytest.raises(KeyError):
        write_and_fail(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        FolderOverlay(tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "notes.txt"]


def test_the_sound_of_a_video_goes_along(tmp_path, short_clip):
    place = tmp_path / "sound.mp4"
    with av.open(str(short_clip)) as old, av.open(str(place), "w") as new:
        taken = old.streams.video[0]
        video = new.add_stream_from_template(taken)
        sound = new.add_stream("aac", rate=44_100, layout="mono")
        for packet in old.demux(taken):
            if packet.size:
                packet.stream = video
                new.mux(packet)
        for start in range(0, 22_050, 1024):
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            heard.sample_rate, heard.pts = 44_100, start
            new.mux(sound.encode(heard))
        new.mux(sound.encode(None))
    with open_source(place) as source, open_overlay(tmp_path / "out.mp4", source) as overlay:
        for each in source:
            overlay.write(each.image, each)
    assert overlay.notes == ()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
