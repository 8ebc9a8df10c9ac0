"""Which packets of a video gave no frame yet, and which never will."""

from __future__ import annotations

import heapq
from collections import deque

_GIVEN_UP = 4096  # remembered; a broad corrupt stretch gives up many at once


class PacketsOnTheWay:
    """Presentation times of packets that gave no frame yet; tells which never will.

    Times may begin anew, as where recordings were put behind each other: a packet that should be shown before
    a frame that was already given begins a new stretch of time.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int]] = []  # heap of (stretch, presentation time)
        self._stretch_in = self._stretch_out = 0
        self._last_out: int | None = None
        self._given_up: deque[int] = deque(maxlen=_GIVEN_UP)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, stamp: int) -> None:
        """Note that a packet went to the decoder."""
        if self._last_out is not None and stamp <= self._last_out and self._stretch_in == self._stretch_out:
            self._stretch_in += 1
        heapq.heappush(self._waiting, (self._stretch_in, stamp))

    def drop(self, stamp: int) -> None:
        """Note that a packet failed."""
        if (self._stretch_in, stamp) in self._waiting:
            self._waiting.remove((self._stretch_in, stamp))
            heapq.heapify(self._waiting)

    def take_earliest(self) -> int | None:
        """Note that some frame was given; returns the earliest time that waits."""
        return heapq.heappop(self._waiting)[1] if self._waiting else None

    def take(self, stamp: int) -> int:
        """Note that a frame was given; returns how many packets should have given theirs before it.

        The answer is -1 for a frame whose packet was given up before.
        """
        if stamp in self._given_up:
            self._given_up.remove(stamp)
            return -1
        if self._stretch_out < self._stretch_in and (self._stretch_out, stamp) not in self._waiting:
            self._stretch_out += 1
        self._last_out = stamp
        here, lost = (self._stretch_out, stamp), 0
        while self._waiting and self._waiting[0] <= here:
            earliest = heapq.heappop(self._waiting)
            if earliest < here:
                self._given_up.append(earliest[1])
                lost += 1
        return lost
