"""Crowds, and boxes that make no sense, with the shipped models."""

from __future__ import annotations

import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.geometry import Box, box_iou
from sadinet.results import Frame

NAN = float("nan")


def crowd(people, walker, rows: int, columns: int) -> tuple[np.ndarray, list[Box]]:
    """Return a picture of one person many times, and a box for each."""
    (box,) = people.detector(walker)
    left, top = int(box.x) - 10, int(box.y) - 6
    person = walker[top : top + int(box.height) + 12, left : left + int(box.width) + 20]
    height, width = person.shape[0] + 40, person.shape[1] + 40
    image = np.full((rows * height, columns * width, 3), 128, np.uint8)
    boxes = [Box(x * width + 20, y * height + 20, width - 40, height - 40) for y in range(rows) for x in range(columns)]
    for each in boxes:
        image[int(each.y) : int(each.y + each.height), int(each.x) : int(each.x + each.width)] = person
    return image, boxes


def test_fifty_boxes_in_one_frame(people, walker):
    image, boxes = crowd(people, walker, 5, 10)
    poses = people.estimator(image, boxes)
    assert [pose.box for pose in poses] == boxes
    # Equal crops, equal joints: nobody is mixed up with a neighbour, in whatever part of the batch they are.
    inner = [poses[10 * row + column] for row in (1, 2, 3) for column in range(1, 9)]
    sure = inner[0].scores > 0.3
    first = (inner[0].joints - [inner[0].box.x, inner[0].box.y])[sure]
    assert sure.sum() >= 4
    for pose in inner:
        assert np.abs((pose.joints - [pose.box.x, pose.box.y])[sure] - first).max() < 0.02


def test_many_people_are_found(people, walker):
    image, boxes = crowd(people, walker, 3, 5)
    found = people(Frame(image, 0, 0.0))
    overlaps = box_iou(np.array([[b.x, b.y, b.width, b.height] for b in boxes]), as_rows(found))
    assert (overlaps.max(axis=1) > 0.5).sum() >= 13


def as_rows(found) -> np.ndarray:
    return np.array([[pose.box.x, pose.box.y, pose.box.width, pose.box.height] for pose in found.poses]).reshape(-1, 4)


@pytest.mark.parametrize(
    "box",
    [(NAN, 0, 10, 10), (0, 0, NAN, 10), (0, 0, float("inf"), 10), (5, 5, 0, 10), (5, 5, 10, -3)],
)
def test_a_box_that_is_none_is_told(people, walker, box):
    with pytest.raises(InputError, match="box"):
        people.estimator(walker, [Box(*box)])


@pytest.mark.parametrize("box", [(5000, 0, 10, 10), (0, 5000, 10, 10), (-50, 0, 40, 10), (0, -50, 10, 40)])
def test_a_box_outside_of_the_frame_is_told(people, walker, box):
    with pytest.raises(InputError, match="outside"):
        people.estimator(walker, [Box(*box)])


def test_a_box_that_reaches_out_of_the_frame_is_fine(people, walker):
    (pose,) = people.estimator(walker, np.array([[-100.0, -100.0, 300.0, 800.0]]))
    assert np.isfinite(pose.joints).all()


def test_no_box_no_pose(people, walker):
    assert people.estimator(walker, []) == ()
    assert people.estimator(walker, np.empty((0, 4))) == ()


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (700, 2, 3)])
def test_the_smallest_frames_are_empty_rather_than_wrong(people, shape):
    assert people(Frame(np.zeros(shape, np.uint8), 0, 0.0)).poses == ()


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3))])
def test_a_picture_of_another_kind_is_told(people, image):
    with pytest.raises(InputError, match="BGR"):
        people.estimator(image, [Box(0, 0, 8, 8)])
