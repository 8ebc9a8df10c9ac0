"""Stretches of frames with a flag."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from sadinet.media.chart_ticks import clock
from sadinet.recording import Recording

SEVERAL = -1
"""`person` of a stretch that several people share."""


@dataclass(frozen=True, slots=True)
class FlagSpan:
    """A stretch of frames with a flag.

    Attributes:
        first: number of its first frame.
        last: number of its last frame.
        first_s: time of the first; NaN for pictures.
        last_s: time of the last.
        frames: how many of them have the flag.
        person: whose rows have it; None where it is on the whole frame, `SEVERAL` for more than one person.
    """

    first: int
    last: int
    first_s: float
    last_s: float
    frames: int
    person: int | None = None

    @property
    def time_text(self) -> str:
        """When it is, as 0:01.25 or 0:01.25 to 0:02.00; empty for pictures."""
        if not math.isfinite(self.first_s):
            return ""
        return _range(clock(self.first_s, 2), clock(self.last_s, 2))

    @property
    def frames_text(self) -> str:
        """Which frames it has, as 12 or 12 to 20."""
        return _range(str(self.first), str(self.last))

    @property
    def person_text(self) -> str:
        """Whose it is."""
        if self.person is None:
            return "whole frame"
        return "several people" if self.person == SEVERAL else f"person {self.person}"

    def text(self, word: str) -> str:
        """Return one line about the stretch."""
        name = "frame" if self.first == self.last else "frames"
        parts = (self.time_text, f"{name} {self.frames_text}", self.person_text)
        return f"{word}: " + ", ".join(part for part in parts if part)


def flag_spans(recording: Recording, person: int) -> dict[str, list[FlagSpan]]:
    """Return the stretches of each flag on one person's rows, and on whole frames while the person is seen."""
    rows = recording.rows_of_track(person)
    found: dict[str, list[FlagSpan]] = {}
    for row in rows.tolist():
        position = int(recording.row_frame[row])
        own = dict.fromkeys(recording.flags[row], person)
        for word, whose in {**own, **dict.fromkeys(recording.frame_flags[position])}.items():
            one = _single(recording, position, whose)
            spans = found.setdefault(word, [])
            if spans and spans[-1].last == one.first - 1 and spans[-1].person == whose:
                spans[-1] = joined(spans[-1], one)
            else:
                spans.append(one)
    return dict(sorted(found.items()))


def joined(a: FlagSpan, b: FlagSpan) -> FlagSpan:
    """Return the stretch from the beginning of `a` to the end of `b`."""
    person = a.person if a.person == b.person else SEVERAL
    return replace(a, last=b.last, last_s=b.last_s, frames=a.frames + b.frames, person=person)


def fewer(spans: Iterable[FlagSpan], at_most: int) -> list[FlagSpan]:
    """Join stretches that follow each other without a frame between; then neighbours, until `at_most` are left.

    Neighbours are those that begin in the same of many equal parts of the video, so that what is left shows how
    they are spread over it.
    """
    result = _joined_where(spans, lambda a, b: b.first - a.last <= 1)
    bits = 0
    while len(result) > max(at_most, 1):
        bits += 1
        result = _joined_where(result, partial(_in_one_part, bits))
    return result


def _in_one_part(bits: int, a: FlagSpan, b: FlagSpan) -> bool:
    """Say whether both begin in the same part of 2 to the `bits` frames."""
    return a.first >> bits == b.first >> bits


def _joined_where(spans: Iterable[FlagSpan], belong: Callable[[FlagSpan, FlagSpan], bool]) -> list[FlagSpan]:
    result: list[FlagSpan] = []
    for span in spans:
        if result and belong(result[-1], span):
            result[-1] = joined(result[-1], span)
        else:
            result.append(span)
    return result


def _single(recording: Recording, position: int, person: int | None) -> FlagSpan:
    index, time_s = int(recording.index[position]), float(recording.time_s[position])
    return FlagSpan(index, index, time_s, time_s, 1, person)


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
