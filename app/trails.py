"""Where each person was in the last two seconds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sadinet.results import FrameResult, Pose

TRAIL_S: Final = 2.0
_MOST_POINTS = 500  # of a very fast camera


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """The way of one person.

    Attributes:
        track_id: whose.
        times_s: (N,) rising; N at least 2.
        points: (N, 2) frame pixels, the middle of the hips, or of the box where no hip is known.
    """

    track_id: int
    times_s: NDArray[np.float64]
    points: NDArray[np.float64]


class Trails:
    """Collects trails from one result after the other; a seek, a cut or another source begins anew."""

    def __init__(self) -> None:
        self._ways: dict[int, deque[tuple[float, float, float]]] = {}
        self._last: tuple[str, int, float] = ("", -1, math.nan)

    def add(self, result: FrameResult) -> None:
        """Take a result; frames without a time leave no trail."""
        frame = result.frame
        source, index, time_s = self._last
        gap_s = frame.time_s - time_s
        if frame.source != source or frame.index < index or not gap_s <= TRAIL_S or "cut" in frame.flags:
            self._ways.clear()
        self._last = (frame.source, frame.index, frame.time_s)
        if not math.isfinite(frame.time_s):
            return
        for pose in result.poses:
            if pose.track_id is not None:
                self._note(pose.track_id, frame.time_s, _middle(pose))
        for track_id, way in list(self._ways.items()):
            while way and way[0][0] < frame.time_s - TRAIL_S:
                way.popleft()
            if not way:
                del self._ways[track_id]

    def current(self) -> tuple[Trail, ...]:
        """Return the trails of people who have at least two points."""
        rows = {track_id: np.array(way) for track_id, way in self._ways.items() if len(way) > 1}
        return tuple(Trail(track_id, each[:, 0], each[:, 1:]) for track_id, each in rows.items())

    def clear(self) -> None:
        """Forget everything."""
        self._ways.clear()
        self._last = ("", -1, math.nan)

    def _note(self, track_id: int, time_s: float, middle: tuple[float, float]) -> None:
        way = self._ways.setdefault(track_id, deque(maxlen=_MOST_POINTS))
        if math.isfinite(middle[0]) and math.isfinite(middle[1]) and (not way or way[-1][0] < time_s):
            way.append((time_s, *middle))


def _middle(pose: Pose) -> tuple[float, float]:
    hips = [place for place, name in enumerate(pose.skeleton.joints) if name in ("left_hip", "right_hip")]
    points = pose.joints[hips]
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return pose.box.centre
    x, y = points.mean(axis=0).tolist()
    return x, y
