"""When frames come: how long apart they are around each one, and where the rate is steady.

What is said of a frame depends on at most `REACH` intervals on either side of it, so that a part of a video with
enough context around it is told the same as the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, minimum_filter1d

REACH = 150
"""Intervals on either side that a frame's period is taken from."""

ROUNDING_S = 1.1e-3
"""Containers round times to milliseconds; a clock that is steady but for that is steady."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """What is known of F frames' times, which are all finite.

    Attributes:
        time_s: (F,) seconds.
        segment: (F,) int64, grows by one wherever time does not go forward.
        period_s: (F,) seconds between frames: the mean of a steady run, the local median elsewhere; NaN if there
            is but one frame.
        is_steady: (F,) all intervals within `REACH` are equal, but for rounding.
    """

    time_s: Floats
    segment: NDArray[np.int64]
    period_s: Floats
    is_steady: Bools

    def part(self, first: int, last: int) -> Clock:
        """Return the clock of the frames from `first` (included) to `last` (left out)."""
        some = slice(first, last)
        return Clock(self.time_s[some], self.segment[some], self.period_s[some], self.is_steady[some])


def read_clock(time_s: Floats) -> Clock:
    """Return the clock of frames at finite times."""
    steps = np.diff(time_s)
    forward = steps > 0
    segment = np.concatenate([[0], np.cumsum(~forward)]).astype(np.int64)[: len(time_s)]
    if not forward.any():
        return Clock(time_s, segment, np.full(len(time_s), np.nan), np.zeros(len(time_s), dtype=bool))
    usual = median_filter(_filled(steps, forward), 2 * REACH + 1, mode="nearest")
    rounding = np.maximum(ROUNDING_S, 0.02 * usual)
    is_even = forward & (np.abs(steps - usual) <= rounding)
    is_even &= np.abs(np.diff(usual, prepend=usual[0])) <= rounding  # where one steady rate gives way to another
    both = np.concatenate([[True], is_even]) & np.concatenate([is_even, [True]])
    is_steady = minimum_filter1d(both.astype(np.uint8), 2 * REACH + 1, mode="constant", cval=1).astype(bool)
    period_s = np.append(usual, usual[-1])
    for run in runs(is_steady):
        # Rounding shifts the median of rounded intervals, not the mean of many.
        first, last = max(run.start - REACH, 0), min(run.stop - 1 + REACH, len(time_s) - 1)
        period_s[run] = (time_s[last] - time_s[first]) / (last - first)
    return Clock(time_s, segment, period_s, is_steady)


def runs(mask: Bools) -> list[slice]:
    """Return the stretches of a (N,) mask that are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _filled(steps: Floats, known: Bools) -> Floats:
    # Each unknown step takes the known one before it, the first ones the first known one.
    places = np.maximum.accumulate(np.where(known, np.arange(len(steps)), -1))
    first = int(np.argmax(known))
    result: Floats = steps[np.where(places < 0, first, places)]
    return result
