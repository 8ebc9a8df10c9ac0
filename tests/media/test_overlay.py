from __future__ import annotations

import resource

import numpy as np
import pytest

from sadinet.errors import InputError, OutputError
from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader


def test_times_and_pictures_come_back(tmp_path, clips):
    times = [0, 0.033367, 0.066733, 0.2, 0.233, 1.0, 1.00005, 2.5]
    with OverlayWriter(tmp_path / "läuft 🏃.mp4") as writer:
        for number, time_s in enumerate(times):
            writer.write(clips.numbered(number), time_s)
        assert not (tmp_path / "läuft 🏃.mp4").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["läuft 🏃.mp4"]
    with VideoReader(tmp_path / "läuft 🏃.mp4") as reader:
        frames = list(reader)
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1 / 90_000)
    assert [clips.number_in(frame.image) for frame in frames] == list(range(8))
    assert reader.info.codec == "h264"
    assert reader.info.duration_s >= times[-1]  # or players stop before the last frame
    assert reader.problems == ()
    for frame in frames:
        assert np.abs(frame.image.astype(int) - clips.numbered(frame.index)).mean() < 8


@pytest.mark.parametrize("size_wh", [(1, 1), (161, 120), (160, 121), (33, 17)])
def test_odd_sizes_are_filled_up_not_cut(tmp_path, size_wh):
    width, height = size_wh
    image = np.full((height, width, 3), 200, np.uint8)
    image[:, -1] = 20
    with OverlayWriter(tmp_path / "a.mp4", quality=5) as writer:
        writer.write(image, 0)
    with VideoReader(tmp_path / "a.mp4") as reader:
        (frame,) = reader
    assert frame.size_wh == (width + width % 2, height + height % 2)
    assert np.abs(frame.image[:height, :width, 0].astype(int) - image[:, :, 0]).max() < 40
    assert abs(int(frame.image[-1, -1, 0]) - 20) < 40


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path, clips):
    with OverlayWriter(tmp_path / "a.mp4") as writer:
        writer.write(clips.numbered(1), 0)
        writer.write(clips.numbered(2, (320, 240)), 0.1)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert [(clips.number_in(frame.image), frame.size_wh) for frame in reader] == [(1, (160, 120)), (2, (160, 120))]


def test_times_that_do_not_rise_are_moved_behind_the_frame_before(tmp_path, clips):
    with OverlayWriter(tmp_path / "a.mp4") as writer:
        for number, time_s in enumerate([0, 0.5, 0.5, 0.1, 0.6]):
            writer.write(clips.numbered(number), time_s)
    with VideoReader(tmp_path / "a.mp4") as reader:
        frames = list(reader)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.5, 0.5, 0.5, 0.6], abs=1e-4)
    assert [clips.number_in(frame.image) for frame in frames] == [0, 1, 2, 3, 4]


def test_pictures_without_time_are_refused(tmp_path, clips):
    with pytest.raises(InputError, match="time"), OverlayWriter(tmp_path / "a.mp4") as writer:
        writer.write(clips.numbered(1), float("nan"))
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_nothing_and_spares_the_old_video(tmp_path, clips):
    (tmp_path / "a.mp4").write_bytes(b"old")

    def fail():
        with OverlayWriter(tmp_path / "a.mp4") as writer:
            for number in range(50):
                writer.write(clips.numbered(number), number / 25)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (tmp_path / "a.mp4").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_frame_no_video_is_made(tmp_path):
    with OverlayWriter(tmp_path / "a.mp4"):
        pass
    assert not list(tmp_path.iterdir())


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for where in (tmp_path / "missing" / "a.mp4", tmp_path / "file" / "a.mp4", tmp_path):
        with pytest.raises(OutputError, match="cannot write") as told:
            OverlayWriter(where)
        assert told.value.remedy


@pytest.fixture
def small_disk():
    """Let no file grow over 60 kB: the system then refuses as a full disk does, with another number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_is_told_and_leaves_nothing(tmp_path, small_disk):
    noise = np.random.default_rng(3).integers(0, 256, (240, 320, 3), dtype=np.uint8)

    def fill():
        with OverlayWriter(tmp_path / "a.mp4") as writer:
            for number in range(90):
                writer.write(np.roll(noise, number * 37, axis=1), number / 25)

    with pytest.raises(OutputError, match="cannot write"):
        fill()
    assert not list(tmp_path.iterdir())
