import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.motion.angles import ANGLES, angle_columns, angles
from sadinet.skeletons import SKELETONS, Skeleton

BODIES = sorted(SKELETONS.values(), key=lambda each: each.name)


def body(skeleton: Skeleton, **places: tuple[float, float]) -> np.ndarray:
    joints = np.full((1, len(skeleton), 2), np.nan)
    for name, place in places.items():
        joints[0, skeleton.index(name)] = place
    return joints


def value(name: str, skeleton: Skeleton, sigma: float = 1.0, **places: tuple[float, float]) -> tuple[float, float]:
    joints = body(skeleton, **places)
    found, spread = angles(joints, np.full_like(joints, sigma), skeleton)[name]
    return float(found[0]), float(spread[0])


@pytest.mark.parametrize("skeleton", BODIES, ids=lambda each: each.name)
@pytest.mark.parametrize("name", ANGLES)
def test_every_angle_is_known_for_every_skeleton(skeleton, name):
    rng = np.random.default_rng(3)
    joints = rng.uniform(0, 100, (5, len(skeleton), 2))
    found, spread = angles(joints, np.ones_like(joints), skeleton)[name]
    assert np.isfinite(found).all()
    assert (spread > 0).all()


@pytest.mark.parametrize(("ankle", "degrees"), [((0, 200), 180), ((100, 100), 90), ((-100, 100), 90), ((0, 0), 0)])
def test_a_straight_knee_has_180_degrees_whatever_side_it_bends_to(ankle, degrees):
    knee = value("left_knee", SKELETONS["coco17"], left_hip=(0, 0), left_knee=(0, 100), left_ankle=ankle)
    assert knee[0] == pytest.approx(degrees)


def test_an_arm_along_the_trunk_has_0_degrees_and_overhead_180():
    trunk = {"right_hip": (0, 100), "right_shoulder": (0, 0)}
    for elbow, degrees in (((0, 50), 0), ((-50, 0), 90), ((0, -50), 180)):
        assert value("right_shoulder", SKELETONS["lsp14"], **trunk, right_elbow=elbow)[0] == pytest.approx(degrees)


@pytest.mark.parametrize(
    ("x", "y", "degrees"), [(0, -80, 0), (80, -80, 45), (-80, -80, -45), (80, 0, 90), (0, 80, 180)]
)
def test_the_trunk_leans_positively_to_the_right_of_the_picture(x, y, degrees):
    shoulders = {"left_shoulder": (x + 20, y), "right_shoulder": (x - 20, y)}
    lean = value("trunk_lean", SKELETONS["mpii16"], left_hip=(10, 0), right_hip=(-10, 0), **shoulders)
    assert lean[0] == pytest.approx(degrees)


def test_what_is_missing_or_has_no_length_is_nan():
    straight = {"left_hip": (0, 0), "left_knee": (0, 100)}
    skeleton = SKELETONS["body19"]
    assert np.isnan(value("left_knee", skeleton, **straight)).all()
    assert np.isnan(value("left_knee", skeleton, **straight, left_ankle=(0, 100))).all()
    degrees, spread = value("left_knee", skeleton, float("nan"), **straight, left_ankle=(0, 200))
    assert (degrees, np.isnan(spread)) == (180, True)


def test_a_skeleton_without_the_joints_gets_nan():
    head = Skeleton("head", ("nose",), (), (0.026,))
    found = angles(np.ones((4, 1, 2)), np.ones((4, 1, 2)), head)
    assert all(np.isnan(part).all() for both in found.values() for part in both)
    assert [name for name in ANGLES for _ in "12"] == [c[6:].removesuffix("_sigma") for c in angle_columns()]


@given(st.integers(0, 10_000))
def test_angles_stay_under_shift_scale_and_for_all_but_the_lean_under_turns(seed):
    rng = np.random.default_rng(seed)
    skeleton = SKELETONS["lsp14"]
    joints = rng.uniform(0, 100, (1, 14, 2))
    turn = rng.uniform(-3, 3)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    ones = np.ones_like(joints)
    before = angles(joints, ones, skeleton)
    after = angles(3 * joints @ matrix.T + 7, 3 * ones, skeleton)
    for name in ANGLES:
        turned = np.degrees(turn) if name == "trunk_lean" else 0
        difference = (after[name][0] - before[name][0] - turned + 180) % 360 - 180
        assert difference == pytest.approx(0, abs=1e-6)
        assert after[name][1] == pytest.approx(before[name][1])


@pytest.mark.parametrize("name", ANGLES)
def test_the_deviation_is_that_of_drawn_joints(name):
    rng = np.random.default_rng(1)
    skeleton = SKELETONS["lsp14"]
    joints, sigmas = rng.uniform(0, 400, (1, 14, 2)), rng.uniform(0.3, 1.5, (1, 14, 2))
    drawn = joints + sigmas * rng.normal(size=(20_000, 14, 2))
    spread = angles(drawn, np.broadcast_to(sigmas, drawn.shape), skeleton)[name][0].std()
    assert angles(joints, sigmas, skeleton)[name][1][0] == pytest.approx(spread, rel=0.04)
