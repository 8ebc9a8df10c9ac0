from __future__ import annotations

import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sadinet.errors import InputError, SourceError
from sadinet.media.defects import add_up
from sadinet.media.packets import scan_packets
from sadinet.media.seeking import UnseekableError
from sadinet.media.video import AFTER_SKIPPED, VideoReader

VIDEOS = Path(__file__).resolve().parents[2] / ".." / "shared" / "videos"
COUNT, PART = 50, 17
KINDS = [
    "h264_b_frames", "h264_open_gop", "h264_transport_stream", "h264_one_key_frame", "h264_interlaced",
    "h264_no_b_avi", "h264_rotated", "h264_10_bit", "hevc_10_bit", "hevc_closed", "mpeg4_avi", "mpeg2_interlaced",
    "vp9", "vp8", "av1", "mjpeg", "prores", "ffv1",
]  # fmt: skip


def read(path, **how):
    with VideoReader(path, **how) as reader:
        return reader, list(reader)


def facts(frame):
    return frame.index, frame.time_s, frame.flags, frame.source, frame.image.shape, frame.image.tobytes()


def assert_same(frames, others):
    assert [frame.index for frame in frames] == [frame.index for frame in others]
    assert [frame.time_s for frame in frames] == [frame.time_s for frame in others]
    assert all(facts(one) == facts(other) for one, other in zip(frames, others, strict=True))


def assert_parts_are_the_whole(path, part, index):
    """Read the file in parts, each with the first frame of the next, and hold them against a reading of the whole."""
    reader, whole = read(path)
    stretches = []
    for first in range(0, len(whole), part):
        piece, frames = read(path, first=first, count=part + 1, index=index)
        assert_same(frames, whole[first : first + part + 1])
        stretches.append(piece.defects(stop=first + part))
    assert add_up(stretches) == reader.defects()
    assert add_up(stretches).lines == reader.problems
    return reader, whole


def test_all_kinds_are_tested(clips):
    assert sorted(clips.SOUND) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_read_by_the_index_is_that_of_the_whole(tmp_path, clips, kind):
    suffix, how = clips.SOUND[kind]
    path = clips.write_clip(tmp_path / f"a{suffix}", clips.even_times(COUNT), size_wh=(128, 96), **how)
    index = scan_packets(path)
    assert index.oddities == ()
    reader, whole = assert_parts_are_the_whole(path, PART, index)
    assert len(whole) == index.frames == COUNT
    assert index.times_s.tolist() == [frame.time_s for frame in whole]
    assert [frame.time_s for frame in whole] == pytest.approx(clips.even_times(COUNT), abs=1e-3)
    if kind != "h264_rotated":
        assert [clips.number_in(frame.image) for frame in whole] == list(range(COUNT))
    assert reader.problems == ()


def test_open_gops_are_entered_one_key_frame_earlier(tmp_path, clips):
    indices = {}
    for kind in ("h264_open_gop", "h264_b_frames"):
        suffix, how = clips.SOUND[kind]
        path = tmp_path / f"{kind}{suffix}"
        indices[kind] = scan_packets(clips.write_clip(path, clips.even_times(70), size_wh=(128, 96), **how))
    for kind, is_open in (("h264_open_gop", True), ("h264_b_frames", False)):
        index = indices[kind]
        assert index.has_open_gops == is_open
        nearest = int(np.flatnonzero(index.keys <= index.stamps[50])[-1])
        assert index.key_before(50) == nearest - is_open > 0


@pytest.mark.parametrize("timing", ["late", "variable", "ntsc", "edit list", "ntsc avi"])
def test_parts_keep_unusual_times(tmp_path, clips, timing):
    path, encoder = tmp_path / "a.mp4", {"g": "9", "bf": "2"}
    even = clips.even_times(COUNT)
    if timing == "late":
        path, times = tmp_path / "a.mkv", even
        clips.write_clip(path, [7.3 + time for time in even], encoder=encoder)
    elif timing == "variable":
        steps = np.random.default_rng(4).choice([0.008, 0.033, 0.05, 0.4], COUNT - 1)
        times = [0, *np.cumsum(steps).tolist()]
        clips.write_clip(path, times, encoder=encoder)
    elif timing == "ntsc":
        times = [number * 1001 / 30_000 for number in range(COUNT)]
        clips.write_clip(path, times, encoder=encoder, ticks=Fraction(1001, 30_000))
    elif timing == "ntsc avi":
        path, times = tmp_path / "a.avi", [number * 1001 / 30_000 for number in range(COUNT)]
        clips.write_clip(path, times, codec="mpeg4", encoder={"g": "9"}, ticks=Fraction(1001, 30_000))
    else:
        whole = clips.write_clip(tmp_path / "whole.mp4", even, encoder=encoder)
        clips.with_edit_list(whole, path, 0.64)  # 16 frames; the key frame before lies 7 earlier
        times = even[: COUNT - 16]
    index = scan_packets(path)
    assert (index.discarded > 0) == (timing == "edit list")
    _, frames = assert_parts_are_the_whole(path, 11, index)
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)
    if timing == "edit list":
        assert clips.number_in(frames[0].image) == 16


@pytest.mark.parametrize("path", sorted(VIDEOS.glob("*")) or [None], ids=lambda path: path.name if path else "none")
def test_parts_of_real_videos_are_those_of_the_whole(path):
    if path is None:
        pytest.skip("the shared videos are not here")
    index = scan_packets(path)
    assert index.is_seekable
    first = min(120, index.frames * 3 // 4)
    _, part = read(path, first=first, count=9, index=index)
    _, from_start = read(path, first=first, count=9)
    assert_same(part, from_start)
    assert [frame.time_s for frame in part] == index.times_s[first : first + 9].tolist()


def test_hidden_frames_of_vp8_are_no_loss(tmp_path, clips):
    suffix, how = clips.SOUND["vp8"]
    plain = clips.write_clip(tmp_path / f"plain{suffix}", clips.even_times(40), **how)

    def hide(number, data):
        if number in (5, 17, 18):
            data[0] &= ~0x10  # the format's bit that tells a frame to be shown

    path = clips.copy_packets(plain, tmp_path / f"hidden{suffix}", hide)
    index = scan_packets(path)
    assert (index.frames, index.hidden, index.oddities) == (37, 3, ())
    reader, frames = assert_parts_are_the_whole(path, 11, index)
    assert [clips.number_in(frame.image) for frame in frames] == [n for n in range(40) if n not in (5, 17, 18)]
    assert reader.problems == ()


def test_a_stretch_without_key_frames_is_read_or_refused_never_wrong(tmp_path, clips):
    # Parts of each picture are renewed in turn: decoding may begin anywhere, but the first pictures are not whole.
    options = {"x264-params": "intra-refresh=1:keyint=15:bframes=0"}
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(60), encoder=options)
    index, (_, whole) = scan_packets(path), read(path)
    refused = 0
    for first in range(0, 60, 6):
        try:
            _, part = read(path, first=first, count=5, index=index)
        except UnseekableError:
            refused += 1
        else:
            assert_same(part, whole[first : first + 5])
    assert 0 < refused < 10


def test_a_broad_corrupt_stretch_spoils_its_own_parts_alone(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(200), encoder={"g": "10", "bf": "2"})
    clips.spoil(path, lambda number: 83 <= number < 131)
    index = scan_packets(path)
    assert index.is_seekable  # nothing but decoding can tell
    reader, whole = read(path)
    assert 140 <= len(whole) < 160
    assert reader.skipped + len(whole) == 200
    assert any(line.startswith(f"{reader.skipped} frames could not be decoded") for line in reader.problems)
    after = next(frame for frame in whole if AFTER_SKIPPED in frame.flags)
    assert all(frame.flags == () for frame in whole[: after.index])
    assert after.time_s - whole[after.index - 1].time_s > 1
    # Numbers burnt into the frames that are whole again go with their times.
    assert [clips.number_in(frame.image) for frame in whole[-60:]] == [round(f.time_s * 25) for f in whole[-60:]]
    for first in range(0, 200, 20):
        if first in (60, 80, 100, 120):
            continue
        _, part = read(path, first=first, count=20, index=index)
        assert [clips.number_in(frame.image) for frame in part] == list(range(first, first + 20))
    for first in (80, 100, 120):
        with pytest.raises(UnseekableError):
            read(path, first=first, count=20, index=index)
    assert_parts_are_the_whole(path, 40, None)


def test_a_reading_from_the_start_can_be_cut_into_stretches_later(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(60), encoder={"g": "1", "bf": "0"})
    clips.spoil(path, lambda number: number in (3, 20, 21, 22, 41, 59))
    reader, frames = read(path)
    assert reader.skipped == 6
    assert [frame.index for frame in frames if AFTER_SKIPPED in frame.flags] == [3, 19, 37]
    stretches = [reader.defects(first, first + 18) for first in range(0, len(frames), 18)]
    assert [each.skipped for each in stretches] == [1, 3, 2]
    assert add_up(stretches) == reader.defects()
    # The frame that a part shares with the next one counts there.
    part, _ = read(path, first=1, count=19)
    assert (part.defects().skipped, part.defects(stop=19).skipped) == (4, 1)


def test_a_cut_file_has_its_ending_in_the_last_part(tmp_path, clips):
    whole = clips.write_clip(tmp_path / "whole.mkv", clips.even_times(75), encoder={"g": "10", "bf": "0"})
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    index = scan_packets(path)
    assert any("cut off" in line for line in index.oddities)
    with pytest.raises(UnseekableError, match=r"cut off|corrupt"):
        VideoReader(path, first=20, index=index)
    reader, _ = assert_parts_are_the_whole(path, 20, None)
    assert any("cut off" in line for line in reader.problems)
    first, _ = read(path, count=10)
    assert first.problems == ()


def test_a_change_of_size_is_told_once_wherever_parts_meet(tmp_path, clips):
    small = clips.write_clip(tmp_path / "s.ts", clips.even_times(20), size_wh=(96, 64), encoder={"g": "5", "bf": "0"})
    large = [20 / 25 + time for time in clips.even_times(20)]
    clips.write_clip(tmp_path / "l.ts", large, size_wh=(160, 120), encoder={"g": "5", "bf": "0"})
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + (tmp_path / "l.ts").read_bytes())
    for part in (20, 15, 7):
        reader, frames = assert_parts_are_the_whole(path, part, None)
        assert reader.problems == ("the picture's size becomes 160x120 at frame 20",)
        assert [frame.size_wh for frame in frames] == [(96, 64)] * 20 + [(160, 120)] * 20


@pytest.mark.parametrize("change", ["grown", "shrunk", "written anew", "gone"])
def test_a_file_that_changed_since_its_index_was_made_is_refused(tmp_path, clips, change):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(50), muxer={"movflags": "faststart"})
    index, data = scan_packets(path), path.read_bytes()
    reader = VideoReader(path, first=10, index=index)
    if change == "gone":
        path.unlink()
    elif change == "written anew":
        path.write_bytes(data)
    else:
        path.write_bytes(data[:-200] if change == "shrunk" else data + b"more")
    words = {"gone": "is gone", "written anew": "written anew"}.get(change, rf"{len(data)} bytes became")
    for action in (lambda: list(reader), lambda: VideoReader(path, index=index)):
        # What shrinks under the decoder's hands may show as damage first.
        with pytest.raises((SourceError, UnseekableError), match=rf"{words}|frame|packet|reading stops") as told:
            action()
        assert "\n" not in str(told.value)
    with pytest.raises(SourceError, match=words):
        VideoReader(path, index=index)


def test_numbers_that_make_no_part_are_refused(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(5))
    index = scan_packets(path)
    for how in ({"first": -1}, {"count": 0}, {"first": 5, "index": index}):
        with pytest.raises(InputError):
            VideoReader(path, **how)
    assert read(path, first=5)[1] == []
    assert read(path, first=4, index=index)[0].expected_frames == 1
    assert read(path, first=1, count=2)[0].expected_frames == 2


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_nothing(tmp_path, clips, threads):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(40), encoder={"g": "10", "bf": "3"})
    assert_same(read(path, threads=threads)[1], read(path)[1])
    assert_same(read(path, first=20, index=scan_packets(path), threads=threads)[1], read(path, first=20)[1])


def test_an_index_goes_to_another_process(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(40), encoder={"g": "10", "bf": "3"})
    index = pickle.loads(pickle.dumps(scan_packets(path)))
    assert_same(read(path, first=25, count=5, index=index)[1], read(path, first=25, count=5)[1])
    assert str(pickle.loads(pickle.dumps(UnseekableError("a reason")))) == "a reason"


def test_frames_that_avi_repeats_by_empty_packets_are_no_end(tmp_path, clips):
    times = [0, 0.04, 0.2, 0.24, 0.28, 1.0, 1.04, 1.4, 1.44, 1.48, 1.52, 1.56]
    path = clips.write_clip(tmp_path / "a.avi", times, codec="mpeg4", encoder={"g": "4"})
    _, frames = assert_parts_are_the_whole(path, 5, scan_packets(path))
    assert [clips.number_in(frame.image) for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-3)
