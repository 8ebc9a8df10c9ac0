from __future__ import annotations

import numpy as np
import pytest

from sadinet.geometry import Box
from sadinet.media.draw import LEFT, MIDLINE, RIGHT, draw_poses, side_colour
from sadinet.results import Pose
from sadinet.skeletons import BODY19, SKELETONS

# A person seen from the front, in a unit square; the own left side is on the picture's right.
FRONT = {
    "head_top": (0.5, 0.03), "upper_neck": (0.5, 0.2), "neck": (0.5, 0.2), "thorax": (0.5, 0.24), "pelvis": (0.5, 0.5),
    "nose": (0.5, 0.12), "left_eye": (0.53, 0.09), "left_ear": (0.57, 0.1), "left_shoulder": (0.64, 0.24),
    "left_elbow": (0.72, 0.38), "left_wrist": (0.78, 0.52), "left_hip": (0.58, 0.5), "left_knee": (0.6, 0.73),
    "left_ankle": (0.61, 0.96),
}  # fmt: skip


def person(skeleton=BODY19, *, scale=300.0, at=(0.0, 0.0), score=0.9, track_id=3):
    places = []
    for joint in skeleton.joints:
        x, y = FRONT[joint.replace("right_", "left_")]
        places.append((1 - x if joint.startswith("right_") else x, y))
    joints = (np.array(places) * scale + at).astype(np.float32)
    count = len(skeleton)
    box = Box(at[0] + 0.2 * scale, at[1], 0.6 * scale, scale)
    return Pose(
        joints, np.full(count, score, np.float32), np.full((count, 2), 2.0, np.float32), box, skeleton, track_id
    )


def canvas(width=300, height=320):
    return np.full((height, width, 3), 70, np.uint8)


def colour_at(image, point):
    return np.array(image[round(float(point[1])), round(float(point[0]))], int)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_left_and_right_have_their_colours_in_every_skeleton(skeleton):
    pose = person(skeleton)
    drawn = draw_poses(canvas(), [pose], labels=False)
    for name, colour in (("left_knee", LEFT), ("right_knee", RIGHT), ("left_elbow", LEFT), ("right_elbow", RIGHT)):
        assert np.abs(colour_at(drawn, pose.joints[skeleton.index(name)]) - colour).max() < 12
    for a, b in skeleton.limb_indices:
        middle = (pose.joints[a] + pose.joints[b]) / 2
        if np.linalg.norm(pose.joints[a] - pose.joints[b]) > 40:
            expected = side_colour(skeleton.joints[a], skeleton.joints[b])
            assert np.abs(colour_at(drawn, middle) - expected).max() < 40


def test_limbs_across_the_middle_are_neutral():
    assert side_colour("left_hip", "right_hip") == side_colour("neck", "head_top") == MIDLINE
    assert side_colour("nose", "left_eye") == side_colour("left_ear") == LEFT
    assert side_colour("right_shoulder", "neck") == RIGHT


def test_the_picture_itself_stays_as_it_was():
    image = canvas()
    drawn = draw_poses(image, [person()])
    assert (image == 70).all()
    assert (drawn != 70).any()
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8


def test_unsure_and_missing_joints_are_left_out():
    pose = person()
    wrist, knee = BODY19.index("left_wrist"), BODY19.index("right_knee")
    pose.scores[wrist] = 0.1
    pose.joints[knee] = np.nan
    drawn = draw_poses(canvas(), [pose], labels=False)
    assert (colour_at(drawn, pose.joints[wrist]) == 70).all()
    assert (colour_at(draw_poses(canvas(), [pose], threshold=0.05, labels=False), pose.joints[wrist]) != 70).any()
    # Neither half of the leg is there: no line goes to a joint that is not known.
    thigh = (pose.joints[BODY19.index("right_hip")] * 0.6 + pose.joints[BODY19.index("right_ankle")] * 0.4).round()
    assert (colour_at(drawn, thigh) == 70).all()


def test_lines_grow_with_the_person_and_not_with_the_picture():
    def inked(scale):
        image = np.full((1400, 1400, 3), 70, np.uint8)
        return int((draw_poses(image, [person(scale=scale)], labels=False) != 70).any(axis=2).sum())

    # Twice the length at about twice the width is about four times the ink.
    assert 2.5 < inked(1200) / inked(600) < 5.5


def test_a_label_is_inside_the_picture_and_can_be_left_out():
    pose = person(scale=300, at=(-80, -20))
    plain, named = (draw_poses(canvas(), [pose], labels=labels) for labels in (False, True))
    assert (plain != named).any()
    assert (draw_poses(canvas(40, 40), [pose]) == draw_poses(canvas(40, 40), [pose], labels=False)).all()


@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_tiny_pictures_and_far_joints_do_no_harm(size):
    pose = person(scale=size)
    pose.joints[0] = (1e9, -1e9)
    pose.joints[1] = (np.inf, 3)
    assert draw_poses(canvas(size, size), [pose]).shape == (size, size, 3)


def test_nobody_and_a_person_without_joints():
    empty = person()
    empty.joints[:] = np.nan
    empty.scores[:] = np.nan
    assert (draw_poses(canvas(), []) == 70).all()
    assert (draw_poses(canvas(), [empty]) == 70).all()


def test_pictures_that_are_views_can_be_drawn_on():
    wide = np.full((320, 600, 3), 70, np.uint8)
    assert draw_poses(wide[:, ::2], [person()]).flags["C_CONTIGUOUS"]
