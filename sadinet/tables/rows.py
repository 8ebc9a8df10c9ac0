"""A window of a recording as rows of a table: one for each person and frame, one for each frame with nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.recording import Recording
from sadinet.tables.schema import NOBODY, flags


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """N rows in the order of frames.

    Attributes:
        frame: (N,) int64, index of each row's frame.
        time_s: (N,) float64; NaN for pictures.
        track_id: (N,) int64, `NOBODY` in the row of a frame with nobody.
        numbers: (N, 5 + 5K) float64: score, box x, y, width, height, then x, y, score, sigma x and sigma y of each
            joint; NaN where unknown.
        extra: (N, E) float64, the extra columns in the announced order; NaN where unknown.
        flags: N texts, the frame's words first.
        sources: N names of what the frame came from.
    """

    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    track_id: NDArray[np.int64]
    numbers: NDArray[np.float64]
    extra: NDArray[np.float64]
    flags: list[str]
    sources: list[str]

    def __len__(self) -> int:
        return len(self.frame)


def rows_of(window: Recording, extra: Sequence[str] = ()) -> Rows:
    """Lay out the rows of a window; values that are not finite become NaN.

    Args:
        extra: names of the extra columns; those that the window lacks are NaN.
    """
    position, row = _order(window)
    somebody = row >= 0
    values = np.full((len(row), 5 + 5 * len(window.skeleton)), np.nan)
    values[somebody] = _numbers(window)
    values[~np.isfinite(values)] = np.nan
    further = np.full((len(row), len(extra)), np.nan)
    for place, name in enumerate(extra):
        if name in window.extra:
            further[somebody, place] = window.extra[name]
    further[~np.isfinite(further)] = np.nan
    track_ids = np.full(len(row), NOBODY, np.int64)
    track_ids[somebody] = window.track_ids
    places = position.tolist()
    words = [
        flags(window.frame_flags[at], window.flags[each] if each >= 0 else ())
        for at, each in zip(places, row.tolist(), strict=True)
    ]
    return Rows(
        frame=window.index[position],
        time_s=window.time_s[position],
        track_id=track_ids,
        numbers=values,
        extra=further,
        flags=words,
        sources=[window.sources[at] for at in places],
    )


def _order(window: Recording) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return each table row's frame position and its row in the recording, -1 for nobody."""
    is_empty = np.ones(window.frames, bool)
    is_empty[window.row_frame] = False
    empty = np.flatnonzero(is_empty)
    position = np.concatenate([window.row_frame, empty]).astype(np.intp)
    row = np.concatenate([np.arange(window.rows), np.full(len(empty), -1)]).astype(np.intp)
    order = np.argsort(position, kind="stable")
    return position[order], row[order]


def _numbers(window: Recording) -> NDArray[np.float64]:
    joints = np.concatenate([window.joints, window.scores[..., None], window.sigmas], axis=2).astype(np.float64)
    return np.column_stack(
        [window.row_scores, window.boxes[:, :4], joints.reshape(window.rows, 5 * len(window.skeleton))]
    )
