"""How alike bodies are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sadinet.people.similarity import alone, bodies_of_arrays, body_likeness, nearness, oks, stack
from sadinet.skeletons import COCO17

RNG = np.random.default_rng(3)
JOINTS = RNG.random((1, 17, 2)) * (40, 100) + (200, 100)
SCORES = np.full((1, 17), 0.8)
BOXES = np.array([[195.0, 95.0, 50.0, 110.0]])
BODY = bodies_of_arrays(BOXES, JOINTS, SCORES, COCO17)


def moved(x: float, y: float = 0.0):
    return bodies_of_arrays(BOXES + np.array([x, y, 0, 0]), JOINTS + np.array([x, y]), SCORES, COCO17)


def test_oks_is_cocos():
    shift, area = 6.0, 50.0 * 110.0
    wanted = np.exp(-(shift**2) / (2 * area * (2 * np.array(COCO17.oks_sigmas)) ** 2)).mean()
    assert oks(BODY, moved(shift))[0, 0] == pytest.approx(wanted)
    assert oks(BODY, BODY)[0, 0] == 1


def test_joints_that_either_body_does_not_know_do_not_count():
    joints, scores = JOINTS.copy(), SCORES.copy()
    joints[0, :8] = np.nan
    torn = bodies_of_arrays(BOXES, joints, scores, COCO17)
    assert oks(BODY, torn)[0, 0] == 1
    scores[:] = np.nan
    assert oks(BODY, bodies_of_arrays(BOXES, joints, scores, COCO17))[0, 0] == 0


def test_likeness_falls_with_distance_and_reaches_farther_after_a_gap():
    steps = [body_likeness(BODY, moved(x), np.array([[0.03]]))[0, 0] for x in (0, 10, 20, 40, 400)]
    assert steps[0] == 1
    assert all(a > b for a, b in itertools.pairwise(steps))
    assert steps[-1] == 0
    assert body_likeness(BODY, moved(100), np.array([[0.03]]))[0, 0] == 0
    assert body_likeness(BODY, moved(100), np.array([[2.0]]))[0, 0] > 0.4


def test_colours_raise_or_lower_likeness_and_unknown_ones_do_little():
    gap = np.array([[1.0]])
    plain = body_likeness(BODY, moved(20), gap)[0, 0]
    same, unknown, other = (
        body_likeness(BODY, moved(20), gap, np.array([[colour]]))[0, 0] for colour in (0.98, np.nan, 0.6)
    )
    assert other < unknown < same
    assert abs(unknown - plain) < 0.1


def test_nearness_is_in_units_of_the_body():
    size = float(BODY.sizes[0])
    assert nearness(BODY, moved(size / 2), 0.5)[0, 0] == pytest.approx(np.exp(-0.5))


def test_people_who_overlap_are_not_alone():
    assert alone(stack([BODY, moved(30), moved(300)])).tolist() == [False, False, True]
    assert alone(stack([BODY])).tolist() == [True]
