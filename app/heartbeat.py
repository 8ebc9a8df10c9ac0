"""How late the window's timer comes: what a user feels as stutter."""

from __future__ import annotations

import math
import time

_BIN_MS = 0.5
_BINS = 4000  # up to two seconds; anything later falls into the last bin


class Heartbeat:
    """Counts how much later than it should each beat of a timer comes; takes no more memory however long it runs.

    Args:
        period_s: of the timer.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._counts = [0] * _BINS
        self._last_s = math.nan
        self.beats = 0
        self.worst_ms = 0.0

    def beat(self, now_s: float | None = None) -> None:
        """Note a beat."""
        now_s = time.perf_counter() if now_s is None else now_s
        if not math.isnan(self._last_s):
            late_ms = max(0.0, (now_s - self._last_s - self._period_s) * 1e3)
            self._counts[min(int(late_ms / _BIN_MS), _BINS - 1)] += 1
            self.beats += 1
            self.worst_ms = max(self.worst_ms, late_ms)
        self._last_s = now_s

    def rest(self) -> None:
        """Note that the timer stands: the time until the next beat counts for nothing."""
        self._last_s = math.nan

    def forget(self) -> None:
        """Begin anew."""
        self._counts = [0] * _BINS
        self._last_s, self.beats, self.worst_ms = math.nan, 0, 0.0

    def percentile_ms(self, percent: float) -> float:
        """Return the lateness that so many percent of the beats do not exceed; NaN without any."""
        if not self.beats:
            return math.nan
        wanted, seen = math.ceil(self.beats * percent / 100), 0
        for place, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return (place + 1) * _BIN_MS
        return self.worst_ms
