"""A time that always goes forward, whatever a container says."""

from __future__ import annotations

import math

_FIRST_STEP_S = 0.04  # until two times are known; only how long people are remembered depends on it


class Clock:
    """Turns the times of frames, some of them missing or going backwards, into rising ones.

    Where times rise, their differences are kept exactly as they are; elsewhere the last difference is taken.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._given_s = math.nan
        self._step_s = _FIRST_STEP_S

    def tick(self, time_s: float) -> float:
        """Return the time of the next frame, seconds; the first one's is its own, or 0.

        Args:
            time_s: what the container says, NaN where it says nothing.
        """
        if math.isnan(self._given_s):
            self._now_s = self._given_s = time_s if math.isfinite(time_s) else 0.0
            return self._now_s
        if math.isfinite(time_s) and time_s > self._given_s:
            self._step_s = time_s - self._given_s
            self._given_s = time_s
        else:
            self._given_s = time_s if math.isfinite(time_s) else self._given_s + self._step_s
        self._now_s += self._step_s
        return self._now_s
