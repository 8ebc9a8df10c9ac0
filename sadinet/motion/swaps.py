"""Left and right exchanged: told by what the rows before and behind expect, never by looking at one row.

For each pair (both knees, both wrists ...) the line from right to left is followed. When the network confuses the two,
it turns round from one row to the next; when legs really pass each other it shrinks and grows again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sadinet.motion.breaks import Path, ends, pair_sigmas
from sadinet.motion.settings import QualityLimits
from sadinet.skeletons import Skeleton

LEGS = ("hip", "knee", "ankle")
ARMS = ("shoulder", "elbow", "wrist")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def swaps(path: Path, skeleton: Skeleton, limits: QualityLimits) -> tuple[dict[str, Bools], Bools]:
    """Return the suspected rows (n,) by flag word, and (n, K) joints that change sides from the row before."""
    parts = [part for part in (*LEGS, *ARMS) if {f"left_{part}", f"right_{part}"} <= set(skeleton.joints)]
    left, right = ([skeleton.index(f"{side}_{part}") for part in parts] for side in ("left", "right"))
    turns = _turns(path, left, right, limits)
    odd = _odd_one_out(path, turns, limits.longest_swap_s)
    legs, arms = (odd[:, [part in group for part in parts]].any(axis=1) for group in (LEGS, ARMS))
    body = legs & arms & (odd.sum(axis=1) >= 3)
    turning = np.zeros(path.is_good.shape, dtype=bool)
    for side in (left, right):
        turning[:, side] = turns
    return {"swap_body": body, "swap_legs": legs & ~body, "swap_arms": arms & ~body}, turning


def _turns(path: Path, left: list[int], right: list[int], limits: QualityLimits) -> Bools:
    # (n, P): the line between the pair is better continued turned round.
    line = path.joints[:, left] - path.joints[:, right]
    before, behind = ends(path, line, path.is_good[:, left] & path.is_good[:, right])
    sigmas = pair_sigmas(path)
    least = limits.swap * path.size[:, None] + limits.sigmas * np.hypot(sigmas[:, left], sigmas[:, right]) / 2
    apart = np.minimum(np.linalg.norm(before, axis=2), np.linalg.norm(behind, axis=2))
    as_is, turned = np.linalg.norm(before - behind, axis=2), np.linalg.norm(before + behind, axis=2)
    result: Bools = (apart > least) & (turned < as_is / 2)
    return result


def _odd_one_out(path: Path, turns: Bools, longest_s: float) -> Bools:
    # (n, P): on the other side than in most rows within `longest_s`, or at a turn that lasts.
    side = np.cumsum(turns, axis=0) % 2
    steps = np.diff(path.time_s, prepend=path.time_s[:1])
    clock = np.cumsum(np.where(steps > 0, steps, 0.0))
    first = np.searchsorted(clock, clock - longest_s - 1e-9)
    last = np.searchsorted(clock, clock + longest_s + 1e-9, side="right")
    sums = np.concatenate([np.zeros_like(side[:1]), np.cumsum(side, axis=0)])
    most = (sums[last] - sums[first]) / (last - first)[:, None]
    odd = np.where(side == 1, most < 0.5, most > 0.5)
    before = np.concatenate([np.zeros_like(odd[:1]), odd[:-1]])
    result: Bools = odd | (turns & ~before)
    return result
