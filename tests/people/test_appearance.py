"""Colours of clothes."""

from __future__ import annotations

import numpy as np

from sadinet.geometry import Box
from sadinet.people.appearance import blend, colour_likeness, colours
from sadinet.results import Pose
from sadinet.skeletons import BODY19

PLACES = {
    "shoulder": 20, "hip": 50, "knee": 70, "ankle": 90, "neck": 15, "head_top": 5, "nose": 10, "elbow": 35, "wrist": 50,
    "eye": 9, "ear": 9,
}  # fmt: skip


def person(scores: float = 0.8) -> Pose:
    joints = np.zeros((len(BODY19), 2), np.float32)
    for place, name in enumerate(BODY19.joints):
        side = -12 if name.startswith("right") else 12 if name.startswith("left") else 0
        joints[place] = 50 + side, PLACES[name.removeprefix("left_").removeprefix("right_")]
    return Pose(joints, np.full(len(joints), scores, np.float32), joints, Box(30, 0, 40, 100), BODY19)


def picture(top: tuple[int, int, int], legs: tuple[int, int, int], light: float = 1.0) -> np.ndarray:
    image = np.random.default_rng(0).normal(0, 5, (100, 100, 3))
    image[:50] += np.array(top) * light
    image[50:] += np.array(legs) * light
    return np.clip(image, 0, 255).astype(np.uint8)


def test_same_clothes_are_alike_in_other_light_and_other_clothes_are_not():
    red_blue = colours(picture((40, 40, 180), (170, 70, 30)), [person()])
    dimmer = colours(picture((40, 40, 180), (170, 70, 30), light=0.85), [person()])
    green_grey = colours(picture((60, 150, 70), (150, 150, 150)), [person()])
    same, other = colour_likeness(red_blue, dimmer)[0, 0], colour_likeness(red_blue, green_grey)[0, 0]
    print(f"same clothes {same:.2f}, other {other:.2f}")  # noqa: T201
    assert same > 0.85
    assert other < 0.6


def test_only_the_legs_differ():
    a, b = (colours(picture((40, 40, 180), legs), [person()]) for legs in ((170, 70, 30), (60, 150, 70)))
    assert colour_likeness(a[:, :1], b[:, :1])[0, 0] > 0.99
    assert colour_likeness(a[:, 1:], b[:, 1:])[0, 0] < 0.6


def test_each_channel_sums_up_to_one():
    found = colours(picture((0, 0, 255), (255, 0, 0)), [person(), person()])
    assert found.shape == (2, 2, 30)
    assert np.allclose(found.sum(axis=2), 3)


def test_unsure_joints_and_people_outside_of_the_picture_have_no_colours():
    image = picture((40, 40, 180), (170, 70, 30))
    away = person()
    away.joints[:] += 500
    found = colours(image, [person(0.1), away])
    assert np.isnan(found).all()
    assert np.isnan(colour_likeness(found, colours(image, [person()]))).all()
    assert colours(image, []).shape == (0, 2, 30)


def test_blending_takes_what_is_known():
    old, new, nothing = np.full((2, 30), 0.0), np.full((2, 30), 1.0), np.full((2, 30), np.nan)
    assert np.allclose(blend(old, new, 0.25), 0.25)
    assert np.allclose(blend(nothing, new, 0.25), 1)
    assert np.allclose(blend(old, nothing, 0.25), 0)
