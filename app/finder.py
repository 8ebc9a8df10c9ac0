"""Frame -> what is shown of it: people found now, or those of the analysis; smoothed, blurred, and a heatmap."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import DeviceMemoryError
from sadinet.geometry import Matrix
from sadinet.recording import Recording
from sadinet.results import Frame, FrameResult, Pose

if TYPE_CHECKING:
    from sadinet.people.following import Follower
    from sadinet.pipeline.stages import People

Blur = Callable[[Frame, Sequence[Pose]], Frame]

_JUMP_S = 1.0  # time that leaps on by more is another place of the file
_FIRST_INTERVAL = 3  # until there are models to ask


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap:
    """What the network says of one joint of one person.

    Attributes:
        index: number of the frame it belongs to.
        values: (h, w) float32.
        matrix: (2, 3) float64, from frame pixels to cells.
    """

    index: int
    values: NDArray[np.float32]
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be done with each frame.

    Attributes:
        is_smooth: smooth what is found live.
        is_blurred: make faces unrecognisable.
        heatmap_joint: joint whose heatmap is shown, None for none.
        selected: number of the person of whom; None for the first one.
    """

    is_smooth: bool = True
    is_blurred: bool = False
    heatmap_joint: str | None = None
    selected: int | None = None


class Finder:
    """Takes one frame after the other, in the thread of the pipeline; any thread may tell it what to do.

    Without models, frames come back with nobody in them, so that there is something to see from the first moment on.

    Args:
        wishes: what to do.
        make_blur: makes what covers faces, given a frame and its people; called when it is first needed.
        fall_back: hears that the device of the models ran out of memory; returns whether others will come.

    Attributes:
        wishes: what to do with each frame from now on.
        sink: takes every result as it was found, neither smoothed nor with faces covered; None for nobody.
        heatmap: of the last frame; None if none was wished for, or nobody was there.
    """

    def __init__(
        self,
        wishes: Wishes,
        make_blur: Callable[[], Blur],
        fall_back: Callable[[DeviceMemoryError], bool] = lambda error: False,
    ) -> None:
        self.wishes = wishes
        self.sink: Callable[[FrameResult], None] | None = None
        self.heatmap: Heatmap | None = None
        self._make_blur = make_blur
        self._fall_back = fall_back
        self._blur: Blur | None = None
        self._lock = threading.Lock()
        self._people: People | None = None
        self._follower: Follower | None = None
        self._smoother: Callable[[FrameResult], FrameResult] | None = None
        self._recording: Recording | None = None
        self._places: dict[str, int] = {}
        self._last: FrameResult | None = None

    @property
    def detection_interval(self) -> int:
        """The detector looks at every n-th frame."""
        follower = self._follower
        return _FIRST_INTERVAL if follower is None else follower.detection_interval

    @detection_interval.setter
    def detection_interval(self, interval: int) -> None:
        if self._follower is not None:
            self._follower.detection_interval = interval

    def use(self, people: People) -> None:
        """Find people from now on."""
        from sadinet.motion.live import LiveSmoother

        with self._lock:
            self._people, self._follower = people, people.follower()
            self._smoother, self._last = LiveSmoother(), None

    def show(self, recording: Recording | None, *, are_pictures: bool = False) -> None:
        """Show the people of an analysis from now on; None finds them again."""
        with self._lock:
            self._recording, self._last = recording, None
            self._places = {}
            if recording is not None and are_pictures:
                self._places = {source: place for place, source in enumerate(recording.sources)}

    def __call__(self, frame: Frame) -> FrameResult:
        """Return the frame with its people.

        Raises:
            DeviceMemoryError: if the device of the models has too little memory, and no others will come.
        """
        try:
            return self._found(frame)
        except DeviceMemoryError as error:
            if not self._fall_back(error):
                raise
        with self._lock:
            # Until the others are there, people are not looked for.
            self._people = self._follower = self._smoother = self._last = None
        return self._found(frame)

    def _found(self, frame: Frame) -> FrameResult:
        wishes = self.wishes
        with self._lock:
            raw = self._raw(frame)
            shown = raw
            if self._recording is not None:
                self._note_heatmap(frame, raw.poses, wishes)
                return self._blurred(raw) if wishes.is_blurred else raw
            if self._smoother is not None and wishes.is_smooth:
                shown = self._smoother(raw)
            self._note_heatmap(frame, raw.poses, wishes)
        sink = self.sink
        if sink is not None:
            sink(raw)
        # By the measured joints: smoothed ones may lag behind a head that moves.
        return replace(shown, frame=self._blurred(raw).frame) if wishes.is_blurred else shown

    def _blurred(self, result: FrameResult) -> FrameResult:
        if self._blur is None:
            self._blur = self._make_blur()
        return replace(result, frame=self._blur(result.frame, result.poses))

    def _raw(self, frame: Frame) -> FrameResult:
        if self._recording is not None:
            return FrameResult(frame, self._known(self._recording, frame))
        if self._follower is None:
            # Nobody knows where faces are.
            hidden = replace(frame, image=np.zeros_like(frame.image)) if self.wishes.is_blurred else frame
            return FrameResult(hidden, ())
        last = self._last
        if last is not None and _is_same(last.frame, frame):
            return replace(last, frame=frame, timings_ms={})
        if last is not None and _is_elsewhere(last.frame, frame):
            self._follower.reset()
        self._last = self._follower(frame)
        return self._last

    def _known(self, recording: Recording, frame: Frame) -> tuple[Pose, ...]:
        from sadinet.batch.windows import shown_poses

        if self._places:
            place = self._places.get(frame.source, -1)
        else:
            place = int(np.searchsorted(recording.index, frame.index))
            if place >= recording.frames or recording.index[place] != frame.index:
                place = -1
        return shown_poses(recording, place) if place >= 0 else ()

    def _note_heatmap(self, frame: Frame, poses: tuple[Pose, ...], wishes: Wishes) -> None:
        self.heatmap = None
        if wishes.heatmap_joint is None or self._people is None or not poses:
            return
        estimator = self._people.estimator
        skeleton = estimator.weights.pose.skeleton
        if wishes.heatmap_joint not in skeleton.joints:
            return
        pose = next((pose for pose in poses if pose.track_id == wishes.selected), poses[0])
        found = estimator.maps(frame.image, [pose.box])
        values = found.parts[0].heatmaps[0, skeleton.index(wishes.heatmap_joint)]
        matrix = _to_cells(found.matrices[0], estimator.weights.pose.heatmap.stride)
        self.heatmap = Heatmap(frame.index, values, matrix)


def _is_same(before: Frame, now: Frame) -> bool:
    return before.index == now.index and before.source == now.source and before.image is now.image


def _is_elsewhere(before: Frame, now: Frame) -> bool:
    if now.index <= before.index or now.source != before.source:
        return True
    return math.isfinite(now.time_s) and not 0 < now.time_s - before.time_s <= _JUMP_S


def _to_cells(matrix: Matrix, stride: float) -> Matrix:
    """Return the map from frame pixels to heatmap cells, of that from frame to crop pixels."""
    shift = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.5]])
    to_cells: Matrix = (np.asarray(matrix)[:2] + shift) / stride
    to_cells[:, 2] -= 0.5
    return to_cells
