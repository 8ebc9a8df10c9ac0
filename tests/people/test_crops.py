"""Crops from the last poses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sadinet.geometry import Box
from sadinet.people.crops import Sighting, expect, is_believable, twins, without_twins
from sadinet.people.motion_model import Track
from sadinet.people.similarity import bodies_of
from sadinet.results import Pose
from sadinet.skeletons import COCO17

SIZE_WH = (640, 480)
SHAPE = np.random.default_rng(5).random((17, 2)) * (50, 120)


def pose(x: float, y: float = 100, score: float = 0.8, box_score: float = 0.9) -> Pose:
    joints = (SHAPE + np.array([x, y])).astype(np.float32)
    scores = np.full(17, score, np.float32)
    return Pose(joints, scores, np.ones((17, 2), np.float32), Box(x - 10, y - 10, 70, 140, box_score), COCO17)


def followed(*poses: Pose) -> tuple[Track, Sighting]:
    """A track through poses at 30 frames a second, the first of which the detector saw."""
    bodies = [bodies_of([each], COCO17) for each in poses]
    track = Track.begin(4, bodies[0], poses[0].score, np.full((2, 30), np.nan), 0.0)
    for place, body in enumerate(bodies[1:], start=1):
        track.follow(body, 0.8, place / 30)
    return track, Sighting(0.0, poses[0].box, bodies[0])


def test_the_crop_of_somebody_who_stands_stays_where_the_detector_put_it():
    track, sighting = followed(*(pose(200 + shake) for shake in (0, 1, -2, 1, 2)))
    found = expect(track, sighting, 5 / 30, SIZE_WH)
    assert found is not None
    assert (found.number, found.inside) == (4, 1)
    assert found.box == sighting.box


def test_the_crop_of_somebody_who_walks_goes_along():
    track, sighting = followed(*(pose(200 + 8 * step) for step in range(6)))
    found = expect(track, sighting, 6 / 30, SIZE_WH)
    assert found is not None
    assert found.box.x - sighting.box.x == pytest.approx(48, abs=8)
    assert (found.box.width, found.box.height) == (70, 140)


def test_a_limb_that_jumps_moves_no_crop():
    wild = pose(200)
    wild.joints[:4] += 90
    track, sighting = followed(pose(200), wild)
    found = expect(track, sighting, 2 / 30, SIZE_WH)
    assert found is not None
    assert abs(found.box.x - sighting.box.x) < 5


def test_boxes_are_cut_at_the_edge_and_stay_there_where_they_ended_there():
    track, sighting = followed(*(pose(590 + 6 * step) for step in range(4)))
    found = expect(track, sighting, 4 / 30, SIZE_WH)
    assert found is not None
    assert found.box.x + found.box.width == SIZE_WH[0] - 0.5
    assert found.inside < 1
    entering, sighting = followed(*(pose(5 + 9 * step) for step in range(4)))
    sighting = replace(sighting, box=Box(-0.5, 90, 60, 140))
    found = expect(entering, sighting, 4 / 30, SIZE_WH)
    assert found is not None
    assert found.box.x == -0.5
    assert found.box.width > 75


def test_who_has_left_the_frame_is_expected_nowhere():
    track, sighting = followed(*(pose(560 + 30 * step) for step in range(6)))
    assert expect(track, sighting, 8 / 30, SIZE_WH) is None


def test_joints_that_are_unknown_leave_the_crop_in_place():
    blank = pose(200, score=float("nan"))
    track, sighting = followed(pose(200), blank)
    found = expect(track, sighting, 2 / 30, SIZE_WH)
    assert found is not None
    assert found.box == sighting.box


def test_a_pose_is_believed_where_it_is_sure_and_in_its_place():
    track, sighting = followed(pose(200), pose(200))
    found = expect(track, sighting, 2 / 30, SIZE_WH)
    assert found is not None
    for there, wanted in (
        (pose(203), True),
        (pose(300), False),
        (pose(200, score=0.4), False),
        (pose(200, score=float("nan")), False),
    ):
        assert is_believable(there, found, lost_ratio=0.7, reach=0.35) is wanted


def test_of_twins_the_surer_box_stays_whatever_the_order():
    one, other, apart = pose(200, box_score=0.6), pose(202, box_score=0.9), pose(400)
    assert twins([one, apart, other], 0.85) == ((0, 2),)
    assert without_twins([one, apart, other], 0.85) == (apart, other)
    assert without_twins([other, one, apart], 0.85) == (other, apart)
    assert twins([one], 0.85) == ()
    assert without_twins([], 0.85) == ()
