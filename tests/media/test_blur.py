"""Faces are covered, generously and for good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.geometry import Box
from sadinet.media.blur import MEMORY_S, FaceBlur, blur_faces, blurred, cover
from sadinet.media.heads import Head, heads_of
from sadinet.results import Frame, Pose
from sadinet.skeletons import BODY19, COCO17, LSP14, MPII16, SKELETONS, Skeleton

# A person 400 px high who stands upright, facing us; the head reaches from 100 to 155.
_PLACES = {
    "head_top": (300, 100), "nose": (300, 132), "left_eye": (307, 126), "right_eye": (293, 126),
    "left_ear": (317, 130), "right_ear": (283, 130), "neck": (300, 165), "upper_neck": (300, 165),
    "thorax": (300, 180), "left_shoulder": (340, 175), "right_shoulder": (260, 175), "left_elbow": (350, 240),
    "right_elbow": (250, 240), "left_wrist": (352, 300), "right_wrist": (248, 300), "pelvis": (300, 290),
    "left_hip": (322, 290), "right_hip": (278, 290), "left_knee": (322, 390), "right_knee": (278, 390),
    "left_ankle": (322, 480), "right_ankle": (278, 480),
}  # fmt: skip
_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top")
_HEAD_BOX = (278, 100, 322, 155)


def person(skeleton: Skeleton = BODY19, low: tuple[str, ...] = (), unknown: tuple[str, ...] = (), **more) -> Pose:
    joints = np.array([_PLACES[name] for name in skeleton.joints], np.float32)
    joints[[name in unknown for name in skeleton.joints]] = np.nan
    scores = np.array([0.05 if name in low else 0.9 for name in skeleton.joints], np.float32)
    sigmas = np.full((len(skeleton), 2), 2.0, np.float32)
    return Pose(joints, scores, sigmas, more.pop("box", Box(240, 95, 120, 400)), skeleton, **more)


def holds(heads: tuple[Head, ...], box: tuple[float, float, float, float] = _HEAD_BOX) -> bool:
    left, top, right, bottom = box
    points = [(x, y) for x in np.linspace(left, right, 9) for y in np.linspace(top, bottom, 9)]
    return all(any(np.hypot(x - head.x, y - head.y) <= head.radius for head in heads) for x, y in points)


def picture(seed: int = 0, size_wh: tuple[int, int] = (640, 520)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda skeleton: skeleton.name)
def test_the_whole_head_is_held_for_every_skeleton(skeleton):
    heads = heads_of(person(skeleton))
    assert holds(heads)
    assert all(head.radius < 60 for head in heads), "the body stays visible"


@pytest.mark.parametrize("skeleton", [BODY19, COCO17, LSP14, MPII16], ids=lambda skeleton: skeleton.name)
def test_a_head_that_scores_low_is_held_too(skeleton):
    assert holds(heads_of(person(skeleton, low=_FACE)))


@pytest.mark.parametrize("hidden", [_FACE, (*_FACE, "neck"), (*_FACE, "neck", "left_hip", "right_hip")])
def test_without_joints_of_the_head_it_is_looked_for_above_the_shoulders(hidden):
    heads = heads_of(person(unknown=hidden))
    assert holds(heads)
    assert len(heads) == 1


def test_with_a_box_alone_its_upper_part_is_held():
    heads = heads_of(person(unknown=BODY19.joints))
    assert holds(heads)
    assert max(head.y + head.radius for head in heads) < 290, "not the whole person"


def test_lying_and_upside_down_people_are_held():
    upright = person()
    upside = replace(upright, joints=np.float32([600, 580]) - upright.joints, box=Box(240, 85, 120, 400))
    low = replace(upside, scores=np.where([name in _FACE for name in BODY19.joints], 0.05, 0.9).astype(np.float32))
    for each in (upside, low):
        assert holds(heads_of(each), (278, 425, 322, 480))


def test_uncertain_joints_make_the_circle_larger():
    sure = person()
    unsure = replace(sure, sigmas=np.full_like(sure.sigmas, 12.0))
    unknown = replace(sure, sigmas=np.full_like(sure.sigmas, np.nan))
    radius = [heads_of(each)[0].radius for each in (unknown, sure, unsure)]
    assert radius[0] < radius[1] < radius[2]


def test_a_stray_joint_does_not_cover_the_picture():
    pose = person()
    joints = pose.joints.copy()
    joints[BODY19.index("nose")] = (2000, 2000)
    assert sum(head.radius for head in heads_of(replace(pose, joints=joints))) < 100
    joints[BODY19.index("nose")] = (300, 470)
    assert sum(head.radius for head in heads_of(replace(pose, joints=joints))) < 200


def test_of_nobody_nothing_is_covered():
    nobody = person(unknown=BODY19.joints, box=Box(np.nan, np.nan, np.nan, np.nan))
    assert heads_of(nobody) == ()
    image = picture()
    assert (blur_faces(image, [nobody]) == image).all()


def test_outside_of_heads_every_pixel_stays_and_the_picture_itself_too():
    image = picture()
    before = image.copy()
    after = blur_faces(image, [person()])
    (head,) = heads_of(person())
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    is_far = np.hypot(x - head.x, y - head.y) > head.radius + 2
    assert (after[is_far] == image[is_far]).all()
    assert (image == before).all()
    left, top, right, bottom = _HEAD_BOX
    assert (after[top:bottom, left:right] != image[top:bottom, left:right]).any(axis=2).mean() > 0.95


def test_what_is_left_of_a_head_does_not_depend_on_what_was_where_in_a_cell():
    """Faces that differ only in how pixels lie within cells give the same picture: it cannot be undone."""
    image = picture(size_wh=(200, 200))
    head = Head(99.5, 99.5, 49.5)  # cells of 20 px on a grid that begins at 50
    other = image.copy()
    random = np.random.default_rng(1)
    for top in range(50, 150, 20):
        for left in range(50, 150, 20):
            cell = other[top : top + 20, left : left + 20]
            cell[:] = random.permutation(cell.reshape(-1, 3)).reshape(cell.shape)
    assert (image != other).any()
    inside = np.hypot(*(np.mgrid[:200, :200] - 99.5)) < 49
    assert (cover(image, [head])[inside] == cover(other, [head])[inside]).all()


def test_few_colours_are_left():
    covered = blur_faces(picture(), [person()])
    (head,) = heads_of(person())
    reach = int(head.radius / np.sqrt(2)) - 1
    inside = covered[int(head.y) - reach : int(head.y) + reach, int(head.x) - reach : int(head.x) + reach]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) <= 25


@given(st.floats(-300, 900), st.floats(-300, 900), st.floats(0.5, 700))
def test_any_place_and_size_works(x, y, radius):
    image = picture(size_wh=(160, 120))
    assert cover(image, [Head(x, y, radius)]).shape == image.shape


# over time


def frames(count: int, seen: set[int], step_s: float = 0.1) -> list[tuple[Frame, tuple[Pose, ...]]]:
    pose = person(track_id=7)
    return [(Frame(picture(k), k, k * step_s), (pose,) if k in seen else ()) for k in range(count)]


def covered(before: Frame, after: Frame) -> bool:
    left, top, right, bottom = _HEAD_BOX
    changed = (before.image != after.image).any(axis=2)[top:bottom, left:right]
    return bool(changed.mean() > 0.95)


def test_somebody_lost_for_a_moment_stays_covered():
    blur = FaceBlur()
    told = [covered(frame, blur(frame, poses)) for frame, poses in frames(12, {0, 1, 2})]
    assert told == [True] * 8 + [False] * 4, "half a second after the last time"


def test_somebody_who_comes_is_covered_before_being_found():
    given_in = frames(14, {8, 9})
    given_out = list(blurred(given_in))
    assert [frame.index for frame, _ in given_out] == list(range(14))
    assert [poses for _, poses in given_out] == [poses for _, poses in given_in]
    told = [covered(a, b) for (a, _), (b, _) in zip(given_in, given_out, strict=True)]
    assert told == [False] * 3 + [True] * 11


def test_somebody_who_moves_leaves_no_trail():
    blur = FaceBlur()
    first, second = person(track_id=1), person(track_id=1)
    moved = replace(second, joints=second.joints + np.float32([150, 0]), box=Box(390, 95, 120, 400))
    assert holds(blur.heads(0.0, [first]))
    assert not holds(blur.heads(0.1, [moved]))


def test_time_that_goes_back_forgets():
    blur = FaceBlur()
    blur.heads(5.0, [person(track_id=1)])
    assert blur.heads(0.0, []) == ()
    assert FaceBlur().heads(float("nan"), [person(track_id=1)])


def test_pictures_without_time_are_not_held_back():
    given_in = [(Frame(picture(k), k, float("nan")), (person(track_id=1),)) for k in range(3)]
    drawn = blurred(iter(given_in))
    frame, _ = next(drawn)
    assert covered(given_in[0][0], frame)
    assert len(list(drawn)) == 2
    assert MEMORY_S == 0.5
