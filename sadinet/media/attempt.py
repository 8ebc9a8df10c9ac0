"""One opening of a device that may hang, and the thread in it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SadinetError, SourceError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for what, seconds.

    Attributes:
        open_s: for a device to open and give its first frame.
        stall_s: for a new frame, before the device counts as lost.
        return_s: for a lost device to come back, before it is given up; 0 gives up at once.
        first_pause_s, longest_pause_s: between attempts to open it again; each pause is twice the one before.
    """

    open_s: float = 10.0
    stall_s: float = 3.0
    return_s: float = 30.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Grab:
    """What a device gave.

    Attributes:
        image: makes the picture, (H, W, 3) uint8 BGR, upright; called for frames that are taken, once.
        stamp_s: the frame's own stamp, from any origin; None where it has none.
        arrived_s: `time.monotonic` at its arrival.
        flags: quality words.
        message: what is odd about the device just now, one line.
    """

    image: Callable[[], NDArray[np.uint8]]
    stamp_s: float | None
    arrived_s: float
    flags: tuple[str, ...] = ()
    message: str = ""


class Connection(Protocol):
    """An open device, used by one thread."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as it was asked for."""

    def grab(self) -> Grab | None:
        """Wait for the next frame; None at the end of what is not endless.

        Raises:
            SourceError: if the device is gone.
        """

    def close(self) -> None:
        """Let go of the device."""


class Attempt:
    """One opening of the device, and the thread in it.

    Attributes:
        number: 0 for the first.
        connect: opens the device; may take its time.
        deliver: takes each frame; False stops the thread.
        began_s: when, by the monotonic clock; `frame_s` is the last frame's arrival, None before the first.
        error: why it ended, if not as it should.
        is_ended: whether the device said that there is no more.
        is_abandoned: set by its owner to be rid of it.
    """

    def __init__(
        self, number: int, name: str, connect: Callable[[], Connection], deliver: Callable[[Attempt, Grab | None], bool]
    ) -> None:
        self.number = number
        self.connect = connect
        self.deliver = deliver
        self.began_s = time.monotonic()
        self.frame_s: float | None = None
        self.error: SadinetError | None = None
        self.is_ended = False
        self.is_abandoned = False
        self.notes: tuple[str, ...] = ()
        self.thread = threading.Thread(target=self._run, name=f"source {name}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            connection = self.connect()
            try:
                self.notes = connection.notes
                self._read(connection)
            finally:
                connection.close()
        except SadinetError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  a driver may raise anything, and nobody above this would see it
            _log.debug("a source failed", exc_info=True)
            self.error = SourceError(f"reading failed: {type(error).__name__}: {error}", "connect it again")
        if not self.is_abandoned:
            self.deliver(self, None)

    def _read(self, connection: Connection) -> None:
        while not self.is_abandoned:
            grab = connection.grab()
            if grab is None:
                self.is_ended = True
                return
            if not self.deliver(self, grab):
                return
