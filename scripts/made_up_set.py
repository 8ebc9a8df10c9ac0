"""A training set of made-up people: coloured stick figures in any posture on grounds of noise, as many as are wanted.

For tests, and to try a recipe or a GPU without any data. What is learnt on it says nothing about people.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.skeletons import BODY19
from sadinet.training.datasets import PersonSet

Floats = NDArray[np.float64]

_LIMB_COLOURS = {"left": (60, 140, 230), "right": (220, 120, 40), "middle": (60, 200, 90)}


def _limb(start: Floats, angle: float, length: float) -> Floats:
    return start + length * np.array([np.sin(angle), np.cos(angle)])


def made_up_joints(rng: np.random.Generator) -> Floats:
    """Return a figure's joints (19, 2), body19, of height about 1 around (0, 0), y down."""
    at: dict[str, Floats] = {}
    lean, across = rng.normal(0, 0.3), np.array([rng.uniform(0.05, 0.11), rng.normal(0, 0.01)])
    hips, neck = np.zeros(2), _limb(np.zeros(2), np.pi + lean, 0.3)
    at["neck"], at["head_top"] = neck, _limb(neck, np.pi + lean + rng.normal(0, 0.2), 0.18)
    for side, sign in (("left", 1), ("right", -1)):
        at[f"{side}_hip"], at[f"{side}_shoulder"] = hips + sign * 0.7 * across, neck + sign * across + [0, 0.03]
        thigh, upper = rng.normal(sign * 0.2, 0.6), rng.normal(sign * 0.5, 0.9)
        at[f"{side}_knee"] = _limb(at[f"{side}_hip"], thigh, 0.24)
        at[f"{side}_ankle"] = _limb(at[f"{side}_knee"], thigh - abs(rng.normal(0, 0.5)), 0.24)
        at[f"{side}_elbow"] = _limb(at[f"{side}_shoulder"], upper, 0.17)
        at[f"{side}_wrist"] = _limb(at[f"{side}_elbow"], upper + abs(rng.normal(0, 0.8)), 0.15)
        face = 0.5 * (neck + at["head_top"])
        at["nose"] = face
        at[f"{side}_eye"] = face + np.array([sign * 0.02, -0.02])
        at[f"{side}_ear"] = face + np.array([sign * 0.05, -0.01])
    return np.stack([at[name] for name in BODY19.joints])


def _paint(joints: Floats, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    width = max(2, side // 24)
    for a, b in BODY19.limb_indices:
        sides = {BODY19.joints[k].partition("_")[0] for k in (a, b)} & {"left", "right"}
        colour = _LIMB_COLOURS[sides.pop() if len(sides) == 1 else "middle"]
        ends = [tuple(round(float(v) * 16) for v in joints[k]) for k in (a, b)]
        cv2.line(picture, ends[0], ends[1], colour, width, cv2.LINE_AA, 4)
    return picture


def made_up_set(count: int, seed: int, name: str = "made-up", side: int = 128) -> PersonSet:
    """Return `count` figures in pictures of `side` pixels; the same seed gives the same figures."""
    rng = np.random.default_rng(seed)
    pictures, points = [], np.zeros((count, len(BODY19), 2), dtype=np.float32)
    for row in range(count):
        joints = made_up_joints(rng)
        low, high = joints.min(axis=0), joints.max(axis=0)
        scale = side * rng.uniform(0.5, 0.7) / float((high - low).max())
        joints = (joints - (low + high) / 2) * scale + side / 2 + rng.normal(0, side / 40, 2)
        points[row] = joints
        pictures.append(_paint(joints, side, rng))
    keys = [f"{seed}-{row:06d}" for row in range(count)]
    return PersonSet(name, pictures, points, np.ones(points.shape[:2], dtype=np.float32), keys)
