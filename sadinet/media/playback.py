"""A video file played as if it were a camera: for demonstrations, tests and measurements."""

from __future__ import annotations

import itertools
import logging
import math
import os
import threading
import time
from collections.abc import Generator

from sadinet.errors import InputError, SadinetError, SourceError
from sadinet.media.live_source import Captured, Kind, SourceState
from sadinet.media.mailbox import Mailbox
from sadinet.media.source import Source, open_source
from sadinet.results import Frame

_log = logging.getLogger(__name__)

_CLOSING_S = 0.5
_STEP_S = 1 / 30  # between frames, where a file does not tell


class Playback:
    """A `LiveSource` over a file: each frame comes when it is due, and is gone if nobody takes it.

    A file that decodes more slowly than it plays falls behind; it makes up for it as soon as it can.

    Args:
        where: a video, or whatever `open_source` opens.
        rate_hz: frames a second, in place of the file's own times; needed for pictures.
        is_looped: begin again at the end; times go on rising.

    Raises:
        SourceError: if the file cannot be read.
        InputError: for a rate that is not positive, or pictures without one.
    """

    def __init__(self, where: str | os.PathLike[str], *, rate_hz: float | None = None, is_looped: bool = False) -> None:
        if rate_hz is not None and not 0 < rate_hz < math.inf:
            raise InputError(f"a rate of {rate_hz} frames a second makes no sense", "give a number above 0")
        self.name = os.fspath(where)
        self.notes: tuple[str, ...] = ()
        self._rate_hz = rate_hz
        self._is_looped = is_looped
        self._box: Mailbox[Captured] = Mailbox()
        self._error: SadinetError | None = None
        self._stop = threading.Event()
        self._state = SourceState("connected", time.monotonic())
        # Opened here, so that what cannot be read is told at once.
        source = open_source(where)
        if source.info is None and rate_hz is None:
            raise InputError(f"{self.name} has no times of its own", "give a rate")
        self._thread = threading.Thread(target=self._run, args=(source,), name=f"playback {self.name}", daemon=True)
        self._thread.start()

    @property
    def state(self) -> SourceState:
        """How it is doing."""
        return self._state

    @property
    def dropped(self) -> int:
        """Frames so far that were replaced before anybody took them."""
        return self._box.replaced

    def read(self, timeout_s: float = 0.5) -> Captured | None:
        """Return the newest frame, waiting for one; see `LiveSource.read`.

        Raises:
            SourceError: if the file turned out to be unreadable on the way.
        """
        captured = self._box.take(timeout_s)
        if captured is None and self._box.is_over:
            if self._error is not None:
                raise self._error
            if not self._state.is_over:
                self._tell("ended")
        return captured

    def close(self) -> None:
        """Stop playing."""
        self._stop.set()
        self._box.close()
        if not self._state.is_over:
            self._tell("closed")
        if self._thread is not threading.current_thread():
            self._thread.join(_CLOSING_S)

    def _run(self, source: Source) -> None:
        try:
            self._play(source)
        except SadinetError as error:
            self._error = error
            self._tell("failed", str(error))
        except Exception as error:  # noqa: BLE001  nobody above this thread would see it
            _log.debug("playback failed", exc_info=True)
            self._error = SourceError(f"{self.name} cannot be played: {type(error).__name__}: {error}")
            self._tell("failed", str(self._error))
        self._box.close(keep=True)

    def _play(self, source: Source) -> None:
        began_s = math.nan
        frames = self._timed(source)
        for index, (frame, time_s) in enumerate(frames):
            if math.isnan(began_s):
                began_s = time.monotonic()
            self._stop.wait(max(0.0, began_s + time_s - time.monotonic()))
            if self._stop.is_set():
                frames.close()
                return
            shown = Frame(frame.image, index, time_s, self.name, frame.flags)
            self._box.put(Captured(shown, time.monotonic()))

    def _timed(self, source: Source) -> Generator[tuple[Frame, float], None, None]:
        """Yield each frame and when it is due, seconds from the first."""
        last_s, step_s = -math.inf, _STEP_S if self._rate_hz is None else 1 / self._rate_hz
        for loop in itertools.count():
            start_s = 0.0 if not loop else last_s + step_s
            with source if not loop else open_source(self.name) as opened:
                for number, frame in enumerate(opened):
                    own_s = frame.time_s if self._rate_hz is None else number / self._rate_hz
                    time_s = start_s + own_s
                    if not time_s > last_s:
                        time_s = last_s + step_s
                    elif number:
                        step_s = time_s - last_s
                    last_s = time_s
                    yield frame, time_s
            if not self._is_looped or math.isinf(last_s):
                return

    def _tell(self, kind: Kind, message: str = "") -> None:
        self._state = SourceState(kind, time.monotonic(), message)
