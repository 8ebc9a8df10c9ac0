"""What the threads tell the window: plain values, failures included, each heard once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.state import Place, Problem

if TYPE_CHECKING:
    from app.analysis import Analysed
    from app.finder import Heatmap
    from sadinet.engines.session import Runtime
    from sadinet.media.camera_list import CameraInfo
    from sadinet.pipeline.live_status import LiveResult, LiveStatus


@dataclass(frozen=True, slots=True)
class ModelsLoaded:
    """People are found from now on.

    Attributes:
        weights: name of the pose model.
        joints: of its skeleton.
        pose, detector: what they really run on.
        seconds: that loading took.
    """

    weights: str
    joints: tuple[str, ...]
    pose: Runtime
    detector: Runtime
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelsFailed:
    """Nobody is found: there are no models."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class ModelsLost:
    """Nobody is found until others are loaded, which is under way."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class SourceOpened:
    """Frames come. `size_wh` and `rate_hz` as far as they are known."""

    name: str


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """The source did not open, or ended by a fault."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """The source has shown its last frame."""


@dataclass(frozen=True, slots=True)
class SourceNote:
    """The open source has something to tell: lost, frozen, not as asked for; empty once all is well again."""

    text: str


@dataclass(frozen=True, slots=True)
class CamerasFound:
    """The cameras that are there, or why nobody knows."""

    cameras: tuple[CameraInfo, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class AnalysisMoved:
    """So many frames are done; `frames` is None where nobody knows how many there are."""

    done: int
    frames: int | None


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisDone:
    """The open file is analysed, and shown so from now on."""

    analysed: Analysed


@dataclass(frozen=True, slots=True)
class AnalysisStopped:
    """The analysis was stopped, or failed with a problem."""

    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Something that was to be done beside is done, or failed."""

    problem: Problem


Event = (
    ModelsLoaded
    | ModelsFailed
    | ModelsLost
    | SourceOpened
    | SourceFailed
    | SourceEnded
    | SourceNote
    | CamerasFound
    | AnalysisMoved
    | AnalysisDone
    | AnalysisStopped
    | Told
)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What there is to show, and what happened since it was last asked.

    Attributes:
        events: in their order.
        live: the newest result, None if there is no newer one.
        heatmap: of that result's frame, if one is wished for.
        status: how the open source is doing; None if there is none.
        place: where an open file stands; None for a live source.
        is_playing: whether an open file runs on.
    """

    events: tuple[Event, ...] = ()
    live: LiveResult | None = None
    heatmap: Heatmap | None = None
    status: LiveStatus | None = None
    place: Place | None = None
    is_playing: bool = False
