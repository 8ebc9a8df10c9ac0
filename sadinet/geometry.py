"""Boxes, crops and heatmaps: one definition of coordinates for training, inference and evaluation.

Coordinates are floats, x to the right, y down, and whole numbers are pixel *centres*, in the frame, in the
crop and in the heatmap alike. A picture of width W therefore covers [-0.5, W - 0.5].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sadinet.errors import InputError

CROP_MARGIN = 1.25
"""How much a box is grown, after it was brought to the network's shape."""

LABEL_MARGIN = 0.25
LABEL_MARGIN_MIN_PX = 20.0

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in frame pixels; (x, y) is its left top corner.

    `score` is the detector's confidence, 1 for a box that a person or a label gave.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def checked(self) -> Box:
        """Return the box itself; raises `InputError` if it has NaN, infinity or no area."""
        if not np.all(np.isfinite([self.x, self.y, self.width, self.height])):
            raise InputError(f"box {self} has a value that is not a finite number")
        if self.width <= 0 or self.height <= 0:
            raise InputError(f"box {self} has no area", "width and height must be above 0")
        return self


def box_of_joints(joints: ArrayLike, margin: float = LABEL_MARGIN, at_least_px: float = LABEL_MARGIN_MIN_PX) -> Box:
    """Return the tight box of the joints, grown on each side by `margin` of its size.

    This is the "labels' box" of the evaluations that run without a detector.

    Args:
        joints: (K, 2) x, y in frame pixels; rows with NaN are left out.
        margin: share of width (height) added left and right (above and below).
        at_least_px: smallest margin, pixels.

    Raises:
        InputError: if no joint is finite.
    """
    points = np.asarray(joints, dtype=float).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        raise InputError("no joint to make a box from")
    low, high = points.min(axis=0), points.max(axis=0)
    grow = np.maximum((high - low) * margin, at_least_px)
    x, y = low - grow
    width, height = (high - low) + 2 * grow
    return Box(float(x), float(y), float(width), float(height))


def box_iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of boxes (N, 4) and (M, 4) as x, y, width, height; returns (N, M)."""
    a, b = np.asarray(a, float).reshape(-1, 4), np.asarray(b, float).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    overlap = np.clip(high - low, 0, None).prod(axis=2)
    union = (a[:, 2] * a[:, 3])[:, None] + (b[:, 2] * b[:, 3])[None] - overlap
    result: NDArray[np.float64] = overlap / np.maximum(union, 1e-12)
    return result


def crop_matrix(
    box: Box,
    size_wh: tuple[int, int],
    *,
    margin: float = CROP_MARGIN,
    rotation_deg: float = 0.0,
    flip: bool = False,
) -> Matrix:
    """Return the 2x3 affine map from frame pixels to crop pixels.

    The box's centre becomes the crop's centre; the box is grown to the crop's aspect ratio and then by
    `margin`, so that nothing is stretched.

    Args:
        box: in frame pixels.
        size_wh: the crop's width and height in pixels.
        margin: growth after the aspect ratio is right.
        rotation_deg: turns the picture counter-clockwise about the box's centre.
        flip: mirrors the crop afterwards, x' = W - 1 - x.

    Raises:
        InputError: if the box has NaN or no area.
    """
    box.checked()
    width, height = size_wh
    scale = min(width / box.width, height / box.height) / margin
    cx, cy = box.centre
    angle = np.deg2rad(rotation_deg)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])
    shift = np.array([(width - 1) / 2, (height - 1) / 2]) - linear @ np.array([cx, cy])
    matrix = np.column_stack([linear, shift])
    if flip:
        matrix[0] *= -1
        matrix[0, 2] += width - 1
    return matrix


def invert(matrix: Matrix) -> Matrix:
    """Invert a 2x3 affine map."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def transform(points: ArrayLike, matrix: Matrix) -> NDArray[np.float64]:
    """Apply a 2x3 affine map to points (..., 2)."""
    result: NDArray[np.float64] = np.asarray(points, dtype=float) @ matrix[:, :2].T + matrix[:, 2]
    return result


def crop_to_heatmap(points: ArrayLike, stride: float) -> NDArray[np.float64]:
    """Map crop pixels to heatmap cells: h = (c + 0.5) / stride - 0.5."""
    result: NDArray[np.float64] = (np.asarray(points, dtype=float) + 0.5) / stride - 0.5
    return result


def heatmap_to_crop(points: ArrayLike, stride: float) -> NDArray[np.float64]:
    """Map heatmap cells to crop pixels; the inverse of `crop_to_heatmap`."""
    result: NDArray[np.float64] = (np.asarray(points, dtype=float) + 0.5) * stride - 0.5
    return result


def flip_points(points: ArrayLike, width: float) -> NDArray[np.float64]:
    """Mirror points (..., 2) in a picture of `width` pixels: x' = width - 1 - x."""
    mirrored = np.array(points, dtype=float)
    mirrored[..., 0] = width - 1 - mirrored[..., 0]
    return mirrored


def pixel_scale(matrix: Matrix) -> float:
    """Return how many crop pixels one frame pixel becomes under a crop's map."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
