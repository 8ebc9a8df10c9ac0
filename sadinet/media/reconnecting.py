"""A live source over a device that may hang, vanish and come back.

The device is opened and read in a thread of its own, an *attempt*, as neither can be interrupted. Whoever reads frames
also watches the attempt: one that opens too slowly or gives no new frame is abandoned, left to end by itself,
and the device is opened again, with pauses that grow.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable

from sadinet.errors import SourceError
from sadinet.media.attempt import Attempt, Connection, Grab, Limits
from sadinet.media.live_source import AFTER_GAP, TIME_BY_CLOCK, Captured, FrameTimes, Kind, SourceState
from sadinet.results import Frame

_log = logging.getLogger(__name__)

_OVERDUE_S = 1.0  # a frame that is this late is told of
_CLOSING_S = 0.5  # how long closing waits for the device to let go by itself
_MOST_HANGING = 2  # threads left in a device that hangs; no further attempt while there are so many


class Reconnecting:
    """A `LiveSource` that opens its device again when it is lost.

    It is made connected: its first frame is there. Frames keep rising times over a gap, the first one after it
    carries the flag "after_gap".

    Args:
        name: for the screen, without passwords.
        connect: opens the device, in a thread of its own.
        limits: how long to wait for what.
        remedy: what a user can do when the device is lost.

    Raises:
        SourceError: if it does not open, or gives no frame, in time. There is no second attempt then.
    """

    def __init__(self, name: str, connect: Callable[[], Connection], limits: Limits, remedy: str) -> None:
        self.name = name
        self.dropped = 0
        self._connect = connect
        self._limits = limits
        self._remedy = remedy
        self._changed = threading.Condition()
        self._state = SourceState("connecting", time.monotonic())
        self._times = FrameTimes()
        self._indices = itertools.count()
        self._newest: tuple[Grab, int, float, tuple[str, ...]] | None = None
        self._error: SourceError | None = None
        self._hanging: list[Attempt] = []
        self._lost_s: float | None = None
        self._retry_s = 0.0
        self._pause_s = limits.first_pause_s
        self._notes: tuple[str, ...] = ()
        self._attempts = itertools.count()
        self._attempt: Attempt | None = self._start()
        self._wait_for_first()

    @property
    def state(self) -> SourceState:
        """How it is doing."""
        return self._state

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as it was asked for."""
        return self._notes

    def read(self, timeout_s: float = 0.5) -> Captured | None:
        """Return the newest frame, waiting for one; see `LiveSource.read`.

        Raises:
            SourceError: once the device is given up.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while self._newest is None and not self._state.is_over:
                self._watch(time.monotonic())
                left_s = deadline_s - time.monotonic()
                if self._newest is not None or self._state.is_over or left_s <= 0:
                    break
                # The watch has dates of its own, which none but this thread keeps.
                self._changed.wait(min(left_s, 0.1 * self._limits.stall_s, 0.25))
            newest, self._newest = self._newest, None
            if newest is None and self._error is not None:
                raise self._error
        if newest is None:
            return None
        grab, index, time_s, flags = newest
        return Captured(Frame(grab.image(), index, time_s, self.name, flags), grab.arrived_s)

    def close(self) -> None:
        """Let go of the device; a device that hangs is left to its thread."""
        with self._changed:
            attempt, self._attempt = self._attempt, None
            if not self._state.is_over:
                self._tell("closed")
            self._newest = None
            if attempt is not None:
                attempt.is_abandoned = True
            self._changed.notify_all()
        if attempt is not None and attempt.thread is not threading.current_thread():
            attempt.thread.join(_CLOSING_S)
            if attempt.thread.is_alive():
                _log.info("%s is busy; it is let go of when it answers", self.name)

    def _start(self) -> Attempt:
        return Attempt(next(self._attempts), self.name, self._connect, self._deliver)

    def _wait_for_first(self) -> None:
        with self._changed:
            while self._newest is None and self._error is None:
                self._watch(time.monotonic())
                if self._newest is None and self._error is None:
                    self._changed.wait(0.05)
            if self._error is not None:
                raise self._error

    def _deliver(self, attempt: Attempt, grab: Grab | None) -> bool:
        """Take what an attempt has; called in its thread."""
        with self._changed:
            if attempt.is_abandoned or self._state.is_over:
                return False
            if grab is not None:
                self._take(attempt, grab)
            self._changed.notify_all()
            return True

    def _take(self, attempt: Attempt, grab: Grab) -> None:
        is_after_gap = attempt.frame_s is None and attempt.number > 0
        time_s, by_clock = self._times.next(grab.stamp_s, grab.arrived_s, is_after_gap=is_after_gap)
        flags = grab.flags + (AFTER_GAP,) * is_after_gap + (TIME_BY_CLOCK,) * by_clock
        if self._newest is not None:
            self.dropped += 1
            if AFTER_GAP in self._newest[3] and AFTER_GAP not in flags:
                flags += (AFTER_GAP,)  # the frame that said so was not taken
        self._newest = (grab, next(self._indices), time_s, flags)
        attempt.frame_s = grab.arrived_s
        self._lost_s, self._pause_s, self._notes = None, self._limits.first_pause_s, attempt.notes
        if grab.message:
            self._tell("waiting", grab.message)
        else:
            self._tell("connected")

    def _watch(self, now_s: float) -> None:
        attempt = self._attempt
        if attempt is None:
            self._consider(now_s)
        elif attempt.error is not None:
            self._lose(attempt, now_s, attempt.error.message, attempt.error.remedy)
        elif attempt.is_ended and attempt.frame_s is None:
            self._lose(attempt, now_s, f"{self.name} ended without a picture")
        elif attempt.is_ended:
            self._tell("ended")
        elif attempt.frame_s is None:
            is_late = self._lost_s is not None and now_s - self._lost_s > self._limits.return_s
            if is_late or now_s - attempt.began_s > self._limits.open_s:
                self._lose(attempt, now_s, f"{self.name} gave no picture within {self._limits.open_s:g} s")
        elif now_s - attempt.frame_s > self._limits.stall_s:
            self._lose(attempt, now_s, f"{self.name} has given no picture for {self._limits.stall_s:g} s")
        elif now_s - attempt.frame_s > min(_OVERDUE_S, self._limits.stall_s / 2):
            self._tell("waiting", "the next picture is overdue")

    def _lose(self, attempt: Attempt, now_s: float, why: str, remedy: str = "") -> None:
        attempt.is_abandoned = True
        self._attempt = None
        self._hanging.append(attempt)
        if attempt.number == 0 and attempt.frame_s is None:
            self._give_up(SourceError(why, remedy or self._remedy))
            return
        if self._lost_s is None:
            self._lost_s = now_s if attempt.frame_s is None else attempt.frame_s
        self._retry_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, self._limits.longest_pause_s)
        self._tell("lost", why)
        self._consider(now_s)

    def _consider(self, now_s: float) -> None:
        """Give up, try again, or go on waiting."""
        lost_s = now_s - (now_s if self._lost_s is None else self._lost_s)
        if lost_s >= self._limits.return_s:
            why = self._state.message
            lasting = f" and did not come back within {self._limits.return_s:g} s" if self._limits.return_s else ""
            self._give_up(SourceError(why + lasting, self._remedy))
            return
        self._hanging = [attempt for attempt in self._hanging if attempt.thread.is_alive()]
        if now_s >= self._retry_s and len(self._hanging) < _MOST_HANGING:
            self._attempt = self._start()

    def _give_up(self, error: SourceError) -> None:
        self._error = error
        self._tell("failed", str(error))

    def _tell(self, kind: Kind, message: str = "") -> None:
        if (kind, message) != (self._state.kind, self._state.message):
            began_s = self._lost_s if kind == "lost" and self._lost_s is not None else time.monotonic()
            self._state = SourceState(kind, began_s, message)
