"""A file played as a live source that can be stopped, stepped, sought and sped up.

The pipeline for live pictures takes its frames like those of a camera, so that what is seen never waits for the work
on it: the newest frame wins. One thread runs `FilePlayer.run`; any may command.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Generator, Iterator
from typing import cast

from app.clips import Clip
from app.state import Place
from sadinet.errors import SadinetError, SourceError
from sadinet.media.live_source import Captured, Kind, SourceState
from sadinet.media.mailbox import Mailbox
from sadinet.results import Frame

_log = logging.getLogger(__name__)

_KEPT_BYTES = 96 << 20  # pictures that were just shown, for steps backwards
_READ_ON = 16  # frames ahead that are read through rather than sought
_STEP_BACK = 12  # frames read at once when going backwards
_LATE_S = 0.25  # a file that cannot keep up runs slower, rather than in jumps


class FilePlayer:
    """A `LiveSource` over a clip.

    Args:
        clip: its frames by number.
        speed: times its true speed.
        is_looped: begin again at the end.
        is_playing: run on from the first frame.
    """

    def __init__(self, clip: Clip, *, speed: float = 1.0, is_looped: bool = False, is_playing: bool = True) -> None:
        self.name = clip.name
        self.notes: tuple[str, ...] = ()
        self._clip = clip
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_playing = is_playing
        self._is_looped = is_looped
        self._speed = speed
        self._target: int | None = 0  # the frame that is asked for, None for whatever comes next
        self._shown: Frame | None = None
        self._anchor: tuple[float, float] | None = None  # moment, and time of the file then
        self._box: Mailbox[Captured] = Mailbox()
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._room = _STEP_BACK
        self._ahead: Iterator[Frame] | None = None
        self._next = 0  # number of the frame that `_ahead` gives next
        self._error: SadinetError | None = None
        self._state = SourceState("connected", time.monotonic())

    @property
    def state(self) -> SourceState:
        """How it is doing."""
        return self._state

    @property
    def dropped(self) -> int:
        """Frames so far that were replaced before anybody took them."""
        return self._box.replaced

    @property
    def is_playing(self) -> bool:
        """Whether it runs on by itself."""
        return self._is_playing

    @property
    def place(self) -> Place:
        """Where it stands."""
        clip, shown = self._clip, self._shown
        number = 0 if shown is None else shown.index
        time_s = math.nan if shown is None else shown.time_s
        return Place(number, time_s, max(clip.frames, number + 1), clip.duration_s, clip.is_exact)

    def read(self, timeout_s: float = 0.5) -> Captured | None:
        """Return the newest frame, waiting for one; see `LiveSource.read`.

        Raises:
            SourceError: if the file cannot be read any more.
        """
        captured = self._box.take(timeout_s)
        if captured is None and self._box.is_over and self._error is not None:
            raise self._error
        return captured

    def close(self) -> None:
        """Stop; the thread in it lets go of the file."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._box.close()
        if not self._state.is_over:
            self._tell("closed")

    def play(self, is_playing: bool = True) -> None:
        """Run on, or stand; at the end, begin again."""
        with self._changed:
            if is_playing and not self._is_playing and self._is_at_end():
                self._target = 0
            self._is_playing, self._anchor = is_playing, None
            self._changed.notify_all()

    def seek(self, number: int) -> None:
        """Show this frame; of many that are asked for in a row, the last one counts."""
        with self._changed:
            self._target = max(0, min(number, max(self._clip.frames - 1, 0)))
            self._anchor = None
            self._changed.notify_all()

    def step(self, frames: int) -> None:
        """Stand, and show the frame so many further on, or back if negative."""
        with self._changed:
            self._is_playing = False
            start = self._target if self._target is not None else self.place.frame
            self._target = max(0, min(start + frames, max(self._clip.frames - 1, 0)))
            self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        """Play at so many times the true speed."""
        with self._changed:
            self._speed, self._anchor = speed, None
            self._changed.notify_all()

    def set_looped(self, is_looped: bool) -> None:
        """Begin again at the end, or do not."""
        self._is_looped = is_looped

    def show_again(self) -> None:
        """Give the frame that is shown once more, as something about it has changed; not while it runs."""
        with self._changed:
            if not self._is_playing and self._target is None and self._shown is not None:
                self._target = self._shown.index
                self._changed.notify_all()

    def run(self) -> None:
        """Read and give frames until closed."""
        try:
            while self._turn():
                pass
        except SadinetError as error:
            self._error = error
            self._tell("failed", str(error))
        except Exception as error:  # noqa: BLE001  nobody above this thread would see it
            _log.exception("playing failed")
            self._error = SourceError(f"{self.name} cannot be played: {type(error).__name__}: {error}")
            self._tell("failed", str(self._error))
        finally:
            self._let_go()
            self._box.close(keep=True)

    def _turn(self) -> bool:
        """Do what is to be done next; False once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._is_playing or self._target is not None)
            if self._is_closed:
                return False
            target, self._target = self._target, None
        if target is not None:
            self._show(target)
            return True
        self._play_on()
        return True

    def _show(self, target: int) -> None:
        """Give a frame, or the last one if there are fewer than the file claims."""
        frame = self._fetch(target)
        if frame is not None:
            self._give(frame)
            return
        with self._changed:
            if self._target is None and 0 < self._clip.frames <= target:
                self._target = self._clip.frames - 1

    def _play_on(self) -> None:
        """Give the next frame when it is due."""
        number = 0 if self._shown is None else self._shown.index + 1
        frame = self._fetch(number)
        if frame is None:
            with self._changed:
                if self._target is None and not self._is_closed:
                    self._at_end()
            return
        if self._wait_until_due(frame):
            self._give(frame)

    def _at_end(self) -> None:
        if self._is_looped and self._clip.frames > 1:
            self._target, self._anchor = 0, None
        else:
            self._is_playing = False

    def _wait_until_due(self, frame: Frame) -> bool:
        """Wait; False if anything else was asked for in the meantime."""
        with self._changed:
            if self._target is not None or not self._is_playing:
                return False
            now_s = time.monotonic()
            time_s = self._time_of(frame)
            if self._anchor is None:
                before = self._shown
                step_s = 0.0 if before is None else max(0.0, min(time_s - self._time_of(before), 1.0))
                self._anchor = (now_s + step_s / self._speed, time_s)
            due_s = self._anchor[0] + (time_s - self._anchor[1]) / self._speed
            if now_s - due_s > _LATE_S or due_s - now_s > 60:
                self._anchor = (now_s, time_s)
                return True
            is_disturbed = self._changed.wait_for(
                lambda: self._is_closed or self._target is not None or not self._is_playing or self._anchor is None,
                max(0.0, due_s - now_s),
            )
            return not is_disturbed

    def _time_of(self, frame: Frame) -> float:
        return frame.time_s if math.isfinite(frame.time_s) else frame.index / self._clip.rate_hz

    def _give(self, frame: Frame) -> None:
        self._shown = frame
        self._box.put(Captured(frame, time.monotonic()))

    def _fetch(self, number: int) -> Frame | None:
        """Return a frame; None if there is none any more, or another one is asked for by now."""
        if (kept := self._kept.get(number)) is not None:
            return kept
        if self._ahead is None or not self._next <= number <= self._next + _READ_ON:
            shown = 0 if self._shown is None else self._shown.index
            block = min(_STEP_BACK, self._room - 1)
            is_going_back = shown - block <= number < shown
            self._start(max(0, number - block) if is_going_back else number)
        assert self._ahead is not None  # noqa: S101
        for frame in self._ahead:
            self._next = frame.index + 1
            self._keep(frame)
            if frame.index >= number:
                return frame
            if self._is_closed or self._target is not None:
                return None
        self._let_go()
        return None

    def _start(self, number: int) -> None:
        self._let_go()
        self._ahead, self._next = self._clip.frames_from(number), number

    def _let_go(self) -> None:
        if self._ahead is not None:
            cast("Generator[Frame, None, None]", self._ahead).close()
            self._ahead = None

    def _keep(self, frame: Frame) -> None:
        self._kept[frame.index] = frame
        self._kept.move_to_end(frame.index)
        self._room = max(3, _KEPT_BYTES // max(frame.image.nbytes, 1))
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)

    def _is_at_end(self) -> bool:
        return self._shown is not None and self._shown.index >= self._clip.frames - 1

    def _tell(self, kind: Kind, message: str = "") -> None:
        self._state = SourceState(kind, time.monotonic(), message)
