import numpy as np
import pytest

from sadinet.motion.clock import REACH, read_clock, runs


@pytest.mark.parametrize("rate", [23.976, 25, 29.97, 30, 59.94, 240])
def test_a_steady_rate_is_known_through_rounding(rate):
    clock = read_clock(np.round(np.arange(900) / rate, 3))
    assert clock.is_steady.all()
    assert 1 / clock.period_s == pytest.approx(rate, rel=1e-3)


def test_a_dropped_frame_makes_its_surroundings_unsteady_and_no_more():
    time_s = np.delete(np.arange(1000) / 30, 500)
    clock = read_clock(time_s)
    assert runs(~clock.is_steady) == [slice(499 - REACH, 501 + REACH)]
    assert 1 / clock.period_s == pytest.approx(30)


def test_a_change_of_rate_gives_two_steady_runs():
    time_s = np.concatenate([np.arange(600) / 30, 20 + np.arange(600) / 60])
    clock = read_clock(time_s)
    rates = [1 / clock.period_s[run][0] for run in runs(clock.is_steady)]
    assert rates == pytest.approx([30, 60])


def test_time_that_does_not_go_forward_starts_a_segment():
    clock = read_clock(np.array([0, 0.1, 0.2, 0.0, 0.1, 0.1, 0.2]))
    assert clock.segment.tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert not clock.is_steady[:7].any()


@pytest.mark.parametrize("time_s", [[], [1.0], [1.0, 1.0]])
def test_too_few_frames_have_no_period(time_s):
    clock = read_clock(np.array(time_s))
    assert np.isnan(clock.period_s).all()
    assert len(clock.segment) == len(clock.is_steady) == len(time_s)
