"""Mend labels that many hands made: with teachers, with a model's own predictions, and by what a body can do.

Every change is kept with its reason, so that it can be looked at and undone. What is doubtful gets weight 0: a joint
that is left out teaches nothing wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.skeletons import BODY19
from sadinet.training.metrics import torso_length
from sadinet.training.sets.joint_file import read_joint_file
from sadinet.training.sets.people import LabelledPerson

TEACHER_CONFIDENCE = 0.3
"""Confidence from which an opinion commits itself."""

AGREEMENT = 0.1
"""Two opinions agree on a joint within this share of the torso."""

DOUBT = 0.5
"""A label further than this share of the torso from what is agreed is doubted."""

TEACHER_WEIGHT = 0.5
"""Weight of a teacher's joint where a person gave none."""

SURE_ALONE = 0.6
"""Confidence that an opinion needs where it is the only one."""

BODY_SWAPPED, PAIR_SWAPPED = "left and right of the body exchanged", "left and right exchanged"
IMPOSSIBLE, DISAGREES, FILLED = "impossible limb", "disagrees", "filled"
REASONS = (BODY_SWAPPED, PAIR_SWAPPED, IMPOSSIBLE, DISAGREES, FILLED)

LONGEST_LIMB = {
    ("ankle", "knee"): 2.4, ("knee", "hip"): 2.1, ("hip", "hip"): 1.6, ("wrist", "elbow"): 2.4,
    ("elbow", "shoulder"): 2.1, ("shoulder", "neck"): 2.4, ("neck", "head_top"): 2.0,
}  # fmt: skip
"""Torsos that a limb may measure: what 999 of 1,000 of LSPet's labels stay below, foreshortened torsos among them."""

_LIMBS = 12
_ORDER = BODY19.flip_order
_PAIRS = BODY19.flip_pairs
_HEAD_AND_BODY = 14

Array = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What somebody says of the same N people: (N, 19, 2) pixels and (N, 19) confidence, 0 where nothing."""

    name: str
    joints: Array
    confidence: Array
    trust: float = 1.0

    @property
    def sure(self) -> Bools:
        """(N, 19): it commits itself."""
        return (self.confidence > TEACHER_CONFIDENCE) & np.isfinite(self.joints).all(axis=2)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One joint of one person.

    Attributes:
        person: place in the set.
        joint: its name.
        reason: one of `REASONS`.
        before, after: (x, y) picture pixels, NaN for unknown.
        weight: of the joint afterwards.
        apart: torsos between the label and what the others say, NaN where nobody says anything.
    """

    person: int
    joint: str
    reason: str
    before: tuple[float, float]
    after: tuple[float, float]
    weight: float
    apart: float


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """Labels afterwards: (N, 19, 2), (N, 19), and how they came about."""

    joints: Array
    weight: Array
    changes: tuple[Change, ...]

    def only(self, rows: Sequence[int]) -> Cleaned:
        """Return the people of these rows alone, in this order."""
        place = {row: k for k, row in enumerate(rows)}
        changes = (replace(change, person=place[change.person]) for change in self.changes if change.person in place)
        return Cleaned(self.joints[list(rows)], self.weight[list(rows)], tuple(changes))


def read_opinions(path: Path, people: Sequence[LabelledPerson]) -> list[Opinion]:
    """Read what a joint file says of these people.

    Raises:
        SourceError: if the file is missing, damaged, or holds no joints.
        InputError: if one of its opinions says nothing of any of them.
    """
    found = []
    for each in read_joint_file(path):
        joints, scores = each.of(people)
        if not (scores > 0).any():
            raise InputError(
                f"{each.name} in {path} says nothing of the people asked for", "its index holds other names"
            )
        found.append(Opinion(each.name, joints, scores))
    return found


def merge_folds(opinions: Sequence[Opinion]) -> list[Opinion]:
    """Return the opinions with those put into one that speak of different people, as the folds' networks do.

    Each of those would else be an opinion that is silent on most people, and nobody would be alone anywhere.
    """
    found: list[Opinion] = []
    for opinion in opinions:
        told: Bools = np.asarray((opinion.confidence > 0).any(axis=1), dtype=bool)
        for place, other in enumerate(found):
            if other.trust == opinion.trust and not (told & (other.confidence > 0).any(axis=1)).any():
                found[place] = Opinion(
                    f"{other.name} and {opinion.name}",
                    np.where(told[:, None, None], opinion.joints, other.joints),
                    np.where(told[:, None], opinion.confidence, other.confidence),
                    other.trust,
                )
                break
        else:
            found.append(opinion)
    return found


def agreed(opinions: Sequence[Opinion], scale: NDArray[np.floating]) -> Array:
    """Return where the opinions agree, (N, 19, 2), NaN elsewhere.

    Two that are sure and lie within `AGREEMENT` of the scale agree; a third joins if it lies as near to one of them.
    Somebody alone is believed from `SURE_ALONE` on.

    Args:
        opinions: at least one.
        scale: (N,) pixels, a torso.
    """
    if len(opinions) == 1:
        alone = opinions[0]
        believed = alone.sure & (alone.confidence > SURE_ALONE)
        return np.where(believed[..., None], alone.joints, np.nan).astype(np.float32)
    points = np.stack([opinion.joints for opinion in opinions])
    sure = np.stack([opinion.sure for opinion in opinions])
    limit = AGREEMENT * np.nan_to_num(np.asarray(scale, dtype=float))[:, None]
    joined = np.zeros_like(sure)
    for a in range(len(opinions)):
        for b in range(a):
            near = sure[a] & sure[b] & (np.linalg.norm(points[a] - points[b], axis=2) < limit)
            joined[a] |= near
            joined[b] |= near
    trust = np.array([opinion.trust for opinion in opinions])[:, None, None] * joined
    total = trust.sum(axis=0)
    mean = (np.where(joined[..., None], points, 0) * trust[..., None]).sum(axis=0) / np.maximum(total, 1e-9)[..., None]
    return np.where((total > 0)[..., None], mean, np.nan).astype(np.float32)


def clean_labels(joints: Array, weight: Array, opinions: Sequence[Opinion] = ()) -> Cleaned:
    """Mend labels in body19.

    In this order: whole bodies whose left and right all opinions see exchanged are turned back; then single pairs;
    limbs longer than a body can have lose the end that is wrong; labels far from what the opinions agree on are set
    aside; joints without a label are taken from them, the face at full weight, the rest at `TEACHER_WEIGHT`.

    Args:
        joints: (N, 19, 2) picture pixels, NaN where not labelled.
        weight: (N, 19), 0 where not labelled.
        opinions: on the same people; without any, only the limbs are looked at.
    """
    points, trust = joints.astype(np.float32).copy(), weight.astype(np.float32).copy()
    scale = body_scale(points, trust)
    reasons = np.full(trust.shape, "", dtype=object)
    if opinions:
        swapped = np.logical_and.reduce([_swapped_bodies(points, opinion, scale) for opinion in opinions])
        points[swapped], trust[swapped] = points[swapped][:, _ORDER], trust[swapped][:, _ORDER]
        reasons[swapped] = np.where(np.isfinite(points[swapped][..., 0]), BODY_SWAPPED, "")
        _turn_pairs(points, trust, reasons, agreed(opinions, scale), scale)
    told = agreed(opinions, scale) if opinions else np.full_like(points, np.nan)
    apart = np.linalg.norm(points - told, axis=2) / scale[:, None]
    for person, joint in _impossible(points, trust, scale, apart):
        trust[person, joint], reasons[person, joint] = 0, IMPOSSIBLE
    doubted = (trust > 0) & (apart > DOUBT)
    trust[doubted], reasons[doubted] = 0, DISAGREES
    fill = ~np.isfinite(points[..., 0]) & np.isfinite(told[..., 0])
    points[fill], trust[fill], reasons[fill] = told[fill], TEACHER_WEIGHT, FILLED
    trust[:, _HEAD_AND_BODY:][fill[:, _HEAD_AND_BODY:]] = 1.0
    return Cleaned(points, trust, tuple(_changes(joints, points, trust, reasons, apart)))


def body_scale(joints: Array, weight: Array) -> NDArray[np.float64]:
    """Return a torso's length (N,), pixels; where it is not labelled, 0.3 of the joints' extent; at least 1."""
    known = np.where((weight > 0)[..., None], joints, np.nan)[:, :_HEAD_AND_BODY]
    low = np.where(np.isfinite(known), known, np.inf).min(axis=1)
    high = np.where(np.isfinite(known), known, -np.inf).max(axis=1)
    extent = np.where(np.isfinite(high - low), high - low, 0).max(axis=1)
    torso = torso_length(joints, weight, BODY19)
    result: NDArray[np.float64] = np.maximum(np.where(np.isfinite(torso), torso, 0.3 * extent), 1.0)
    return result


def _swapped_bodies(joints: Array, opinion: Opinion, scale: NDArray[np.floating]) -> Bools:
    """Say of each person whether the limbs lie clearly nearer to an opinion with left and right exchanged."""
    told = opinion.joints[:, :_LIMBS]
    known = np.isfinite(joints[:, :_LIMBS, 0]) & opinion.sure[:, :_LIMBS]
    known &= known[:, _ORDER[:_LIMBS]]
    count = known.sum(axis=1)

    def mean_apart(labels: Array) -> NDArray[np.float64]:
        apart = np.where(known, np.linalg.norm(labels[:, :_LIMBS] - told, axis=2), 0)
        return np.asarray(apart.sum(axis=1) / np.maximum(count, 1), dtype=float)

    straight, exchanged = mean_apart(joints), mean_apart(joints[:, _ORDER])
    better: Bools = (count >= 6) & (exchanged < 0.6 * straight) & (straight - exchanged > 0.15 * scale)
    return better


def _turn_pairs(
    points: Array, weight: Array, reasons: NDArray[np.object_], told: Array, scale: NDArray[np.floating]
) -> None:
    """Exchange pairs, in place, both of whose ends lie near to the other's agreed place and far from their own."""
    for left, right in _PAIRS:
        here, there = [left, right], [right, left]
        straight = np.linalg.norm(points[:, here] - told[:, here], axis=2)
        crossed = np.linalg.norm(points[:, there] - told[:, here], axis=2)
        far, near = straight > DOUBT * scale[:, None], crossed < DOUBT / 2 * scale[:, None]
        turned = (far & near & (weight[:, here] > 0)).all(axis=1) & ~_would_cross(points, left, right)
        for array in (points, weight):
            array[np.ix_(turned, here)] = array[np.ix_(turned, there)]
        reasons[np.ix_(turned, here)] = PAIR_SWAPPED


def _would_cross(points: Array, left: int, right: int) -> Bools:
    """Say whether exchanging shoulders or hips sets them against each other, as no torso is twisted."""
    shoulders, hips = ((BODY19.index(f"left_{name}"), BODY19.index(f"right_{name}")) for name in ("shoulder", "hip"))
    if (left, right) not in (shoulders, hips):
        return np.zeros(len(points), dtype=bool)
    across = [points[:, a] - points[:, b] for a, b in (shoulders, hips)]
    result: Bools = (across[0] * across[1]).sum(axis=1) > 0
    return result


def _impossible(
    joints: Array, weight: Array, scale: NDArray[np.floating], apart: NDArray[np.floating]
) -> list[tuple[int, int]]:
    """Return (person, joint) of the ends that make a limb too long; both where nothing tells which."""
    long: dict[int, list[tuple[int, int]]] = {}
    for a, b in BODY19.limb_indices:
        most = _longest(a, b)
        if most is None:
            continue
        length = np.linalg.norm(joints[:, a] - joints[:, b], axis=1)
        for person in np.flatnonzero((weight[:, a] > 0) & (weight[:, b] > 0) & (length > most * scale)).tolist():
            long.setdefault(person, []).append((a, b))
    found: list[tuple[int, int]] = []
    for person, limbs in long.items():
        ends = [joint for limb in limbs for joint in limb]
        while limbs:
            # The joint with most impossible limbs, then the one farther from what others say.
            worst = max(ends, key=lambda k: (ends.count(k), np.nan_to_num(apart[person, k], nan=0.0)))
            tied = [k for k in dict.fromkeys(ends) if ends.count(k) == ends.count(worst)]
            told = [k for k in tied if np.isfinite(apart[person, k])]
            chosen = [worst] if len(tied) == 1 or told else tied
            found += [(person, k) for k in chosen]
            limbs = [limb for limb in limbs if not set(limb) & set(chosen)]
            ends = [joint for limb in limbs for joint in limb]
    return found


def _longest(a: int, b: int) -> float | None:
    names = tuple(BODY19.joints[k].removeprefix("left_").removeprefix("right_") for k in (a, b))
    return LONGEST_LIMB.get((names[0], names[1]))


def _changes(
    before: Array, after: Array, weight: Array, reasons: NDArray[np.object_], apart: NDArray[np.floating]
) -> list[Change]:
    return [
        Change(
            int(person),
            BODY19.joints[joint],
            str(reasons[person, joint]),
            (float(before[person, joint, 0]), float(before[person, joint, 1])),
            (float(after[person, joint, 0]), float(after[person, joint, 1])),
            float(weight[person, joint]),
            float(apart[person, joint]),
        )
        for person, joint in np.argwhere(reasons != "")
    ]
