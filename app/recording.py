"""Record what is seen live into a folder from which it can be done again, later and with another model.

    video.mkv        every frame at its own time, as it came from the source, or with faces covered
    keypoints.csv    what was found live, frame by frame of that video
    timestamps.csv   when each frame was taken, by the source's clock and by the computer's
    settings.json    source, model, settings, and how it ended

All of them are there from the first frame on and open whatever becomes of the program or the disk. `sadinet run
FOLDER/video.mkv -o RESULTS` does it again. No Qt in here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sadinet.errors import SadinetError
from sadinet.results import Frame, FrameResult, Pose

if TYPE_CHECKING:
    from app.recording_files import RecordingOptions, SourceFacts

_QUEUE_BYTES = 96_000_000  # pictures that wait for the encoder
_LEAST_QUEUE = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """How a recording is doing.

    Attributes:
        folder: where it goes, None before the first one.
        is_recording: whether frames are taken.
        is_busy: whether something is still being written.
        frames: in the video so far.
        seconds: from its first frame to its last.
        dropped: frames that found no room, as the disk or the encoder was too slow.
        missed: frames that the source had and that never came here, as the live view dropped them.
        error: why it ended, None if nothing went wrong; what was written before opens.
    """

    folder: Path | None = None
    is_recording: bool = False
    is_busy: bool = False
    frames: int = 0
    seconds: float = 0.0
    dropped: int = 0
    missed: int = 0
    error: SadinetError | None = None


@dataclass(frozen=True, slots=True)
class RecordingSummary:
    """What a recording became.

    Attributes:
        folder: where it lies.
        frames, seconds, dropped, missed, error: as in `RecordingStatus`.
        is_complete: whether everything that was taken has been written; else a thread hangs at the disk.
    """

    folder: Path
    frames: int
    seconds: float
    dropped: int
    missed: int
    error: SadinetError | None
    is_complete: bool = True

    @property
    def text(self) -> str:
        """One line for the user."""
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        parts = [f"{frames} in {self.seconds:.1f} s"]
        lost = self.dropped + self.missed
        if lost:
            parts.append(f"{lost} of the source's frames are missing")
        return f"{', '.join(parts)} → {self.folder}"


class RecordingController:
    """Records one thing after the other, each in a thread of its own; any thread may add frames or ask."""

    def __init__(self) -> None:
        self._writer: _Writer | None = None
        self._ending: list[_Writer] = []  # earlier ones that still write what waited

    @property
    def status(self) -> RecordingStatus:
        """How the recording is doing, or how the last one ended."""
        return RecordingStatus() if self._writer is None else self._writer.status

    def start(self, folder: Path, source: SourceFacts, options: RecordingOptions | None = None) -> None:
        """Begin; returns at once. What goes wrong is told by `status.error`.

        Args:
            folder: of this recording alone; is made, and must not hold another one.
            source: what is recorded.
            options: how.
        """
        from app.recording_files import RecordingOptions

        self.finish()
        self._ending = [each for each in self._ending if each.status.is_busy]
        if self._writer is not None:
            self._ending.append(self._writer)
        self._writer = _Writer(folder, source, options or RecordingOptions())

    def add(self, result: FrameResult) -> bool:
        """Take a frame with its people, without waiting; returns whether there was room for it."""
        return self._writer is not None and self._writer.add(result)

    def finish(self) -> None:
        """Take no more frames; those that wait are written while `status.is_busy`."""
        if self._writer is not None:
            self._writer.close()

    def stop(self, deadline_s: float = 5.0) -> RecordingSummary | None:
        """End, and wait until everything is written; None if nothing was ever recorded."""
        if self._writer is None:
            return None
        deadline = time.monotonic() + deadline_s
        self._writer.close()
        for each in (self._writer, *self._ending):
            each.join(max(0.0, deadline - time.monotonic()))
        status = self._writer.status
        return RecordingSummary(
            self._writer.folder,
            status.frames,
            status.seconds,
            status.dropped,
            status.missed,
            status.error,
            is_complete=not status.is_busy,
        )


class _Writer:
    """The thread of one recording, and the queue to it."""

    def __init__(self, folder: Path, source: SourceFacts, options: RecordingOptions) -> None:
        self.folder = folder
        self._source = source
        self._options = options
        self._waiting: deque[tuple[FrameResult, float]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._status = RecordingStatus(folder, is_recording=True, is_busy=True)
        self._last_index: int | None = None
        self._thread = threading.Thread(target=self._run, name="app recording", daemon=True)
        self._thread.start()

    @property
    def status(self) -> RecordingStatus:
        with self._changed:
            return self._status

    def add(self, result: FrameResult) -> bool:
        with self._changed:
            if self._is_closed or self._status.error is not None:
                return False
            index = result.frame.index
            if self._last_index is not None and index > self._last_index + 1:
                self._tell(missed=self._status.missed + index - self._last_index - 1)
            self._last_index = index
            most = max(_LEAST_QUEUE, _QUEUE_BYTES // max(1, result.frame.image.nbytes))
            if len(self._waiting) >= most:
                # The newest goes, so that those that wait stay without a gap.
                self._tell(dropped=self._status.dropped + 1)
                return False
            self._waiting.append((result, time.time()))
            self._changed.notify_all()
            return True

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._tell(is_recording=False)
            self._changed.notify_all()

    def join(self, deadline_s: float) -> None:
        self._thread.join(deadline_s)

    def _tell(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes)

    def _taken(self) -> Iterator[tuple[FrameResult, float]]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._is_closed)
                if not self._waiting:
                    return
                item = self._waiting.popleft()
            yield item

    def _run(self) -> None:
        try:
            self._write_all()
        except SadinetError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  nobody above a thread would see it
            _log.exception("recording failed")
            self._fail(SadinetError(f"recording failed: {type(error).__name__}: {error}", "please report the log"))
        finally:
            with self._changed:
                self._waiting.clear()
                self._tell(is_recording=False, is_busy=False)

    def _fail(self, error: SadinetError) -> None:
        with self._changed:
            self._waiting.clear()
            self._tell(error=error, is_recording=False)

    def _write_all(self) -> None:
        from app.recording_files import RecordingFiles

        files = RecordingFiles(self.folder, self._source, self._options)
        try:
            for result, clock_s in self._covered(self._taken()):
                seconds = files.write(result, clock_s)
                with self._changed:
                    self._tell(frames=files.frames, seconds=seconds)
        except BaseException as error:
            files.close(self._counts(), error)
            raise
        failure = files.close(self._counts(), None)
        if failure is not None:
            raise failure

    def _counts(self) -> dict[str, float]:
        status = self.status
        return {"seconds": status.seconds, "dropped_frames": status.dropped, "missed_frames": status.missed}

    def _covered(self, items: Iterator[tuple[FrameResult, float]]) -> Iterator[tuple[FrameResult, float]]:
        if not self._options.blur_faces:
            yield from items
            return
        from app.recording_files import without_picture
        from sadinet.media.blur import blurred

        behind: deque[tuple[FrameResult, float]] = deque()

        def found() -> Iterator[tuple[Frame, Sequence[Pose]]]:
            for result, clock_s in items:
                # The picture must not be held twice while it waits.
                behind.append((replace(result, frame=without_picture(result.frame)), clock_s))
                yield result.frame, result.poses

        for frame, _ in blurred(found()):
            result, clock_s = behind.popleft()
            yield replace(result, frame=frame), clock_s
