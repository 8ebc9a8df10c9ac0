from dataclasses import replace

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


TURNED = AugmentConfig(
    rotation_deg=30, full_turn=0.5, scale=0.2, shift=0.1, half_body=0.3, close_up=0.3, colour=0, blur=0, low_res=0,
    grey=0, patch=0, other=0, jpeg=0,
)  # fmt: skip


def test_labels_and_pixels_move_by_the_same_matrix():
    seen = []

    @settings(max_examples=25)
    @given(st.integers(0, 2**32), st.integers(0, 1), st.sampled_from([(256, 256), (192, 256), (128, 96)]))
    def hold(seed, person, size_wh):
        draw = draw_crop(PEOPLE, person, size_wh, TURNED, (seed, 0, 0))
        apart = [np.abs(centre - point).max() for centre, point in dots_in(render(PEOPLE, draw, size_wh), draw)]
        assert max(apart, default=0) < 0.3
        seen.append((len(apart), np.linalg.det(draw.inverse[:, :2]) < 0))

    hold()
    # Joints near the rim or the ground say nothing; without them enough are left, mirrored and not.
    assert sum(count for count, _ in seen) > 250
    assert sum(count for count, mirrored in seen if mirrored) > 80


def dots_in(picture, draw):
    """Yield where a dot's light lies in a crop, and where its joint is said to be, of joints whose dot is whole."""
    crop, (height, width) = picture.astype(float), picture.shape[:2]
    scale = 1 / np.sqrt(abs(np.linalg.det(draw.inverse[:, :2])))
    reach = max(3, round(5 * scale))
    for (px, py), w in zip(draw.points, draw.weight, strict=True):
        cx, cy = round(float(px)), round(float(py))
        if w == 0 or min(cx, cy) < reach + 2 or cx > width - 3 - reach or cy > height - 3 - reach:
            continue
        y, x = np.mgrid[cy - reach : cy + reach + 1, cx - reach : cx + reach + 1]
        # The ground outside of a picture is not dark: what is nearer to it than to the dot says nothing.
        window = crop[cy - reach : cy + reach + 1, cx - reach : cx + reach + 1, 0]
        if window[[0, -1]].max() > 60 or window[:, [0, -1]].max() > 60:
            continue
        yield np.array([(window * x).sum(), (window * y).sum()]) / max(window.sum(), 1), np.array([px, py])


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
        assert is_often(found, wanted, len(draws)), name


STILL = replace(PLAIN, rotation_deg=0, full_turn=0, scale=0, zoom=0, shift=0, flip=0)
"""The crop of the labels' box, as it is."""


def is_often(share, wanted, count):
    return abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / count)


def test_full_turns_happen_as_often_as_they_should_and_in_every_direction():
    draws = [draw_crop(PEOPLE, 0, (64, 64), replace(STILL, full_turn=0.3), (1, 2, i)) for i in range(1000)]
    degrees = np.degrees([np.arctan2(draw.inverse[1, 0], draw.inverse[0, 0]) for draw in draws])
    turned = degrees[np.abs(degrees) > 1e-6]
    assert is_often(len(turned) / len(draws), 0.3, len(draws))
    quarters = np.histogram(turned, bins=[-180, -90, 0, 90, 180])[0] / len(turned)
    assert all(is_often(share, 0.25, len(turned)) for share in quarters)


def test_small_turns_are_as_large_as_they_should_be():
    draws = [draw_crop(PEOPLE, 0, (64, 64), replace(STILL, rotation_deg=10), (1, 2, i)) for i in range(1000)]
    degrees = np.degrees([np.arctan2(draw.inverse[1, 0], draw.inverse[0, 0]) for draw in draws])
    assert degrees.std() == pytest.approx(10, rel=0.1)
    assert degrees.mean() == pytest.approx(0, abs=1.3)


def test_half_bodies_happen_as_often_as_they_should_and_are_upper_ones_mostly():
    joints = np.stack([np.linspace(10, 60, 19), np.zeros(19)], axis=1).astype(np.float32)
    legs = np.array([name.endswith(("hip", "knee", "ankle")) for name in BODY19.joints])
    joints[legs, 1], joints[~legs, 1] = np.linspace(150, 260, legs.sum()), np.linspace(20, 120, (~legs).sum())
    people = PersonSet("halves", [np.zeros((280, 80, 3), np.uint8)], joints[None], np.ones((1, 19), np.float32), ["0"])
    draws = [draw_crop(people, 0, (64, 64), replace(STILL, half_body=0.4), (1, 2, i)) for i in range(1000)]
    # Where the crop's centre lies in the picture: amid all joints, the upper ones, or the legs.
    centres = np.round([transform(np.array([[31.5, 31.5]]), draw.inverse)[0, 1] for draw in draws], 3)
    shares = {height: np.mean(centres == height) for height in (140.0, 70.0, 205.0)}
    assert sum(shares.values()) == pytest.approx(1)
    for height, wanted in ((140.0, 0.6), (70.0, 0.4 * 0.7), (205.0, 0.4 * 0.3)):
        assert is_often(shares[height], wanted, len(draws)), height


@pytest.mark.parametrize("skeleton", [BODY19, COCO17, MPII16], ids=lambda s: s.name)
def test_a_close_up_shows_the_head_larger_for_every_skeleton(skeleton):
    joints = np.stack([np.linspace(10, 90, len(skeleton)), np.zeros(len(skeleton))], axis=1)
    for row, name in enumerate(skeleton.joints):
        is_head = name.endswith(("shoulder", "neck", "thorax", "head_top", "nose", "eye", "ear"))
        joints[row] = (50 + 5 * np.cos(row), 20 + 5 * np.sin(row)) if is_head else (30 + row, 150 + 3 * row)
    weight = np.ones(len(skeleton), np.float32)

    def zoom(close_up):
        changed, rng = replace(STILL, close_up=close_up), np.random.default_rng(0)
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
