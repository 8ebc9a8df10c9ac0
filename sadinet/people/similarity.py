"""How alike two bodies are: by their joints, their place and their size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import box_iou
from sadinet.results import Pose
from sadinet.skeletons import Skeleton

Floats = NDArray[np.float64]

_APART = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Bodies:
    """N bodies as arrays.

    Attributes:
        skeleton: names of the joints.
        boxes: (N, 4) float64, x, y, width, height of the crops, frame pixels.
        joints: (N, K, 2) float64, frame pixels.
        scores: (N, K) float64 in [0, 1], 0 for joints that are not known.
    """

    skeleton: Skeleton
    boxes: Floats
    joints: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def centres(self) -> Floats:
        """Middle of each body, (N, 2): the mean of its joints by their scores, or the box's where no joint is sure."""
        weights = self.scores.sum(axis=1)[:, None]
        joints = (self.joints * self.scores[..., None]).sum(axis=1) / np.maximum(weights, 1e-9)
        return np.where(weights >= 1, joints, self.boxes[:, :2] + self.boxes[:, 2:] / 2)

    @property
    def sizes(self) -> Floats:
        """Square root of each box's area, pixels, (N,)."""
        return np.sqrt(self.boxes[:, 2] * self.boxes[:, 3])

    def take(self, order: Sequence[int] | NDArray[np.integer]) -> Bodies:
        """Return the bodies at these places."""
        places = np.asarray(order, dtype=np.intp)
        return replace(self, boxes=self.boxes[places], joints=self.joints[places], scores=self.scores[places])


def bodies_of(poses: Sequence[Pose], skeleton: Skeleton) -> Bodies:
    """Return poses as arrays, in their order."""
    crops = np.array([(p.box.x, p.box.y, p.box.width, p.box.height) for p in poses], dtype=float)
    joints = np.array([pose.joints for pose in poses], dtype=float).reshape(-1, len(skeleton), 2)
    scores = np.array([pose.scores for pose in poses], dtype=float).reshape(-1, len(skeleton))
    return bodies_of_arrays(crops.reshape(-1, 4), joints, scores, skeleton)


def bodies_of_arrays(
    crops: NDArray[np.floating], joints: NDArray[np.floating], scores: NDArray[np.floating], skeleton: Skeleton
) -> Bodies:
    """Return bodies of crop boxes (N, 4), joints (N, K, 2) and scores (N, K), NaN where unknown."""
    known = np.isfinite(joints).all(axis=2) & np.isfinite(scores)
    weights = np.where(known, scores, 0.0).astype(float)
    places = np.where(known[..., None], joints, 0.0).astype(float)
    return Bodies(skeleton, np.asarray(crops, dtype=float), places, weights)


def oks(a: Bodies, b: Bodies) -> Floats:
    """Object keypoint similarity of each pair, (N, M), in [0, 1].

    COCO's formula on both bodies' mean size; a joint counts by the scores that both give it. 0 where two bodies
    share no known joint.
    """
    spread = 2 * np.asarray(a.skeleton.oks_sigmas)
    area = np.maximum(a.sizes[:, None] * b.sizes[None], 1e-6)
    distance2 = ((a.joints[:, None] - b.joints[None]) ** 2).sum(axis=3)
    alike = np.exp(-distance2 / (2 * area[..., None] * spread**2))
    weights = np.sqrt(a.scores[:, None] * b.scores[None])
    total = weights.sum(axis=2)
    result: Floats = np.where(total > 0, (alike * weights).sum(axis=2) / np.maximum(total, 1e-9), 0.0)
    return result


def nearness(a: Bodies, b: Bodies, reach: Floats | float) -> Floats:
    """How near the centres are, (N, M): 1 in the same place, 0.61 at `reach` times the mean size, then falling.

    Args:
        a: N bodies.
        b: M bodies.
        reach: one for all, or (N, 1).
    """
    size = np.maximum((a.sizes[:, None] + b.sizes[None]) / 2, 1e-6)
    distance = np.linalg.norm(a.centres[:, None] - b.centres[None], axis=2)
    result: Floats = np.exp(-0.5 * (distance / (size * reach)) ** 2)
    return result


def likeness_of_size(a: Bodies, b: Bodies, reach: Floats | float) -> Floats:
    """How alike the heights are, (N, M): 1 for the same, 0.61 where their ratio is exp(`reach`)."""
    heights = np.log(np.maximum(a.boxes[:, 3], 1e-6))[:, None] - np.log(np.maximum(b.boxes[:, 3], 1e-6))[None]
    result: Floats = np.exp(-0.5 * (heights / reach) ** 2)
    return result


def stack(bodies: Sequence[Bodies]) -> Bodies:
    """Put bodies of one skeleton behind each other."""
    return Bodies(
        bodies[0].skeleton,
        np.concatenate([body.boxes for body in bodies]),
        np.concatenate([body.joints for body in bodies]),
        np.concatenate([body.scores for body in bodies]),
    )


def alone(bodies: Bodies) -> NDArray[np.bool_]:
    """Say who of one frame is not covered by anybody else, so that place and colour can be trusted; (N,)."""
    overlap = box_iou(bodies.boxes, bodies.boxes)
    np.fill_diagonal(overlap, 0)
    return np.asarray(overlap.max(axis=1, initial=0) < _APART)


def body_likeness(expected: Bodies, bodies: Bodies, gap_s: Floats, colour: Floats | None = None) -> Floats:
    """Return how well bodies fit the expected ones, (N, M) in [0, 1]; 0 where place or size forbid it.

    After a moment, joints say much and the place must be right; the longer the gap, the wider the place, and
    size and colour take the joints' part.

    Args:
        expected: where N people should be now.
        bodies: M people who are there.
        gap_s: (N, 1) seconds since each of the N was seen.
        colour: (N, M) likeness of colours, NaN where unknown; None where it is not known at all.
    """
    near = nearness(expected, bodies, 0.25 + 0.8 * gap_s)
    size = likeness_of_size(expected, bodies, 0.25 + 0.15 * gap_s)
    fresh = np.exp(-gap_s / 0.25)
    shape = fresh * oks(expected, bodies) + (1 - fresh) * size
    place = fresh * np.maximum(near, box_iou(expected.boxes, bodies.boxes)) + (1 - fresh) * near
    likeness = 0.5 * place + 0.5 * shape
    if colour is not None:
        # The same clothes mostly give 0.9 to 1, others 0.6 to 0.85.
        clothes = np.clip((np.where(np.isnan(colour), 0.85, colour) - 0.6) / 0.4, 0, 1)
        likeness = 0.75 * likeness + 0.25 * clothes
    result: Floats = np.where((near > 0.05) & (size > 0.05), likeness, 0.0)
    return result
