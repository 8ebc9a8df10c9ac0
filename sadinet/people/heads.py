"""From a detector's raw heads to boxes, numpy only.

Each head holds, for every cell, four distributions over the distance to the box's sides and the logit of
"here is a person". Only cells above the threshold are decoded, which leaves next to nothing to do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import box_iou

MOST_CANDIDATES = 2000
"""Only the best of these are looked at for overlaps; more come from noise alone."""

Floats = NDArray[np.float64]


def decode_heads(
    heads: Sequence[NDArray[np.float32]], strides: Sequence[int], bins: int, score: float
) -> tuple[Floats, Floats]:
    """Decode the cells of one picture that reach a score.

    Args:
        heads: one (4 * bins + 1, h, w) float32 for each stride.
        strides: input pixels per cell.
        bins: distances of a side's distribution, cells.
        score: least confidence, above 0.

    Returns:
        (N, 4) left, top, right, bottom in input pixels, centres at whole numbers; (N,) confidences.
        Sorted by falling confidence.
    """
    least_logit = math.log(score / (1 - score)) if score < 1 else math.inf
    corners, scores = [np.empty((0, 4))], [np.empty(0)]
    for head, stride in zip(heads, strides, strict=True):
        rows, columns = np.nonzero(head[-1] >= least_logit)
        sides = head[:-1, rows, columns].T.reshape(-1, 4, bins).astype(np.float64)
        weights = np.exp(sides - sides.max(axis=2, keepdims=True))
        distances = weights @ np.arange(bins) / weights.sum(axis=2)
        centres = np.stack([columns, rows], axis=1) + 0.5
        edges = np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], axis=1) * stride
        corners.append(edges - 0.5)  # the heads measure from the picture's edge, we from the first pixel's centre
        scores.append(1 / (1 + np.exp(-head[-1, rows, columns].astype(np.float64))))
    all_corners, all_scores = np.concatenate(corners), np.concatenate(scores)
    order = np.argsort(-all_scores, kind="stable")[:MOST_CANDIDATES]
    return all_corners[order], all_scores[order]


def suppress(boxes: NDArray[np.floating], scores: NDArray[np.floating], iou: float) -> NDArray[np.intp]:
    """Drop boxes that overlap a better one: greedy non-maximum suppression.

    Args:
        boxes: (N, 4) x, y, width, height.
        scores: (N,) confidences; of equals the first wins.
        iou: overlap above which the weaker box is dropped.

    Returns:
        Indices of the boxes that stay, by falling confidence.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    ranked = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)[order]
    alive = np.ones(len(order), dtype=bool)
    kept = []
    for place in range(len(order)):
        if alive[place]:
            kept.append(order[place])
            rest = place + 1 + np.flatnonzero(alive[place + 1 :])
            alive[rest] = box_iou(ranked[place], ranked[rest])[0] <= iou
    return np.array(kept, dtype=np.intp)
