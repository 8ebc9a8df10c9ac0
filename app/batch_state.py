"""A queue of files and how far it is: one frozen value. No Qt, no threads."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class ItemState(StrEnum):
    """How far one input is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    KEPT = "kept"
    IN_PART = "in part"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it in this run."""
        return self not in (ItemState.WAITING, ItemState.RUNNING)

    @property
    def has_results(self) -> bool:
        """Whether files were written."""
        return self in (ItemState.DONE, ItemState.KEPT, ItemState.IN_PART)


class BatchPhase(StrEnum):
    """What the queue does."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"

    @property
    def is_busy(self) -> bool:
        """Whether a process works on it, or holds it."""
        return self is not BatchPhase.IDLE


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What each input is to give, as on the command line.

    Attributes:
        folder: of the results; empty before one was chosen.
        formats: tables, by the names of `sadinet.tables.writer.FORMATS`.
        overlay: also write the skeletons drawn.
        page: also write a page of pictures and charts.
        angles: add columns of joint angles.
        metres_per_pixel: scale for .trc and .c3d; 0 where nobody measured it.
        jobs: processes to work in.
        weights, engine, device, chunk_frames: as for `sadinet.pipeline.Settings`.
    """

    folder: str = ""
    formats: tuple[str, ...] = ("csv",)
    overlay: bool = False
    page: bool = True
    angles: bool = False
    metres_per_pixel: float = 0.0
    jobs: int = 1
    weights: str = "default"
    engine: str = "auto"
    device: str = "auto"
    chunk_frames: int = 600


@dataclass(frozen=True, slots=True)
class Item:
    """One input of the queue.

    Attributes:
        where: the input, as the command line takes it.
        state: how far it is.
        stage: what is being done: "poses" or "drawing".
        done: frames done in this stage.
        frames: how many there are, None where nobody knows.
        people: most at once.
        notes: what is unusual or wrong, one line each; why it failed.
        outputs: names of the files written.
        page: which of them is the page; empty for none.
        is_removed: taken off the list; its name is kept, as another file's results must not take their place.
    """

    where: str
    state: ItemState = ItemState.WAITING
    stage: str = ""
    done: int = 0
    frames: int | None = None
    people: int = 0
    notes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    page: str = ""
    is_removed: bool = False

    @property
    def name(self) -> str:
        """What to call it on the screen."""
        return Path(self.where).name or self.where

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1; of the drawing while that goes on."""
        if self.state.has_results:
            return 1.0
        return min(1.0, self.done / self.frames) if self.frames else 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the whole queue stopped.

    Attributes:
        message: what happened.
        remedy: what to do about it; empty where nothing helps.
        details: to be copied into a report.
    """

    message: str
    remedy: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class BatchState:
    """The queue.

    Attributes:
        items: in their order, those that were removed included.
        options: for all of them.
        phase: what is going on.
        is_check: whether the inputs are only looked at.
        was_cut: whether the last run ended before everything was done, as the program ended.
        lines: what is told of the run: models, what is unusual, how long it will take.
        summary: one line about the last run.
        report: its page; empty for none.
        fault: why it stopped, None if it did not.
        computed: frames looked at in this run.
        active_s: that this took, pauses left out.
        heard_s: moment of the last word, by a monotonic clock; NaN while nothing is counted.
    """

    items: tuple[Item, ...] = ()
    options: BatchOptions = field(default_factory=BatchOptions)
    phase: BatchPhase = BatchPhase.IDLE
    is_check: bool = False
    was_cut: bool = False
    lines: tuple[str, ...] = ()
    summary: str = ""
    report: str = ""
    fault: Fault | None = None
    computed: int = 0
    active_s: float = 0.0
    heard_s: float = math.nan

    @property
    def shown(self) -> tuple[Item, ...]:
        """Those that were not removed."""
        return tuple(item for item in self.items if not item.is_removed)

    @property
    def can_start(self) -> bool:
        """Whether there is something to do and a place for it."""
        return not self.phase.is_busy and bool(self.shown) and bool(self.options.folder)

    @property
    def can_resume(self) -> bool:
        """Whether a start would go on with what was begun."""
        begun = any(item.state.has_results or item.done for item in self.shown)
        return self.can_start and begun and any(not item.state.is_over for item in self.shown)

    @property
    def frames(self) -> int:
        """Frames of all inputs, as far as they are known."""
        return sum(item.frames or 0 for item in self.shown if item.state is not ItemState.FAILED)

    @property
    def done(self) -> int:
        """Frames of all inputs that are done."""
        return sum(_done(item) for item in self.shown if item.state is not ItemState.FAILED)

    @property
    def fps(self) -> float:
        """Frames a second in this run; NaN before the first."""
        return self.computed / self.active_s if self.computed and self.active_s > 0 else math.nan

    @property
    def left_s(self) -> float:
        """Seconds that the rest will take at this rate; NaN where nobody knows."""
        waiting = [item for item in self.shown if not item.state.is_over]
        # One that could not even be looked at takes no time.
        if not waiting or any(item.frames is None and not item.notes for item in waiting):
            return math.nan
        return (self.frames - self.done) / self.fps


def _done(item: Item) -> int:
    frames = item.frames or 0
    if item.state.has_results or item.stage == "drawing":
        return frames
    return min(item.done, frames)
