"""The threads of the program: opening sources, playing, finding people, analysing.

The window commands, which never waits, and polls. What the threads have to say waits in a queue; what there is to see
in boxes of one slot. Failures come back as values.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.analyst import Analyst, FileView
from app.choice import SourceChoice
from app.events import (
    CamerasFound,
    Event,
    Snapshot,
    SourceFailed,
    SourceOpened,
    Told,
)
from app.file_control import FileControl
from app.finder import Finder, Wishes
from app.loading import ModelChoice, load_people, make_blur, problem_from
from app.model_loader import ModelLoader
from app.open_source import OpenSource
from app.opening import open_live
from app.state import Problem
from app.threads import Threads
from sadinet.errors import SadinetError, SourceError

if TYPE_CHECKING:
    from app.clips import Clip
    from sadinet.media.live_source import LiveSource
    from sadinet.pipeline.stages import People
    from sadinet.results import FrameResult

_GRACE_S = 0.2  # what a deadline leaves for the rest


class Workers:
    """Everything that goes on beside the window. Commands come from one thread.

    Attributes:
        files: plays, steps and seeks.

    Args:
        models: which to load.
        cache: folder of all analyses.
        open_source: opens a live source; for tests.
        load: loads models; for tests.
    """

    def __init__(
        self,
        models: ModelChoice,
        cache: Path,
        *,
        open_source: Callable[[SourceChoice], LiveSource] = open_live,
        load: Callable[[ModelChoice], People] | None = None,
    ) -> None:
        self.files = FileControl(lambda: None if self._open is None else self._open.player)
        self._open_source = open_source
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._threads = Threads()
        self._lock = threading.Lock()
        self._generation = 0
        self._open: OpenSource | None = None
        self._models = ModelLoader(models, load or load_people, self._start, self._equip, self._events.put)
        self._analyst = Analyst(cache, self._start, self._events.put, self._models.fall_back)
        self._wishes = Wishes()
        self._sink: Callable[[FrameResult], None] | None = None

    def load_models(self) -> None:
        """Load the models; `ModelsLoaded` or `ModelsFailed` tells when."""
        self._models.begin()

    @property
    def weights(self) -> str:
        """The pose model that is chosen, by name or path."""
        return self._models.weights

    @property
    def is_loading_model(self) -> bool:
        """Whether the pose model that is chosen is not there yet."""
        return self._models.is_loading

    def choose_model(self, weights: str) -> None:
        """Find people with another pose model; `ModelsLoaded` or `ModelsFailed` tells."""
        self._models.choose(weights)

    def _equip(self, people: People) -> None:
        with self._lock:
            opened = self._open
        if opened is not None:
            opened.finder.use(people)
            if opened.player is not None:
                opened.player.show_again()

    # sources

    def find_cameras(self) -> None:
        """Look which cameras are there; `CamerasFound` tells."""
        self._start("cameras", self._find_cameras)

    def _find_cameras(self) -> None:
        try:
            from sadinet.media.camera_list import list_cameras

            self._events.put(CamerasFound(list_cameras()))
        except SourceError as error:
            self._events.put(CamerasFound((), str(error)))
        except Exception as error:  # noqa: BLE001  a driver may raise anything
            self._events.put(CamerasFound((), f"cameras cannot be listed: {error}"))

    def open(self, choice: SourceChoice, *, is_playing: bool = True) -> None:
        """Close what is open, and open this; `SourceOpened` or `SourceFailed` tells when."""
        self.close()
        generation = self._generation
        self._start("opening", lambda: self._open_now(choice, generation, is_playing=is_playing))

    def close(self) -> None:
        """Close what is open, or being opened; a device that hangs is left to its thread."""
        self.cancel_analysis()
        with self._lock:
            self._generation += 1
            opened, self._open = self._open, None
        if opened is not None:
            self._start("closing", lambda: _close(opened))

    def _open_now(self, choice: SourceChoice, generation: int, *, is_playing: bool) -> None:
        try:
            opened, clip = self._made(choice, is_playing=is_playing)
        except Exception as error:  # noqa: BLE001  a driver may raise anything, and it is told
            if generation == self._generation:
                self._events.put(SourceFailed(problem_from(error, f"{choice.name} does not open")))
            return
        with self._lock:
            is_wanted = generation == self._generation and not self._threads.is_ended
            if is_wanted:
                # Those that come later are handed over by `_equip`, which waits for this lock.
                if (people := self._models.people) is not None:
                    opened.finder.use(people)
                # Before anybody can see it: what does not run counts as over.
                opened.live.start()
                self._open = opened
        if not is_wanted:
            _close(opened)
            return
        if opened.player is not None:
            self._start("player", opened.player.run)
        self._events.put(SourceOpened(opened.live.source.name))
        if clip is not None:
            # What the packets say is better than what the container claims, but takes its time.
            with suppress(SadinetError):
                clip.look_through()

    def _made(self, choice: SourceChoice, *, is_playing: bool) -> tuple[OpenSource, Clip | None]:
        from sadinet.pipeline.live import LivePipeline

        finder = Finder(self._wishes, make_blur, self._models.fall_back)
        finder.sink = self._sink
        if choice.kind.is_live:
            return OpenSource(choice, LivePipeline(self._open_source(choice), finder), finder), None
        from app.clips import open_clip

        clip = open_clip(choice)
        is_playing = is_playing and clip.frames != 1
        player = self.files.player(clip, is_playing=is_playing)
        return OpenSource(choice, LivePipeline(player, finder), finder, player), clip

    # what is done with each frame

    def set_wishes(self, wishes: Wishes) -> None:
        """Say what is to be done with each frame from now on."""
        self._wishes = wishes
        opened = self._open
        if opened is not None:
            opened.finder.wishes = wishes
            if opened.player is not None:
                opened.player.show_again()

    def set_sink(self, sink: Callable[[FrameResult], None] | None) -> None:
        """Hand each result as it was found to `sink`, in the thread that found it; None for nobody."""
        self._sink = sink
        opened = self._open
        if opened is not None:
            opened.finder.sink = sink

    # analysis

    def analyse(self, *, angles: bool = True) -> None:
        """Analyse the open file from its first frame to its last; one at a time."""
        opened, people = self._open, self._models.people
        if opened is None or opened.player is None or people is None:
            return
        opened.player.play(False)
        show = FileView(opened.choice, opened.finder, opened.player, lambda: opened is self._open)
        self._analyst.begin(show, people.settings, angles=angles)

    def cancel_analysis(self) -> None:
        """Stop the analysis at its next frame; what it did is kept for the next time."""
        self._analyst.cancel()

    # anything else

    def run(self, name: str, work: Callable[[], Problem | None]) -> None:
        """Do something beside; what it returns, or how it fails, is told."""

        def guarded() -> None:
            try:
                problem = work()
            except Exception as error:  # noqa: BLE001  it is told
                problem = problem_from(error, f"{name} failed")
            if problem is not None:
                self.tell(problem)

        self._start(name, guarded)

    def tell(self, problem: Problem) -> None:
        """Show a banner; from any thread."""
        self._events.put(Told(problem))

    # the window's side

    def poll(self) -> Snapshot:
        """Return what there is to show, without waiting."""
        opened = self._open
        events = self._drained()
        if opened is None:
            return Snapshot(events)
        return opened.snapshot(events)

    def _drained(self) -> tuple[Event, ...]:
        events: list[Event] = []
        while True:
            try:
                events.append(self._events.get_nowait())
            except queue.Empty:
                return tuple(events)

    def stop(self, deadline_s: float = 2.5) -> tuple[str, ...]:
        """End everything; returns the names of the threads that did not end in time."""
        deadline = time.monotonic() + deadline_s
        self.cancel_analysis()
        self._threads.end()
        with self._lock:
            self._generation += 1
            opened, self._open = self._open, None
        late: tuple[str, ...] = ()
        if opened is not None:
            late = opened.live.stop(max(0.0, deadline - _GRACE_S - time.monotonic()))
        return (*late, *self._threads.join(deadline))

    def _start(self, name: str, work: Callable[[], None]) -> None:
        self._threads.start(f"app {name}", work)


def _close(opened: OpenSource) -> None:
    opened.live.stop()
