"""Joint angles of one person over the last seconds, and the limits that they must keep."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sadinet.motion.angles import ANGLES, angles
from sadinet.motion.settings import MotionSettings
from sadinet.results import FrameResult, Pose

SECONDS: Final = 10.0
HOLD_S: Final = 0.5
"""An alarm lasts at least so long: an angle that trembles at its limit must not flicker."""
_MOST: Final = 3000
_LEAST_SCORE: Final = MotionSettings().least_score

Limits = dict[str, tuple[float, float]]
"""Angle -> least and greatest degrees; a bound of `bounds_of` limits nothing."""

Angle = tuple[float, float]
"""Degrees and their standard deviation; NaN where not known."""

UNKNOWN: Final[Angle] = (math.nan, math.nan)


def bounds_of(name: str) -> tuple[float, float]:
    """Return the least and greatest value that an angle can have, degrees."""
    return (0.0, 180.0) if len(ANGLES[name]) == 3 else (-180.0, 180.0)


def angles_of(pose: Pose) -> dict[str, Angle]:
    """Return a person's angles; those at joints that score too low to be trusted are not known."""
    trusted = ~(np.nan_to_num(pose.scores, nan=np.inf) < _LEAST_SCORE)
    joints = np.where(trusted[:, None], pose.joints, np.nan)
    found = angles(joints[None], pose.sigmas[None], pose.skeleton)
    return {name: (float(value[0]), float(sigma[0])) for name, (value, sigma) in found.items()}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An angle's alarm that began or ended."""

    angle: str
    is_on: bool


class AngleCourse:
    """Takes one result after the other, and remembers the angles of one person."""

    def __init__(self) -> None:
        self.limits: Limits = {}
        self.current: dict[str, Angle] = {}
        """Angles of the newest result; empty while the person is not in view."""
        self._person: int | None = None
        self._followed: int | None = None
        self._times_s: deque[float] = deque(maxlen=_MOST)
        self._values: dict[str, deque[Angle]] = {name: deque(maxlen=_MOST) for name in ANGLES}
        self._alarmed_s: dict[str, float] = {}

    @property
    def followed(self) -> int | None:
        """Number of the person whose angles these are, None if nobody is numbered."""
        return self._followed

    @property
    def alarms(self) -> frozenset[str]:
        """Angles whose alarm is on."""
        return frozenset(self._alarmed_s)

    def set_person(self, track_id: int | None) -> None:
        """Follow this person; None for whoever is largest, as long as there."""
        if track_id != self._person:
            self._person = self._followed = track_id
            self.clear()

    def clear(self) -> None:
        """Forget the past."""
        self._times_s.clear()
        for values in self._values.values():
            values.clear()
        self.current = {}

    def add(self, result: FrameResult) -> tuple[Alarm, ...]:
        """Take a result; returns which alarms began or ended."""
        time_s = result.frame.time_s
        if not math.isfinite(time_s):
            time_s = self._times_s[-1] + 1 / 30 if self._times_s else 0.0
        if self._times_s and not 0 <= time_s - self._times_s[-1] <= SECONDS:
            self.clear()  # a seek, a loop or another source
            self._alarmed_s = dict.fromkeys(self._alarmed_s, time_s)
        pose = self._chosen(result.poses)
        self.current = {} if pose is None else angles_of(pose)
        if not self._times_s or time_s > self._times_s[-1]:
            self._times_s.append(time_s)
            for name, values in self._values.items():
                values.append(self.current.get(name, UNKNOWN))
        return self._judge(time_s)

    def course(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds before the newest (N,), degrees (N,) and standard deviations (N,) of an angle."""
        if not self._times_s:
            return np.zeros(0), np.zeros(0), np.zeros(0)
        times_s = np.array(self._times_s) - self._times_s[-1]
        values = np.array(self._values[name])
        recent = times_s >= -SECONDS
        return times_s[recent], values[recent, 0], values[recent, 1]

    def is_over(self, name: str, limits: Mapping[str, tuple[float, float]] | None = None) -> bool:
        """Say whether an angle is beyond its limits now."""
        value = self.current.get(name, UNKNOWN)[0]
        low, high = (self.limits if limits is None else limits).get(name, bounds_of(name))
        return value < low or value > high

    def _chosen(self, poses: tuple[Pose, ...]) -> Pose | None:
        wanted = self._person if self._person is not None else self._followed
        found = next((pose for pose in poses if pose.track_id is not None and pose.track_id == wanted), None)
        if found is not None or self._person is not None or not poses:
            return found
        largest = max(poses, key=lambda pose: pose.box.area)
        if largest.track_id != self._followed:
            self._followed = largest.track_id
            self.clear()
        return largest

    def _judge(self, time_s: float) -> tuple[Alarm, ...]:
        changed: list[Alarm] = []
        for name in ANGLES:
            if self.is_over(name):
                if name not in self._alarmed_s:
                    changed.append(Alarm(name, True))
                self._alarmed_s[name] = time_s
            elif name in self._alarmed_s and time_s - self._alarmed_s[name] >= HOLD_S:
                del self._alarmed_s[name]
                changed.append(Alarm(name, False))
        return tuple(changed)
