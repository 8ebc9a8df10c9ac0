"""Runs the analysis of the open file beside everything else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.choice import SourceChoice
from app.events import AnalysisDone, AnalysisMoved, AnalysisStopped, Event
from app.finder import Finder
from app.loading import problem_from
from sadinet.errors import DeviceMemoryError

if TYPE_CHECKING:
    from app.player import FilePlayer
    from sadinet.pipeline.stages import Settings

_TOLD_S = 0.1  # how often it tells how far it is


@dataclass(frozen=True, slots=True, eq=False)
class FileView:
    """The open file, and what shows it.

    Attributes:
        choice: what is open.
        finder: finds people until there is an analysis.
        player: plays it.
        is_open: whether it still is.
    """

    choice: SourceChoice
    finder: Finder
    player: FilePlayer
    is_open: Callable[[], bool]


class Analyst:
    """Analyses one file at a time.

    Args:
        cache: folder of all analyses.
        start: begins a thread: its name, and what it does.
        tell: hears how far it is, and how it ended.
        fall_back: hears that the device ran out of memory; returns whether other models come, which it tells itself.
    """

    def __init__(
        self,
        cache: Path,
        start: Callable[[str, Callable[[], None]], None],
        tell: Callable[[Event], None],
        fall_back: Callable[[DeviceMemoryError], bool],
    ) -> None:
        self._cache = cache
        self._start = start
        self._tell = tell
        self._fall_back = fall_back
        self._cancelled: threading.Event | None = None
        self._one_at_a_time = threading.Lock()

    def begin(self, view: FileView, settings: Settings, *, angles: bool) -> None:
        """Begin, as soon as one that is under way has stopped."""
        self.cancel()
        cancelled = self._cancelled = threading.Event()
        self._start("analysis", lambda: self._run_alone(view, settings, cancelled, angles=angles))

    def cancel(self) -> None:
        """Stop at the next frame."""
        if self._cancelled is not None:
            self._cancelled.set()

    def _run_alone(self, view: FileView, settings: Settings, cancelled: threading.Event, *, angles: bool) -> None:
        with self._one_at_a_time:
            if not cancelled.is_set():
                self._run(view, settings, cancelled, angles=angles)
            elif view.is_open():
                self._tell(AnalysisStopped())

    def _run(self, view: FileView, settings: Settings, cancelled: threading.Event, *, angles: bool) -> None:
        from app.analysis import analyse

        event: Event = AnalysisStopped()
        try:
            analysed = analyse(view.choice.where, self._cache, settings, self._listener(cancelled), angles=angles)
            if analysed is not None and not cancelled.is_set():
                view.finder.show(analysed.recording, are_pictures=analysed.job.kind != "video")
                view.player.show_again()
                event = AnalysisDone(analysed)
        except DeviceMemoryError as error:
            # What it did is kept, and the next analysis runs on the other models.
            is_told = self._fall_back(error)
            event = AnalysisStopped(None if is_told else problem_from(error, ""))
        except Exception as error:  # noqa: BLE001  it is told
            event = AnalysisStopped(problem_from(error, f"{view.choice.name} cannot be analysed"))
        if view.is_open():
            self._tell(event)

    def _listener(self, cancelled: threading.Event) -> Callable[[int, int | None], bool]:
        told_s = 0.0

        def listen(done: int, frames: int | None) -> bool:
            nonlocal told_s
            if (now_s := time.monotonic()) - told_s > _TOLD_S:
                told_s = now_s
                self._tell(AnalysisMoved(done, frames))
            return not cancelled.is_set()

        return listen
