"""Boxes, crops and heatmaps: one definition of coordinates."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.errors import InputError
from sadinet.geometry import (
    Box,
    box_iou,
    box_of_joints,
    crop_matrix,
    crop_to_heatmap,
    flip_points,
    heatmap_to_crop,
    invert,
    pixel_scale,
    transform,
)

positions = st.floats(-500, 4000)
sides = st.floats(4, 3000)
boxes = st.builds(Box, positions, positions, sides, sides)
sizes_wh = st.sampled_from([(192, 256), (256, 256), (96, 128), (64, 48)])
angles = st.floats(-180, 180)
points = st.lists(st.tuples(positions, positions), min_size=1, max_size=19).map(np.array)


@given(points, boxes, sizes_wh, angles, st.booleans(), st.sampled_from([1, 2, 4, 8]))
def test_point_to_crop_to_heatmap_and_back(frame_points, box, size_wh, angle, flip, stride):
    matrix = crop_matrix(box, size_wh, rotation_deg=angle, flip=flip)
    cells = crop_to_heatmap(transform(frame_points, matrix), stride)
    back = transform(heatmap_to_crop(cells, stride), invert(matrix))
    np.testing.assert_allclose(back, frame_points, atol=1e-4)


@given(boxes, sizes_wh, angles, st.booleans())
def test_box_centre_becomes_crop_centre_and_nothing_is_stretched(box, size_wh, angle, flip):
    matrix = crop_matrix(box, size_wh, rotation_deg=angle, flip=flip)
    np.testing.assert_allclose(transform(box.centre, matrix), [(size_wh[0] - 1) / 2, (size_wh[1] - 1) / 2], atol=1e-6)
    singular = np.linalg.svd(matrix[:, :2], compute_uv=False)
    np.testing.assert_allclose(singular, pixel_scale(matrix), rtol=1e-9)
    assert (np.linalg.det(matrix[:, :2]) < 0) == flip


@given(boxes, sizes_wh)
def test_box_grown_by_the_margin_just_fits_the_crop(box, size_wh):
    corners = transform([(box.x, box.y), (box.x + box.width, box.y + box.height)], crop_matrix(box, size_wh))
    shares = (corners[1] - corners[0]) / size_wh
    np.testing.assert_allclose(shares.max(), 1 / 1.25, rtol=1e-9)


@given(points, boxes, sizes_wh, angles)
def test_a_flipped_crop_is_the_mirrored_crop(frame_points, box, size_wh, angle):
    plain = transform(frame_points, crop_matrix(box, size_wh, rotation_deg=angle))
    flipped = transform(frame_points, crop_matrix(box, size_wh, rotation_deg=angle, flip=True))
    np.testing.assert_allclose(flipped, flip_points(plain, size_wh[0]), atol=1e-6)


@given(points, st.integers(1, 4000))
def test_flip_twice_is_the_identity(frame_points, width):
    np.testing.assert_allclose(flip_points(flip_points(frame_points, width), width), frame_points, atol=1e-9)


def test_flip_leaves_its_input_alone_and_agrees_with_numpy():
    picture = np.zeros((3, 7))
    picture[1, 2] = 1
    at = np.array([2.0, 1.0])
    x, y = flip_points(at, 7).astype(int)
    assert picture[:, ::-1][y, x] == 1
    assert at.tolist() == [2, 1]


@given(points, st.sampled_from([(256, 4), (192, 4), (64, 2)]))
def test_flip_commutes_with_the_stride(crop_points, size):
    width, stride = size
    cells = crop_to_heatmap(flip_points(crop_points, width), stride)
    np.testing.assert_allclose(cells, flip_points(crop_to_heatmap(crop_points, stride), width / stride), atol=1e-9)


def test_heatmap_cells_by_hand():
    # Four pixels 0..3 make cell 0, their middle is pixel 1.5.
    np.testing.assert_allclose(crop_to_heatmap([1.5, 5.5], 4), [0, 1])
    np.testing.assert_allclose(heatmap_to_crop([0, 63], 4), [1.5, 253.5])
    np.testing.assert_allclose(crop_to_heatmap([-0.5, 255.5], 4), [-0.5, 63.5])


def blob(centre: tuple[float, float], size_wh: tuple[int, int], sigma: float = 5.0) -> np.ndarray:
    x, y = np.arange(size_wh[0]), np.arange(size_wh[1])[:, None]
    return np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma**2)).astype(np.float32)


@pytest.mark.parametrize("centre", [(160.0, 120.0), (171.3, 98.75), (150.5, 131.5)])
@pytest.mark.parametrize("angle", [0.0, 30.0, -75.0, 180.0])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("box", [Box(100, 50, 120, 140), Box(130.25, 90.5, 61.5, 55.25)])
def test_agrees_with_opencv_on_a_bright_blob(centre, angle, flip, box):
    """The blob's centre of mass in the warped picture is where the map says, so pixel centres are whole numbers."""
    matrix = crop_matrix(box, (192, 256), rotation_deg=angle, flip=flip)
    warped = cv2.warpAffine(blob(centre, (320, 240)), matrix, (192, 256), flags=cv2.INTER_LINEAR).astype(float)
    mass = warped.sum()
    seen = np.array([(warped * np.arange(192)).sum(), (warped * np.arange(256)[:, None]).sum()]) / mass
    np.testing.assert_allclose(seen, transform(centre, matrix), atol=0.03)


def test_rotation_turns_the_picture_counter_clockwise():
    matrix = crop_matrix(Box(0, 0, 100, 100), (100, 100), margin=1.0, rotation_deg=90)
    right_of_centre = transform((60, 50), matrix)
    np.testing.assert_allclose(right_of_centre, [49.5, 39.5], atol=1e-9)


def test_box_of_joints_by_hand():
    # x 10..110 grows by 25, y 20..40 by the least 20.
    box = box_of_joints([[10, 20], [110, 40], [np.nan, 5], [5, np.nan]])
    assert (box.x, box.y, box.width, box.height, box.score) == (-15, 0, 150, 60, 1)
    assert box.centre == (60, 30)
    assert box.area == 9000
    single = box_of_joints([[7, 9]])
    assert (single.x, single.y, single.width, single.height) == (-13, -11, 40, 40)
    tight = box_of_joints([[0, 0], [8, 4]], margin=0.0, at_least_px=0.0)
    assert (tight.x, tight.y, tight.width, tight.height) == (0, 0, 8, 4)


@given(points)
def test_box_of_joints_holds_every_joint_with_its_margin(frame_points):
    box = box_of_joints(frame_points)
    low, high = np.array([box.x, box.y]), np.array([box.x + box.width, box.y + box.height])
    assert (frame_points - low >= 20 - 1e-6).all()
    assert (high - frame_points >= 20 - 1e-6).all()


def test_no_joint_makes_no_box():
    with pytest.raises(InputError, match="no joint"):
        box_of_joints(np.full((14, 2), np.nan))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_box_that_is_not_finite_is_refused(bad, place):
    values = [1.0, 2.0, 3.0, 4.0]
    values[place] = bad
    with pytest.raises(InputError, match="not a finite number"):
        crop_matrix(Box(*values), (192, 256))


@pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0), (-1, 4)])
def test_a_box_without_area_is_refused(width, height):
    with pytest.raises(InputError, match="no area"):
        Box(0, 0, width, height).checked()


def test_iou_by_hand():
    a = np.array([[0, 0, 10, 10], [20, 20, 4, 4]])
    b = np.array([[5, 0, 10, 10], [0, 0, 10, 10], [100, 100, 1, 1], [21, 21, 2, 2]])
    np.testing.assert_allclose(box_iou(a, b), [[50 / 150, 1, 0, 0], [0, 0, 0, 4 / 16]])
    assert box_iou(np.zeros((0, 4)), b).shape == (0, 4)


def test_iou_of_boxes_without_area_is_zero():
    assert box_iou(np.zeros((1, 4)), np.zeros((1, 4)))[0, 0] == 0
