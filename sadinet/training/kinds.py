"""Kinds of people, told by their labels: how they stand to the camera, and how much of them is seen.

A figure over all hides on whom a model fails; these are the groups that are told apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sadinet.skeletons import Skeleton

UPRIGHT_DEG, UPSIDE_DOWN_DEG = 30.0, 120.0
"""Angle of the trunk to the vertical: up to the first people stand or sit, from the second on their head is below."""

SIDE = 0.3
"""How wide shoulders and hips look at most from the side, in lengths of the trunk."""

KINDS = (
    "upright",
    "tilted",
    "upside down",
    "from the front",
    "from the side",
    "from behind",
    "whole",
    "cut off at the hips",
)

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]


def kinds_of(labels: Floats, skeleton: Skeleton) -> dict[str, Bools]:
    """Return who is of which kind, (N,) for each of `KINDS`; nobody is of a kind that the labels cannot tell.

    Args:
        labels: (N, K, 2) picture pixels, NaN where not labelled.
        skeleton: names the joints.
    """
    place = {name: labels[:, i].astype(float) for i, name in enumerate(skeleton.joints)}
    right = (place["right_shoulder"] + place["right_hip"]) / 2
    left = (place["left_shoulder"] + place["left_hip"]) / 2
    up = (place["right_shoulder"] + place["left_shoulder"] - place["right_hip"] - place["left_hip"]) / 2
    length = np.maximum(np.hypot(up[:, 0], up[:, 1]), 1e-6)
    tilt = np.degrees(np.arccos(np.clip(-up[:, 1] / length, -1, 1)))
    # Who faces the camera upright has the left side where x grows.
    towards_left = np.stack([-up[:, 1], up[:, 0]], axis=1)
    width = ((left - right) * towards_left).sum(axis=1) / length**2
    legs = np.stack([place[f"{side}_{joint}"][:, 0] for side in ("left", "right") for joint in ("knee", "ankle")])
    seen, hips = np.isfinite(legs), np.isfinite(place["left_hip"][:, 0]) & np.isfinite(place["right_hip"][:, 0])
    found = (
        tilt <= UPRIGHT_DEG,
        (tilt > UPRIGHT_DEG) & (tilt < UPSIDE_DOWN_DEG),
        tilt >= UPSIDE_DOWN_DEG,
        width > SIDE,
        np.abs(width) <= SIDE,
        width < -SIDE,
        seen.all(axis=0),
        hips & ~seen.any(axis=0),
    )
    return {kind: np.asarray(who, dtype=bool) for kind, who in zip(KINDS, found, strict=True)}
