"""One-Euro: smooths what is seen live, more where a joint rests and less where it moves, so that little lags.

Casiez, Roussel, Vogel: "1 euro filter: a simple speed-based low-pass filter for noisy input in interactive systems",
CHI 2012. Speeds are taken in heights of the person's box a second, so that one setting suits every distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.results import FrameResult, Pose

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OneEuro:
    """How strongly to smooth.

    Attributes:
        rest_hz: cut-off for a joint that rests: lower is calmer.
        per_speed_hz: how much the cut-off rises for each box height a second: higher lags less.
        speed_hz: cut-off for the speed itself.
        forget_s: a person who was away for longer starts anew.

    Raises:
        InputError: for a value that is not a number above 0.
    """

    rest_hz: float = 1.5
    per_speed_hz: float = 12.0
    speed_hz: float = 2.0
    forget_s: float = 0.5

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} is {value}", "must be a number above 0")


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    time_s: float
    joints: Floats  # (K, 2), NaN where a joint was never seen
    speeds: Floats  # (K, 2) pixels a second


class LiveSmoother:
    """Smooths one result after the other, each person by number.

    People without a number, and frames without a time or not later than the last, pass as they are. Scores, sigmas
    and boxes are left alone.
    """

    def __init__(self, settings: OneEuro | None = None) -> None:
        self._settings = settings or OneEuro()
        self._states: dict[int, _State] = {}

    def __call__(self, result: FrameResult) -> FrameResult:
        """Return the result with smoothed joints."""
        now_s = result.frame.time_s
        if not math.isfinite(now_s):
            return result
        known = self._states.items()
        # Time that jumps back is another run of the source: nothing of before holds.
        self._states = {each: s for each, s in known if 0 <= now_s - s.time_s <= self._settings.forget_s}
        return replace(result, poses=tuple(self._pose(pose, now_s) for pose in result.poses))

    def reset(self) -> None:
        """Forget everybody."""
        self._states.clear()

    def _pose(self, pose: Pose, now_s: float) -> Pose:
        if pose.track_id is None:
            return pose
        before = self._states.get(pose.track_id)
        joints = pose.joints.astype(np.float64)
        if before is None or before.joints.shape != joints.shape:
            self._states[pose.track_id] = _State(now_s, joints, np.zeros_like(joints))
            return pose
        if now_s <= before.time_s:
            return pose
        state = self._step(before, joints, now_s, max(pose.box.height, 1.0))
        self._states[pose.track_id] = state
        return replace(pose, joints=np.where(np.isfinite(joints), state.joints, joints).astype(np.float32))

    def _step(self, before: _State, joints: Floats, now_s: float, height: float) -> _State:
        step_s = now_s - before.time_s
        last = np.where(np.isfinite(before.joints), before.joints, joints)
        seen = np.where(np.isfinite(joints), joints, last)
        weight = _weight(np.full(1, self._settings.speed_hz), step_s)
        speeds = np.nan_to_num(before.speeds + weight * ((seen - last) / step_s - before.speeds))
        # One cut-off for x and y, or a joint that moves across would wobble along the other axis.
        speed = np.linalg.norm(speeds, axis=1, keepdims=True) / height
        smoothed = last + _weight(self._settings.rest_hz + self._settings.per_speed_hz * speed, step_s) * (seen - last)
        return _State(now_s, smoothed, speeds)


def _weight(cutoff_hz: Floats, step_s: float) -> Floats:
    # Of the new value, in a low-pass of first order.
    turn = 2 * np.pi * cutoff_hz * step_s
    return np.asarray(turn / (turn + 1))
