"""What happens to a person on the way to a training crop: one draw of parameters, seeded by (seed, epoch, index).

A draw holds everything that chance decides, and the labels already moved by it. `sadinet.training.render` makes the
pixels from it, one crop at a time on a CPU or a whole batch on a GPU: the same draw, the same crop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import Box, Matrix, box_of_joints, crop_matrix, invert, transform
from sadinet.network.bounds import check_bounds
from sadinet.skeletons import BODY19, Skeleton
from sadinet.training.warp import cut_crop

if TYPE_CHECKING:
    from sadinet.training.datasets import PersonSet

__all__ = ["AugmentConfig", "CropDraw", "capsules", "cut_crop", "draw_crop", "move_labels", "random_matrix"]

Points = NDArray[np.float32]

PATCHES = 2
"""Places for a patch in a draw; each comes with its own chance."""

_LEAST_JOINTS = 4
"""Known joints that a half body or a close-up needs; with fewer the whole person is shown."""

_CLOSE = ("shoulder", "neck", "thorax", "head_top", "nose", "eye", "ear")
_LEGS = ("hip", "knee", "ankle", "pelvis")

LIMB_RADIUS = 0.05
"""Half a limb's thickness, share of the person's extent; the trunk is twice as thick."""

_CHANCES = ("full_turn", "flip", "half_body", "close_up", "other", "patch", "blur", "low_res", "grey", "jpeg")
_STRENGTHS = ("scale", "shift", "colour")
_BOUNDS = {"rotation_deg": (0, 180), "zoom": (-1, 1), **dict.fromkeys((*_CHANCES, *_STRENGTHS), (0, 1))}


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How far a crop may stray from the plain one. Chances and strengths are between 0 and 1; 0 leaves a change out.

    Attributes:
        rotation_deg: standard deviation of the turn.
        full_turn: chance that the turn is any angle instead; gymnasts are upside down.
        scale: standard deviation of the logarithm of the zoom.
        zoom: mean of that logarithm; above 0 is closer than the labels' box, as a detector's box is.
        shift: standard deviation of the move, share of the box.
        flip: chance of a mirror; left and right joints exchange.
        half_body: chance that the crop shows the upper or the lower body only.
        close_up: chance that it shows head and shoulders only, as a webcam does.
        other: chance that a second person is pasted, over or behind the first or beside.
        patch: chance of each of two patches of one colour.
        blur: chance of a Gaussian blur of 0.5 to 1.5 px.
        low_res: chance that the crop is shrunk by 1.5 to 4 and enlarged again.
        colour: strength of changes in brightness, contrast and tint.
        grey: chance of losing all colour.
        jpeg: chance of JPEG's noise, quality 15 to 60.
    """

    rotation_deg: float = 12.0
    full_turn: float = 0.02
    scale: float = 0.1
    zoom: float = 0.03
    shift: float = 0.04
    flip: float = 0.5
    half_body: float = 0.03
    close_up: float = 0.02
    other: float = 0.03
    patch: float = 0.05
    blur: float = 0.1
    low_res: float = 0.03
    colour: float = 0.18
    grey: float = 0.05
    jpeg: float = 0.05

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS)


@dataclass(frozen=True, slots=True, eq=False)
class CropDraw:
    """All that chance decided for one crop of width W and height H.

    Attributes:
        person: whose crop it is; a number in the set.
        inverse: (2, 3) float64, map from crop pixels to the picture's.
        points: (K, 2) float32, joints in crop pixels.
        weight: (K,) float32, 0 for joints that are unknown or outside of the crop.
        other: number of the person who is pasted, -1 for nobody.
        other_inverse: (2, 3) float64, from crop pixels to the other's picture.
        other_shape, own_shape: (C, 5) float32 capsules x0, y0, x1, y1, radius in crop pixels that cover the other
            person and the first one; a radius below 0 is no capsule.
        other_in_front: the other person hides the first one, not the reverse.
        patches: (2, 7) float32: left, top, width, height in pixels, then blue, green, red; a width of 0 is no patch.
        blur: standard deviation in pixels, 0 for none.
        low_res: factor of shrinking, 1 for none.
        gain: (3,) float32, factors on blue, green, red.
        offset: added to all of them.
        grey: colour is lost.
        jpeg: quality 1..100, 0 for no JPEG.
    """

    person: int
    inverse: Matrix
    points: Points
    weight: NDArray[np.float32]
    other: int
    other_inverse: Matrix
    other_shape: NDArray[np.float32]
    own_shape: NDArray[np.float32]
    other_in_front: bool
    patches: NDArray[np.float32]
    blur: float
    low_res: float
    gain: NDArray[np.float32]
    offset: float
    grey: bool
    jpeg: float


@cache
def _part(skeleton: Skeleton, endings: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([joint.endswith(endings) for joint in skeleton.joints])


def _shown(
    known: NDArray[np.bool_], skeleton: Skeleton, config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return the mask of joints that the crop is laid around: all that are known, half of the body, or the head."""
    half, close, which = rng.random(3)
    if close < config.close_up:
        part = known & _part(skeleton, _CLOSE)
    elif half < config.half_body:
        legs = _part(skeleton, _LEGS)
        part = known & (~legs if which < 0.7 else legs)
    else:
        return known
    return part if part.sum() >= _LEAST_JOINTS else known


def random_matrix(
    joints: Points,
    weight: NDArray[np.float32],
    size_wh: tuple[int, int],
    config: AugmentConfig,
    rng: np.random.Generator,
    skeleton: Skeleton = BODY19,
) -> tuple[Matrix, bool]:
    """Return a random crop's map from picture to crop pixels, and whether it mirrors."""
    plain = box_of_joints(joints[_shown(weight > 0, skeleton, config, rng)])
    zoom = float(np.exp(np.clip(rng.normal(config.zoom, config.scale), -0.5, 0.7)))
    side = max(plain.width, plain.height)
    cx, cy = np.array(plain.centre) + np.clip(rng.normal(0, config.shift, 2), -0.25, 0.25) * side
    box = Box(float(cx - plain.width / 2), float(cy - plain.height / 2), plain.width, plain.height)
    turn = rng.uniform(-180, 180) if rng.random() < config.full_turn else rng.normal(0, config.rotation_deg)
    flip = bool(rng.random() < config.flip)
    return crop_matrix(box, size_wh, margin=1.25 / zoom, rotation_deg=float(turn), flip=flip), flip


def move_labels(
    joints: Points,
    weight: NDArray[np.float32],
    matrix: Matrix,
    size_wh: tuple[int, int],
    *,
    flip: bool,
    skeleton: Skeleton = BODY19,
) -> tuple[Points, NDArray[np.float32]]:
    """Move joints into the crop; left and right exchange under a mirror; what falls outside gets weight 0."""
    points = transform(joints, matrix).astype(np.float32)
    weight = weight.copy()
    if flip:
        points, weight = points[skeleton.flip_order], weight[skeleton.flip_order]
    inside = ((points >= -0.5) & (points <= np.array(size_wh) - 0.5)).all(axis=1)
    weight[~inside] = 0
    return np.nan_to_num(points), weight


def capsules(points: NDArray[np.floating], known: NDArray[np.bool_], skeleton: Skeleton) -> NDArray[np.float32]:
    """Return capsules (C, 5) that roughly cover a person: limbs and the trunk; C depends on the skeleton alone.

    Args:
        points: (K, 2) in crop pixels.
        known: (K,) which of them are there.
        skeleton: of the points.
    """
    shape = np.zeros((len(skeleton.limbs) + 1, 5), dtype=np.float32)
    shape[:, 4] = -1
    if known.sum() < 2:
        return shape
    radius = LIMB_RADIUS * float(np.ptp(points[known], axis=0).max())
    for row, (a, b) in enumerate(skeleton.limb_indices):
        if known[a] and known[b]:
            shape[row] = (*points[a], *points[b], radius)
    corners = [skeleton.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
    if known[corners].all():
        top, bottom = points[corners[:2]].mean(axis=0), points[corners[2:]].mean(axis=0)
        shape[-1] = (*top, *bottom, 2 * radius)
    return shape


def _place_other(
    own: NDArray[np.floating], other: Points, size_wh: tuple[int, int], rng: np.random.Generator
) -> Matrix:
    """Return the map from the other's picture to the crop: about as large as the first person, over or beside."""
    low, high = own.min(axis=0), own.max(axis=0)
    extent = max(float((high - low).max()), 0.1 * size_wh[0])
    size = extent * float(np.exp(rng.uniform(-0.4, 0.3)))
    matrix = crop_matrix(
        box_of_joints(other, margin=0, at_least_px=1),
        (round(size) + 1, round(size) + 1),
        margin=1,
        rotation_deg=float(rng.normal(0, 15)),
        flip=bool(rng.random() < 0.5),
    )
    step = np.array([rng.choice([-1, 1]) * rng.uniform(0.15, 0.8), rng.normal(0, 0.12)]) * extent
    matrix[:, 2] += (low + high) / 2 + step - size / 2
    return matrix


def _patches(size_wh: tuple[int, int], config: AugmentConfig, rng: np.random.Generator) -> NDArray[np.float32]:
    patches = np.zeros((PATCHES, 7), dtype=np.float32)
    for patch in patches:
        drawn = rng.random(), rng.uniform(0.05, 0.25, 2), rng.random(2), rng.integers(0, 256, 3)
        if drawn[0] < config.patch:
            patch[2:4] = np.floor(drawn[1] * size_wh) + 1
            patch[:2] = np.floor(drawn[2] * (np.array(size_wh) - patch[2:4]))
            patch[4:] = drawn[3]
    return patches


def draw_crop(
    people: PersonSet,
    person: int,
    size_wh: tuple[int, int],
    config: AugmentConfig,
    seed: tuple[int, int, int],
    skeleton: Skeleton = BODY19,
) -> CropDraw:
    """Decide everything about one random crop.

    Args:
        people: the set; a second person is taken from it too.
        person: number in the set.
        size_wh: width and height of the crop, pixels.
        config: how far to stray.
        seed: (run, epoch, index); the same seed gives the same draw.
        skeleton: of the set's joints.

    Raises:
        InputError: if the person has no known joint.
    """
    rng = np.random.default_rng(seed)
    joints, known = people.joints[person], people.weight[person] > 0
    matrix, flip = random_matrix(joints, people.weight[person], size_wh, config, rng, skeleton)
    points, weight = move_labels(joints, people.weight[person], matrix, size_wh, flip=flip, skeleton=skeleton)
    own = transform(np.nan_to_num(joints), matrix)
    other, other_matrix = -1, np.eye(2, 3)
    other_shape = own_shape = capsules(own, np.zeros_like(known), skeleton)
    if rng.random() < config.other:
        chosen = int(rng.integers(len(people)))
        seen = people.weight[chosen] > 0
        if chosen != person and seen.sum() >= _LEAST_JOINTS:
            other, other_matrix = chosen, _place_other(own[known], people.joints[chosen][seen], size_wh, rng)
            moved = transform(np.nan_to_num(people.joints[chosen]), other_matrix)
            own_shape, other_shape = capsules(own, known, skeleton), capsules(moved, seen, skeleton)
    gain = np.exp(rng.normal(0, config.colour)) * np.exp(rng.normal(0, config.colour / 3, 3))
    offset = rng.normal(0, 60 * config.colour) - 63.5 * (gain.mean() - 1)
    chances, blur, shrink = rng.random(5), rng.uniform(0.5, 1.5), np.exp(rng.uniform(np.log(1.5), np.log(4)))
    return CropDraw(
        person, invert(matrix), points, weight,
        other, invert(other_matrix), other_shape, own_shape, bool(chances[0] < 0.5),
        _patches(size_wh, config, rng),
        float(blur) if chances[1] < config.blur else 0.0,
        float(shrink) if chances[2] < config.low_res else 1.0,
        gain.astype(np.float32), float(offset), bool(chances[3] < config.grey),
        float(rng.integers(15, 61)) if chances[4] < config.jpeg else 0.0,
    )  # fmt: skip
