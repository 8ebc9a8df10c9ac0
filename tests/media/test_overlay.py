from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from sadinet.errors import InputError, OutputError
from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader

ROOT = Path(__file__).resolve().parents[2]


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


def sound_of(path):
    """Begin and content of each packet of sound, in seconds from the first shown frame."""
    with VideoReader(path) as reader:
        assert next(iter(reader)).time_s == 0
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        first = min(packet.pts for packet in container.demux(video) if packet.size) * video.time_base
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base - first), bytes(packet)) for packet in packets]


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("aac", ".mkv"), ("aac", ".mp4"), ("aac", ".ts"), ("libmp3lame", ".mkv"), ("libopus", ".mkv"), ("ac3", ".mkv")],
)
@pytest.mark.parametrize("start_s", [0.0, 3.2])
def test_sound_is_copied_at_its_times(tmp_path, clips, codec, suffix, start_s):
    video = clips.write_clip(tmp_path / "v.mp4", [start_s + time for time in clips.even_times(40)])
    sound = clips.write_tone(tmp_path / "s.mka", codec, 2.2, start_s=max(0.0, start_s - 0.5))
    source = clips.put_together(tmp_path / f"source{suffix}", video, sound)
    with VideoReader(source) as reader, OverlayWriter(tmp_path / "o.mp4", sound_of=source) as writer:
        for frame in reader:
            writer.write(frame.image, frame.time_s)
        assert writer.left_out == ()
    told, copied = sound_of(source), sound_of(tmp_path / "o.mp4")
    expected = [item for item in told if item[0] >= 0]
    assert len(copied) == len(expected) > 40
    # A transport stream wraps each packet of AAC in a head of 7 bytes, which MP4 does without.
    head = 7 if suffix == ".ts" else 0
    assert [data for _, data in copied] == [data[head:] for _, data in expected]
    assert [time for time, _ in copied] == pytest.approx([time for time, _ in expected], abs=1e-3)
    with VideoReader(tmp_path / "o.mp4") as reader:
        assert [clips.number_in(frame.image) for frame in reader] == list(range(40))
        assert reader.problems == ()


def test_sound_that_mp4_does_not_hold_is_left_out_and_told(tmp_path, clips):
    video = clips.write_clip(tmp_path / "v.mp4", clips.even_times(10))
    sound = clips.write_tone(tmp_path / "s.wav", "pcm_s16le", 0.4)
    source = clips.put_together(tmp_path / "source.mkv", video, sound)
    with VideoReader(source) as reader, OverlayWriter(tmp_path / "o.mp4", sound_of=source) as writer:
        for frame in reader:
            writer.write(frame.image, frame.time_s)
    assert writer.left_out == ("sound as pcm_s16le is not copied: MP4 does not hold it",)
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_a_silent_video_and_one_without_frames_need_no_sound(tmp_path, clips):
    source = clips.write_clip(tmp_path / "v.mp4", clips.even_times(3))
    with OverlayWriter(tmp_path / "o.mp4", sound_of=source) as writer:
        writer.write(clips.numbered(1), 0.0)
    assert writer.left_out == ()
    with OverlayWriter(tmp_path / "p.mp4", sound_of=source):
        pass
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["o.mp4", "v.mp4"]


ENCODE = """
import sys, cv2
from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader
with VideoReader(sys.argv[1], count=25) as reader, OverlayWriter(sys.argv[2]) as writer:
    for frame in reader:
        writer.write(cv2.resize(frame.image, (960, 400)), frame.time_s)
"""


def test_equal_frames_make_equal_bytes_whatever_was_in_memory(tmp_path, clip):
    # 25 rows of macroblocks: where x264's look-ahead was seen to read memory that it had not written.
    made = []
    for filling in ("1", "100"):
        path = tmp_path / f"{filling}.mp4"
        command = [sys.executable, "-c", ENCODE, str(clip), str(path)]
        subprocess.run(command, check=True, env={**os.environ, "MALLOC_PERTURB_": filling}, cwd=ROOT)
        made.append(path.read_bytes())
    assert made[0] == made[1]
