"""Short gaps in a track: which values are missing, which can be bridged, and what lies in between.

A gap has good values on both sides; nothing is ever carried on beyond the first or the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from sadinet.motion.clock import Clock

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Bridged:
    """Values whose short gaps are closed.

    Attributes:
        values: (F, C) the good values and those put in between; NaN elsewhere.
        is_filled: (F, C) whether a value was put in.
        piece: (F, C) int64, number of the unbroken piece that a value belongs to, growing with time; -1 where
            the value is NaN.
    """

    values: Floats
    is_filled: Bools
    piece: NDArray[np.int64]


def bridge(clock: Clock, values: Floats, is_good: Bools, longest_gap_s: float, *, fill: bool = True) -> Bridged:
    """Close the gaps of each column by monotone cubic interpolation (PCHIP), which never overshoots.

    Args:
        clock: of the F frames.
        values: (F, C); what is not good is not looked at.
        is_good: (F, C).
        longest_gap_s: good values further apart are not connected, even in neighbouring frames.
        fill: False cuts at each gap instead.
    """
    before, behind = _neighbours(is_good)
    inside = (before >= 0) & (behind < len(values))
    low, high = np.where(inside, before, 0), np.where(inside, behind, 0)
    near = clock.time_s[high] - clock.time_s[low] <= longest_gap_s + 1e-9
    is_filled = ~is_good & inside & near & (clock.segment[low] == clock.segment[high]) & fill
    known = is_good | is_filled
    closed = np.where(is_good, values, np.nan)
    monotone_s = _monotone(clock)
    for column in np.flatnonzero(is_filled.any(axis=0)):
        good, wanted = is_good[:, column], is_filled[:, column]
        closed[wanted, column] = PchipInterpolator(monotone_s[good], closed[good, column])(monotone_s[wanted])
    return Bridged(closed, is_filled, _pieces(clock, known, longest_gap_s))


def _neighbours(is_good: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    # The nearest good frame at or before, and at or behind, each place; -1 and F where there is none.
    count = len(is_good)
    places = np.arange(count)[:, None]
    before = np.maximum.accumulate(np.where(is_good, places, -1), axis=0)
    behind = np.minimum.accumulate(np.where(is_good, places, count)[::-1], axis=0)[::-1]
    return before, behind


def _pieces(clock: Clock, known: Bools, longest_gap_s: float) -> NDArray[np.int64]:
    steps = np.diff(clock.time_s)
    broken = np.concatenate([[True], (steps <= 0) | (steps > longest_gap_s + 1e-9)])[: len(known), None]
    starts = known & (broken | ~np.concatenate([np.zeros_like(known[:1]), known[:-1]]))
    piece: NDArray[np.int64] = np.where(known, np.cumsum(starts, axis=0) - 1, -1)
    return piece


def _monotone(clock: Clock) -> Floats:
    # Where time jumps back, the rest is moved behind what came before; nothing is interpolated across.
    if len(clock.time_s) < 2:
        return clock.time_s
    steps = np.diff(clock.time_s)
    result: Floats = clock.time_s[0] + np.concatenate([[0.0], np.cumsum(np.where(steps > 0, steps, 1.0))])
    return result
