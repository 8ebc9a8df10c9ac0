"""What is open, playing, selected and analysed: one frozen value, and the functions that lead from one to the next.

No Qt and no threads in here; the window draws what it is handed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from app.choice import SourceChoice, SourceKind
from sadinet.errors import SadinetError

SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""At how many times the true speed a file may be played."""

MOST_RECENT = 10
MOST_BANNERS = 4


class Phase(Enum):
    """How far the source is."""

    NOTHING = "nothing"
    OPENING = "opening"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands.

    Attributes:
        frame: number of the frame that is shown, from 0.
        time_s: its time, NaN where unknown.
        frames: how many there are; an estimate until the file was looked through; 0 where nobody knows.
        duration_s: time of the last frame, NaN where unknown.
        is_exact: whether these are known for sure.
    """

    frame: int = 0
    time_s: float = float("nan")
    frames: int = 0
    duration_s: float = float("nan")
    is_exact: bool = False


class AnalysisPhase(Enum):
    """How far the analysis of the open file is."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Analysis:
    """Of the open file: so many frames of how many are done."""

    phase: AnalysisPhase = AnalysisPhase.NONE
    done: int = 0
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What a banner tells.

    Attributes:
        message: what happened.
        remedy: what to do about it; empty where nothing helps.
        details: to be copied into a report.
        is_error: or else a note.
    """

    message: str
    remedy: str = ""
    details: str = ""
    is_error: bool = True

    @property
    def line(self) -> str:
        """What its banner is known by: a note is one line, an error has its remedy apart."""
        return self.message if self.is_error or not self.remedy else f"{self.message}: {self.remedy}"


def problem_of(error: SadinetError, details: str = "") -> Problem:
    """Return what to tell of an error."""
    return Problem(error.message, error.remedy, details or f"{type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class AppState:
    """What the window shows.

    Attributes:
        source: what is open, or being opened; None for nothing.
        phase: how far that is.
        is_playing: whether a file runs on by itself.
        place: where a file stands.
        speed: of a file, times its true speed.
        is_looped: whether a file begins again at its end.
        selected: number of the person whose joints are listed; None for the first one.
        analysis: of the open file.
        is_recording: whether what is seen is being recorded.
        are_models_ready: whether people are being looked for.
        is_model_changing: whether another pose model is being loaded in place of the one that runs.
        recent: files, folders and streams, the last one first.
        problems: banners, the oldest first.
    """

    source: SourceChoice | None = None
    phase: Phase = Phase.NOTHING
    is_playing: bool = False
    place: Place = field(default_factory=Place)
    speed: float = 1.0
    is_looped: bool = True
    selected: int | None = None
    analysis: Analysis = field(default_factory=Analysis)
    is_recording: bool = False
    are_models_ready: bool = False
    is_model_changing: bool = False
    recent: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether a file or pictures are open, so that they can be sought through."""
        return self.phase is Phase.OPEN and self.source is not None and not self.source.kind.is_live

    @property
    def is_live(self) -> bool:
        """Whether a camera, a stream or the demo clip is open."""
        return self.phase is Phase.OPEN and self.source is not None and self.source.kind.is_live

    @property
    def can_analyse(self) -> bool:
        """Whether the open file may be analysed now."""
        return self.is_file and self.are_models_ready and self.analysis.phase is AnalysisPhase.NONE

    @property
    def can_record(self) -> bool:
        """Whether what is seen may be recorded; while models change, a recording would be of both."""
        return self.is_live and not self.is_model_changing

    @property
    def can_export(self) -> bool:
        """Whether there is an analysis to export."""
        return self.is_file and self.analysis.phase is AnalysisPhase.DONE


def opening(state: AppState, choice: SourceChoice) -> AppState:
    """A source is being opened; whatever belonged to the last one is gone."""
    return replace(
        state,
        source=choice,
        phase=Phase.OPENING,
        is_playing=False,
        place=Place(),
        selected=None,
        analysis=Analysis(),
        is_recording=False,
    )


def opened(state: AppState) -> AppState:
    """The source is there; it is remembered, unless it is the demo clip or a camera, which have lists of their own."""
    choice = state.source
    if state.phase is not Phase.OPENING or choice is None:
        return state
    state = replace(state, phase=Phase.OPEN, is_playing=choice.kind is SourceKind.FILE or choice.kind.is_live)
    if choice.kind in (SourceKind.DEMO, SourceKind.CAMERA):
        return state
    return replace(state, recent=(choice.where, *(each for each in state.recent if each != choice.where))[:MOST_RECENT])


def failed(state: AppState, problem: Problem) -> AppState:
    """The source did not open, or ended by a fault; a file that does not open is not offered again."""
    where = state.source.where if state.source is not None and state.phase is Phase.OPENING else None
    recent = tuple(each for each in state.recent if each != where)
    state = replace(state, phase=Phase.FAILED, is_playing=False, is_recording=False, recent=recent)
    return told(state, problem)


def closed(state: AppState) -> AppState:
    """Nothing is open any more."""
    return replace(
        state,
        source=None,
        phase=Phase.NOTHING,
        is_playing=False,
        place=Place(),
        selected=None,
        analysis=Analysis(),
        is_recording=False,
    )


def played(state: AppState, is_playing: bool) -> AppState:
    """A file runs, or stands."""
    return replace(state, is_playing=is_playing) if state.is_file else state


def placed(state: AppState, place: Place) -> AppState:
    """Another frame of a file is shown."""
    return replace(state, place=place) if state.is_file else state


def sped(state: AppState, speed: float) -> AppState:
    """A file runs at another speed: the nearest that there is."""
    return replace(state, speed=min(SPEEDS, key=lambda each: abs(each - speed)))


def faster(state: AppState, steps: int) -> AppState:
    """A file runs so many steps faster, or slower if negative."""
    place = SPEEDS.index(min(SPEEDS, key=lambda each: abs(each - state.speed))) + steps
    return replace(state, speed=SPEEDS[max(0, min(place, len(SPEEDS) - 1))])


def looped(state: AppState, is_looped: bool) -> AppState:
    """A file begins again at its end, or does not."""
    return replace(state, is_looped=is_looped)


def selected(state: AppState, track_id: int | None) -> AppState:
    """A person is chosen; choosing the same one again lets go."""
    return replace(state, selected=None if track_id == state.selected else track_id)


def analysing(state: AppState, done: int = 0, frames: int | None = None) -> AppState:
    """The open file is being analysed."""
    return replace(state, analysis=Analysis(AnalysisPhase.RUNNING, done, frames)) if state.is_file else state


def analysed(state: AppState, frames: int) -> AppState:
    """The open file is analysed; numbers of people are new, so nobody is chosen."""
    if not state.is_file:
        return state
    return replace(state, analysis=Analysis(AnalysisPhase.DONE, frames, frames), selected=None)


def not_analysed(state: AppState, problem: Problem | None = None) -> AppState:
    """The analysis was stopped, or failed."""
    state = replace(state, analysis=Analysis())
    return state if problem is None else told(state, problem)


def recording(state: AppState, is_recording: bool) -> AppState:
    """What is seen is being recorded, or not any more."""
    return replace(state, is_recording=is_recording and state.can_record)


def told(state: AppState, problem: Problem) -> AppState:
    """Something is to be told; the same is not told twice, and old ones make room."""
    others = tuple(each for each in state.problems if each.message != problem.message)
    return replace(state, problems=(*others, problem)[-MOST_BANNERS:])


def dismissed(state: AppState, line: str) -> AppState:
    """The user has read it, or it does not hold any more; named by its message or its line."""
    kept = tuple(each for each in state.problems if line not in (each.message, each.line))
    return state if len(kept) == len(state.problems) else replace(state, problems=kept)
