"""Random crops for training: labels and pixels move by the same matrix, seeded by (seed, epoch, index)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import Box, Matrix, box_of_joints, crop_matrix, transform
from sadinet.network.model import MEAN_RGB
from sadinet.skeletons import BODY19

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]

_UPPER = [BODY19.index(n) for n in BODY19.joints if not n.endswith(("hip", "knee", "ankle"))]
_LOWER = [BODY19.index(n) for n in BODY19.joints if n.endswith(("hip", "knee", "ankle"))]


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How far a crop may stray from the plain one.

    Attributes:
        rotation_deg: standard deviation of the turn.
        full_turn: chance that the turn is any angle instead.
        scale: standard deviation of the logarithm of the zoom.
        zoom: mean of that logarithm; above 0 is closer than the labels' box, as a detector's box is.
        shift: standard deviation of the move, share of the box.
        half_body: chance that the crop shows the upper or the lower body only.
        colour: strength of changes in brightness, contrast and tint.
        blur, grey, patch: chances of a blur, of losing colour, and of each of two grey patches.
    """

    rotation_deg: float = 12.0
    full_turn: float = 0.02
    scale: float = 0.1
    zoom: float = 0.03
    shift: float = 0.04
    half_body: float = 0.03
    colour: float = 0.18
    blur: float = 0.1
    grey: float = 0.05
    patch: float = 0.05


def random_matrix(
    joints: Points,
    weight: NDArray[np.float32],
    size_wh: tuple[int, int],
    config: AugmentConfig,
    rng: np.random.Generator,
) -> tuple[Matrix, bool]:
    """Return a random crop's map from picture to crop pixels, and whether it mirrors."""
    chosen = weight > 0
    if rng.random() < config.half_body:
        half = np.zeros_like(chosen)
        half[_UPPER if rng.random() < 0.7 else _LOWER] = True
        if (chosen & half).sum() >= 4:
            chosen = chosen & half
    plain = box_of_joints(joints[chosen])
    zoom = float(np.exp(np.clip(rng.normal(config.zoom, config.scale), -0.5, 0.7)))
    side = max(plain.width, plain.height)
    cx, cy = np.array(plain.centre) + np.clip(rng.normal(0, config.shift, 2), -0.25, 0.25) * side
    box = Box(float(cx - plain.width / 2), float(cy - plain.height / 2), plain.width, plain.height)
    turn = rng.uniform(-180, 180) if rng.random() < config.full_turn else rng.normal(0, config.rotation_deg)
    flip = bool(rng.random() < 0.5)
    return crop_matrix(box, size_wh, margin=1.25 / zoom, rotation_deg=float(turn), flip=flip), flip


def move_labels(
    joints: Points, weight: NDArray[np.float32], matrix: Matrix, size_wh: tuple[int, int], *, flip: bool
) -> tuple[Points, NDArray[np.float32]]:
    """Move joints into the crop; left and right exchange under a mirror; what falls outside gets weight 0."""
    points = transform(joints, matrix).astype(np.float32)
    weight = weight.copy()
    if flip:
        points, weight = points[BODY19.flip_order], weight[BODY19.flip_order]
    inside = ((points >= -0.5) & (points <= np.array(size_wh) - 0.5)).all(axis=1)
    weight[~inside] = 0
    return np.nan_to_num(points), weight


def _recolour(crop: Picture, config: AugmentConfig, rng: np.random.Generator) -> Picture:
    gain = np.exp(rng.normal(0, config.colour)) * np.exp(rng.normal(0, config.colour / 3, 3))
    shift = rng.normal(0, 60 * config.colour)
    table = np.clip(np.arange(256)[:, None] * gain + shift - 127 * (gain.mean() - 1) * 0.5, 0, 255).astype(np.uint8)
    crop = np.asarray(cv2.LUT(crop, table.reshape(1, 256, 3)), dtype=np.uint8)
    if rng.random() < config.grey:
        crop = np.asarray(cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    if rng.random() < config.blur:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.5, 1.5))), dtype=np.uint8)
    return crop


def _hide(crop: Picture, config: AugmentConfig, rng: np.random.Generator) -> None:
    height, width = crop.shape[:2]
    for _ in range(2):
        if rng.random() < config.patch:
            w, h = (rng.uniform(0.05, 0.25, 2) * [width, height]).astype(int) + 1
            x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
            crop[y : y + h, x : x + w] = rng.integers(0, 256, 3)


def cut_crop(picture: Picture, matrix: Matrix, size_wh: tuple[int, int]) -> Picture:
    """Warp the picture by the map; outside it lies the mean colour."""
    crop = cv2.warpAffine(picture, matrix, size_wh, flags=cv2.INTER_LINEAR, borderValue=MEAN_RGB[::-1])
    return np.asarray(crop, dtype=np.uint8)


def augment(
    picture: Picture,
    joints: Points,
    weight: NDArray[np.float32],
    size_wh: tuple[int, int],
    config: AugmentConfig,
    seed: tuple[int, int, int],
) -> tuple[Picture, Points, NDArray[np.float32]]:
    """Return a random crop (H, W, 3) uint8 BGR, its joints (19, 2) in crop pixels and their weights (19,).

    Args:
        picture: (H, W, 3) uint8 BGR.
        joints: (19, 2) in the picture's pixels, NaN where unknown.
        weight: (19,), 0 where unknown.
        size_wh: of the crop.
        config: how far to stray.
        seed: (run, epoch, index); the same seed gives the same crop.
    """
    rng = np.random.default_rng(seed)
    matrix, flip = random_matrix(joints, weight, size_wh, config, rng)
    points, moved_weight = move_labels(joints, weight, matrix, size_wh, flip=flip)
    crop = _recolour(cut_crop(picture, matrix, size_wh), config, rng)
    _hide(crop, config, rng)
    return crop, points, moved_weight
