from dataclasses import replace

import pytest

from sadinet.errors import InputError
from sadinet.motion.columns import extra_columns
from sadinet.motion.settings import MotionSettings, QualityLimits
from sadinet.skeletons import COCO17, Skeleton


@pytest.mark.parametrize(
    "change",
    [
        {"cutoff_hz": 0},
        {"cutoff_hz": float("nan")},
        {"order": 3},
        {"order": 0},
        {"order": 14},
        {"longest_gap_s": -1},
        {"least_score": float("inf")},
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(change):
    with pytest.raises(InputError, match=next(iter(change))):
        replace(MotionSettings(), **change)


def test_limits_below_zero_are_refused():
    with pytest.raises(InputError, match="jump"):
        QualityLimits(jump=-0.1)


def test_settings_become_plain_values():
    plain = MotionSettings(cutoff_hz=4).to_dict()
    assert plain["cutoff_hz"] == 4
    assert plain["limits"]["jump"] == QualityLimits().jump


def test_columns_follow_the_settings():
    two = Skeleton("two", ("left_hip", "left_knee"), (), (0.1, 0.1))
    smoothed = ("left_hip_x_smooth", "left_hip_y_smooth", "left_knee_x_smooth", "left_knee_y_smooth")
    assert extra_columns(two, MotionSettings()) == smoothed
    assert extra_columns(two, MotionSettings(smooth=False)) == ()
    with_angles = extra_columns(two, MotionSettings(angles=True))
    assert with_angles[:6] == (*smoothed, "angle_left_knee", "angle_left_knee_sigma")
    assert len(extra_columns(COCO17, MotionSettings(angles=True))) == 2 * 17 + 2 * 9
