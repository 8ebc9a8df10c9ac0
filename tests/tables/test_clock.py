from __future__ import annotations

import numpy as np
import pytest

from sadinet.recording import record
from sadinet.results import Frame, FrameResult
from sadinet.skeletons import LSP14
from sadinet.tables.clock import Clock

IMAGE = np.zeros((2, 2, 3), np.uint8)


def clock_of(times_s):
    clock = Clock()
    clock.add(record([FrameResult(Frame(IMAGE, at, float(time)), ()) for at, time in enumerate(times_s)], LSP14))
    return clock


def test_times_rounded_to_milliseconds_do_not_change_the_rate():
    rate_hz = 30000 / 1001
    times_s = np.round(np.arange(3000) / rate_hz, 3)
    assert 1 / np.median(np.diff(times_s)) == pytest.approx(30.303, abs=1e-3)
    assert clock_of(times_s).rate_hz() == pytest.approx(rate_hz, rel=1e-4)


def test_a_pause_does_not_change_the_rate_and_is_told():
    times_s = np.arange(100) / 25 + np.where(np.arange(100) > 40, 3.0, 0.0)
    clock = clock_of(times_s)
    assert clock.rate_hz() == pytest.approx(25)
    assert clock.drift_s(25) == pytest.approx(3.0)


def test_windows_are_put_together():
    clock = clock_of([0.0, 0.1])
    clock.add(record([FrameResult(Frame(IMAGE, 2, 0.2), ())], LSP14))
    assert clock.frames == 3
    np.testing.assert_array_equal(clock.index, [0, 1, 2])
    assert clock.rate_hz() == pytest.approx(10)


def test_a_claim_that_all_times_agree_with_is_taken_to_the_last_digit():
    rate_hz = 30000 / 1001
    for times_s in (np.arange(60) / rate_hz, np.round(np.arange(60) / rate_hz, 3)):
        assert clock_of(times_s).rate_hz(rate_hz) == rate_hz
    # Other claims are not believed: of a variable rate, of a header that lies, of a rate rounded to a whole number.
    times_s = np.round(np.arange(3000) / rate_hz, 3)
    for claimed_hz in (30, 25, 1000, 59.94):
        assert clock_of(times_s).rate_hz(claimed_hz) == pytest.approx(rate_hz, rel=1e-4)
    varying = np.cumsum(np.tile([0.03, 0.04, 0.035], 50))
    assert clock_of(varying).rate_hz(25) == pytest.approx(1 / 0.035, rel=1e-3)


def test_without_times_there_is_the_claim_alone():
    clock = clock_of([np.nan] * 3)
    assert (clock.has_times, clock.rate_hz(25), clock.rate_hz()) == (False, 25, None)


@pytest.mark.parametrize("times_s", [[], [1.0], [np.nan, np.nan], [2.0, 2.0]])
def test_without_two_times_there_is_no_rate(times_s):
    assert clock_of(times_s).rate_hz() is None
    assert clock_of(times_s).drift_s(30) < 0.1
