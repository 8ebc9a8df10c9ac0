"""What a table of joints holds: its columns, and how a number is written.

    frame, time_s, track_id, score, box_x, box_y, box_w, box_h,
    NAME_x, NAME_y, NAME_score, NAME_sigma_x, NAME_sigma_y   for each joint of the skeleton,
    flags, for pictures: source, and then extra columns

One row for each person and frame. A frame with nobody in it has one row in which `track_id`, `score`, box
and joints are empty. Pixels have 2 decimals, seconds 6, scores 3, extra columns 2; what is not known is an empty cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sadinet.skeletons import Skeleton

FRAME_COLUMNS = ("frame", "time_s")
PERSON_COLUMNS = ("track_id", "score", "box_x", "box_y", "box_w", "box_h")
JOINT_PARTS = ("x", "y", "score", "sigma_x", "sigma_y")
FLAGS_COLUMN = "flags"
SOURCE_COLUMN = "source"

NOBODY = -1
"""`track_id` of the row of a frame with nobody in it, where a cell cannot be empty."""

PIXEL_DECIMALS = 2
SECOND_DECIMALS = 6
SCORE_DECIMALS = 3


def columns(skeleton: Skeleton, *, with_source: bool = False, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the column names of a skeleton's table.

    Args:
        with_source: add a column with what each frame came from, as folders of pictures need it.
        extra: names of further columns, such as smoothed joints and angles.
    """
    joints = tuple(f"{joint}_{part}" for joint in skeleton.joints for part in JOINT_PARTS)
    last = (FLAGS_COLUMN, SOURCE_COLUMN) if with_source else (FLAGS_COLUMN,)
    return (*FRAME_COLUMNS, *PERSON_COLUMNS, *joints, *last, *extra)


def number(value: float, decimals: int) -> str:
    """Return a number with fixed decimals; empty for NaN and infinity, never "-0.00"."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def flags(*words: tuple[str, ...]) -> str:
    """Return quality words joined by `;`, each once, in the order of their first use."""
    return ";".join(dict.fromkeys(word for group in words for word in group))
