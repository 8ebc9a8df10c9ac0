"""Where a person's head is: a circle that holds it, generous where little is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.results import Pose

_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_NECKS = ("neck", "upper_neck")
_TRUSTED = 0.3  # joints that score lower say little of where they are

# A head's height over distances between joints, from a grown-up's proportions; the largest that they give counts.
_OVER_SHOULDERS, _OVER_TORSO, _OVER_EARS, _OVER_EYES, _OVER_NECK_TO_TOP = 0.67, 0.48, 1.55, 3.5, 0.85

_MOST_OF_BOX = 0.7  # a head in close-up takes no more of its box's longer side
_OF_BOX = 0.2  # what a head takes of a box of which nothing else is known: between standing and sitting at a table
_RADIUS = 0.75  # of a head's circle, in heights: half would touch chin and crown
_ABOVE_SHOULDERS = 0.75  # a head's middle over the shoulders, in heights
_ROUND_JOINT = 0.3  # how far a head reaches beyond its joints at least, in heights
_SIGMAS = 2.0
_NEAR = 0.25  # by so much of its size a box is grown when it is asked whether a joint lies in it

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """A circle in frame pixels."""

    x: float
    y: float
    radius: float


def heads_of(pose: Pose) -> tuple[Head, ...]:
    """Return circles that together hold the person's head; none if neither joints nor box are known.

    Joints of the head that score well give one circle. Otherwise there is one above the shoulders, or over the upper
    part of the box, and another one around the joints of the head, as far as they lie near the box.
    """
    joints = _Joints(pose)
    height = _height_px(joints, pose)
    if height is None:
        return ()
    sure = joints.points((*_FACE, "head_top"), least=_TRUSTED)
    if len(sure):
        return (_around(joints, height, _TRUSTED),)
    guesses = [_above_shoulders(joints, height) or _upper_box(pose, height)]
    if len(joints.points((*_FACE, "head_top"))):
        guesses.append(_around(joints, height, 0.0))
    return tuple(head for head in guesses if head is not None)


class _Joints:
    """A pose's joints by name, those that are known and lie near the box."""

    def __init__(self, pose: Pose) -> None:
        self._pose = pose
        known: NDArray[np.bool_] = np.asarray(np.isfinite(pose.joints).all(axis=1))
        box = pose.box
        if np.isfinite([box.x, box.y, box.width, box.height]).all() and box.width > 0 and box.height > 0:
            size = np.array([box.width, box.height])
            low = np.array([box.x, box.y]) - _NEAR * size
            known &= ((pose.joints >= low) & (pose.joints <= low + (1 + 2 * _NEAR) * size)).all(axis=1)
        # A score that is not known is no reason for doubt.
        scores = np.nan_to_num(pose.scores, nan=1.0)
        self._scores = {name: float(scores[at]) for at, name in enumerate(pose.skeleton.joints) if known[at]}

    def names(self, wanted: tuple[str, ...], least: float = 0.0) -> list[str]:
        """Return which of the joints are there."""
        return [name for name in wanted if self._scores.get(name, -1.0) >= least]

    def points(self, wanted: tuple[str, ...], least: float = 0.0) -> Floats:
        """Return those of the joints that are there, (N, 2)."""
        places = [self._pose.skeleton.index(name) for name in self.names(wanted, least)]
        return self._pose.joints[places].astype(np.float64)

    def middle(self, wanted: tuple[str, ...], least: float = _TRUSTED) -> Floats | None:
        """Return the mean of the joints if all of them are there."""
        points = self.points(wanted, least)
        return points.mean(axis=0) if len(points) == len(wanted) else None

    def apart(self, a: str, b: str) -> float | None:
        """Return the distance of two joints, None unless both are trusted."""
        points = self.points((a, b), _TRUSTED)
        return float(np.hypot(*(points[1] - points[0]))) if len(points) == 2 else None

    @property
    def neck(self) -> Floats | None:
        """The neck's place, by whatever name the skeleton has for it."""
        points = self.points(_NECKS, _TRUSTED)
        return points[0] if len(points) else self.middle(("left_shoulder", "right_shoulder"))

    def spread_px(self, wanted: tuple[str, ...], least: float) -> float:
        """Return the joints' mean standard deviation, 0 where nothing is known of it."""
        places = [self._pose.skeleton.index(name) for name in self.names(wanted, least)]
        sigmas = self._pose.sigmas[places]
        known = sigmas[np.isfinite(sigmas)]
        return float(known.mean()) if known.size else 0.0


def _height_px(joints: _Joints, pose: Pose) -> float | None:
    """Return about how high the head is; None if nothing is known of the person's size."""
    shoulders = joints.middle(("left_shoulder", "right_shoulder"))
    hips = joints.middle(("left_hip", "right_hip"))
    torso = None if shoulders is None or hips is None else float(np.hypot(*(shoulders - hips)))
    neck = joints.points(_NECKS, _TRUSTED)
    top = joints.points(("head_top",), _TRUSTED)
    neck_to_top = float(np.hypot(*(neck[0] - top[0]))) if len(neck) and len(top) else None
    cues = (
        (joints.apart("left_shoulder", "right_shoulder"), _OVER_SHOULDERS),
        (torso, _OVER_TORSO),
        (joints.apart("left_ear", "right_ear"), _OVER_EARS),
        (joints.apart("left_eye", "right_eye"), _OVER_EYES),
        (neck_to_top, _OVER_NECK_TO_TOP),
    )
    told = max((distance * share for distance, share in cues if distance is not None), default=0.0)
    longest = max(pose.box.width, pose.box.height)
    if not (np.isfinite(longest) and longest > 0):
        return told or None
    return min(max(told, longest * (0.0 if told else _OF_BOX)), longest * _MOST_OF_BOX)


def _around(joints: _Joints, height: float, least: float) -> Head:
    """Return a circle around the joints of the head that score so much."""
    face = joints.points(_FACE, least)
    top = joints.points(("head_top",), least)
    if len(face):
        centre: Floats = face.mean(axis=0)
    else:
        neck = joints.neck
        centre = top[0] + (np.array([0.0, 0.5 * height]) if neck is None else 0.4 * (neck - top[0]))
    points = np.concatenate([face, top])
    reach = float(np.hypot(*(points - centre).T).max()) + _ROUND_JOINT * height
    # Joints that are far apart are no head: they may stretch the circle to twice its size, not more.
    radius = max(_RADIUS * height, min(reach, 2 * _RADIUS * height))
    spread = joints.spread_px((*_FACE, "head_top"), least)
    return Head(float(centre[0]), float(centre[1]), radius + min(_SIGMAS * spread, height))


def _above_shoulders(joints: _Joints, height: float) -> Head | None:
    neck = joints.neck
    if neck is None:
        return None
    hips = joints.middle(("left_hip", "right_hip"))
    upwards = np.array([0.0, -1.0]) if hips is None else neck - hips
    length = float(np.hypot(*upwards))
    upwards = upwards / length if length else np.array([0.0, -1.0])
    centre = neck + _ABOVE_SHOULDERS * height * upwards
    return Head(float(centre[0]), float(centre[1]), 1.25 * _RADIUS * height)


def _upper_box(pose: Pose, height: float) -> Head | None:
    box = pose.box
    if not np.isfinite([box.x, box.y, box.width]).all():
        return None
    radius = max(0.5 * box.width, _RADIUS * height)
    return Head(box.x + box.width / 2, box.y + min(radius, height), radius)
