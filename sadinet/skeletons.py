"""Joint sets as tables, found by name, and conversions between them.

Left and right are always the person's own. A skeleton travels with every pose, so nothing is ever
guessed from a count of joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A named set of joints.

    Attributes:
        name: short name, as on the command line.
        joints: joint names in the order of heatmaps, arrays and table columns.
        limbs: pairs of joint names that a drawing connects.
        oks_sigmas: per joint, the constant of COCO's object keypoint similarity. COCO's published
            values where COCO has the joint; the others take those of the nearest COCO joint.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...]
    oks_sigmas: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Return the position of a joint; raises `InputError` for a name that is not in the set."""
        try:
            return self.joints.index(joint)
        except ValueError:
            known = ", ".join(self.joints)
            raise InputError(f"skeleton {self.name} has no joint {joint!r}", f"one of: {known}") from None

    @property
    def flip_pairs(self) -> tuple[tuple[int, int], ...]:
        """Index pairs (left, right) that exchange under a mirror."""
        return tuple(
            (i, self.joints.index("right_" + joint[5:]))
            for i, joint in enumerate(self.joints)
            if joint.startswith("left_")
        )

    @property
    def flip_order(self) -> NDArray[np.intp]:
        """Permutation (K,): `mirrored[flip_order]` has every joint back under its own name."""
        order = np.arange(len(self))
        for left, right in self.flip_pairs:
            order[left], order[right] = right, left
        return order

    @property
    def limb_indices(self) -> tuple[tuple[int, int], ...]:
        """`limbs` as index pairs."""
        return tuple((self.joints.index(a), self.joints.index(b)) for a, b in self.limbs)


_LSP_JOINTS = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
    "neck", "head_top",
)  # fmt: skip
_COCO_JOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
_MPII_JOINTS = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
    "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
    "left_wrist",
)  # fmt: skip

_LIMBS = (
    ("right_ankle", "right_knee"), ("right_knee", "right_hip"), ("left_ankle", "left_knee"),
    ("left_knee", "left_hip"), ("right_hip", "left_hip"), ("right_wrist", "right_elbow"),
    ("right_elbow", "right_shoulder"), ("left_wrist", "left_elbow"), ("left_elbow", "left_shoulder"),
)  # fmt: skip
_TORSO = (("right_shoulder", "right_hip"), ("left_shoulder", "left_hip"))
_NECK = (("right_shoulder", "neck"), ("left_shoulder", "neck"), ("neck", "head_top"))
_FACE = (("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear"))
_SHOULDERS = (("left_shoulder", "right_shoulder"),)

# COCO keypoint evaluation, cocoeval.py: 0.026 nose .. 0.089 ankle.
_OKS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062,
    "hip": 0.107, "knee": 0.087, "ankle": 0.089,
    "neck": 0.079, "upper_neck": 0.079, "thorax": 0.079, "pelvis": 0.107, "head_top": 0.079,
}  # fmt: skip


def _make(name: str, joints: tuple[str, ...], limbs: tuple[tuple[str, str], ...]) -> Skeleton:
    sigmas = tuple(_OKS[joint.removeprefix("left_").removeprefix("right_")] for joint in joints)
    return Skeleton(name, joints, limbs, sigmas)


LSP14 = _make("lsp14", _LSP_JOINTS, _LIMBS + _TORSO + _NECK)
COCO17 = _make("coco17", _COCO_JOINTS, _LIMBS + _TORSO + _SHOULDERS + _FACE)
BODY19 = _make(
    "body19", (*_LSP_JOINTS, "nose", "left_eye", "right_eye", "left_ear", "right_ear"), _LIMBS + _TORSO + _NECK + _FACE
)
MPII16 = _make(
    "mpii16",
    _MPII_JOINTS,
    (
        *_LIMBS[:4],
        *_LIMBS[5:],
        ("right_hip", "pelvis"),
        ("left_hip", "pelvis"),
        ("pelvis", "thorax"),
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
        ("right_shoulder", "thorax"),
        ("left_shoulder", "thorax"),
    ),
)

SKELETONS: dict[str, Skeleton] = {s.name: s for s in (BODY19, COCO17, LSP14, MPII16)}

# Joints that two conventions name differently but place alike.
_SAME_PLACE = {"upper_neck": "neck", "neck": "upper_neck"}


def skeleton_by_name(name: str) -> Skeleton:
    """Return the skeleton of that name; raises `InputError` naming the known ones."""
    try:
        return SKELETONS[name]
    except KeyError:
        raise InputError(f"unknown skeleton {name!r}", "one of: " + ", ".join(SKELETONS)) from None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How to turn arrays of one skeleton into another.

    Attributes:
        order: (K_target,) index into the source's joints, -1 where the source lacks the joint.
        missing: names of the target's joints that the source lacks.
    """

    source: Skeleton
    target: Skeleton
    order: NDArray[np.intp]
    missing: tuple[str, ...]

    def apply(self, values: NDArray[np.floating], axis: int = -1) -> NDArray[np.floating]:
        """Reorder `values` along its joint axis; joints that are missing become NaN."""
        picked = np.take(np.asarray(values, dtype=float), np.maximum(self.order, 0), axis=axis)
        blank = np.moveaxis(picked, axis, 0)
        blank[self.order < 0] = np.nan
        return picked


def convert(source: Skeleton, target: Skeleton) -> Conversion:
    """Say which joints of `target` come from where in `source`, and which are missing."""

    def find(joint: str) -> int:
        for name in (joint, _SAME_PLACE.get(joint)):
            if name in source.joints:
                return source.joints.index(name)
        return -1

    order = np.array([find(joint) for joint in target.joints], dtype=np.intp)
    missing = tuple(joint for joint, place in zip(target.joints, order, strict=True) if place < 0)
    return Conversion(source, target, order, missing)
