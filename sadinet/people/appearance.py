"""Colours of the upper and the lower body, to tell people apart who come close to each other."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.results import Pose
from sadinet.skeletons import Skeleton

Floats = NDArray[np.float64]

PARTS = 2
_BINS = (6, 12, 12)  # lightness coarser: it changes with shade
BINS = sum(_BINS)
_LEAST_SCORE = 0.25
_LEAST_POINTS = 12
_ACROSS, _ALONG = 7, 11

# Lab as OpenCV has it in bytes; a and b of clothes fill the middle half of their range.
_LOW = np.array([0.0, 72.0, 72.0])
_HIGH = np.array([255.0, 184.0, 184.0])


def colours(image: NDArray[np.uint8], poses: Sequence[Pose]) -> Floats:
    """Return the colour histograms of each person, (N, 2, 30): of the trunk, and of the legs.

    The three channels' histograms (lightness and two of hue) stand behind each other, each with sum 1.

    Args:
        image: (H, W, 3) uint8, BGR.
        poses: people in this picture.

    Returns:
        Histograms; NaN for a part that is hidden, outside of the picture or not sure.
    """
    found = np.full((len(poses), PARTS, BINS), np.nan)
    sampled = {
        (person, part): pixels
        for person, pose in enumerate(poses)
        for part, points in enumerate((_trunk(pose), _legs(pose)))
        if points is not None and len(pixels := _pixels(image, points)) >= _LEAST_POINTS
    }
    if not sampled:
        return found
    # One conversion for all: each has its own price, however few pixels it has.
    lab = cv2.cvtColor(np.concatenate(list(sampled.values()))[None], cv2.COLOR_BGR2LAB)[0]
    scaled = np.clip((lab - _LOW) / (_HIGH - _LOW), 0, 1)
    ends = np.cumsum([len(pixels) for pixels in sampled.values()])
    for place, values in zip(sampled, np.split(scaled, ends[:-1]), strict=True):
        found[place] = np.concatenate([_soft_counts(values[:, channel], bins) for channel, bins in enumerate(_BINS)])
    return found


def colour_likeness(a: Floats, b: Floats) -> Floats:
    """Compare histograms (N, 2, 30) with (M, 2, 30): (N, M) in [0, 1]; NaN where no part is known in both."""
    roots = np.sqrt(a)[:, None] * np.sqrt(b)[None]
    channels = np.split(roots, np.cumsum(_BINS)[:-1], axis=3)
    parts = np.stack([channel.sum(axis=3) for channel in channels]).mean(axis=0)
    known = np.isfinite(parts)
    count = known.sum(axis=2)
    result: Floats = np.where(count > 0, np.where(known, parts, 0).sum(axis=2) / np.maximum(count, 1), np.nan)
    return result


def blend(old: Floats, new: Floats, share: float) -> Floats:
    """Mix histograms: `share` of the new; where one is unknown, the other alone."""
    mixed = (1 - share) * old + share * new
    return np.where(np.isnan(old), new, np.where(np.isnan(new), old, mixed))


def _joint(pose: Pose, name: str) -> Floats | None:
    skeleton: Skeleton = pose.skeleton
    if name not in skeleton.joints:
        return None
    place = skeleton.joints.index(name)
    if not pose.scores[place] >= _LEAST_SCORE or not np.isfinite(pose.joints[place]).all():
        return None
    point: Floats = pose.joints[place].astype(float)
    return point


def _trunk(pose: Pose) -> Floats | None:
    """Points between shoulders and hips, away from the edge; (P, 2)."""
    corners = [_joint(pose, name) for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
    known = [corner for corner in corners if corner is not None]
    if len(known) < 4:
        return None
    left, right, left_hip, right_hip = known
    across = np.linspace(0.15, 0.85, _ACROSS)[None, :, None]
    along = np.linspace(0.1, 0.9, _ALONG)[:, None, None]
    top = left + (right - left) * across
    bottom = left_hip + (right_hip - left_hip) * across
    grid: Floats = (top + (bottom - top) * along).reshape(-1, 2)
    return grid


def _legs(pose: Pose) -> Floats | None:
    """Points along thighs and shins; (P, 2)."""
    lines = []
    for side in ("left", "right"):
        hip, knee, ankle = (_joint(pose, f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        along = np.linspace(0.15, 0.85, 2 * _ALONG)[:, None]
        if hip is not None and knee is not None:
            lines.append(hip + (knee - hip) * along)
        if knee is not None and ankle is not None:
            lines.append(knee + (ankle - knee) * along)
    return np.concatenate(lines) if lines else None


def _pixels(image: NDArray[np.uint8], points: Floats) -> NDArray[np.uint8]:
    """Return the pixels (P, 3) at those of the points that lie in the picture."""
    places = np.rint(points).astype(int)
    x, y = places[((places >= 0) & (places < image.shape[1::-1])).all(axis=1)].T
    pixels: NDArray[np.uint8] = image[y, x]
    return pixels


def _soft_counts(values: Floats, bins: int) -> Floats:
    """Histogram of values in [0, 1] where each is shared between its two nearest bins; sum 1."""
    place = values * (bins - 1)
    low = np.minimum(place.astype(int), bins - 2)
    share = place - low
    counts = np.bincount(low, 1 - share, bins) + np.bincount(low + 1, share, bins)
    result: Floats = counts / len(values)
    return result
