"""What a camera, a stream and a file played as a camera have in common: pictures that do not wait.

A live source runs on its own from the moment it is opened. It keeps the newest picture only; one that nobody takes
in time is replaced and counted. A picture carries the moment at which it came in, by the monotonic clock, so that its
age is known wherever it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from sadinet.results import Frame

AFTER_GAP = "after_gap"
"""Flag of the first frame after the source was lost and came back."""
TIME_BY_CLOCK = "time_by_clock"
"""Flag of a frame whose own stamp is missing or makes no sense: its time goes on by the monotonic clock."""
FROZEN = "frozen"
"""Flag of a frame that has been the same, bit for bit, for longer than a working camera's ever is."""

Kind = Literal["connecting", "connected", "waiting", "lost", "ended", "failed", "closed"]


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a live source is doing.

    Attributes:
        kind: "connecting" for the first time; "connected", frames come; "waiting", a frame is overdue, or the
            picture stands still; "lost", being opened again; and for good: "ended", the last frame was shown;
            "failed", given up, `read` raises; "closed" by whoever uses it.
        since_s: when that began, by `time.monotonic`.
        message: one line for the user, empty while all is well.
    """

    kind: Kind
    since_s: float
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether no frame will come any more."""
        return self.kind in ("ended", "failed", "closed")


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """A frame and when it came in.

    Attributes:
        frame: its `index` counts what the source saw, dropped frames included, so a step of more than one
            means that some were dropped; `time_s` are seconds from the source's first frame.
        captured_s: `time.monotonic` when the picture was there: at the grab for a camera, at its arrival for a
            stream, when it was due and decoded for a file that is played.
    """

    frame: Frame
    captured_s: float


@runtime_checkable
class LiveSource(Protocol):
    """Frames as they come, the newest only. One thread reads; any thread may close or ask for the state."""

    @property
    def name(self) -> str:
        """What to call it on a screen; without passwords."""

    @property
    def state(self) -> SourceState:
        """How it is doing."""

    @property
    def dropped(self) -> int:
        """Frames so far that were replaced before anybody took them."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as it was asked for, such as another picture size; one line each."""

    def read(self, timeout_s: float = 0.5) -> Captured | None:
        """Return the newest frame that was not taken yet, waiting for one.

        Returns:
            None if none came in time, or none will come any more: see `state.is_over`.

        Raises:
            SourceError: once the source has failed for good, at every call.
        """

    def close(self) -> None:
        """Let go of it and wake a `read` that waits; returns soon even if the device hangs. May be called twice."""


class FrameTimes:
    """Seconds from a source's first frame, which rise whatever its stamps do.

    Stamps count where they are sane: one that is missing, does not rise, or runs ahead of the clock by more than
    `most_ahead_s` is not. Then, and over a gap, time goes on by the clock, and later stamps count from there.

    Args:
        most_ahead_s: streams arrive in bursts; a stamp may run this far ahead of the clock.
    """

    def __init__(self, most_ahead_s: float = 10.0) -> None:
        self._most_ahead_s = most_ahead_s
        self._last: tuple[float, float] | None = None  # time given, arrival
        self._stamp: float | None = None  # of the last frame that had one
        self._stamped_at_s = 0.0  # the time given to that frame

    def next(self, stamp_s: float | None, arrived_s: float, *, is_after_gap: bool = False) -> tuple[float, bool]:
        """Return the time of a frame, and whether it comes from the clock in place of a sane stamp.

        Args:
            stamp_s: the frame's own stamp, from any origin; None where it has none.
            arrived_s: `time.monotonic` at its arrival.
            is_after_gap: whether stamps may have begun anew.
        """
        if self._last is None:
            self._last, self._stamp = (0.0, arrived_s), stamp_s
            return 0.0, stamp_s is None
        last_s, last_arrived_s = self._last
        elapsed_s = max(arrived_s - last_arrived_s, 1e-6)
        time_s, by_clock = last_s + elapsed_s, not is_after_gap
        if stamp_s is not None and self._stamp is not None and not is_after_gap:
            stamped_s = self._stamped_at_s + stamp_s - self._stamp
            if 0 < stamped_s - last_s <= elapsed_s + self._most_ahead_s:
                time_s, by_clock = stamped_s, False
        self._last = (time_s, arrived_s)
        if stamp_s is not None:
            self._stamp, self._stamped_at_s = stamp_s, time_s
        return time_s, by_clock or stamp_s is None
