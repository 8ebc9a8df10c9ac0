"""What the HTML page of a video tells: bounded data, whatever the length of the video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.batch.spans import FlagSpan
from sadinet.media.chart import Values, XKind


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture of the contact sheet.

    Attributes:
        image: (H, W, 3) uint8, BGR, with the skeletons drawn; it is made smaller where it is large.
        index: number of its frame.
        time_s: its time, NaN for pictures.
        people: how many are in it, None where nobody counted.
    """

    image: NDArray[np.uint8]
    index: int
    time_s: float
    people: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The video from its first to its last frame in B stretches of equally many frames.

    Attributes:
        x: (B,) where each begins: seconds, or the frame's number where there are no times.
        kind: which of them.
        end: x of the last frame.
        people_low: (B,) fewest people in a frame.
        people_high: (B,) most people in a frame.
        score_mean: (B,) mean confidence of all people in all frames; NaN where nobody is.
        score_low: (B,) lowest mean confidence of a person in a frame.
        score_high: (B,) highest.
    """

    x: Values
    kind: XKind
    end: float
    people_low: Values
    people_high: Values
    score_mean: Values
    score_low: Values
    score_high: Values


@dataclass(frozen=True, slots=True, eq=False)
class AngleCourse:
    """An angle of one person over time, in B stretches of equally many frames.

    Attributes:
        name: as in the table, without `angle_`.
        x: (B,) where each begins: seconds or frame numbers; NaN where the person is not seen.
        mean: (B,) degrees; NaN where unknown.
        low: (B,) least value, `mean` itself where each stretch is one frame.
        high: (B,) greatest value.
        sigma_low: (B,) least of value minus its sigma.
        sigma_high: (B,) greatest of value plus its sigma.
    """

    name: str
    x: Values
    mean: Values
    low: Values
    high: Values
    sigma_low: Values
    sigma_high: Values


@dataclass(frozen=True, slots=True, eq=False)
class PersonCourse:
    """One person.

    Attributes:
        person: the track's number.
        frames: how many frames have the person.
        first: number of the first of them.
        last: number of the last.
        first_s: time of the first, NaN for pictures.
        last_s: time of the last.
        score: mean confidence, NaN where unknown.
        angles: empty where the table has none.
    """

    person: int
    frames: int
    first: int
    last: int
    first_s: float
    last_s: float
    score: float
    angles: tuple[AngleCourse, ...] = ()


@dataclass(frozen=True, slots=True)
class FlagCourse:
    """One flag.

    Attributes:
        word: as in the table.
        meaning: what it says; empty where nobody knows.
        frames: how many frames have it.
        spans: where; neighbours are put together where there are very many.
    """

    word: str
    meaning: str
    frames: int
    spans: tuple[FlagSpan, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Everything on the page of one video.

    Attributes:
        title: the video's name.
        facts: name -> text: source, size, duration, weights and their hash, engine, device, settings ...
        frames: frames in the table.
        skipped_frames: frames that could not be read.
        flagged_frames: frames with any flag.
        people: number of different people over time.
        course: confidence and people over time.
        persons: those with the most frames.
        flags: in the order of their words.
        shots: the contact sheet.
        problems: what was wrong with the source, one line each.
        video: where the video with the skeletons lies, relative to the page; empty for none.
    """

    title: str
    facts: Mapping[str, str]
    frames: int
    skipped_frames: int
    flagged_frames: int
    people: int
    course: Course
    persons: tuple[PersonCourse, ...] = ()
    flags: tuple[FlagCourse, ...] = ()
    shots: tuple[Shot, ...] = ()
    problems: tuple[str, ...] = ()
    video: str = ""


def shot_positions(frames: int, count: int = 12) -> Sequence[int]:
    """Return which frames the contact sheet shows: `count` of them, from the middles of equal stretches."""
    count = min(count, frames)
    return [(2 * number + 1) * frames // (2 * count) for number in range(count)]
