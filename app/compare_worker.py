"""The threads of the page that compares: reading tables, and pictures of the frames that are looked at."""

from __future__ import annotations

import math
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.choice import SourceChoice, SourceKind
from app.comparison import Comparison, compare
from app.loading import problem_from
from app.state import Problem
from app.threads import Threads
from sadinet.errors import SadinetError, SourceError
from sadinet.recording import Recording
from sadinet.results import Frame

if TYPE_CHECKING:
    from app.player import FilePlayer

_VIDEO_OF_RECORDING = "video.mkv"
_GRACE_S = 2.0
_READING = "app compare reading"


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Two tables of one source.

    Attributes:
        a, b: what they hold.
        comparison: the second against the first.
        source: where the pictures come from; None if they were not found.
    """

    a: Recording
    b: Recording
    comparison: Comparison
    source: Path | None


@dataclass(frozen=True, slots=True, eq=False)
class CompareNews:
    """What happened since the last time; nothing where all are None."""

    compared: Compared | None = None
    problem: Problem | None = None
    frame: Frame | None = None


class CompareWorker:
    """Commands come from one thread, which polls and never waits."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[tuple[int, Compared | Problem]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = Threads()
        self._player: FilePlayer | None = None
        self._generation = 0
        self._wanted: int | None = None  # also while the pictures are being opened

    @property
    def is_busy(self) -> bool:
        """Whether tables are being read."""
        return self._threads.is_running(_READING)

    def load(self, a: Path, b: Path, source: Path | None = None) -> None:
        """Read two tables, and open what they are of.

        Args:
            a, b: CSV or Parquet tables.
            source: video or folder of pictures; None to look where the tables say.
        """
        generation = self._let_go()
        self._threads.start(_READING, lambda: self._load(generation, a, b, source))

    def seek(self, frame: int) -> None:
        """Fetch this frame's picture; it replaces one that was asked for before."""
        with self._lock:
            self._wanted, player = frame, self._player
        if player is not None:
            player.seek(frame)

    def poll(self) -> CompareNews:
        """Return what is new, without waiting."""
        compared: Compared | None = None
        problem: Problem | None = None
        with suppress(queue.Empty):
            while True:
                generation, event = self._events.get_nowait()
                if generation != self._generation:
                    continue
                if isinstance(event, Problem):
                    problem = event
                else:
                    compared = event
        frame: Frame | None = None
        if self._player is not None:
            try:
                captured = self._player.read(0)
                frame = None if captured is None else captured.frame
            except SadinetError as error:
                problem = problem_from(error, "the source cannot be read")
                self._player = None
        return CompareNews(compared, problem, frame)

    def stop(self, deadline_s: float = _GRACE_S) -> tuple[str, ...]:
        """End everything; returns the names of the threads that did not end in time."""
        self._threads.end()
        self._let_go()
        return self._threads.join(time.monotonic() + deadline_s)

    def _let_go(self) -> int:
        """Close what is open or being opened; returns the number of what comes next."""
        with self._lock:
            self._generation += 1
            self._wanted = None
            player, self._player = self._player, None
        if player is not None:
            player.close()
        return self._generation

    def _load(self, generation: int, a: Path, b: Path, source: Path | None) -> None:
        from sadinet.tables.read import read_recording

        try:
            first, second = read_recording(a), read_recording(b)
            comparison = compare(first, second)
            found = source or find_source(a) or find_source(b)
        except Exception as error:  # noqa: BLE001  whatever a file holds is told, not lost with the thread
            self._events.put((generation, problem_from(error, "the tables cannot be compared")))
            return
        self._events.put((generation, Compared(first, second, comparison, found)))
        if found is not None:
            self._play(generation, found)

    def _play(self, generation: int, source: Path) -> None:
        from app.clips import open_clip
        from app.player import FilePlayer

        kind = SourceKind.PICTURES if source.is_dir() else SourceKind.FILE
        try:
            clip = open_clip(SourceChoice(kind, str(source)))
            clip.look_through()
            player = FilePlayer(clip, is_playing=False)
        except Exception as error:  # noqa: BLE001  as above
            self._events.put((generation, problem_from(error, f"{source.name} cannot be shown")))
            return
        with self._lock:
            if generation != self._generation or self._threads.is_ended:
                return
            self._player = player
            if self._wanted is not None:
                player.seek(self._wanted)
        player.run()


def find_source(table: Path) -> Path | None:
    """Return what a table is of: as its sidecar says, or the video of the recording that it lies in."""
    from sadinet.tables.sidecar import read_sidecar, sidecar_path

    with suppress(SourceError):
        named = Path(read_sidecar(sidecar_path(table)).source.path)
        for place in (named, table.parent / named, table.parent / named.name):
            if place.exists():
                return place
    recorded = table.parent / _VIDEO_OF_RECORDING
    return recorded if recorded.is_file() else None


def time_of(recording: Recording, frame: int) -> float:
    """Return the time of a frame, NaN where unknown."""
    place = position_of(recording, frame)
    return math.nan if place is None else float(recording.time_s[place])


def position_of(recording: Recording, frame: int) -> int | None:
    """Return where a frame stands in a recording, None if it is not there."""
    place = int(recording.index.searchsorted(frame))
    return place if place < recording.frames and recording.index[place] == frame else None
