from __future__ import annotations

import json
import math

import av
import pytest

from sadinet.errors import SourceError
from sadinet.media.inspection import CHUNK_FRAMES, inspect_video, to_dict
from sadinet.pipeline.stages import Settings


def test_a_plain_video_gives_no_warning(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(50))
    found = inspect_video(path)
    timing = found.timing
    assert (found.warnings, found.sound, found.decoded) == ((), (), None)
    assert (found.frames, found.packets.packets, found.packets.key_frames) == (50, 50, 5)
    assert (timing.slowest_hz, timing.usual_hz, timing.fastest_hz, timing.is_variable) == (25, 25, 25, False)
    assert (timing.first_s, timing.last_s, timing.gaps) == (0, 1.96, ())
    assert (found.pixels.format, found.pixels.bit_depth, found.pixels.is_interlaced) == ("yuv420p", 8, False)
    assert (found.chunks(600), found.chunks(50), found.chunks(49)) == (1, 1, 2)
    assert Settings().chunk_frames == CHUNK_FRAMES


@pytest.mark.parametrize(
    ("kind", "depth", "is_interlaced", "words"),
    [
        ("h264_10_bit", 10, False, ()),
        ("hevc_10_bit", 10, False, ()),
        ("h264_interlaced", 8, True, ("interlaced",)),
        ("mpeg2_interlaced", 8, True, ("interlaced",)),
        ("h264_rotated", 8, False, ("turned by 90 degrees",)),
        ("prores", 10, False, ()),
    ],
)
def test_how_pictures_are_stored_is_told(tmp_path, clips, kind, depth, is_interlaced, words):
    suffix, how = clips.SOUND[kind]
    found = inspect_video(clips.write_clip(tmp_path / f"a{suffix}", clips.even_times(20), **how))
    assert (found.pixels.bit_depth, found.pixels.is_interlaced) == (depth, is_interlaced)
    assert len(found.warnings) == len(words)
    assert all(word in line for word, line in zip(words, found.warnings, strict=True))


def test_variable_rates_and_gaps_are_told(tmp_path, clips):
    times = [0, 0.04, 0.08, 0.1, 0.14, 0.18, 0.22, 3.5, 3.54, 3.58, 4.0, 4.04]
    timing = inspect_video(clips.write_clip(tmp_path / "a.mp4", times)).timing
    assert (timing.slowest_hz, timing.usual_hz, timing.fastest_hz) == pytest.approx((1 / 3.28, 25, 50))
    assert timing.is_variable
    assert [gap for pair in timing.gaps for gap in pair] == pytest.approx([0.22, 3.28, 3.58, 0.42])
    (rate, gap) = inspect_video(tmp_path / "a.mp4").warnings
    assert rate.startswith("variable rate, 0.30 to 50.00 frames a second")
    assert gap.startswith("2 gaps, the longest of 3.28 s after 0.22 s")


@pytest.mark.parametrize(
    ("name", "rate"), [("a.mkv", 30_000 / 1001), ("b.mkv", 60), ("c.mkv", 120), ("d.ts", 50), ("e.mkv", 240)]
)
def test_a_constant_rate_that_the_container_rounds_is_no_variable_one(tmp_path, clips, name, rate):
    found = inspect_video(clips.write_clip(tmp_path / name, [number / rate for number in range(60)]))
    assert not found.timing.is_variable
    assert found.timing.usual_hz == pytest.approx(rate, rel=0.05)


def test_a_frame_that_is_missing_makes_a_variable_rate(tmp_path, clips):
    times = [number / 25 for number in range(40) if number != 17]
    for name, how in (("a.mp4", {}), ("b.mkv", {}), ("c.avi", {"codec": "mpeg4", "encoder": {"g": "12"}})):
        timing = inspect_video(clips.write_clip(tmp_path / name, times, **how)).timing
        assert timing.is_variable, name
        assert (timing.slowest_hz, timing.usual_hz) == pytest.approx((12.5, 25))


def test_steps_that_vary_by_a_millisecond_in_a_container_with_finer_times_are_variable(tmp_path, clips):
    steps = [0.004 + 0.0009 * (number % 3 == 0) for number in range(40)]
    times = [sum(steps[:number]) for number in range(40)]
    assert inspect_video(clips.write_clip(tmp_path / "a.mp4", times)).timing.is_variable


def test_a_start_offset_is_told_and_an_edit_list_is_no_lie(tmp_path, clips):
    late = inspect_video(clips.write_clip(tmp_path / "late.mkv", [3 + time for time in clips.even_times(20)]))
    assert (late.timing.first_s, late.timing.last_s) == pytest.approx((3, 0.76), abs=1e-3)
    whole = clips.write_clip(tmp_path / "whole.mp4", clips.even_times(40))
    cut = inspect_video(clips.with_edit_list(whole, tmp_path / "cut.mp4", 0.64))
    assert (cut.frames, cut.info.frames, cut.packets.discarded > 0, cut.warnings) == (24, 40, True, ())


def test_sound_and_wide_pixels_are_told(tmp_path, clips):
    path = tmp_path / "wide.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        output.mux(stream.encode(av.VideoFrame.from_ndarray(clips.numbered(1), format="bgr24")))
        output.mux(stream.encode(None))
    assert any("2.00 times as wide as high" in line for line in inspect_video(path).warnings)
    video = clips.write_clip(tmp_path / "v.mp4", clips.even_times(10))
    both = clips.put_together(tmp_path / "both.mp4", video, clips.write_tone(tmp_path / "s.mka", seconds=0.5))
    assert inspect_video(both).sound == ("aac, 48000 Hz, 1 channel",)


def test_decoding_counts_what_is_lost(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(30), encoder={"g": "1", "bf": "0"})
    clips.spoil(path, lambda number: number in (7, 8, 20))
    assert inspect_video(path).frames == 30
    found = inspect_video(path, is_decoded=True)
    assert (found.frames, found.decoded.frames, found.decoded.defects.skipped) == (27, 27, 3)
    assert found.warnings == ("3 frames could not be decoded and were left out",)


def test_files_without_times_and_cut_ones_are_told(tmp_path, clips):
    raw = inspect_video(clips.write_clip(tmp_path / "a.h264", clips.even_times(12), container="h264"))
    assert (raw.frames, raw.timing.usual_hz) == (12, None)
    assert [line.partition(":")[0] for line in raw.warnings] == [
        "frames have no times",
        "read from its start, by one process",
    ]
    whole = clips.write_clip(tmp_path / "w.mp4", clips.even_times(75), muxer={"movflags": "faststart"})
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    cut = inspect_video(tmp_path / "cut.mp4")
    assert any("cut off" in line for line in cut.warnings)
    assert any(line.startswith("the container claims 75 frames") for line in cut.warnings)


def test_what_is_no_video_is_told(tmp_path, clips):
    (tmp_path / "text.mp4").write_text("no video" * 50)
    spoilt = clips.spoil(clips.write_clip(tmp_path / "spoilt.mp4", clips.even_times(5)), lambda number: True)
    for path, words in ((tmp_path / "text.mp4", "not a video"), (spoilt, "no frame"), (tmp_path, "folder")):
        with pytest.raises(SourceError, match=words):
            inspect_video(path)


def test_the_facts_go_into_json(tmp_path, clips):
    for name, container in (("a.mp4", None), ("b.h264", "h264")):
        path = clips.write_clip(tmp_path / name, clips.even_times(8), container=container)
        told = json.loads(json.dumps(to_dict(inspect_video(path, is_decoded=True), 5), allow_nan=False))
        assert told["path"] == str(path)
        assert told["would"]["chunks"] == math.ceil(8 / 5)
        assert told["holds"]["decoded"]["frames"] == 8
