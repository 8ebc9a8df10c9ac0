"""What a table of joints holds: its columns, and how a number is written.

    frame, time_s, track_id, score, box_x, box_y, box_w, box_h,
    NAME_x, NAME_y, NAME_score, NAME_sigma_x, NAME_sigma_y   for each joint of the skeleton,
    flags, and for pictures: source

One row for each person and frame. A frame with nobody in it has one row in which `track_id`, `score`, box
and joints are empty. Pixels have 2 decimals, seconds 6, scores 3; what is not known is an empty cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sadinet.errors import InputError
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import Skeleton

FRAME_COLUMNS = ("frame", "time_s")
PERSON_COLUMNS = ("track_id", "score", "box_x", "box_y", "box_w", "box_h")
JOINT_PARTS = ("x", "y", "score", "sigma_x", "sigma_y")
FLAGS_COLUMN = "flags"
SOURCE_COLUMN = "source"

PIXEL_DECIMALS = 2
SECOND_DECIMALS = 6
SCORE_DECIMALS = 3


def columns(skeleton: Skeleton, *, with_source: bool = False) -> tuple[str, ...]:
    """Return the column names of a skeleton's table.

    Args:
        with_source: add a last column with what each frame came from, as folders of pictures need it.
    """
    joints = tuple(f"{joint}_{part}" for joint in skeleton.joints for part in JOINT_PARTS)
    last = (FLAGS_COLUMN, SOURCE_COLUMN) if with_source else (FLAGS_COLUMN,)
    return (*FRAME_COLUMNS, *PERSON_COLUMNS, *joints, *last)


def number(value: float, decimals: int) -> str:
    """Return a number with fixed decimals; empty for NaN and infinity, never "-0.00"."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def pixels(value: float) -> str:
    """Return pixels as a cell."""
    return number(value, PIXEL_DECIMALS)


def seconds(value: float) -> str:
    """Return seconds as a cell."""
    return number(value, SECOND_DECIMALS)


def score(value: float) -> str:
    """Return a score as a cell."""
    return number(value, SCORE_DECIMALS)


def flags(*words: tuple[str, ...]) -> str:
    """Return quality words joined by `;`, each once, in the order of their first use."""
    return ";".join(dict.fromkeys(word for group in words for word in group))


def rows(result: FrameResult, skeleton: Skeleton, *, with_source: bool = False) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one frame.

    `track_id` is the pose's number; before tracking, its place in the frame: 0, 1, ...

    Raises:
        InputError: if a pose has another skeleton than the table.
    """
    frame = result.frame
    start = (str(frame.index), seconds(frame.time_s))
    source = (frame.source,) if with_source else ()
    if not result.poses:
        yield *start, *_nobody(skeleton), flags(frame.flags), *source
    for place, pose in enumerate(result.poses):
        yield *start, *_person(pose, place, skeleton), _flags_of(frame, pose), *source


def _nobody(skeleton: Skeleton) -> tuple[str, ...]:
    return ("",) * (len(PERSON_COLUMNS) + len(JOINT_PARTS) * len(skeleton))


def _person(pose: Pose, place: int, skeleton: Skeleton) -> Iterator[str]:
    if pose.skeleton.joints != skeleton.joints:
        raise InputError(
            f"a pose of skeleton {pose.skeleton.name} does not fit a table of {skeleton.name}",
            "convert the poses or make another table",
        )
    yield str(place if pose.track_id is None else pose.track_id)
    yield score(pose.score)
    yield from map(pixels, (pose.box.x, pose.box.y, pose.box.width, pose.box.height))
    # Plain floats: formatting numpy's own takes twice as long.
    values = np.column_stack([pose.joints, pose.scores, pose.sigmas]).tolist()
    for x, y, sure, sigma_x, sigma_y in values:
        yield pixels(x)
        yield pixels(y)
        yield score(sure)
        yield pixels(sigma_x)
        yield pixels(sigma_y)


def _flags_of(frame: Frame, pose: Pose) -> str:
    return flags(frame.flags, pose.flags)
