"""The open source: its pipeline, what it is asked for its pictures, and what happened to it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.choice import SourceChoice
from app.events import Event, Snapshot, SourceEnded, SourceFailed, SourceNote
from app.finder import Finder
from app.state import problem_of

if TYPE_CHECKING:
    from app.player import FilePlayer
    from sadinet.pipeline.live import LivePipeline
    from sadinet.pipeline.live_status import LiveStatus

_STATUS_S = 0.1  # how often the status is worked out


@dataclass(slots=True, eq=False)
class OpenSource:
    """What is open; asked by one thread.

    Attributes:
        choice: what the user wanted.
        live: finds people in it.
        finder: what the pipeline calls for each frame.
        player: for files; None for what is live.
    """

    choice: SourceChoice
    live: LivePipeline
    finder: Finder
    player: FilePlayer | None = None
    _is_over: bool = False
    _told: str = ""
    _status_s: float = -math.inf

    def snapshot(self, events: tuple[Event, ...]) -> Snapshot:
        """Return what there is to show, with these events and what happened to the source behind them."""
        live, heatmap = self.live.latest(), self.finder.heatmap
        if live is None or heatmap is None or heatmap.index != live.result.frame.index:
            heatmap = None
        status: LiveStatus | None = None
        if (now_s := time.monotonic()) - self._status_s > _STATUS_S:
            self._status_s = now_s
            status = self.live.status
            events += self._changes(status)
        if self.player is None:
            return Snapshot(events, live, heatmap, status)
        if status is not None:
            # Seeking makes nonsense of how fast frames come.
            status = replace(status, source_fps=math.nan)
        return Snapshot(events, live, heatmap, status, self.player.place, self.player.is_playing)

    def _changes(self, status: LiveStatus) -> tuple[Event, ...]:
        """Return what happened since the last time."""
        if self._is_over:
            return ()
        if not status.is_running:
            self._is_over = True
            return (SourceEnded() if status.error is None else SourceFailed(problem_of(status.error)),)
        text = status.source.message if status.source.kind in ("waiting", "lost") else "; ".join(status.notes)
        if text == self._told:
            return ()
        self._told = text
        return (SourceNote(text),)
