"""Long series made short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.batch.thinning import Bins, thin, thin_band, thin_trail

RULES = {"low": "low", "high": "high", "sum": "sum"}


def test_short_series_stay_as_they_are():
    x, y = np.arange(5.0), np.array([1, np.nan, 3, 2, 5])
    assert thin(x, y, 10)[1] is y


def test_a_single_peak_survives_in_its_place():
    x = np.arange(100_003) / 30
    y = np.sin(x)
    y[77_777], y[12_345] = 50, -50
    thin_x, thin_y = thin(x, y, 500)
    assert len(thin_x) <= 1000
    assert thin_x[thin_y.argmax()] == x[77_777]
    assert thin_x[thin_y.argmin()] == x[12_345]
    assert np.all(np.diff(thin_x) >= 0)


def test_stretches_without_values_are_breaks():
    x, y = np.arange(10_000.0), np.ones(10_000)
    y[4000:6000] = np.nan
    thin_x, thin_y = thin(x, y, 100)
    empty = np.isnan(thin_y)
    assert empty.sum() == 40
    assert thin_x[empty].min() >= 4000
    assert thin_x[empty].max() < 6000


def test_a_band_holds_every_value():
    rng = np.random.default_rng(1)
    low = rng.normal(size=5001)
    high = low + rng.random(5001)
    x, thin_low, thin_high = thin_band(np.arange(5001.0), low, high, 100)
    assert len(x) <= 101
    places = np.searchsorted(x, np.arange(5001.0), "right") - 1
    assert np.all(thin_low[places] <= low)
    assert np.all(thin_high[places] >= high)
    assert thin_low.min() == low.min()


def test_a_trail_keeps_its_shape_and_breaks():
    turn = np.linspace(0, 60 * np.pi, 50_000)
    trail = np.column_stack([100 * np.cos(turn), 100 * np.sin(turn)])
    trail[25_000] = np.nan
    short = thin_trail(trail, 2000)
    known = short[np.isfinite(short).all(axis=1)]
    assert 200 < len(short) <= 2000
    assert np.allclose(np.hypot(*known.T), 100)
    assert np.allclose(np.ptp(known, axis=0), 200, atol=1)
    assert np.isnan(short).any()
    assert len(thin_trail(np.full((5000, 2), 3.0), 2000)) >= 1


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 5))
def test_what_comes_out_does_not_depend_on_how_it_was_handed_in(sizes, seed):
    rng = np.random.default_rng(seed)
    frames = sum(sizes)
    values = rng.integers(-1000, 1000, frames).astype(float)
    values[rng.random(frames) < 0.3] = np.nan
    at_once, in_parts = Bins(RULES, 64), Bins(RULES, 64)
    positions = np.arange(frames)
    for first, last in [(0, frames)]:
        feed(at_once, positions[first:last], values[first:last])
    start = 0
    for size in sizes:
        feed(in_parts, positions[start : start + size], values[start : start + size])
        start += size
    assert at_once.stride == in_parts.stride
    for name in RULES:
        assert np.array_equal(at_once.get(name), in_parts.get(name), equal_nan=True)
    rows = np.full(len(at_once.get("low")) * at_once.stride, np.nan)
    rows[:frames] = values
    rows = rows.reshape(-1, at_once.stride)
    assert np.array_equal(at_once.get("low"), np.fmin.reduce(rows, axis=1), equal_nan=True)
    assert np.array_equal(at_once.get("high"), np.fmax.reduce(rows, axis=1), equal_nan=True)
    assert np.array_equal(at_once.get("sum"), np.nansum(rows, axis=1))


def feed(bins, positions, values):
    bins.add(positions, low=values, high=values, sum=np.nan_to_num(values))


@pytest.mark.parametrize("frames", [1, 64, 65, 100_000])
def test_stretches_fill_half_of_the_room_or_more(frames):
    bins = Bins(RULES, 64)
    feed(bins, np.arange(frames), np.ones(frames))
    assert min(frames, 33) <= len(bins.get("sum")) <= 64
    assert bins.get("sum").sum() == frames
