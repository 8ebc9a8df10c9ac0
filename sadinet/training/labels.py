"""Labels from people and from teacher networks, brought together into body19 with a weight per joint.

Crowd-sourced labels exchange left and right in places, and miss joints; two independent teachers that agree
show where. What is doubtful gets weight 0: a joint that is left out teaches nothing wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.skeletons import BODY19, COCO17, LSP14, convert
from sadinet.training.metrics import torso_length

TEACHER_CONFIDENCE = 0.3
AGREEMENT = 0.1
"""Two teachers agree on a joint within this share of the torso."""

DOUBT = 0.5
"""A label further than this share of the torso from both agreeing teachers is doubted."""

TEACHER_WEIGHT = 0.5
"""Weight of a teacher's joint where a person gave none."""

_LIMBS = 12
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Joints of N people in body19.

    Attributes:
        joints: (N, 19, 2) float32, picture pixels, NaN where unknown.
        weight: (N, 19) float32, 0 where a joint is unknown or doubted.
        swapped: (N,) bool, left and right of the given labels were exchanged.
        doubted: (N, 19) bool, the given label was set aside.
    """

    joints: Array
    weight: Array
    swapped: NDArray[np.bool_]
    doubted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """One network's joints on the same N pictures: (N, 17, 2) pixels and (N, 17) confidence, COCO order."""

    joints: Array
    confidence: Array
    trust: float = 1.0

    def in_body19(self) -> tuple[Array, Array]:
        """Return joints (N, 19, 2) and confidence (N, 19); neck and head top, which COCO lacks, are NaN and 0."""
        conversion = convert(COCO17, BODY19)
        joints = conversion.apply(self.joints, axis=1).astype(np.float32)
        confidence = np.nan_to_num(conversion.apply(self.confidence, axis=1)).astype(np.float32)
        return joints, confidence


def fuse_teachers(first: Teacher, second: Teacher, torso: NDArray[np.floating]) -> tuple[Array, Array]:
    """Average the joints on which both teachers are sure and agree; the rest is NaN with weight 0.

    Args:
        first, second: the teachers.
        torso: (N,) pixels, the scale of agreement.
    """
    (a, sure_a), (b, sure_b) = first.in_body19(), second.in_body19()
    apart = np.linalg.norm(a - b, axis=2)
    scale = np.nan_to_num(np.asarray(torso, dtype=np.float32))[:, None]
    agree = (sure_a > TEACHER_CONFIDENCE) & (sure_b > TEACHER_CONFIDENCE) & (apart < AGREEMENT * scale)
    share = first.trust / (first.trust + second.trust)
    joints = np.where(agree[..., None], share * a + (1 - share) * b, np.nan).astype(np.float32)
    return joints, agree.astype(np.float32)


def _fits_better_swapped(joints: Array, teacher: Teacher, torso: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say for each picture whether the limbs lie clearly nearer to the teacher's with left and right exchanged."""
    told, confidence = teacher.in_body19()
    order = BODY19.flip_order
    known = np.isfinite(joints[:, :_LIMBS, 0]) & (confidence[:, :_LIMBS] > TEACHER_CONFIDENCE)
    known &= known[:, order[:_LIMBS]]

    def mean_apart(labels: Array) -> NDArray[np.float64]:
        apart = np.where(known, np.linalg.norm(labels[:, :_LIMBS] - told[:, :_LIMBS], axis=2), 0)
        mean: NDArray[np.float64] = apart.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return mean

    straight, exchanged = mean_apart(joints), mean_apart(joints[:, order])
    better: NDArray[np.bool_] = (
        (known.sum(axis=1) >= 6) & (exchanged < 0.6 * straight) & (straight - exchanged > 0.15 * np.nan_to_num(torso))
    )
    return better


def clean(joints: Array, first: Teacher, second: Teacher) -> Labels:
    """Mend and complete people's labels with two teachers.

    Whole-body swaps that both teachers see are undone; a label far from two agreeing teachers is set aside; a
    missing joint on which both agree is taken from them at `TEACHER_WEIGHT`, face joints at full weight.

    Args:
        joints: (N, 14, 2) in LSP's order, picture pixels, NaN where not labelled.
        first, second: the teachers on the same pictures.
    """
    full = np.full((len(joints), len(BODY19), 2), np.nan, dtype=np.float32)
    full[:, : len(LSP14)] = joints
    torso = torso_length(full, np.isfinite(full[..., 0]), BODY19)
    swapped = _fits_better_swapped(full, first, torso) & _fits_better_swapped(full, second, torso)
    full[swapped] = full[swapped][:, BODY19.flip_order]

    spread = np.nanmax(full[:, :14], axis=1) - np.nanmin(full[:, :14], axis=1)
    scale = np.where(np.isfinite(torso), torso, 0.3 * np.nan_to_num(spread).max(axis=1))
    taught, agreed = fuse_teachers(first, second, scale)
    labelled = np.isfinite(full[..., 0])
    apart = np.linalg.norm(full - taught, axis=2)
    doubted = labelled & (agreed > 0) & (apart > DOUBT * scale[:, None])

    weight = (labelled & ~doubted).astype(np.float32)
    fill = ~labelled & (agreed > 0)
    full[fill] = taught[fill]
    weight[fill] = TEACHER_WEIGHT
    weight[:, 14:][fill[:, 14:]] = 1.0
    return Labels(full, weight, swapped, doubted)
