import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from sadinet.motion.clock import read_clock
from sadinet.motion.gaps import bridge
from sadinet.motion.smoothing import design_hz, smooth, too_slow


def run(time_s, values, cutoff_hz=6.0, order=4, good=None):
    clock = read_clock(np.asarray(time_s, dtype=float))
    columns = np.asarray(values, dtype=float).reshape(len(clock.time_s), -1)
    good = np.ones(columns.shape, dtype=bool) if good is None else good.reshape(columns.shape)
    return smooth(clock, bridge(clock, columns, good, 0.25), cutoff_hz, order)


def gain(rate_hz, tone_hz, jitter_s=0.0, order=4):
    rng = np.random.default_rng(0)
    time_s = np.arange(1200) / rate_hz + rng.uniform(-jitter_s, jitter_s, 1200)
    both = run(
        time_s,
        np.stack([np.sin(2 * np.pi * tone_hz * time_s), np.cos(2 * np.pi * tone_hz * time_s)], axis=1),
        order=order,
    )
    middle = slice(300, 900)
    turns = np.exp(-2j * np.pi * tone_hz * time_s[middle])
    return np.mean((both[middle, 1] + 1j * both[middle, 0]) * turns)


@pytest.mark.parametrize("rate_hz", [16, 30, 60, 240])
@pytest.mark.parametrize("order", [2, 4, 8])
def test_power_is_halved_at_the_cut_off_and_nothing_lags(rate_hz, order):
    measured = {tone_hz: gain(rate_hz, tone_hz, order=order) for tone_hz in (1.0, 3.0, 6.0, 7.5)}
    assert abs(measured[6.0]) == pytest.approx(np.sqrt(0.5), abs=2e-3)
    for tone_hz, each in measured.items():
        bent = np.tan(np.pi * tone_hz / rate_hz) / np.tan(np.pi * 6 / rate_hz)
        assert abs(each) == pytest.approx(1 / (1 + (np.sqrt(2) - 1) * bent**order), abs=3e-3)
        assert abs(np.angle(each)) < 1e-3


@pytest.mark.parametrize("tone_hz", [1.0, 3.0])
def test_a_varying_rate_neither_lags_nor_shrinks(tone_hz):
    measured = gain(30, tone_hz, jitter_s=0.01)
    assert abs(measured) == pytest.approx(abs(gain(30, tone_hz)), abs=0.02)
    assert abs(np.angle(measured)) < 0.02


def test_steady_frames_are_filtered_as_scipy_does():
    values = np.cumsum(np.random.default_rng(0).normal(size=(500, 3)), axis=0)
    sections = butter(2, design_hz(30, 6, 4), fs=30, output="sos")
    expected = sosfiltfilt(sections, values, axis=0, padlen=60)
    assert run(np.arange(500) / 30, values) == pytest.approx(expected, abs=1e-4)


def test_smoothed_paths_are_nearer_to_the_truth():
    rng = np.random.default_rng(0)
    for time_s in (np.arange(900) / 30, np.cumsum(rng.uniform(0.02, 0.05, 900))):
        truth = 80 * np.sin(2 * np.pi * 1.2 * time_s)
        noisy = truth + rng.normal(0, 3, 900)
        left = np.sqrt(np.mean((run(time_s, noisy)[:, 0] - truth) ** 2))
        assert left < 0.75 * 3


@pytest.mark.parametrize("count", range(1, 12))
def test_short_pieces_come_out_whole(count):
    values = np.arange(count, dtype=float) * 5 + 3
    assert run(np.arange(count) / 30, values)[:, 0] == pytest.approx(values, abs=1e-4)


def test_pieces_do_not_know_of_each_other():
    rng = np.random.default_rng(0)
    values, good = rng.normal(size=100), np.ones(100, dtype=bool)
    good[40:60] = False
    both = run(np.arange(100) / 30, values, good=good)
    alone = run(np.arange(40) / 30, values[:40])
    assert both[:40] == pytest.approx(alone)
    assert np.isnan(both[40:60]).all()


def test_frames_that_come_too_slowly_are_left_as_they_are():
    values = np.random.default_rng(0).normal(size=50)
    assert run(np.arange(50) / 10, values)[:, 0] == pytest.approx(values)
    assert too_slow(np.array([0.1, 1 / 14, 1 / 15, 1 / 30, np.nan]), 6).tolist() == [True, True, False, False, True]


def test_a_dropped_frame_changes_little():
    time_s = np.arange(600) / 30
    values = 50 * np.sin(2 * np.pi * time_s)
    whole = run(time_s, values)
    dropped = run(np.delete(time_s, 300), np.delete(values, 300))
    assert np.abs(dropped - np.delete(whole, 300, axis=0)).max() < 0.3
