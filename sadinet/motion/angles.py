"""Joint angles in the picture, in degrees, and how far the joints' uncertainty lets them vary.

An angle is what the picture shows of it: a limb that points towards the camera looks shorter, and its angle
differs from the one in space. Each is defined in `ANGLES`; docs/angles.md draws them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sadinet.skeletons import Skeleton

ANGLES: dict[str, tuple[str, ...]] = {
    "left_knee": ("left_hip", "left_knee", "left_ankle"),
    "right_knee": ("right_hip", "right_knee", "right_ankle"),
    "left_hip": ("left_shoulder", "left_hip", "left_knee"),
    "right_hip": ("right_shoulder", "right_hip", "right_knee"),
    "left_elbow": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_elbow": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_shoulder": ("left_hip", "left_shoulder", "left_elbow"),
    "right_shoulder": ("right_hip", "right_shoulder", "right_elbow"),
    "trunk_lean": ("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
}
"""Name -> joints. Three joints: the angle at the middle one, from 0 (folded) to 180 (straight). Four: the lean of the
line from the middle of the first two to the middle of the last two against the picture's upright, from -180 to 180,
0 upright, positive to the right of the picture."""

Floats = NDArray[np.float64]


def angle_columns() -> tuple[str, ...]:
    """Return the names of the columns: `angle_NAME` and `angle_NAME_sigma` for each angle."""
    return tuple(column for name in ANGLES for column in (f"angle_{name}", f"angle_{name}_sigma"))


def angles(
    joints: NDArray[np.floating], sigmas: NDArray[np.floating], skeleton: Skeleton
) -> dict[str, tuple[Floats, Floats]]:
    """Return each angle and its standard deviation, in degrees.

    The deviation is of first order: errors of joints and axes count as independent and small against the limbs. It is
    never above that of an angle of which nothing is known: 52 degrees, 104 for the lean.

    Args:
        joints: (R, K, 2) x, y in frame pixels.
        sigmas: (R, K, 2) one standard deviation in x and y, frame pixels.
        skeleton: names of the K joints.

    Returns:
        Angle name -> (R,) degrees and (R,) degrees; NaN where a joint or its deviation is not known, or two
        joints that a limb connects lie on one point.
    """
    return {name: _angle(joints, sigmas, skeleton, parts) for name, parts in ANGLES.items()}


def _angle(
    joints: NDArray[np.floating], sigmas: NDArray[np.floating], skeleton: Skeleton, parts: tuple[str, ...]
) -> tuple[Floats, Floats]:
    if any(part not in skeleton.joints for part in parts):
        nothing = np.full(len(joints), np.nan)
        return nothing, nothing.copy()
    places = [skeleton.index(part) for part in parts]
    points = [joints[:, place].astype(np.float64) for place in places]
    spreads = [sigmas[:, place].astype(np.float64) for place in places]
    return _between(points, spreads) if len(parts) == 3 else _lean(points, spreads)


def _between(points: list[Floats], spreads: list[Floats]) -> tuple[Floats, Floats]:
    end, vertex, other = points
    u, v = end - vertex, other - vertex
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    dot = (u * v).sum(axis=1)
    by_end, by_other = -_turn_by(u), _turn_by(v)
    known = np.isfinite(by_end).all(axis=1) & np.isfinite(by_other).all(axis=1)
    value = np.where(known, np.abs(np.arctan2(cross, dot)), np.nan)
    return np.degrees(value), _spread([by_end, -(by_end + by_other), by_other], spreads, 180.0)


def _lean(points: list[Floats], spreads: list[Floats]) -> tuple[Floats, Floats]:
    low, high = (points[0] + points[1]) / 2, (points[2] + points[3]) / 2
    line = high - low
    by_high = _turn_by(line) / 2
    value = np.where(np.isfinite(by_high).all(axis=1), np.arctan2(line[:, 0], -line[:, 1]), np.nan)
    return np.degrees(value), _spread([-by_high, -by_high, by_high, by_high], spreads, 360.0)


def _turn_by(line: Floats) -> Floats:
    # How the direction of a line (R, 2) changes with its end's x and y; NaN where it has no length.
    square = (line**2).sum(axis=1, keepdims=True)
    square[square == 0] = np.nan
    slope: Floats = np.column_stack([-line[:, 1], line[:, 0]]) / square
    return slope


def _spread(slopes: list[Floats], spreads: list[Floats], range_deg: float) -> Floats:
    variance = sum(((slope * spread) ** 2).sum(axis=1) for slope, spread in zip(slopes, spreads, strict=True))
    # An angle anywhere in its range has a twelfth of the range's square as variance; NaN stays NaN.
    result: Floats = np.minimum(np.degrees(np.sqrt(np.asarray(variance))), range_deg / math.sqrt(12))
    return result
