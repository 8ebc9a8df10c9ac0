"""What a queue hears: of files that were looked at, and of the process that works on them. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from app.batch_state import Fault, ItemState


@dataclass(frozen=True, slots=True)
class Looked:
    """An input was looked at, or found in a folder."""

    where: str
    frames: int | None = None
    notes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Something is told of the run."""

    text: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The inputs were looked at; work begins."""


@dataclass(frozen=True, slots=True)
class Began:
    """Work on an input begins."""

    where: str
    frames: int | None
    done: int


@dataclass(frozen=True, slots=True)
class Advanced:
    """Some more frames of an input are done."""

    where: str
    frames: int
    stage: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An input is over. `state` and the other fields as in `Item`."""

    where: str
    state: ItemState
    frames: int | None = None
    people: int = 0
    notes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    page: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """The process holds the work, or goes on with it."""

    is_held: bool


@dataclass(frozen=True, slots=True)
class Reported:
    """A report was written."""

    summary: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Over:
    """The process has ended; `fault` says why, if it should not have."""

    fault: Fault | None = None


BatchEvent = Looked | Line | Ready | Began | Advanced | Ended | Held | Reported | Over
