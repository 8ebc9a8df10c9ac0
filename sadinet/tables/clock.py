"""One rate out of the times of frames, for formats that hold nothing else, and how far it is from the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sadinet.recording import Recording

_ROUNDED_S = 0.001
"""By so much a container may have rounded a time."""


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

    @property
    def has_times(self) -> bool:
        """Whether the frames' times give a rate: whether at least two that follow each other rise."""
        return bool(self._steps().size)

    def rate_hz(self, claimed_hz: float | None = None) -> float | None:
        """Return frames a second: what the source claims if all times agree, else what the times say.

        These say one over the mean of the steps within half and one and a half of the median. Containers round times,
        to milliseconds for one: the median alone would say 30.3 of 29.97, while the mean of all steps would count a
        pause. Without times it is the claim.

        Args:
            claimed_hz: what the source says of itself; None where it says nothing.
        """
        steps = self._steps()
        if not steps.size or (claimed_hz and self.drift_s(claimed_hz) <= _ROUNDED_S):
            return claimed_hz
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

    def _steps(self) -> NDArray[np.float64]:
        steps = np.diff(self.time_s)
        return steps[np.isfinite(steps) & (steps > 0)]
