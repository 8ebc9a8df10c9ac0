"""What leaps: single joints, the lengths of bones, and whole people whose number went to another."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from sadinet.motion.breaks import Path, ends, is_peak, pair_sigmas
from sadinet.motion.settings import QualityLimits
from sadinet.motion.track import usual
from sadinet.skeletons import Skeleton

FEWEST_JOINTS = 6
"""A whole body's leap is told from at least six joints."""

LONGEST = 0.85
"""Quantile of a bone's lengths that stands for its greatest: a bone that points to the camera looks shorter than it is,
and the largest values hold errors."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def leaps(path: Path, skeleton: Skeleton, limits: QualityLimits, turning: Bools) -> dict[str, Bools]:
    """Return the suspected rows (n,) of `id_change`, `jump` and `bone_length`.

    Args:
        turning: (n, K) joints that change sides from the row before, which are no leaps of their own.
    """
    before, behind = ends(path, path.joints, path.is_good)
    gap = behind - before
    shift = _median(gap)
    changes = _id_changes(path, gap, shift, limits)
    common = np.where(np.isfinite(shift), shift, 0.0)[:, None]
    jumps = _jumps(path, gap - common, limits, turning | changes[:, None])
    return {"id_change": changes, "jump": jumps, "bone_length": _bones(path, skeleton, limits)}


def _id_changes(path: Path, gap: Floats, shift: Floats, limits: QualityLimits) -> Bools:
    distance = np.linalg.norm(gap, axis=2)
    enough = np.isfinite(distance).sum(axis=1) >= FEWEST_JOINTS
    sigma = _median(np.where(np.isfinite(distance), pair_sigmas(path), np.nan)[..., None])[:, 0]
    place = np.linalg.norm(shift, axis=1)
    shape = _median(np.linalg.norm(gap - shift[:, None], axis=2)[..., None])[:, 0]
    noise = limits.sigmas * sigma / 2  # the median of many joints varies less than one of them
    far = (place > limits.id_place * path.size * path.slack + noise) & is_peak(place)
    other = (shape > limits.id_shape * path.size * path.slack + noise) & is_peak(shape)
    result: Bools = enough & (far | other)
    return result


def _jumps(path: Path, gap: Floats, limits: QualityLimits, known: Bools) -> Bools:
    distance = np.linalg.norm(gap, axis=2)
    least = limits.jump * (path.size * path.slack)[:, None] + limits.sigmas * pair_sigmas(path)
    leap: Bools = np.logical_and(distance > least, is_peak(distance) & ~known)
    return np.asarray(_until_return(path, gap, leap, limits.longest_jump_s).any(axis=1))


def _until_return(path: Path, gap: Floats, leap: Bools, longest_s: float) -> Bools:
    # A leap that the next one takes back marks the rows between; one that stays marks its first row.
    marked = np.zeros_like(leap)
    for joint in np.flatnonzero(leap.any(axis=0)):
        rows = np.flatnonzero(leap[:, joint])
        come_back = np.zeros(len(rows), dtype=bool)
        for place, (row, following) in enumerate(itertools.pairwise(rows.tolist())):
            left = gap[row, joint] + gap[following, joint]
            largest = max(np.linalg.norm(gap[row, joint]), np.linalg.norm(gap[following, joint]))
            if path.time_s[following] - path.time_s[row] <= longest_s and np.linalg.norm(left) < largest / 2:
                marked[row:following, joint] = True
                come_back[place + 1] = True
        marked[rows[~come_back], joint] = True
    return marked


def _bones(path: Path, skeleton: Skeleton, limits: QualityLimits) -> Bools:
    pairs = [(a, b) for a, b in skeleton.limb_indices if _is_limb(skeleton.joints[a], skeleton.joints[b])]
    if not pairs:
        return np.zeros(len(path.index), dtype=bool)
    start, stop = np.array(pairs).T
    is_good: Bools = np.logical_and(path.is_good[:, start], path.is_good[:, stop])
    length = np.where(is_good, np.linalg.norm(path.joints[:, start] - path.joints[:, stop], axis=2), np.nan)
    longest = _of_both_sides(usual(length, path.index, LONGEST), pairs, skeleton)
    noise = limits.sigmas * np.hypot(path.sigmas[:, start], path.sigmas[:, stop])
    before, behind = ends(path, length[..., None], is_good)
    gap = np.abs(behind - before)[..., 0]
    abrupt = (gap > limits.bone * longest * path.slack[:, None] + noise) & is_peak(gap)
    return np.asarray(((length > (1 + limits.bone) * longest + noise) | abrupt).any(axis=1))


def _of_both_sides(longest: Floats, pairs: list[tuple[int, int]], skeleton: Skeleton) -> Floats:
    # Left and right are equally long: where one points at the camera most of the time, the other tells.
    mirror = skeleton.flip_order
    bones = [frozenset(pair) for pair in pairs]
    others = [frozenset(int(mirror[joint]) for joint in pair) for pair in pairs]
    places = [bones.index(other) if other in bones else place for place, other in enumerate(others)]
    return np.fmax(longest, longest[:, places])


def _is_limb(a: str, b: str) -> bool:
    # Arms, legs and the sides of the trunk; what runs across it changes with every turn of the body.
    sides = {name.partition("_")[0] for name in (a, b)}
    return sides in ({"left"}, {"right"}) and not any(name.endswith(("_eye", "_ear")) for name in (a, b))


def _median(values: Floats) -> Floats:
    # Over the second axis of (n, K, D), NaN left out and NaN where nothing is known.
    ordered = np.sort(values, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    middle = ((count - 1) // 2, count // 2)
    low, high = (np.take_along_axis(ordered, np.maximum(place, 0)[:, None], axis=1)[:, 0] for place in middle)
    result: Floats = np.where(count > 0, (low + high) / 2, np.nan)
    return result
