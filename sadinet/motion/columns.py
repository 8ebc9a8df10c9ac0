"""Names of the columns that motion adds to a table, known from the settings before the first frame."""

from __future__ import annotations

from sadinet.motion.angles import angle_columns
from sadinet.motion.settings import MotionSettings
from sadinet.skeletons import Skeleton


def smooth_columns(skeleton: Skeleton) -> tuple[str, ...]:
    """Return `NAME_x_smooth`, `NAME_y_smooth` for each joint."""
    return tuple(f"{joint}_{axis}_smooth" for joint in skeleton.joints for axis in "xy")


def extra_columns(skeleton: Skeleton, settings: MotionSettings) -> tuple[str, ...]:
    """Return the columns that `enrich` adds, in their order: smoothed joints, then angles."""
    smoothed = smooth_columns(skeleton) if settings.smooth else ()
    return (*smoothed, *(angle_columns() if settings.angles else ()))
