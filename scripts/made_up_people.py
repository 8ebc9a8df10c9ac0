"""Made-up people who walk, cross, leave and hide: pictures, and what a detector and a pose network would say.

Nothing here is measured on people: figures walk on a background that moves, detections are missed or wrong as
often as a small detector's, hidden joints are guessed or are those of the person in front. What is known of a
made-up scene is who is who, so that switched numbers can be counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import Box, box_iou
from sadinet.results import Frame, Pose
from sadinet.skeletons import BODY19

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

SIZE_WH = (480, 270)
NOBODY = -1
"""Who a false detection is of."""

_CLOTHES: tuple[Colour, ...] = (
    (60, 50, 190), (170, 90, 40), (60, 150, 70), (40, 170, 210), (190, 190, 190), (50, 50, 55), (150, 60, 140),
)  # fmt: skip
_SKIN: Colour = (140, 165, 205)


@dataclass(frozen=True, slots=True, eq=False)
class Walker:
    """A person with a way.

    Attributes:
        x: (F,) place of the hips, pixels.
        floor: y of the feet, pixels; who stands lower is in front.
        height: pixels.
        top, legs: colours of the clothes, BGR.
        phase: of the steps, radians.
    """

    x: Floats
    floor: float
    height: float
    top: Colour
    legs: Colour
    phase: float


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """People, their ways, and how often the detector errs.

    Attributes:
        name: what happens.
        people: in order of their number.
        fps: frames a second.
        missed: share of clearly visible people that the detector overlooks.
        false: share of frames with a detection of nobody.
        noise: of joints, by the person's height.
        seed: of everything drawn by chance.
    """

    name: str
    people: tuple[Walker, ...]
    fps: float = 30.0
    missed: float = 0.03
    false: float = 0.02
    noise: float = 0.015
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame: the picture, the poses that were found, and of whom each is."""

    frame: Frame
    poses: tuple[Pose, ...]
    who: tuple[int, ...]


def crossing(seed: int, *, fps: float = 30.0, same_clothes: bool = False) -> Scene:
    """Two people walk past each other; one may turn faster than the other."""
    rng = np.random.default_rng(seed)
    a, b = _clothes(rng, same_clothes)
    frames = round(5 * fps)
    ways = _line(60, 420, frames, rng), _line(430, 50, frames, rng)
    people = _pair(rng, ways, (a, b))
    return Scene("cross" + " in the same clothes" * same_clothes, people, fps=fps, seed=seed)


def leaving(seed: int, *, fps: float = 30.0) -> Scene:
    """One of two people walks out of the picture and is back a second later."""
    rng = np.random.default_rng(seed)
    a, b = _clothes(rng, same=False)
    edge = 525.0
    away = round(fps * rng.uniform(0.7, 1.2))
    out = np.linspace(300, edge, round(1.8 * fps))
    back = np.linspace(edge, rng.uniform(280, 380), round(1.8 * fps))
    way = np.concatenate([out, np.full(away, edge), back])
    stays = 130 + 30 * np.sin(np.linspace(0, 5, len(way)))
    return Scene("leave for a second", _pair(rng, (stays, way), (a, b)), fps=fps, seed=seed)


def replacing(seed: int, *, fps: float = 30.0) -> Scene:
    """One of two people walks out of the picture, and somebody in other clothes comes in a second later."""
    left = leaving(seed, fps=fps)
    stays, goes = left.people
    rng = np.random.default_rng((seed, 2))
    unused = [colour for colour in _CLOTHES if colour not in (goes.top, goes.legs)]
    top, legs = (unused[place] for place in rng.permutation(len(unused))[:2])
    middle, outside = len(goes.x) // 2, goes.x.max()
    before = np.arange(len(goes.x)) < middle
    comes = replace(goes, x=np.where(before, outside, goes.x), top=top, legs=legs)
    goes = replace(goes, x=np.where(before, goes.x, outside))
    return replace(left, name="another comes in", people=(stays, goes, comes))


def hiding(seed: int, *, fps: float = 30.0) -> Scene:
    """One of two people stays behind the other for a second, and comes out on either side."""
    rng = np.random.default_rng(seed)
    a, b = _clothes(rng, same=False)
    middle = 240.0
    hidden = np.full(round(fps * rng.uniform(0.8, 1.3)), middle)
    come = np.linspace(60, middle, round(1.6 * fps))
    go = np.linspace(middle, 60 if rng.random() < 0.5 else 420, round(1.6 * fps))
    way = np.concatenate([come, hidden, go])
    stands = middle + 4 * np.sin(np.linspace(0, 7, len(way)))
    front, behind = _pair(rng, (stands, way), (a, b))
    behind = replace(behind, floor=front.floor - 10, height=min(behind.height, 0.93 * front.height))
    return Scene("hide behind another", (replace(front, height=1.05 * front.height), behind), fps=fps, seed=seed)


SITUATIONS: dict[str, Callable[[int], Scene]] = {"cross": crossing, "leave": leaving, "hide": hiding}


def play(scene: Scene) -> Iterator[Seen]:
    """Yield a scene's frames in their order; the same scene gives the same frames."""
    rng = np.random.default_rng((scene.seed, 1))
    texture = rng.integers(95, 150, (SIZE_WH[1] // 8 + 2, SIZE_WH[0] // 8 + 40, 3), dtype=np.uint8)
    backdrop = np.asarray(cv2.resize(texture, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    grain = rng.normal(0, 6, backdrop[: SIZE_WH[1], : SIZE_WH[0]].shape).astype(np.int16)
    for index in range(len(scene.people[0].x)):
        joints = [joints_of(walker, index, scene.fps) for walker in scene.people]
        image = backdrop[4 : 4 + SIZE_WH[1], (index // 2) % 240 :][:, : SIZE_WH[0]].copy()
        owner = np.full(SIZE_WH[::-1], NOBODY, dtype=np.int16)
        whole = np.zeros(len(joints))
        for number in sorted(range(len(joints)), key=lambda who: scene.people[who].floor):
            whole[number] = _paint(image, owner, joints[number], scene.people[number], number)
        shift = int(rng.integers(0, SIZE_WH[1]))
        lamp = int(rng.normal(0, 4))
        image = np.clip(image + np.roll(grain, shift, axis=0) + lamp, 0, 255).astype(np.uint8)
        poses, who = _look(scene, joints, owner, whole, rng)
        yield Seen(Frame(image, index, index / scene.fps, scene.name), poses, who)


def joints_of(walker: Walker, index: int, fps: float) -> Floats:
    """Return the joints of `BODY19`, (19, 2), of a person at a frame."""
    x, h, floor = float(walker.x[index]), walker.height, walker.floor
    pace = float(np.gradient(walker.x)[index]) * fps / h
    turn = float(np.clip(pace * 3, -1, 1))
    swing = 0.32 * min(abs(pace), 1.0) * np.sin(walker.phase + 2 * np.pi * 0.9 * index / fps)
    wide = 1 - 0.5 * abs(turn)
    place: dict[str, tuple[float, float]] = {
        "neck": (x, floor - 0.85 * h), "head_top": (x, floor - h), "nose": (x + 0.04 * turn * h, floor - 0.92 * h),
    }  # fmt: skip
    for side, sign in (("right", -1.0), ("left", 1.0)):
        hip, shoulder = (x + sign * 0.06 * wide * h, floor - 0.52 * h), (x + sign * 0.11 * wide * h, floor - 0.82 * h)
        leg, arm = sign * swing, -sign * swing
        knee = (hip[0] + 0.25 * h * np.sin(leg), hip[1] + 0.25 * h * np.cos(leg))
        bend = leg - 0.25 * abs(leg) * np.sign(turn)
        elbow = (shoulder[0] + 0.16 * h * np.sin(arm) + sign * 0.02 * h, shoulder[1] + 0.16 * h * np.cos(arm))
        place |= {
            f"{side}_hip": hip, f"{side}_shoulder": shoulder, f"{side}_knee": knee, f"{side}_elbow": elbow,
            f"{side}_ankle": (knee[0] + 0.24 * h * np.sin(bend), knee[1] + 0.24 * h * np.cos(bend)),
            f"{side}_wrist": (elbow[0] + 0.15 * h * np.sin(1.2 * arm), elbow[1] + 0.15 * h * np.cos(1.2 * arm)),
            f"{side}_eye": (x + (0.03 * turn + sign * 0.015) * h, floor - 0.935 * h),
            f"{side}_ear": (x + sign * 0.035 * wide * h, floor - 0.925 * h),
        }  # fmt: skip
    return np.array([place[name] for name in BODY19.joints], dtype=float)


def _clothes(rng: np.random.Generator, same: bool) -> tuple[tuple[Colour, Colour], tuple[Colour, Colour]]:
    picked = rng.permutation(len(_CLOTHES))
    first = (_CLOTHES[picked[0]], _CLOTHES[picked[1]])
    return first, first if same else (_CLOTHES[picked[2]], _CLOTHES[picked[3]])


def _line(start: float, end: float, frames: int, rng: np.random.Generator) -> Floats:
    """Return a way of one direction and unsteady pace."""
    pace = np.clip(1 + 0.35 * np.sin(np.linspace(0, rng.uniform(3, 8), frames) + rng.uniform(0, 6)), 0.2, None)
    walked = np.cumsum(pace)
    way: Floats = start + (end - start) * walked / walked[-1]
    return way


def _pair(
    rng: np.random.Generator, ways: tuple[Floats, Floats], clothes: tuple[tuple[Colour, Colour], tuple[Colour, Colour]]
) -> tuple[Walker, Walker]:
    floors = rng.permutation([250.0, 250.0 - rng.uniform(4, 14)])
    first, second = (
        Walker(way, float(floor), float(rng.uniform(165, 185)), top, legs, float(rng.uniform(0, 6)))
        for way, floor, (top, legs) in zip(ways, floors, clothes, strict=True)
    )
    return first, second


def _paint(image: Image, owner: NDArray[np.int16], joints: Floats, walker: Walker, number: int) -> float:
    """Draw a figure over the picture and over who is where; returns how many pixels it has, in and out of view."""
    h = walker.height
    at = {name: (round(float(x)), round(float(y))) for name, (x, y) in zip(BODY19.joints, joints, strict=True)}
    mask = np.zeros(image.shape[:2], np.uint8)
    strokes: list[tuple[list[str], float, Colour]] = []
    for side in ("left", "right"):
        strokes.append(([f"{side}_hip", f"{side}_knee", f"{side}_ankle"], 0.085, walker.legs))
        strokes.append(([f"{side}_shoulder", f"{side}_elbow"], 0.06, walker.top))
        strokes.append(([f"{side}_elbow", f"{side}_wrist"], 0.045, _SKIN))
    for names, width, colour in strokes:
        line = np.array([at[name] for name in names], dtype=np.int32)
        for canvas, ink in ((image, colour), (mask, (1,))):
            cv2.polylines(canvas, [line], False, ink, max(1, round(width * h)), cv2.LINE_8)
    corners = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
    trunk = cv2.convexHull(np.array([at[name] for name in corners], dtype=np.int32))
    head = (round(float(joints[BODY19.index("neck"), 0])), round(walker.floor - 0.925 * h))
    for canvas, ink, skin in ((image, walker.top, _SKIN), (mask, (1,), (1,))):
        cv2.fillConvexPoly(canvas, trunk, ink)
        cv2.polylines(canvas, [trunk], True, ink, max(1, round(0.06 * h)))
        cv2.ellipse(canvas, head, (round(0.05 * h), round(0.075 * h)), 0, 0, 360, skin, cv2.FILLED)
    owner[mask > 0] = number
    # Whole figures cover about this share of their height squared.
    return max(float(mask.sum()), 0.12 * h * h)


def _look(
    scene: Scene, joints: list[Floats], owner: NDArray[np.int16], whole: Floats, rng: np.random.Generator
) -> tuple[tuple[Pose, ...], tuple[int, ...]]:
    """Return what a detector and a pose network would say of a frame, in a random order."""
    found: list[tuple[Pose, int]] = []
    order = sorted(range(len(joints)), key=lambda who: -scene.people[who].floor)
    for number in order:
        visible = float((owner == number).sum()) / whole[number]
        chance = 0.0 if visible < 0.2 else 0.4 if visible < 0.45 else 1 - scene.missed
        if rng.random() >= chance:
            continue
        box = _box(joints[number], owner == number, visible, rng)
        kept = np.array([[p.box.x, p.box.y, p.box.width, p.box.height] for p, _ in found]).reshape(-1, 4)
        if box_iou(kept, np.array([[box.x, box.y, box.width, box.height]])).max(initial=0) < 0.65:
            found.append((_pose(scene, joints, number, owner, box, rng), number))
    if rng.random() < scene.false:
        found.append((_false_pose(rng), NOBODY))
    shuffled = [found[place] for place in rng.permutation(len(found))]
    return tuple(pose for pose, _ in shuffled), tuple(who for _, who in shuffled)


def _box(joints: Floats, mask: NDArray[np.bool_], visible: float, rng: np.random.Generator) -> Box:
    """Return the detector's box: of what is visible, where much is hidden."""
    if visible < 0.7:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        low, high = np.array([columns[0], rows[0]], float), np.array([columns[-1], rows[-1]], float)
    else:
        low, high = joints.min(axis=0), joints.max(axis=0)
    grow = 0.05 * float((high - low).max())
    shake = rng.normal(0, 0.15 * grow + 0.5, (2, 2))
    low = np.clip(low - grow + shake[0], -0.5, np.array(SIZE_WH) - 3.0)
    high = np.clip(high + grow + shake[1], low + 2, np.array(SIZE_WH) - 0.5)
    score = float(np.clip(0.55 + 0.35 * visible + rng.normal(0, 0.05), 0.36, 0.98))
    x, y, width, height = (float(value) for value in (*low, *(high - low)))
    return Box(x, y, width, height, score)


def _pose(
    scene: Scene, joints: list[Floats], number: int, owner: NDArray[np.int16], box: Box, rng: np.random.Generator
) -> Pose:
    """Return joints with noise; hidden ones are guessed, or are the joints of who is in front."""
    own, height = joints[number], scene.people[number].height
    places = np.clip(np.rint(own).astype(int), 0, np.array(SIZE_WH) - 1)
    covered_by = owner[places[:, 1], places[:, 0]]
    inside = ((own >= 0) & (own < SIZE_WH)).all(axis=1)
    hidden = (covered_by != number) & (covered_by != NOBODY)
    taken = hidden & (rng.random(len(own)) < 0.6)
    points = own.copy()
    for joint in np.flatnonzero(taken):
        points[joint] = joints[int(covered_by[joint])][joint]
    clear = inside & ~hidden
    points += rng.normal(0, 1, points.shape) * (np.where(clear, 1, 3) * scene.noise * height)[:, None]
    scores = np.where(clear, rng.uniform(0.5, 0.85, len(own)), rng.uniform(0.1, 0.4, len(own)))
    scores = np.where(taken, rng.uniform(0.3, 0.7, len(own)), scores)
    sigmas = np.full((len(own), 2), scene.noise * height)
    return Pose(points.astype(np.float32), scores.astype(np.float32), sigmas.astype(np.float32), box, BODY19)


def _false_pose(rng: np.random.Generator) -> Pose:
    height = rng.uniform(60, 160)
    x, y = rng.uniform(0, SIZE_WH[0] - 60), rng.uniform(0, SIZE_WH[1] - height)
    box = Box(float(x), float(y), float(0.4 * height), float(height), float(rng.uniform(0.36, 0.5)))
    points = np.array([x, y]) + rng.random((len(BODY19), 2)) * (0.4 * height, height)
    scores = rng.uniform(0.05, 0.3, len(BODY19))
    sigmas = np.full((len(BODY19), 2), 0.1 * height)
    return Pose(points.astype(np.float32), scores.astype(np.float32), sigmas.astype(np.float32), box, BODY19)
