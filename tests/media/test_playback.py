"""A file played as a camera."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from sadinet.errors import InputError, SourceError
from sadinet.media.live_source import LiveSource
from sadinet.media.mailbox import Mailbox
from sadinet.media.playback import Playback

UNEVEN_S = (0.0, 0.05, 0.2, 0.25, 0.6)


@pytest.fixture(scope="module")
def uneven(clips, tmp_path_factory):
    return clips.write_clip(tmp_path_factory.mktemp("playback") / "uneven.mp4", UNEVEN_S)


def play(source, count: int = 1000, limit_s: float = 30.0) -> list:
    taken = []
    deadline = time.monotonic() + limit_s
    while len(taken) < count and source.state.kind not in ("ended", "closed"):
        assert time.monotonic() < deadline, source.state
        if (captured := source.read(0.2)) is not None:
            taken.append(captured)
    return taken


def seen(source, taken, count: int) -> list[int]:
    """Numbers of the frames that were taken; a busy machine misses some, which are counted."""
    assert len(taken) + source.dropped == count
    assert len(taken) >= 2
    return [item.frame.index for item in taken]


def test_a_file_plays_at_its_own_times_and_ends(uneven, clips):
    source = Playback(uneven)
    assert isinstance(source, LiveSource)
    taken = play(source)
    assert source.state.kind == "ended"
    assert source.read(0.1) is None
    indices = seen(source, taken, 5)
    assert indices[-1] == 4
    assert [clips.number_in(item.frame.image) for item in taken] == indices
    due = np.array(UNEVEN_S)[indices]
    np.testing.assert_allclose([item.frame.time_s for item in taken], due, atol=1e-3)
    shown = np.array([item.captured_s for item in taken])
    # A busy machine may be late; nothing is early.
    assert (shown - shown[0] > due - due[0] - 0.3).all()
    source.close()
    assert source.state.kind == "ended"


def test_a_rate_takes_the_place_of_the_files_times(uneven):
    source = Playback(uneven, rate_hz=4)
    taken = play(source)
    source.close()
    indices = seen(source, taken, 5)
    np.testing.assert_allclose([item.frame.time_s for item in taken], np.array(indices) / 4, atol=1e-9)
    # 0.6 s by the file's own times, 1 s by the rate.
    assert taken[-1].captured_s - taken[0].captured_s > (indices[-1] - indices[0]) / 4 - 0.2


def test_a_loop_goes_on_with_rising_times_and_numbers(uneven, clips):
    source = Playback(uneven, rate_hz=50, is_looped=True)
    taken = play(source, 12)
    source.close()
    indices = [item.frame.index for item in taken]
    assert indices == sorted(set(indices))
    assert [clips.number_in(item.frame.image) for item in taken] == [index % 5 for index in indices]
    np.testing.assert_allclose([item.frame.time_s for item in taken], np.array(indices) / 50, atol=1e-9)
    assert source.state.kind == "closed"


def test_a_loop_at_the_files_own_times_puts_the_last_step_between_the_rounds(uneven):
    source = Playback(uneven, is_looped=True)
    taken = play(source, 7)
    source.close()
    times = np.array(UNEVEN_S)
    expected = [times[item.frame.index % 5] + item.frame.index // 5 * (0.6 + 0.35) for item in taken]
    assert taken[-1].frame.index >= 6
    np.testing.assert_allclose([item.frame.time_s for item in taken], expected, atol=2e-3)


def test_frames_that_nobody_takes_are_gone_as_with_a_camera(clip):
    source = Playback(clip, rate_hz=60)
    deadline = time.monotonic() + 60
    while (before := source.dropped) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    captured = source.read(20.0)
    source.close()
    # All before it were replaced, and perhaps some behind it by now.
    assert before <= captured.frame.index <= source.dropped


def test_closing_ends_a_read_that_waits_and_may_be_done_twice(uneven):
    source = Playback(uneven, rate_hz=0.5)
    assert source.read(1.0).frame.index == 0
    began = time.monotonic()
    source.close()
    assert source.read(60.0) is None
    source.close()
    assert time.monotonic() - began < 20


def test_pictures_need_a_rate(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((30, 40, 3), 80 * number, np.uint8))
    with pytest.raises(InputError, match="has no times of its own"):
        Playback(tmp_path)
    source = Playback(tmp_path, rate_hz=20)
    taken = play(source)
    source.close()
    indices = np.array(seen(source, taken, 3))
    assert [int(item.frame.image[0, 0, 0]) for item in taken] == list(80 * indices)
    np.testing.assert_allclose([item.frame.time_s for item in taken], indices / 20)


@pytest.mark.parametrize("rate_hz", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_makes_no_sense_is_refused(clip, rate_hz):
    with pytest.raises(InputError, match="makes no sense"):
        Playback(clip, rate_hz=rate_hz)


def test_a_file_that_cannot_be_read_is_told_at_once(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        Playback(tmp_path / "none.mp4")


def test_a_file_that_vanishes_between_two_rounds_is_told(uneven, tmp_path):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(uneven.read_bytes())
    source = Playback(copy, rate_hz=100, is_looped=True)
    copy.unlink()
    with pytest.raises(SourceError, match="no such file"):
        play(source)
    assert source.state.kind == "failed"
    source.close()


def test_a_mailbox_keeps_the_newest_counts_the_rest_and_wakes_who_waits():
    box: Mailbox[int] = Mailbox()
    assert box.take(0.01) is None
    assert all(box.put(number) for number in range(4))
    assert box.replaced == 3
    assert (box.take(), box.take()) == (3, None)
    box.put(4)
    box.close(keep=True)
    assert not box.put(5)
    assert not box.is_over
    assert (box.take(None), box.take(None)) == (4, None)
    assert box.is_over
