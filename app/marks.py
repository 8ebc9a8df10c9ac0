"""What a timeline points out: stretches of doubtful frames, and of frames with nobody in view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sadinet.motion.quality import Timeline

LANES: Final[dict[str, tuple[str, ...]]] = {
    "id change": ("id_change",),
    "left/right swap": ("swap_body", "swap_legs", "swap_arms"),
    "jump": ("jump",),
    "bone length": ("bone_length",),
    "low confidence": ("low_confidence",),
    "cut off": ("cut_off",),
    "scene cut": ("scene_cut",),
}
"""Lane -> the quality words that it shows."""

JOIN_FRAMES: Final = 3
"""Doubtful frames no further apart than this make one mark: nobody wants to step through each of them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Some consecutive doubtful frames.

    Attributes:
        lane: name of its lane, one of `LANES`.
        first, last: numbers of the frames, both included.
        time_s: of the first one, NaN where unknown.
        words: quality words that occur there.
    """

    lane: str
    first: int
    last: int
    time_s: float
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """What it is and where, one line."""
        where = f"frame {self.first}" if self.first == self.last else f"frames {self.first} to {self.last}"
        when = f", {self.time_s:.3f} s" if np.isfinite(self.time_s) else ""
        return f"{', '.join(word.replace('_', ' ') for word in self.words)}: {where}{when}"


def marks_of(timeline: Timeline) -> tuple[Mark, ...]:
    """Return all marks by rising frame."""
    found: list[Mark] = []
    for lane, words in LANES.items():
        counts = {word: timeline.counts[word] for word in words if word in timeline.counts}
        doubtful = np.zeros(len(timeline.index), dtype=bool)
        for count in counts.values():
            doubtful |= count > 0
        for first, last in stretches(doubtful, JOIN_FRAMES):
            present = tuple(word for word, count in counts.items() if count[first : last + 1].any())
            ends = int(timeline.index[first]), int(timeline.index[last])
            found.append(Mark(lane, *ends, float(timeline.time_s[first]), present))
    return tuple(sorted(found, key=lambda mark: (mark.first, list(LANES).index(mark.lane))))


def stretches(holds: NDArray[np.bool_], join: int = 1) -> tuple[tuple[int, int], ...]:
    """Return the first and last place of each run of places where something holds.

    Args:
        holds: (F,).
        join: places no further apart than this belong together.
    """
    places = np.flatnonzero(holds)
    if not len(places):
        return ()
    breaks = np.flatnonzero(np.diff(places) > join)
    starts = places[np.concatenate([[0], breaks + 1])]
    ends = places[np.concatenate([breaks, [len(places) - 1]])]
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


def columns_of(values: NDArray[np.float64], columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the mean of (F,) values in each of (columns,) equal parts; NaN where there is none."""
    low, mean = np.full(columns, np.nan), np.full(columns, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return low, mean
    part = known * columns // len(values)
    np.fmin.at(low, part, values[known])
    counts = np.bincount(part, minlength=columns)
    sums = np.bincount(part, weights=values[known], minlength=columns)
    np.divide(sums, counts, out=mean, where=counts > 0)
    return low, mean
