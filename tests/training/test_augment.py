import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sadinet.geometry import transform
from sadinet.skeletons import BODY19, COCO17, MPII16
from sadinet.training.augment import AugmentConfig, draw_crop, move_labels, random_matrix
from sadinet.training.datasets import PersonSet
from sadinet.training.render import render
from sadinet.training.warp import cut_crop

PLAIN = AugmentConfig(colour=0, blur=0, low_res=0, grey=0, patch=0, half_body=0, close_up=0, other=0, jpeg=0)
WILD = AugmentConfig(
    rotation_deg=40, full_turn=0.5, scale=0.3, shift=0.1, half_body=0.4, close_up=0.4, other=1, patch=0.5, blur=0.5,
    low_res=0.5, grey=0.3, jpeg=0.5,
)  # fmt: skip


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


def dotted(count):
    pictures, joints = zip(*(dots(seed) for seed in range(count)), strict=True)
    return PersonSet(
        "dots", list(pictures), np.stack(joints), np.ones((count, 19), np.float32), [str(i) for i in range(count)]
    )


PEOPLE = dotted(2)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 1), st.sampled_from([(256, 256), (192, 256), (128, 96)]))
def test_labels_and_pixels_move_by_the_same_matrix(seed, person, size_wh):
    turned = AugmentConfig(
        rotation_deg=30, full_turn=0.5, scale=0.2, shift=0.1, half_body=0.3, close_up=0.3, colour=0, blur=0, low_res=0,
        grey=0, patch=0, other=0, jpeg=0,
    )  # fmt: skip
    draw = draw_crop(PEOPLE, person, size_wh, turned, (seed, 0, 0))
    crop = render(PEOPLE, draw, size_wh).astype(float)
    scale = 1 / np.sqrt(abs(np.linalg.det(draw.inverse[:, :2])))
    reach = max(3, round(5 * scale))
    width, height = size_wh
    for (px, py), w in zip(draw.points, draw.weight, strict=True):
        cx, cy = round(float(px)), round(float(py))
        if w == 0 or min(cx, cy) < reach + 2 or cx > width - 3 - reach or cy > height - 3 - reach:
            continue
        y, x = np.mgrid[cy - reach : cy + reach + 1, cx - reach : cx + reach + 1]
        # The ground outside of a picture is not dark: what is nearer to it than to the dot says nothing.
        window = crop[cy - reach : cy + reach + 1, cx - reach : cx + reach + 1, 0]
        if window[[0, -1]].max() > 60 or window[:, [0, -1]].max() > 60:
            continue
        centre = np.array([(window * x).sum(), (window * y).sum()]) / max(window.sum(), 1)
        assert np.abs(centre - (px, py)).max() < 0.3


@given(st.integers(0, 2**32))
def test_a_wild_draw_is_sound(seed):
    draw = draw_crop(PEOPLE, 0, (128, 96), WILD, (seed, 1, 2))
    assert np.isfinite(draw.inverse).all()
    assert np.isfinite(draw.points).all()
    known = draw.weight > 0
    assert ((draw.points[known] >= -0.5) & (draw.points[known] <= [127.5, 95.5])).all()
    # The inverse leads every joint back to where it is in the picture, under its own name or its mirror's.
    back = transform(draw.points, draw.inverse)[known]
    mirrored = np.linalg.det(draw.inverse[:, :2]) < 0
    joints = PEOPLE.joints[0][BODY19.flip_order] if mirrored else PEOPLE.joints[0]
    np.testing.assert_allclose(back, joints[known], atol=1e-2)


def test_every_kind_of_draw_happens_as_often_as_it_should():
    draws = [draw_crop(PEOPLE, 0, (64, 64), AugmentConfig(), (1, 2, i)) for i in range(1000)]
    shares = {
        "flip": (0.5, np.mean([np.linalg.det(d.inverse[:, :2]) < 0 for d in draws])),
        # A second person who happens to be the first one is nobody.
        "other": (0.015, np.mean([d.other >= 0 for d in draws])),
        "patch": (0.0975, np.mean([(d.patches[:, 2] > 0).any() for d in draws])),
        "blur": (0.1, np.mean([d.blur > 0 for d in draws])),
        "low_res": (0.03, np.mean([d.low_res > 1 for d in draws])),
        "grey": (0.05, np.mean([d.grey for d in draws])),
        "jpeg": (0.05, np.mean([d.jpeg > 0 for d in draws])),
    }
    for name, (wanted, found) in shares.items():
        assert abs(found - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / len(draws)), name


@pytest.mark.parametrize("skeleton", [BODY19, COCO17, MPII16], ids=lambda s: s.name)
def test_a_close_up_shows_the_head_larger_for_every_skeleton(skeleton):
    joints = np.stack([np.linspace(10, 90, len(skeleton)), np.zeros(len(skeleton))], axis=1)
    for row, name in enumerate(skeleton.joints):
        is_head = name.endswith(("shoulder", "neck", "thorax", "head_top", "nose", "eye", "ear"))
        joints[row] = (50 + 5 * np.cos(row), 20 + 5 * np.sin(row)) if is_head else (30 + row, 150 + 3 * row)
    weight = np.ones(len(skeleton), np.float32)
    still = AugmentConfig(rotation_deg=0, full_turn=0, scale=0, zoom=0, shift=0, flip=0, half_body=0)

    def zoom(close_up):
        changed = AugmentConfig(**{**{n: getattr(still, n) for n in still.__slots__}, "close_up": close_up})
        rng = np.random.default_rng(0)
        return random_matrix(joints.astype(np.float32), weight, (64, 64), changed, rng, skeleton)[0][0, 0]

    assert zoom(1.0) > 2 * zoom(0.0)


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
    def crop(index):
        return render(PEOPLE, draw_crop(PEOPLE, 0, (128, 128), WILD, (1, 2, index)), (128, 128))

    np.testing.assert_array_equal(crop(3), crop(3))
    assert (crop(3) != crop(4)).any()


def test_what_lies_outside_is_the_mean_colour():
    crop = cut_crop(np.zeros((10, 10, 3), np.uint8), np.array([[1.0, 0, 50], [0, 1, 50]]), (64, 64))
    np.testing.assert_allclose(crop[0, 0], (104, 116, 124), atol=1)
    assert cv2.countNonZero(crop[52:58, 52:58, 0]) == 0
