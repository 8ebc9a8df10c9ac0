"""One rate out of the times of frames, for formats that hold nothing else, and how far it is from the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sadinet.recording import Recording


@dataclass(slots=True)
class Clock:
    """Numbers and times of all frames so far: 16 bytes a frame."""

    _index: list[NDArray[np.int64]] = field(default_factory=list)
    _time_s: list[NDArray[np.float64]] = field(default_factory=list)
    frames: int = 0

    def add(self, window: Recording) -> None:
        """Append a window's frames."""
        self._index.append(np.array(window.index))
        self._time_s.append(np.array(window.time_s))
        self.frames += window.frames

    @property
    def index(self) -> NDArray[np.int64]:
        """Number of each frame, (frames,)."""
        return np.concatenate(self._index) if self._index else np.zeros(0, np.int64)

    @property
    def time_s(self) -> NDArray[np.float64]:
        """Time of each frame, (frames,)."""
        return np.concatenate(self._time_s) if self._time_s else np.zeros(0)

    def rate_hz(self) -> float | None:
        """Return frames a second: of the steps within half and one and a half of the median, one over the mean.

        Containers round times, to milliseconds for one: the median alone would say 30.3 of 29.97, while the mean of
        all steps would count a pause. None for fewer than two frames with times.
        """
        steps = np.diff(self.time_s)
        steps = steps[np.isfinite(steps) & (steps > 0)]
        if not steps.size:
            return None
        median = np.median(steps)
        usual = steps[np.abs(steps - median) <= 0.5 * median]
        return float(1.0 / usual.mean())

    def drift_s(self, rate_hz: float) -> float:
        """Return how far a frame's time lies at most from where a constant rate puts it, in seconds."""
        times_s = self.time_s
        if not times_s.size:
            return 0.0
        away = np.abs(times_s - times_s[0] - np.arange(len(times_s)) / rate_hz)
        return float(np.nanmax(away)) if np.isfinite(away).any() else 0.0
