"""How a live run is doing: rates, latency, drops, and the detection interval that they lead to."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from sadinet.errors import SadinetError
from sadinet.media.live_source import Captured, SourceState
from sadinet.results import FrameResult

_WINDOW_S = 2.0
"""Rates, latencies and timings are of so long."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveResult:
    """A frame, the people in it, and its moments by `time.monotonic`.

    Attributes:
        result: frame and people; its timings have "wait", from the capture to the beginning of the work, too.
        captured_s: when the frame came in.
        finished_s: when the result was there.
    """

    result: FrameResult
    captured_s: float
    finished_s: float

    @property
    def latency_ms(self) -> float:
        """Milliseconds from capture to result."""
        return (self.finished_s - self.captured_s) * 1e3


@dataclass(frozen=True, slots=True, eq=False)
class LiveStatus:
    """How a live run is doing; NaN where nothing was measured in the last two seconds.

    Attributes:
        is_running: whether results may still come.
        source: state of the source.
        source_fps: frames a second that the source gives, dropped ones included.
        shown_fps: results a second that were taken.
        latency_ms: median from capture to result.
        age_s: since the capture of the newest frame that has a result; grows while nothing comes.
        captured: frames that came in so far.
        dropped: of these, replaced by a newer one before their turn.
        unseen: results that were replaced before anybody took them.
        timings_ms: mean of each stage.
        detection_interval: the detector looks at every n-th frame; None where it cannot be set.
        notes: what is not as it was asked for.
        error: why it ended, if it did not end well.
    """

    is_running: bool
    source: SourceState
    source_fps: float
    shown_fps: float
    latency_ms: float
    age_s: float
    captured: int
    dropped: int
    unseen: int
    timings_ms: Mapping[str, float]
    detection_interval: int | None
    notes: tuple[str, ...]
    error: SadinetError | None


class Meter:
    """Counts and times; any thread may note, any may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._captures: deque[tuple[float, int]] = deque()  # moment, index
        self._results: deque[tuple[float, float, Mapping[str, float]]] = deque()  # moment, latency, timings
        self._shown: deque[float] = deque()
        self._newest_s = math.nan
        self.frames = 0

    def note_capture(self, captured: Captured) -> None:
        """Note a frame that came in."""
        with self._lock:
            self._captures.append((captured.captured_s, captured.frame.index))
            self.frames = captured.frame.index + 1

    def note_result(self, live: LiveResult) -> None:
        """Note a result."""
        with self._lock:
            self._results.append((live.finished_s, live.latency_ms, live.result.timings_ms))
            self._newest_s = live.captured_s

    def note_shown(self) -> None:
        """Note that a result was taken."""
        with self._lock:
            self._shown.append(time.monotonic())

    def source_fps(self) -> float:
        """Return the source's rate."""
        with self._lock:
            self._forget()
            return self._source_fps()

    def figures(self) -> dict[str, float]:
        """Return `LiveStatus`' figures by name."""
        with self._lock:
            now_s = self._forget()
            latencies = [latency for _, latency, _ in self._results]
            return {
                "source_fps": self._source_fps(),
                "shown_fps": _rate(self._shown),
                "latency_ms": statistics.median(latencies) if latencies else math.nan,
                "age_s": now_s - self._newest_s,
            }

    def timings_ms(self) -> dict[str, float]:
        """Return the mean of each stage; a stage that does not run for every frame is spread over all."""
        with self._lock:
            self._forget()
            sums: dict[str, float] = {}
            for _, _, timings in self._results:
                for stage, spent_ms in timings.items():
                    sums[stage] = sums.get(stage, 0.0) + spent_ms
            return {stage: total / len(self._results) for stage, total in sums.items()}

    def _source_fps(self) -> float:
        if len(self._captures) < 2:
            return math.nan
        (first_s, first), (last_s, last) = self._captures[0], self._captures[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else math.nan

    def _forget(self) -> float:
        now_s = time.monotonic()
        while self._captures and self._captures[0][0] < now_s - _WINDOW_S:
            self._captures.popleft()
        while self._results and self._results[0][0] < now_s - _WINDOW_S:
            self._results.popleft()
        while self._shown and self._shown[0] < now_s - _WINDOW_S:
            self._shown.popleft()
        return now_s


def _rate(moments: deque[float]) -> float:
    if len(moments) < 2 or moments[-1] <= moments[0]:
        return math.nan
    return (len(moments) - 1) / (moments[-1] - moments[0])


@dataclass(frozen=True, slots=True)
class IntervalLimits:
    """Between what the detection interval is chosen.

    Attributes:
        most: the detector looks at every so many frames at least; 15 are half a second at 30 a second.
        load: share of the time between two frames that the work on one may take on average.
        every_s: how often the interval is thought over.
    """

    most: int = 15
    load: float = 0.75
    every_s: float = 1.0


class IntervalControl:
    """Chooses how often the detector looks, so that the work keeps pace with the source.

    Never more often than `least`, which was chosen by accuracy. The interval jumps up as far as needed, and comes
    down one by one, and only with room to spare, so that it does not swing.

    Args:
        least: the smallest interval.
        limits: see there.
    """

    _ROOM = 1.2

    def __init__(self, least: int, limits: IntervalLimits) -> None:
        self.least = least
        self._limits = limits
        self._detect_ms: deque[float] = deque(maxlen=4 * limits.most)
        self._other_ms: deque[float] = deque(maxlen=4 * limits.most)
        self._next_s = 0.0

    def note(self, timings_ms: Mapping[str, float]) -> None:
        """Note what a frame's stages took; "wait" is no work."""
        detect_ms = timings_ms.get("detect", 0.0)
        self._detect_ms.append(detect_ms)
        self._other_ms.append(sum(timings_ms.values()) - detect_ms - timings_ms.get("wait", 0.0))

    def choose(self, current: int, fps: float, now_s: float) -> int:
        """Return the interval from now on.

        Args:
            current: the interval up to now.
            fps: frames a second that the source gives; NaN where not known.
            now_s: `time.monotonic`.
        """
        if now_s < self._next_s or not fps > 0 or not self._detect_ms:
            return current
        self._next_s = now_s + self._limits.every_s
        # Frames without a detection may spend a little on finding out that none is due.
        longest_ms = max(self._detect_ms)
        detect_ms = statistics.median(spent for spent in self._detect_ms if 2 * spent >= longest_ms)
        spare_ms = self._limits.load * 1e3 / fps - statistics.median(self._other_ms)
        wanted = detect_ms / spare_ms if spare_ms > 0 else math.inf
        if wanted > current:
            current = math.ceil(min(wanted, self._limits.most))
        elif wanted * self._ROOM <= current - 1:
            current -= 1
        return max(self.least, min(current, self._limits.most))
