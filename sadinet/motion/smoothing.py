"""Joints without their jitter: zero-phase Butterworth for what is recorded; what is live has One-Euro (`live`).

Butterworth runs forwards and backwards, so that nothing lags. Frames of a steady rate are filtered as they are;
where the rate varies, the path is resampled to a steady rate first and read back at the frames' own times.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.signal import butter, sosfiltfilt

from sadinet.motion.clock import REACH, Clock, runs
from sadinet.motion.gaps import Bridged
from sadinet.motion.live import LiveSmoother

__all__ = ["LiveSmoother", "design_hz", "smooth", "too_slow"]

GRID_HZ = 100.0
OVERSAMPLING = 3.0
"""A varying rate is resampled to 100 Hz times a power of two, at least three times its median rate. Such a grid lies at
the same times whichever part of a video is looked at, and changes with few rates."""

PADDING_PERIODS = 3

NYQUIST_SHARE = 0.85
"""A cut-off nearer to half the frame rate leaves nothing to filter."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def design_hz(rate_hz: float, cutoff_hz: float, order: int) -> float:
    """Return the cut-off of one pass that makes both together fall by 3 dB at `cutoff_hz`."""
    # The bilinear transform bends frequencies like a tangent.
    bent = math.tan(math.pi * cutoff_hz / rate_hz) / (math.sqrt(2) - 1) ** (1 / order)
    return math.atan(bent) * rate_hz / math.pi


def too_slow(period_s: Floats, cutoff_hz: float) -> Bools:
    """Say which frames come too slowly to be filtered: the cut-off is near half their rate, or above."""
    slow: Bools = ~(2 * cutoff_hz * period_s < NYQUIST_SHARE)
    return slow


def smooth(clock: Clock, path: Bridged, cutoff_hz: float, order: int) -> Floats:
    """Filter each unbroken piece of each column.

    Args:
        clock: of the F frames.
        path: (F, C) values, their gaps closed.
        cutoff_hz: where power is halved, both passes together.
        order: of both passes together, even.

    Returns:
        (F, C), NaN where `path.values` is; values whose frames come too slowly for the cut-off are left as they are.
    """
    result = path.values.copy()
    slow = too_slow(clock.period_s, cutoff_hz)
    for piece, columns in _blocks(path):
        if slow[piece].all() or piece.stop - piece.start < 2:
            continue
        block = result[piece, columns]
        smoothed = _smooth_piece(clock, piece, block, cutoff_hz, order)
        result[piece, columns] = np.where(slow[piece, None], block, smoothed)
    return result


def _blocks(path: Bridged) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    # Columns that are whole over the same frames are filtered in one go.
    found: dict[tuple[int, int], list[int]] = {}
    for column in range(path.piece.shape[1]):
        numbers = path.piece[:, column]
        edges = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1))
        for start, stop in itertools.pairwise(edges.tolist()):
            if numbers[start] >= 0:
                found.setdefault((start, stop), []).append(column)
    for (first, last), columns in found.items():
        yield slice(first, last), np.array(columns)


def _smooth_piece(clock: Clock, piece: slice, block: Floats, cutoff_hz: float, order: int) -> Floats:
    steady = clock.is_steady[piece]
    period_s = clock.period_s[piece]
    if steady.all():
        return _butterworth(block, 1 / float(period_s[0]), cutoff_hz, order)
    result = _by_grid(clock.time_s[piece], block, float(np.median(period_s)), cutoff_hz, order)
    for run in runs(steady):
        # Around a steady run the rate is steady for REACH frames more: the filter starts there.
        first, last = max(run.start - REACH, 0), min(run.stop + REACH, len(block))
        around = _butterworth(block[first:last], 1 / float(period_s[run.start]), cutoff_hz, order)
        result[run] = around[run.start - first : run.stop - first]
    return result


def _by_grid(time_s: Floats, block: Floats, period_s: float, cutoff_hz: float, order: int) -> Floats:
    rate_hz = GRID_HZ * 2.0 ** math.ceil(math.log2(OVERSAMPLING / (period_s * GRID_HZ)))
    ticks = np.arange(math.floor(time_s[0] * rate_hz), math.ceil(time_s[-1] * rate_hz) + 1) / rate_hz
    even = PchipInterpolator(time_s, block)(np.clip(ticks, time_s[0], time_s[-1]))
    smoothed: Floats = CubicSpline(ticks, _butterworth(even, rate_hz, cutoff_hz, order))(time_s)
    return smoothed


def _butterworth(block: Floats, rate_hz: float, cutoff_hz: float, order: int) -> Floats:
    if len(block) < 2 or 2 * cutoff_hz >= rate_hz:
        return block
    sections = butter(order // 2, design_hz(rate_hz, cutoff_hz, order), fs=rate_hz, output="sos")
    # Turned about each end for some periods of the cut-off; a short piece is turned more than once.
    padding = math.ceil(PADDING_PERIODS * rate_hz / cutoff_hz)
    padded = np.pad(block, ((padding, padding), (0, 0)), mode="reflect", reflect_type="odd")
    filtered: Floats = sosfiltfilt(sections, padded, axis=0, padlen=0)[padding:-padding]
    return filtered
