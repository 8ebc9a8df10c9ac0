import cv2
import numpy as np
import pytest

from sadinet.skeletons import BODY19
from sadinet.training.augment import AugmentConfig, augment, cut_crop, move_labels, random_matrix

PLAIN = AugmentConfig(colour=0, blur=0, grey=0, patch=0, half_body=0)


def dots(seed):
    """A dark picture with a soft white dot on each joint, wide apart."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(40, 260, 48), np.arange(40, 220, 48)), axis=-1).reshape(-1, 2)[:19]
    joints = (grid + rng.uniform(-6, 6, grid.shape)).astype(np.float32)
    y, x = np.mgrid[:260, :300]
    picture = np.zeros((260, 300), np.float64)
    for jx, jy in joints:
        picture += np.exp(-((x - jx) ** 2 + (y - jy) ** 2) / (2 * 2.5**2))
    return np.repeat((picture * 250).astype(np.uint8)[..., None], 3, axis=2), joints


@pytest.mark.parametrize("seed", range(12))
def test_labels_and_pixels_move_by_the_same_matrix(seed):
    picture, joints = dots(seed)
    weight = np.ones(19, np.float32)
    matrix, flip = random_matrix(joints, weight, (256, 256), PLAIN, np.random.default_rng(seed))
    points, moved_weight = move_labels(joints, weight, matrix, (256, 256), flip=flip)
    crop = cut_crop(picture, matrix, (256, 256)).astype(float)
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    reach = max(3, round(5 * scale))
    checked = 0
    for (px, py), w in zip(points, moved_weight, strict=True):
        cx, cy = round(float(px)), round(float(py))
        if w == 0 or min(cx, cy) < reach + 2 or max(cx, cy) > 253 - reach:
            continue
        window = crop[cy - reach : cy + reach + 1, cx - reach : cx + reach + 1, 0]
        y, x = np.mgrid[cy - reach : cy + reach + 1, cx - reach : cx + reach + 1]
        centre = np.array([(window * x).sum(), (window * y).sum()]) / window.sum()
        assert np.abs(centre - (px, py)).max() < 0.25
        checked += 1
    assert checked >= 8


def test_a_mirror_exchanges_left_and_right():
    joints = np.stack([np.arange(19) * 10.0, np.full(19, 50.0)], axis=1).astype(np.float32)
    mirror = np.array([[-1.0, 0, 199], [0, 1, 0]])
    weight = np.ones(19, np.float32)
    weight[BODY19.index("left_ankle")] = 0
    points, moved = move_labels(joints, weight, mirror, (200, 100), flip=True)
    left, right = BODY19.index("left_knee"), BODY19.index("right_knee")
    assert points[right, 0] == 199 - joints[left, 0]
    assert moved[BODY19.index("right_ankle")] == 0
    assert moved[BODY19.index("left_ankle")] == 1


def test_joints_outside_or_unknown_get_no_weight():
    joints = np.full((19, 2), 10.0, np.float32)
    joints[3] = (500, 10)
    joints[4] = np.nan
    weight = np.ones(19, np.float32)
    weight[4] = 0
    points, moved = move_labels(joints, weight, np.eye(2, 3), (64, 64), flip=False)
    assert np.flatnonzero(moved == 0).tolist() == [3, 4]
    assert np.isfinite(points).all()


def test_the_seed_decides_everything():
    picture, joints = dots(1)
    weight = np.ones(19, np.float32)
    config = AugmentConfig(blur=0.5, grey=0.5, patch=0.9)
    first, again, other = (augment(picture, joints, weight, (128, 128), config, (1, 2, i)) for i in (3, 3, 4))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != other[0]).any()


def test_what_lies_outside_is_the_mean_colour():
    crop = cut_crop(np.zeros((10, 10, 3), np.uint8), np.array([[1.0, 0, 50], [0, 1, 50]]), (64, 64))
    np.testing.assert_allclose(crop[0, 0], (104, 116, 124), atol=1)
    assert cv2.countNonZero(crop[52:58, 52:58, 0]) == 0
