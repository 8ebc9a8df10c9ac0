"""Files that are not as they should be."""

from __future__ import annotations

import itertools
import math
import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from sadinet.media.packets import scan_packets
from sadinet.media.seeking import UnseekableError
from sadinet.media.video import AFTER_SKIPPED, NO_TIME, VideoReader


def read(path, **how):
    with VideoReader(path, **how) as reader:
        return reader, list(reader)


def refuse(path, **how):
    """Assert that the file is not to be read from the middle; returns why."""
    index = scan_packets(path)
    with pytest.raises(UnseekableError):
        VideoReader(path, index=index, **how)
    return index.oddities


@pytest.mark.parametrize("b_frames", [0, 2])
def test_times_that_go_back_are_told_and_lose_no_frame(tmp_path, clips, b_frames):
    # Two recordings put behind each other, as cameras' memory cards and careless copying make them.
    part = clips.write_clip(tmp_path / "part.ts", clips.even_times(20), encoder={"g": "8", "bf": str(b_frames)})
    path = tmp_path / "both.ts"
    path.write_bytes(part.read_bytes() * 2)
    reader, frames = read(path)
    assert [clips.number_in(frame.image) for frame in frames] == [*range(20), *range(20)]
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.time_s for frame in frames] == pytest.approx(clips.even_times(20) * 2, abs=1e-3)
    assert [frame.flags for frame in frames] == [()] * 20 + [(NO_TIME,)] * 20
    assert reader.problems == ("20 frames had no time of presentation or one that does not rise",)
    assert any("goes back" in line for line in refuse(path))
    _, part = read(path, first=25, count=3)
    assert [(frame.index, frame.flags) for frame in part] == [(25, (NO_TIME,)), (26, (NO_TIME,)), (27, (NO_TIME,))]


def test_missing_times_are_told_and_none_is_made_up(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.h264", clips.even_times(20), container="h264")
    reader, frames = read(path)
    assert [clips.number_in(frame.image) for frame in frames] == list(range(20))
    assert all(math.isnan(frame.time_s) and frame.flags == (NO_TIME,) for frame in frames)
    assert reader.problems == ("20 frames had no time of presentation or one that does not rise",)
    assert any("without a time" in line for line in refuse(path))


def test_frames_that_avi_has_in_the_order_of_decoding_get_their_times_in_that_of_presentation(tmp_path, clips):
    how = {"encoder": {"g": "8", "bf": "2"}, "ticks": Fraction(1001, 30_000)}
    times = [number * 1001 / 30_000 for number in range(30)]
    reader, frames = read(clips.write_clip(tmp_path / "a.avi", times, **how))
    assert [clips.number_in(frame.image) for frame in frames] == list(range(30))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)
    assert (reader.problems, {frame.flags for frame in frames}) == ((), {()})
    assert any("times of decoding" in line for line in refuse(tmp_path / "a.avi"))


def test_a_rate_of_zero_in_the_header_is_no_matter(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.avi", clips.even_times(20), codec="mpeg4", encoder={"g": "8"})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"avih") + 8, 0)
    struct.pack_into("<II", data, data.index(b"strh") + 28, 0, 0)
    path.write_bytes(data)
    _, frames = read(path)
    assert [clips.number_in(frame.image) for frame in frames] == list(range(20))
    assert all(a.time_s < b.time_s for a, b in itertools.pairwise(frames))


@pytest.mark.parametrize(("name", "rate"), [("a.mp4", 60_000), ("b.mkv", 24_000), ("c.ts", 30_000)])
def test_fractional_rates_do_not_drift(tmp_path, clips, name, rate):
    times = [number * 1001 / rate for number in range(300)]
    encoder = {"g": "50", "bf": "2", "preset": "ultrafast"}
    path = clips.write_clip(tmp_path / name, times, size_wh=(64, 48), encoder=encoder, ticks=Fraction(1001, rate))
    _, frames = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_file_that_shrinks_while_it_is_read_gives_what_is_there_and_says_so(tmp_path, clips, b_frames):
    encoder = {"g": "10", "bf": str(b_frames), "qp": "5"}
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(150), size_wh=(480, 360), encoder=encoder)
    # The index in front, so that the file stays readable.
    fast = tmp_path / "fast.mp4"
    with av.open(str(path)) as old, av.open(str(fast), "w", options={"movflags": "faststart"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    size = fast.stat().st_size
    with VideoReader(fast) as reader:
        frames = [next(iter(reader)) for _ in range(5)]
        with fast.open("rb+") as stream:
            stream.truncate(size // 2)
        frames += list(reader)
    assert 30 < len(frames) < 120
    numbers = [round(frame.time_s * 25) for frame in frames]
    assert [clips.number_in(frame.image) for frame in frames[:-3]] == numbers[:-3] == list(range(len(frames) - 3))
    assert f"the file changed while it was read: {size} bytes became {size // 2}" in reader.problems
    assert all("\n" not in line for line in reader.problems)


def test_a_file_that_grows_while_it_is_read_is_told(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.ts", clips.even_times(30))
    with VideoReader(path) as reader:
        next(iter(reader))
        with path.open("ab") as stream:
            stream.write(path.read_bytes()[:188])
        assert len(list(reader)) == 29
    assert any("changed while it was read" in line for line in reader.problems)


def test_damage_behind_times_that_go_back_is_still_counted(tmp_path, clips):
    part = clips.write_clip(tmp_path / "part.ts", clips.even_times(20), encoder={"g": "1", "bf": "0"})
    path = tmp_path / "both.ts"
    data = part.read_bytes()
    path.write_bytes(data * 2)
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    spoilt = bytearray(path.read_bytes())
    position, _ = packets[30]
    # The payload of the packets of 188 bytes in which this frame lies, behind their heads.
    for start in range(position + 188, packets[31][0] - 188, 188):
        spoilt[start + 60 : start + 188] = np.random.default_rng(1).integers(0, 256, 128, dtype=np.uint8).tobytes()
    path.write_bytes(spoilt)
    reader, frames = read(path)
    assert len(frames) + reader.skipped == 40
    assert reader.skipped or any(frame.flags not in ((), (NO_TIME,)) for frame in frames)
    assert all(AFTER_SKIPPED not in frame.flags for frame in frames[:30])
