"""How good predicted joints are: PCK, PCKh, pixel error, coverage of the uncertainty, OKS, paired differences.

Joints are (N, K, 2) x, y in pixels of the picture; a weight (N, K) above 0 says that a joint is labelled. A
labelled joint that was not predicted (NaN) counts as a miss. Shares are percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sadinet.errors import InputError
from sadinet.skeletons import COCO17, LSP14, MPII16, Skeleton
from sadinet.training.bootstrap import Interval, paired_bootstrap
from sadinet.training.coco import coco_ap, coco_detections

__all__ = [
    "Interval",
    "Pck",
    "PixelError",
    "coco_ap",
    "coco_detections",
    "distances",
    "mpii_table",
    "oks",
    "paired_bootstrap",
    "pck",
    "pckh",
    "pixel_error",
    "sigma_coverage",
    "torso_length",
    "within",
]

LIMB_JOINTS = LSP14.joints[:12]
"""The joints that PCK counts: ankles, knees, hips, wrists, elbows, shoulders."""

HEAD_SHARE = 0.6
"""MPII's head size is this share of the head rectangle's diagonal."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pck:
    """Share of joints near their label.

    Attributes:
        alphas: (A,) the limits, in torsos or heads.
        overall: (A,) percent over all counted joints of all pictures together.
        per_joint: (A, K) percent, NaN for a joint that is labelled nowhere.
        names: (K,) names of the joints.
        pictures: pictures that count.
        joints: labelled joints that `overall` is over.
    """

    alphas: tuple[float, ...]
    overall: Floats
    per_joint: Floats
    names: tuple[str, ...]
    pictures: int
    joints: int


@dataclass(frozen=True, slots=True, eq=False)
class PixelError:
    """Distances in pixels over all labelled, predicted joints: mean, median and mean per joint (K,)."""

    mean: float
    median: float
    per_joint: Floats


def distances(predicted: ArrayLike, labels: ArrayLike, weight: ArrayLike) -> Floats:
    """Return pixels from each label (N, K): NaN where not labelled, infinite where not predicted.

    Raises:
        InputError: if the shapes do not go together.
    """
    seen, truth = np.asarray(predicted, dtype=float), np.asarray(labels, dtype=float)
    labelled = np.asarray(weight) > 0
    if seen.shape != truth.shape or seen.ndim != 3 or seen.shape[2] != 2 or labelled.shape != seen.shape[:2]:
        raise InputError(
            f"joints {seen.shape}, labels {truth.shape}, weight {labelled.shape}", "must be (N, K, 2) twice and (N, K)"
        )
    apart = np.linalg.norm(seen - truth, axis=2)
    missed = ~np.isfinite(seen).all(axis=2)
    result: Floats = np.where(labelled, np.where(missed, np.inf, apart), np.nan)
    return result


def torso_length(labels: ArrayLike, weight: ArrayLike, skeleton: Skeleton = LSP14) -> Floats:
    """Return the mean of both shoulder-to-opposite-hip distances (N,), pixels; NaN where one of the four is missing."""
    points = np.where((np.asarray(weight) > 0)[..., None], np.asarray(labels, dtype=float), np.nan)

    def length(a: str, b: str) -> Floats:
        result: Floats = np.linalg.norm(points[:, skeleton.index(a)] - points[:, skeleton.index(b)], axis=1)
        return result

    return (length("left_shoulder", "right_hip") + length("right_shoulder", "left_hip")) / 2


def within(predicted: ArrayLike, labels: ArrayLike, weight: ArrayLike, limit_px: ArrayLike) -> Floats:
    """Return (N, K): 1 for a joint at most `limit_px` (N,) from its label, 0 beyond, NaN without label or limit."""
    limit = np.asarray(limit_px, dtype=float)[:, None]
    apart = distances(predicted, labels, weight)
    result: Floats = np.where(np.isnan(apart) | ~np.isfinite(limit), np.nan, apart <= limit)
    return result


def pck(
    predicted: ArrayLike,
    labels: ArrayLike,
    weight: ArrayLike,
    alphas: Sequence[float] = (0.2, 0.1, 0.05),
    *,
    skeleton: Skeleton = LSP14,
    torso_px: ArrayLike | None = None,
) -> Pck:
    """Return the share of limb joints within alpha torsos of their label; pictures without a whole torso are left out.

    Args:
        predicted: (N, K, 2) in the skeleton's order.
        labels: (N, K, 2).
        weight: (N, K), above 0 where labelled.
        alphas: limits in torsos.
        skeleton: names and order of the joints; it must have the limb joints.
        torso_px: (N,) lengths to use instead of the labels' own; NaN leaves a picture out.

    Raises:
        InputError: if the shapes do not go together.
    """
    torso = torso_length(labels, weight, skeleton) if torso_px is None else np.asarray(torso_px, dtype=float)
    counted = np.array([skeleton.index(name) for name in LIMB_JOINTS])
    return _share_within(predicted, labels, weight, alphas, torso, skeleton, counted)


def pckh(
    predicted: ArrayLike,
    labels: ArrayLike,
    weight: ArrayLike,
    head_px: ArrayLike,
    alphas: Sequence[float] = (0.5, 0.1),
    *,
    skeleton: Skeleton = MPII16,
) -> Pck:
    """Return MPII's share of joints within alpha x 0.6 head segments; pelvis and thorax count per joint only.

    Args:
        predicted: (N, K, 2) in the skeleton's order.
        labels: (N, K, 2).
        weight: (N, K), above 0 where labelled.
        head_px: (N,) diagonal of the head rectangle, pixels.
        alphas: limits in head sizes.
        skeleton: names and order of the joints.

    Raises:
        InputError: if the shapes do not go together.
    """
    head = HEAD_SHARE * np.asarray(head_px, dtype=float)
    counted = np.array([i for i, name in enumerate(skeleton.joints) if name not in ("pelvis", "thorax")])
    return _share_within(predicted, labels, weight, alphas, head, skeleton, counted)


MPII_PARTS = {
    "Head": "head_top", "Shoulder": "shoulder", "Elbow": "elbow", "Wrist": "wrist", "Hip": "hip", "Knee": "knee",
    "Ankle": "ankle",
}  # fmt: skip
"""Columns of MPII's table and their joints, left and right alike."""


def mpii_table(share: Pck, alpha: float) -> dict[str, float]:
    """Return MPII's table for one limit, percent: Head (its top) .. Ankle, each the mean of left and right, and Mean.

    Mean is over all labelled joints but pelvis and thorax, as in the common evaluation of MPII's validation set.

    Args:
        share: as `pckh` returns it.
        alpha: one of its limits.
    """
    row = share.alphas.index(alpha)
    place = {name: k for k, name in enumerate(share.names)}
    table = {}
    for part, joint in MPII_PARTS.items():
        names = [joint] if joint in place else [f"{side}_{joint}" for side in ("left", "right")]
        table[part] = float(np.mean([share.per_joint[row, place[name]] for name in names]))
    return table | {"Mean": float(share.overall[row])}


def _share_within(
    predicted: ArrayLike,
    labels: ArrayLike,
    weight: ArrayLike,
    alphas: Sequence[float],
    unit_px: Floats,
    skeleton: Skeleton,
    counted: NDArray[np.intp],
) -> Pck:
    hits = np.stack([within(predicted, labels, weight, alpha * unit_px) for alpha in alphas])
    known = np.isfinite(hits)
    return Pck(
        alphas=tuple(alphas),
        overall=_percent(hits[..., counted].reshape(len(hits), -1), axis=1),
        per_joint=_percent(hits, axis=1),
        names=skeleton.joints,
        pictures=int(np.isfinite(unit_px).sum()),
        joints=int(known[0][:, counted].sum()),
    )


def _percent(hits: Floats, axis: int) -> Floats:
    """Mean over what is not NaN, in percent; NaN where nothing is."""
    known = np.isfinite(hits)
    share = np.where(known, hits, 0.0).sum(axis=axis) / np.maximum(known.sum(axis=axis), 1)
    result: Floats = np.where(known.any(axis=axis), 100 * share, np.nan)
    return result


def pixel_error(predicted: ArrayLike, labels: ArrayLike, weight: ArrayLike) -> PixelError:
    """Return mean, median and per joint mean distance, pixels, over joints that are labelled and predicted."""
    apart = distances(predicted, labels, weight)
    known = np.isfinite(apart)
    count = known.sum(axis=0)
    sums = np.where(known, apart, 0.0).sum(axis=0)
    per_joint = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    if not known.any():
        return PixelError(float("nan"), float("nan"), per_joint)
    return PixelError(float(apart[known].mean()), float(np.median(apart[known])), per_joint)


def sigma_coverage(
    predicted: ArrayLike, labels: ArrayLike, weight: ArrayLike, sigmas: ArrayLike, times: Sequence[float] = (1.0, 2.0)
) -> Floats:
    """Return the percent of errors in x and in y within so many sigmas, (len(times), 2).

    Args:
        predicted: (N, K, 2) pixels.
        labels: (N, K, 2) pixels.
        weight: (N, K), above 0 where labelled.
        sigmas: (N, K, 2) one standard deviation in x and y, pixels; joints with NaN are left out.
        times: a calibrated Gaussian has 68.3 within 1 and 95.4 within 2.
    """
    spread = np.asarray(sigmas, dtype=float)
    usable = np.isfinite(distances(predicted, labels, weight)) & np.isfinite(spread).all(axis=2)
    error = np.abs(np.asarray(predicted, dtype=float) - np.asarray(labels, dtype=float))[usable]
    spread = spread[usable]
    if not len(error):
        return np.full((len(times), 2), np.nan)
    return np.stack([100 * (error <= factor * spread).mean(axis=0) for factor in times])


def oks(
    predicted: ArrayLike, labels: ArrayLike, weight: ArrayLike, area_px: ArrayLike, skeleton: Skeleton = COCO17
) -> Floats:
    """Return COCO's object keypoint similarity of each person with its own label (N,), NaN without a labelled joint.

    Args:
        predicted: (N, K, 2).
        labels: (N, K, 2).
        weight: (N, K), above 0 where labelled.
        area_px: (N,) the label's area, square pixels.
        skeleton: gives each joint's constant.
    """
    apart = distances(predicted, labels, weight)
    variance = (2 * np.array(skeleton.oks_sigmas)) ** 2
    area = np.asarray(area_px, dtype=float)[:, None] + np.spacing(1)
    return _percent(np.exp(-(apart**2) / (2 * variance * area)), axis=1) / 100
