"""Crops from the last poses: where people should be, and whether the poses found there are to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import Box
from sadinet.people.motion_model import Track
from sadinet.people.similarity import Bodies, bodies_of, nearness, oks
from sadinet.results import Pose

Floats = NDArray[np.float64]

_AT_EDGE_PX = 2.0
_STILL = 0.05  # way that counts as none, by the square root of the box's area


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """The last time that the detector, not only a pose, saw a person.

    Attributes:
        time_s: when.
        box: the detector's, with its confidence.
        body: the pose in that box.
    """

    time_s: float
    box: Box
    body: Bodies


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Where a person should be in the frame at hand.

    Attributes:
        number: the person's.
        box: within the frame.
        body: the last pose, moved on.
        inside: share of the box that lies in the frame.
        score: mean score that the person's poses have had.
    """

    number: int
    box: Box
    body: Bodies
    inside: float
    score: float


def expect(track: Track, sighting: Sighting, now_s: float, size_wh: tuple[int, int]) -> Expected | None:
    """Return where a person should be; None where hardly anything of the box lies in the frame.

    The box is the detector's last one, moved as the joints have moved since and will have moved by now: it keeps
    what the detector knows of hair, feet and clothes, and cannot shrink or drift away by poses that come from its
    own crops. It stays at the frame's edge where it ended there.
    """
    body = track.expected(now_s)
    whole = _moved(sighting, body)
    box = sighting.box
    edges = np.array([box.x, box.y, box.x + box.width, box.y + box.height])
    limits = np.array([-0.5, -0.5, size_wh[0] - 0.5, size_wh[1] - 0.5])
    at_edge = np.abs(edges - limits) < _AT_EDGE_PX
    whole = np.where(at_edge, limits, whole)
    low, high = np.maximum(whole[:2], limits[:2]), np.minimum(whole[2:], limits[2:])
    if not np.isfinite(whole).all() or (high - low <= 2).any():
        return None
    inside = float((high - low).prod() / (whole[2:] - whole[:2]).prod())
    x, y, width, height = (float(value) for value in (*low, *(high - low)))
    return Expected(track.number, Box(x, y, width, height, sighting.box.score), body, inside, track.score)


def _moved(sighting: Sighting, body: Bodies) -> Floats:
    """Return left, top, right and bottom of the sighting's box, moved to where the body is.

    The way is the joints' median, so that a limb that jumps moves nothing, and its first part is left out, so that
    the crop of somebody who stands does not tremble with the joints.
    """
    box = sighting.box
    weights = np.sqrt(sighting.body.scores[0] * body.scores[0])
    way = _median(body.joints[0] - sighting.body.joints[0], weights)
    length = float(np.linalg.norm(way))
    way = way * (max(length - _STILL * float(np.sqrt(box.area)), 0.0) / max(length, 1e-9))
    moved: Floats = np.array([box.x, box.y, box.x + box.width, box.y + box.height]) + np.tile(way, 2)
    return moved


def _median(values: Floats, weights: Floats) -> Floats:
    """Return the weighted median of each column of (K, 2); 0 where nothing weighs."""
    if not weights.sum() > 0:
        return np.zeros(values.shape[1])
    order = np.argsort(values, axis=0, kind="stable")
    below = np.cumsum(weights[order], axis=0)
    middle = np.argmax(below >= below[-1] / 2, axis=0)
    found: Floats = np.take_along_axis(np.take_along_axis(values, order, axis=0), middle[None], axis=0)[0]
    return found


def is_believable(pose: Pose, expected: Expected, *, lost_ratio: float, reach: float) -> bool:
    """Say whether a pose found in an expected box is that person: sure enough, and where it should be."""
    if not pose.score >= lost_ratio * expected.score:
        return False
    return bool(nearness(expected.body, bodies_of([pose], pose.skeleton), reach)[0, 0] >= np.exp(-0.5))


def twins(poses: Sequence[Pose], same_oks: float) -> tuple[tuple[int, int], ...]:
    """Return the places of each two poses that are of one and the same person."""
    if len(poses) < 2:
        return ()
    bodies = bodies_of(poses, poses[0].skeleton)
    alike = oks(bodies, bodies)
    return tuple((int(a), int(b)) for a, b in np.argwhere(np.triu(alike > same_oks, k=1)))


def without_twins(poses: Sequence[Pose], same_oks: float) -> tuple[Pose, ...]:
    """Leave out of each two poses of one person the one whose box is less sure; the rest keep their order."""
    dropped: set[int] = set()
    for a, b in twins(poses, same_oks):
        if not {a, b} & dropped:
            dropped.add(a if _sureness(poses[a]) < _sureness(poses[b]) else b)
    return tuple(pose for place, pose in enumerate(poses) if place not in dropped)


def _sureness(pose: Pose) -> tuple[float, ...]:
    # Beyond the scores only the place, so that the order of the poses decides nothing.
    return (pose.box.score, pose.score, -pose.box.x, -pose.box.y, pose.box.area)


def box_rows(boxes: Sequence[Box]) -> Floats:
    """Return boxes as rows x, y, width, height, (N, 4)."""
    return np.array([(box.x, box.y, box.width, box.height) for box in boxes], dtype=float).reshape(-1, 4)
