"""Motion of made-up people, noise like a network's, and errors that are put in on purpose.

`measure_quality.py` holds the quality flags against them; angles and limits are in metres, radians and shares of a
person's size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.motion.track import sizes
from sadinet.recording import Recording
from sadinet.skeletons import BODY19

FPS = 30.0
HEIGHT = 2000

Floats = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Error:
    """Rows `first` to `last` (left out) of a track are wrong."""

    first: int
    last: int


def made_up(rng: Random, seconds: float = 20.0) -> Floats:
    """Return the joints (n, 19, 2), in pixels, of somebody who walks, runs or squats and slowly turns."""
    time_s = np.arange(round(seconds * FPS)) / FPS
    runs, squats = rng.random() < 0.3, rng.random() < 0.2
    rate_hz = rng.uniform(1.3, 1.6) if runs else rng.uniform(0.8, 1.1)
    rate_hz = 0.5 if squats else rate_hz
    phase = 2 * np.pi * rate_hz * time_s + rng.uniform(0, 6)
    stride, arm, elbow = (0.8, 0.9, 1.5) if runs else (0.45, 0.5, 0.3)
    yaw = rng.uniform(0, 2 * np.pi) + rng.uniform(-0.4, 0.4) * time_s
    body: dict[str, list[Floats]] = {}
    zero = np.zeros_like(time_s)
    low: Floats = (1 - np.cos(phase)) / 2 * (0.35 if squats else 0.0)
    hip_z = 0.93 - low + 0.02 * np.cos(2 * phase)
    for side, out, shift in (("left", 1.0, 0.0), ("right", -1.0, np.pi)):
        bend: Floats = np.arccos(np.clip(1 - low / 0.88, -1, 1))
        thigh: Floats = bend if squats else stride * np.sin(phase + shift)
        knee = 2 * bend if squats else 0.15 + (1.4 if runs else 0.9) * np.clip(np.cos(phase + shift), 0, 1) ** 2
        upper = 0.8 * bend if squats else -arm * np.sin(phase + shift)
        lower = upper + elbow
        hip = [zero, 0.11 * out + zero, hip_z]
        body[f"{side}_hip"] = hip
        body[f"{side}_knee"] = at(hip, 0.45, thigh)
        body[f"{side}_ankle"] = at(body[f"{side}_knee"], 0.43, thigh - knee)
        shoulder = [zero, 0.19 * out + zero, hip_z + 0.48]
        body[f"{side}_shoulder"] = shoulder
        body[f"{side}_elbow"] = at(shoulder, 0.3, upper)
        body[f"{side}_wrist"] = at(body[f"{side}_elbow"], 0.26, lower)
        body[f"{side}_eye"] = [zero + 0.1, 0.03 * out + zero, hip_z + 0.68]
        body[f"{side}_ear"] = [zero, 0.07 * out + zero, hip_z + 0.66]
    for name, ahead, above in (("neck", 0.0, 0.54), ("head_top", 0.0, 0.8), ("nose", 0.12, 0.64)):
        body[name] = [ahead + zero, zero, hip_z + above]
    x, y, z = np.stack([np.stack(body[joint]) for joint in BODY19.joints], axis=2)
    across = x * np.cos(yaw)[:, None] + y * np.sin(yaw)[:, None]
    scale = rng.uniform(120, 260)
    return np.stack([500 + scale * across, 600 - scale * z], axis=2)


def at(start: list[Floats], length: float, swing: Floats) -> list[Floats]:
    """Return the end of a limb that hangs from `start` and swings forward by an angle."""
    return [start[0] + length * np.sin(swing), start[1], start[2] - length * np.cos(swing)]


def size_of(joints: Floats) -> float:
    """Return the usual size of the person, pixels."""
    return float(np.median(sizes(joints, np.ones(joints.shape[:2], dtype=bool))))


SPREAD = {"eye": 0.4, "ear": 0.6, "nose": 0.4, "head": 0.7, "neck": 0.7, "wrist": 1.5, "ankle": 1.5, "knee": 1.3}
JITTER, DRIFT, DRIFT_S, SIGMA = 0.007, 0.015, 0.3, 0.06  # shares of the person's size; seconds


def spread() -> Floats:
    """Return how much larger than others a joint's noise is, (19,)."""
    parts = [joint.removeprefix("left_").removeprefix("right_").removesuffix("_top") for joint in BODY19.joints]
    return np.array([SPREAD.get(part, 1.0) for part in parts])


def noisy(joints: Floats, rng: Random) -> tuple[Floats, Floats]:
    """Return joints with jitter and slow drift, and the standard deviations that a network would give, (n, 19)."""
    size = size_of(joints)
    keep = np.exp(-1 / (FPS * DRIFT_S))
    drift = rng.normal(size=joints.shape)
    for row in range(1, len(drift)):
        drift[row] = keep * drift[row - 1] + np.sqrt(1 - keep**2) * drift[row]
    noise = (JITTER * rng.normal(size=joints.shape) + DRIFT * drift) * size * spread()[:, None]
    return joints + noise, np.broadcast_to(SIGMA * size * spread(), joints.shape[:2])


def exchange(*parts: str) -> Callable[[Floats, Error, Random], Floats]:
    """Return what exchanges left and right of some joints."""
    left = [BODY19.index(f"left_{part}") for part in parts]
    right = [BODY19.index(f"right_{part}") for part in parts]

    def apply(joints: Floats, error: Error, _: Random) -> Floats:
        rows = np.arange(error.first, error.last)[:, None]
        joints[rows, left], joints[rows, right] = joints[rows, right], joints[rows, left]
        return joints

    return apply


def displace(joints: Floats, error: Error, rng: Random) -> Floats:
    """Move one joint of a limb away by a fifth to a half of the person's size."""
    part = rng.choice(["wrist", "elbow", "knee", "ankle"])
    joint = BODY19.index(f"{rng.choice(['left', 'right'])}_{part}")
    size = size_of(joints)
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.5) * size
    joints[error.first : error.last, joint] += distance * np.array([np.cos(angle), np.sin(angle)])
    return joints


def lengthen(joints: Floats, error: Error, rng: Random) -> Floats:
    """Let a shin or a forearm grow by 80 to 120% of its usual length, without a leap, and shrink again."""
    side, (end, start) = rng.choice(["left", "right"]), [("ankle", "knee"), ("wrist", "elbow")][rng.integers(2)]
    end_at, start_at = BODY19.index(f"{side}_{end}"), BODY19.index(f"{side}_{start}")
    rows = slice(error.first, error.last)
    line = joints[:, end_at] - joints[:, start_at]
    length = np.linalg.norm(line, axis=1, keepdims=True)
    more = rng.uniform(0.8, 1.2) * np.median(length) * np.sin(np.linspace(0, np.pi, error.last - error.first))
    joints[rows, end_at] = joints[rows, start_at] + (line / length * np.quantile(length, 0.9))[rows]
    joints[rows, end_at] += (line / length)[rows] * more[:, None]
    return joints


def another(joints: Floats, error: Error, rng: Random) -> Floats:
    """Go on with the poses of a second person nearby: the same gait, another moment, size and direction."""
    centre = joints.mean(axis=(0, 1))
    size = size_of(joints)
    other = np.roll(joints, int(rng.integers(10, len(joints) - 10)), axis=0)
    if rng.random() < 0.5:
        mirrored = 2 * centre[0] - other[..., 0]
        other = np.stack([mirrored, other[..., 1]], axis=2)[:, BODY19.flip_order]
    moved = joints.mean(axis=1, keepdims=True) - other.mean(axis=1, keepdims=True)
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.6) * size
    grown = centre + rng.uniform(0.8, 1.25) * (other + moved - centre)
    grown += distance * np.array([np.cos(angle), 0.3 * np.sin(angle)])
    joints[error.first : error.last] = grown[error.first : error.last]
    return joints


ERRORS: dict[str, tuple[tuple[str, ...], tuple[int, int], Callable[[Floats, Error, Random], Floats]]] = {
    "legs exchanged": (("swap_legs", "swap_body"), (1, 12), exchange("hip", "knee", "ankle")),
    "ankles exchanged": (("swap_legs",), (1, 12), exchange("ankle")),
    "arms exchanged": (("swap_arms", "swap_body"), (1, 12), exchange("shoulder", "elbow", "wrist")),
    "body exchanged": (
        ("swap_body", "swap_legs", "swap_arms"),
        (1, 12),
        exchange("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "eye", "ear"),
    ),
    "joint away for 1 to 5 rows": (("jump",), (1, 5), displace),
    "joint away for 20 rows": (("jump",), (20, 20), displace),
    "limb grows": (("bone_length",), (15, 15), lengthen),
    "another person": (("id_change",), (22, 22), another),
}
"""What was done -> flags that count as a hit, rows that it lasts, how."""


def recorded(joints: Floats, sigmas: Floats) -> Recording:
    """Return one track as a recording."""
    count = len(joints)
    return Recording(
        skeleton=BODY19,
        index=np.arange(count),
        time_s=np.arange(count) / FPS,
        sizes_wh=np.full((count, 2), HEIGHT),
        frame_flags=((),) * count,
        sources=("",) * count,
        row_frame=np.arange(count),
        track_ids=np.zeros(count, dtype=np.int64),
        boxes=np.tile([HEIGHT / 2, HEIGHT / 2, 1.0, 1.0, 1.0], (count, 1)),
        joints=joints.astype(np.float32),
        scores=np.full(joints.shape[:2], 0.6, dtype=np.float32),
        sigmas=np.repeat(sigmas[..., None], 2, axis=2).astype(np.float32),
        flags=((),) * count,
    )
