"""Two results of the same source held against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.people.assignment import assign
from sadinet.people.similarity import bodies_of_arrays, oks
from sadinet.recording import Recording
from sadinet.results import Frame
from sadinet.skeletons import convert

SAME_OKS = 0.1
"""Two bodies less alike than this are not the same person."""

_BLANK_WH = (1280, 720)
_MOST_PX = 8192

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class JointDifference:
    """How far a joint lies apart in the two results.

    Attributes:
        joint: its name.
        pairs: in how many pairs of poses both have it.
        median_px, p95_px: median and 95th percentile of the distance, pixels; NaN where there is no pair.
        within: share of differences per axis that one standard deviation of both together covers; NaN where unknown.
    """

    joint: str
    pairs: int
    median_px: float
    p95_px: float
    within: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The second result against the first.

    Attributes:
        index: (F,) int64, numbers of all frames that either has, rising.
        distance_px: (F,) mean distance of the joints of all people that both have; NaN where there is none.
        people: (F,) people that both have; `only_a`, `only_b`, that one alone has.
        joints: one for each joint that both skeletons have, in the first one's order.
        common_frames: frames that both have.
    """

    index: Ints
    distance_px: Floats
    people: Ints
    only_a: Ints
    only_b: Ints
    joints: tuple[JointDifference, ...]
    common_frames: int

    @property
    def worst(self) -> int | None:
        """Number of the frame whose joints lie furthest apart; None if there is none."""
        if not np.isfinite(self.distance_px).any():
            return None
        return int(self.index[int(np.nanargmax(self.distance_px))])


def compare(a: Recording, b: Recording) -> Comparison:
    """Hold a second result of a source against the first, frame by frame and joint by joint.

    People are paired by how alike their joints are, not by number.

    Raises:
        InputError: if the two have no frame or no joint in common.
    """
    second = _in_skeleton_of(a, b)
    index = np.union1d(a.index, b.index).astype(np.int64)
    common = np.intersect1d(a.index, b.index)
    if not len(common):
        raise InputError("the two tables have no frame in common", "choose two results of the same source")
    pairs = _pairs(a, second, common)
    gaps = a.joints[pairs[:, 0]].astype(np.float64) - second.joints[pairs[:, 1]]
    distances = np.hypot(gaps[..., 0], gaps[..., 1])
    frames = np.searchsorted(index, a.index[a.row_frame[pairs[:, 0]]])
    paired = np.bincount(frames, minlength=len(index))
    spread = np.hypot(a.sigmas[pairs[:, 0]], second.sigmas[pairs[:, 1]])
    return Comparison(
        index=index,
        distance_px=_mean_of_frames(distances, frames, len(index)),
        people=paired.astype(np.int64),
        only_a=_count(a, index) - paired,
        only_b=_count(b, index) - paired,
        joints=tuple(
            _difference(name, distances[:, place], gaps[:, place], spread[:, place])
            for place, name in enumerate(a.skeleton.joints)
            if np.isfinite(second.joints[:, place]).any() or name in b.skeleton.joints
        ),
        common_frames=len(common),
    )


def summary(comparison: Comparison) -> str:
    """Return what a comparison comes to, in a few lines."""
    known = comparison.distance_px[np.isfinite(comparison.distance_px)]
    lines = [f"{comparison.common_frames} of {len(comparison.index)} frames are in both."]
    if len(known):
        lines.append(f"Joints are {np.median(known):.1f} px apart in the median frame, {known.max():.1f} px at most.")
    lines.append(
        f"People in frames: {comparison.people.sum()} in both, {comparison.only_a.sum()} only in A, "
        f"{comparison.only_b.sum()} only in B."
    )
    return "\n".join(lines)


def blank_frame(recordings: Sequence[Recording], index: int) -> Frame:
    """Return a dark frame as large as the joints of all recordings need: tables do not say how large theirs are."""
    width, height = _BLANK_WH
    for each in recordings:
        if np.isfinite(each.joints).any():
            right, bottom = np.nanmax(each.joints.reshape(-1, 2), axis=0).tolist()
            width = min(max(width, math.ceil(right) + 1), _MOST_PX)
            height = min(max(height, math.ceil(bottom) + 1), _MOST_PX)
    return Frame(np.full((height, width, 3), 28, np.uint8), index, math.nan)


def _in_skeleton_of(a: Recording, b: Recording) -> Recording:
    conversion = convert(b.skeleton, a.skeleton)
    if len(conversion.missing) == len(a.skeleton):
        raise InputError(f"{a.skeleton.name} and {b.skeleton.name} have no joint in common")
    return replace(
        b,
        skeleton=a.skeleton,
        joints=conversion.apply(b.joints, axis=1).astype(np.float32),
        scores=conversion.apply(b.scores, axis=1).astype(np.float32),
        sigmas=conversion.apply(b.sigmas, axis=1).astype(np.float32),
    )


def _pairs(a: Recording, b: Recording, common: Ints) -> Ints:
    """Return rows of both that show the same person in the same frame, (P, 2)."""
    found: list[tuple[int, int]] = []
    places = np.searchsorted(a.index, common), np.searchsorted(b.index, common)
    for place_a, place_b in zip(*(each.tolist() for each in places), strict=True):
        rows_a, rows_b = a.rows_of_frame(place_a), b.rows_of_frame(place_b)
        if rows_a.start == rows_a.stop or rows_b.start == rows_b.stop:
            continue
        bodies = [
            bodies_of_arrays(each.boxes[rows, :4], each.joints[rows], each.scores[rows], a.skeleton)
            for each, rows in ((a, rows_a), (b, rows_b))
        ]
        pairs = assign(oks(*bodies), SAME_OKS)
        found += [(rows_a.start + row, rows_b.start + column) for column, row in pairs.items()]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _mean_of_frames(distances: Floats, frames: Ints, count: int) -> Floats:
    known = np.isfinite(distances)
    sums = np.bincount(frames, weights=np.where(known, distances, 0.0).sum(axis=1), minlength=count)
    numbers = np.bincount(frames, weights=known.sum(axis=1), minlength=count)
    return np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan)


def _count(recording: Recording, index: Ints) -> Ints:
    places = np.searchsorted(index, recording.index[recording.row_frame])
    return np.bincount(places, minlength=len(index)).astype(np.int64)


def _difference(name: str, distance: Floats, gap: Floats, spread: Floats) -> JointDifference:
    known = distance[np.isfinite(distance)]
    judged = np.isfinite(gap) & np.isfinite(spread)
    return JointDifference(
        name,
        len(known),
        float(np.median(known)) if len(known) else float("nan"),
        float(np.quantile(known, 0.95)) if len(known) else float("nan"),
        float((np.abs(gap) <= spread)[judged].mean()) if judged.any() else float("nan"),
    )
