import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.geometry import Box
from sadinet.motion.live import OneEuro
from sadinet.motion.smoothing import LiveSmoother
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import LSP14

IMAGE = np.zeros((8, 8, 3), dtype=np.uint8)


def seen(time_s, *people, index=0):
    poses = tuple(
        Pose(
            np.full((14, 2), place, dtype=np.float32),
            np.ones(14, np.float32),
            np.ones((14, 2), np.float32),
            Box(0, 0, 100, 200),
            LSP14,
            number,
        )
        for number, place in people
    )
    return FrameResult(Frame(IMAGE, index, time_s), poses)


def follow(times, places, smoother=None):
    smoother = smoother or LiveSmoother()
    return np.array([smoother(seen(t, (1, x))).poses[0].joints[0, 0] for t, x in zip(times, places, strict=True)])


def test_a_resting_joint_is_calmed_and_stays_in_place():
    rng = np.random.default_rng(0)
    noise = 100 + rng.normal(0, 1, 600)
    calm = follow(np.arange(600) / 30, noise)
    assert np.diff(calm).std() < 0.5 * np.diff(noise).std()
    assert calm[50:].mean() == pytest.approx(100, abs=0.2)


def test_a_moving_joint_hardly_lags():
    times = np.arange(120) / 30
    lag_px = (400 * times - follow(times, 400 * times))[30:]
    assert lag_px.max() < 400 * 0.02  # 20 ms
    slow = follow(times, 400 * times, LiveSmoother(OneEuro(per_speed_hz=0.01)))
    assert (400 * times - slow)[60:].min() > 400 * 0.05


def test_irregular_times_are_taken_as_they_are():
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.08, 300))
    assert follow(times, 300 * times)[50:] == pytest.approx(300 * times[50:], abs=300 * 0.025)


def test_people_are_kept_apart_whatever_their_order():
    smoother = LiveSmoother()
    for frame in range(20):
        people = [(1, 100.0), (2, 500.0)]
        found = smoother(seen(frame / 30, *(people if frame % 2 else people[::-1]))).poses
        assert sorted(pose.joints[0, 0] for pose in found) == [100, 500]


def test_who_was_away_starts_anew():
    smoother = LiveSmoother()
    follow([0, 0.03, 0.06], [100, 100, 100], smoother)
    assert smoother(seen(1.0, (1, 400.0))).poses[0].joints[0, 0] == 400
    smoother.reset()
    assert smoother(seen(1.03, (1, 900.0))).poses[0].joints[0, 0] == 900


@pytest.mark.parametrize("time_s", [float("nan"), 0.06, -5.0])
def test_frames_without_a_time_or_not_later_pass_as_they_are(time_s):
    smoother = LiveSmoother()
    follow([0, 0.03, 0.06], [100, 100, 100], smoother)
    assert smoother(seen(time_s, (1, 140.0))).poses[0].joints[0, 0] == 140


def test_people_without_a_number_pass_as_they_are():
    smoother = LiveSmoother()
    for frame, place in enumerate((100.0, 140.0)):
        assert smoother(seen(frame / 30, (None, place))).poses[0].joints[0, 0] == place


def test_a_joint_that_is_missing_stays_missing_and_comes_back():
    smoother = LiveSmoother()
    smoother(seen(0, (1, 100.0)))
    gone = seen(0.03, (1, 100.0))
    gone.poses[0].joints[3] = np.nan
    assert np.isnan(smoother(gone).poses[0].joints[3]).all()
    assert np.isfinite(smoother(seen(0.06, (1, 101.0))).poses[0].joints).all()


def test_what_is_handed_in_is_left_alone():
    smoother = LiveSmoother()
    smoother(seen(0, (1, 100.0)))
    given = seen(0.03, (1, 110.0))
    returned = smoother(given)
    assert given.poses[0].joints[0, 0] == 110
    assert returned.frame is given.frame
    assert returned.poses[0].joints.dtype == np.float32


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="rest_hz"):
        OneEuro(rest_hz=0)
