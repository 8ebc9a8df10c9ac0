"""Where frames and people lie on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF

from sadinet.results import Pose

FAR: Final = 1e5
"""Logical pixels, beyond any screen."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class View:
    """From frame pixels to a widget's logical pixels.

    Attributes:
        size_wh: width and height of the frame in pixels.
        scale: logical pixels for each pixel of the frame.
        left, top: where the frame's left top corner lies, logical pixels.
        mirror: whether left and right are exchanged.
    """

    size_wh: tuple[int, int]
    scale: float
    left: float
    top: float
    mirror: bool = False

    @property
    def rect(self) -> QRectF:
        """Where the frame lies, logical pixels."""
        width, height = self.size_wh
        return QRectF(self.left, self.top, width * self.scale, height * self.scale)

    def points(self, xy: NDArray[np.floating]) -> Floats:
        """Map frame pixels (..., 2), whose centres are at whole numbers, to logical pixels."""
        edges = np.asarray(xy, dtype=np.float64) + 0.5
        if self.mirror:
            edges = np.stack([self.size_wh[0] - edges[..., 0], edges[..., 1]], axis=-1)
        return edges * self.scale + (self.left, self.top)

    def frame_point(self, x: float, y: float) -> tuple[float, float]:
        """Map logical pixels to frame pixels; the inverse of `points`."""
        across, down = (x - self.left) / self.scale, (y - self.top) / self.scale
        return (self.size_wh[0] - across if self.mirror else across) - 0.5, down - 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A pose where it is drawn.

    Attributes:
        pose: the pose.
        points: (K, 2) logical pixels, finite.
        shown: (K,) which joints are drawn.
        height: the person's extent, logical pixels.
        box_top: upper edge of the crop's box, logical pixels; infinite where it is not known.
    """

    pose: Pose
    points: Floats
    shown: Bools
    height: float
    box_top: float

    @property
    def stroke(self) -> float:
        """Width of its limbs, logical pixels."""
        return float(np.clip(self.height / 75, 1.6, 7.0))


def place(pose: Pose, view: View, threshold: float) -> Placed:
    """Say where a pose is drawn, and which of its joints score enough to be."""
    points = view.points(pose.joints)
    # A score that is not known hides nothing.
    shown = np.isfinite(points).all(axis=1) & ~(np.nan_to_num(pose.scores, nan=np.inf) < threshold)
    known = points[np.isfinite(points).all(axis=1)]
    extent = float(np.ptp(known, axis=0).max()) if len(known) > 1 else 0.0
    box = max(pose.box.width, pose.box.height) * view.scale
    height = min(extent, box) if np.isfinite(box) and box > 0 and extent > 0 else extent
    top = pose.box.y * view.scale + view.top
    box_top = top if np.isfinite(top) else float("inf")
    return Placed(pose, np.clip(np.nan_to_num(points), -FAR, FAR), shown, height, box_top)
