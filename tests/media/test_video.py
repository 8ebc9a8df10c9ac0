from __future__ import annotations

import itertools
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from sadinet.errors import SourceError
from sadinet.media.decoding import DamageFoundError, DecodingPass
from sadinet.media.video import AFTER_SKIPPED, DAMAGED, VideoReader

VIDEOS = Path(__file__).resolve().parents[2] / ".." / "shared" / "videos"


def read(path):
    with VideoReader(path) as reader:
        return reader, list(reader)


def container_times(path):
    """Presentation times of all packets, sorted: what the container says, without any decoding."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stamps = sorted(packet.pts for packet in container.demux(stream) if packet.size and not packet.is_discard)
        return [float((stamp - stamps[0]) * stream.time_base) for stamp in stamps]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.mov", "libx264"), ("a.webm", "libvpx-vp9"), ("a.avi", "mpeg4")],
)
def test_every_frame_comes_once_in_the_order_of_presentation(tmp_path, clips, name, codec):
    encoder = {} if codec != "libx264" else None
    path = clips.write_clip(tmp_path / name, clips.even_times(40), codec=codec, encoder=encoder)
    reader, frames = read(path)
    assert [clips.number_in(frame.image) for frame in frames] == list(range(40))
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.time_s for frame in frames] == pytest.approx(clips.even_times(40), abs=1e-3)
    assert all(frame.source == str(path) and not frame.flags for frame in frames)
    assert (reader.skipped, reader.problems, reader.size_wh) == (0, (), (160, 120))
    assert reader.expected_frames == 40


def test_a_variable_rate_is_kept(tmp_path, clips):
    times = [0, 0.033, 0.066, 0.2, 0.233, 1.0, 1.001, 1.5, 4.25]
    _, frames = read(clips.write_clip(tmp_path / "vfr.mp4", times))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-4)
    assert [clips.number_in(frame.image) for frame in frames] == list(range(9))


@pytest.mark.parametrize("name", ["late.mkv", "late.ts"])
def test_a_start_offset_is_taken_off(tmp_path, clips, name):
    path = clips.write_clip(tmp_path / name, [5.5 + time for time in clips.even_times(12)])
    with av.open(str(path)) as container:
        assert container.start_time > 1_000_000  # the offset really is in the file
    _, frames = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx(clips.even_times(12), abs=1e-3)


@pytest.mark.parametrize("path", sorted(VIDEOS.glob("*")) or [None], ids=lambda path: path.name if path else "none")
def test_times_of_real_videos_are_the_containers(path):
    if path is None:
        pytest.skip("the shared videos are not here")
    with VideoReader(path) as reader:
        times = [frame.time_s for frame in itertools.islice(reader, 40)]
    assert times == pytest.approx(container_times(path)[: len(times)], abs=1e-3)
    assert times[0] == 0
    assert reader.skipped == 0


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
def test_rotation_is_undone(tmp_path, clips, rotation_deg, is_mirrored):
    path = clips.write_clip(tmp_path / "a.mp4", [0, 0.1], rotation_deg=rotation_deg, is_mirrored=is_mirrored)
    reader, frames = read(path)
    image = frames[0].image
    height, width = image.shape[:2]
    assert reader.size_wh == frames[0].size_wh == ((120, 160) if rotation_deg in (90, 270) else (160, 120))
    # The matrix, read from the file's bytes by the rule of its format, sends the stored red corner there.
    a, b, _, c, d = clips.display_matrix(path)[:5] / 65536
    x, y = -1.0, 1.0  # left and below the middle
    shown_x, shown_y = a * x + c * y, b * x + d * y
    at = image[int(height * (0.5 + shown_y * 0.45)), int(width * (0.5 + shown_x * 0.45))]
    assert at[2] > 150
    assert at[0] < 90
    opposite = image[int(height * (0.5 - shown_y * 0.05)), int(width * (0.5 - shown_x * 0.45))]
    assert opposite[2] < 150
    assert reader.info.rotation_deg == rotation_deg
    assert reader.info.is_mirrored == is_mirrored


def test_an_odd_name_is_no_matter(tmp_path, clips):
    for name in ("two words.mp4", 'it\'s "quoted".mp4', "läuft 走る 🏃.mp4", "file:colon.mp4", "100%d.mp4", "-o.mp4"):
        _, frames = read(clips.write_clip(tmp_path / name, [0, 0.1]))
        assert len(frames) == 2


@pytest.mark.parametrize("size_wh", [(2, 2), (7680, 4320)])
def test_tiny_and_8k(tmp_path, clips, size_wh):
    encoder = {"preset": "ultrafast", "tune": "zerolatency"}
    reader, frames = read(clips.write_clip(tmp_path / "a.mp4", [0], size_wh=size_wh, encoder=encoder))
    assert reader.size_wh == frames[0].size_wh == size_wh
    assert frames[0].image.dtype == np.uint8


def test_a_single_pixel(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 1, 1, "bgr0"
        picture = av.VideoFrame.from_ndarray(np.array([[[10, 120, 250]]], np.uint8), format="bgr24")
        output.mux(stream.encode(picture.reformat(format="bgr0")))
        output.mux(stream.encode(None))
    reader, frames = read(path)
    assert reader.size_wh == (1, 1)
    assert frames[0].image.tolist() == [[[10, 120, 250]]]


@pytest.mark.parametrize(
    ("name", "codec", "muxer", "claim"),
    [
        ("a.mp4", "libx264", {"movflags": "faststart"}, "of 75"),
        ("a.mkv", "libx264", {}, "of 3.00 s"),
        ("a.avi", "mpeg4", {}, "of 75"),
    ],
)
def test_a_file_that_is_cut_off_gives_what_is_there(tmp_path, clips, name, codec, muxer, claim):
    encoder = {} if codec == "mpeg4" else None
    whole = clips.write_clip(tmp_path / name, clips.even_times(75), codec=codec, muxer=muxer, encoder=encoder)
    path = tmp_path / f"cut_{name}"
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    reader, frames = read(path)
    assert 20 < len(frames) < 65
    # B frames at the torn end lack what they refer to; all before must be there.
    assert [clips.number_in(frame.image) for frame in frames[:-3]] == list(range(len(frames) - 3))
    (problem,) = (line for line in reader.problems if "cut off" in line)
    assert claim in problem
    assert str(len(frames)) in problem


def test_a_whole_file_is_not_called_cut_off(tmp_path, clips):
    sound = clips.write_sound(tmp_path / "sound.m4a")
    silent = clips.write_clip(tmp_path / "silent.mp4", clips.even_times(6))
    # Sound that is longer than the picture.
    with av.open(str(tmp_path / "both.mp4"), "w") as output, av.open(str(sound)) as a, av.open(str(silent)) as v:
        sources = (v.streams.video[0], a.streams.audio[0])
        targets = [output.add_stream_from_template(source) for source in sources]
        for source, target in zip(sources, targets, strict=True):
            for packet in source.container.demux(source):
                if packet.size:
                    packet.stream = target
                    output.mux(packet)
    reader, frames = read(tmp_path / "both.mp4")
    assert (len(frames), reader.problems, reader.info.has_audio) == (6, (), True)


def test_a_frame_that_does_not_decode_is_skipped_and_counted(tmp_path, clips):
    # All-intra, no reordering: a packet is a frame.
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(30), encoder={"g": "1", "bf": "0"})
    clips.spoil(path, lambda number: number in (7, 8, 20))
    reader, frames = read(path)
    assert reader.skipped == 3
    assert [clips.number_in(frame.image) for frame in frames] == [n for n in range(30) if n not in (7, 8, 20)]
    assert [frame.index for frame in frames] == list(range(27))
    flagged = [frame for frame in frames if AFTER_SKIPPED in frame.flags]
    assert [frame.time_s for frame in flagged] == pytest.approx([9 / 25, 21 / 25])
    assert any(line.startswith("3 frames could not be decoded") for line in reader.problems)


def test_a_spoilt_beginning_and_end_are_counted_too(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(12), encoder={"g": "1", "bf": "0"})
    clips.spoil(path, lambda number: number in (0, 11))
    reader, frames = read(path)
    assert reader.skipped == 2
    assert [clips.number_in(frame.image) for frame in frames] == list(range(1, 11))
    assert (frames[0].time_s, frames[0].flags) == (0.0, (AFTER_SKIPPED,))


def test_damage_is_told_and_gives_the_same_frames_every_time(tmp_path, clips):
    path = clips.write_clip(
        tmp_path / "a.mp4", clips.even_times(60), size_wh=(320, 240), encoder={"g": "60", "bf": "2"}
    )
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(2)
    with av.open(str(path)) as container:
        spots = [(p.pos, p.size) for p in container.demux(video=0) if p.size > 60][3::9]
    for position, size in spots:  # the middle of a packet: what is left decodes in part
        data[position + size // 2 : position + size // 2 + 12] = noise.integers(0, 256, 12, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    with pytest.raises(DamageFoundError):
        list(DecodingPass(str(path), threads=0))
    (reader, first), (_, second) = read(path), read(path)
    assert any(DAMAGED in frame.flags for frame in first) or reader.skipped
    assert reader.problems
    assert [frame.image.tobytes() for frame in first] == [frame.image.tobytes() for frame in second]
    assert [frame.flags for frame in first] == [frame.flags for frame in second]
    assert [frame.time_s for frame in first] == sorted({frame.time_s for frame in first})


def test_what_is_no_video_is_told_in_one_line(tmp_path, clips):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("This is not a video.\n" * 100)
    clips.write_sound(tmp_path / "sound.mp4")
    whole = clips.write_clip(tmp_path / "whole.mp4", clips.even_times(5))
    (tmp_path / "no_index.mp4").write_bytes(whole.read_bytes()[:-1200])
    spoilt = clips.write_clip(tmp_path / "spoilt.mp4", clips.even_times(5))
    clips.spoil(spoilt, lambda number: True)
    for name, words in {
        "missing.mp4": "no such file",
        "": "folder",
        "empty.mp4": "empty",
        "text.mp4": "not a video",
        "no_index.mp4": "not a video",
        "sound.mp4": "sound but no video",
        "spoilt.mp4": "no frame that can be decoded",
    }.items():
        with pytest.raises(SourceError, match=words) as told:
            VideoReader(tmp_path / name)
        assert told.value.remedy
        assert "\n" not in str(told.value)


def test_a_cover_picture_is_no_video(tmp_path, clips):
    cover = cv2.imencode(".jpg", np.full((64, 64, 3), 80, np.uint8))[1].tobytes()
    path = clips.write_sound(tmp_path / "song.mp4", cover=cover)
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    with pytest.raises(SourceError, match="sound but no video"):
        VideoReader(path)


def test_a_reader_can_be_left_early(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(30))
    with VideoReader(path) as reader:
        first = next(iter(reader))
    assert first.index == 0
    path.unlink()
