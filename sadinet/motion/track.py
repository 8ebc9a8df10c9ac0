"""The people of a recording one by one: which rows are whose, in the order of frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sadinet.recording import Recording

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def tracks(recording: Recording) -> Iterator[Rows]:
    """Yield each track's rows, in the order of frames; of rows of one frame that share a number, only the first."""
    order = np.lexsort((recording.row_frame, recording.track_ids))
    ids, frames = recording.track_ids[order], recording.row_frame[order]
    new = np.concatenate([[True], np.diff(ids) != 0])[: len(ids)]
    kept = new | np.concatenate([[True], np.diff(frames) != 0])[: len(ids)]
    for rows in np.split(order[kept], np.flatnonzero(new[kept])[1:]):
        if len(rows):
            yield rows


def trusted(recording: Recording, least_score: float) -> Bools:
    """Say which joints (R, K) are there and score enough."""
    return np.isfinite(recording.joints).all(axis=2) & (recording.scores >= least_score)


BLOCK = 32
BLOCKS = 5
FEWEST = 12
"""What is usual for a track is read from the blocks of 32 frames (of the video's own count, so that every part of the
video has the same blocks) around a row, two before and two behind its own; from at least 12 values."""


def usual(values: Floats, index: NDArray[np.int64], quantile: float, fewest: int = FEWEST) -> Floats:
    """Return a quantile of the values around each row.

    Args:
        values: (n, C), NaN where unknown.
        index: (n,) number of each row's frame, growing.
        quantile: 0.5 for the median.
        fewest: with fewer known values the answer is NaN.
    """
    first = int(index[0]) // BLOCK
    blocks = int(index[-1]) // BLOCK - first + 1
    by_block = np.full((blocks + BLOCKS - 1, BLOCK, values.shape[1]), np.nan)
    by_block[index // BLOCK - first + BLOCKS // 2, index % BLOCK] = values
    around = np.lib.stride_tricks.sliding_window_view(by_block, BLOCKS, axis=0)  # (blocks, BLOCK, C, BLOCKS)
    ordered = np.sort(np.moveaxis(around, 2, 3).reshape(blocks, BLOCK * BLOCKS, -1), axis=1)  # NaN come last
    count = np.isfinite(ordered).sum(axis=1)
    place = np.round(quantile * np.maximum(count - 1, 0)).astype(np.intp)
    found = np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]
    found[count < fewest] = np.nan
    result: Floats = found[index // BLOCK - first]
    return result


def sizes(joints: Floats, is_good: Bools) -> Floats:
    """Return the larger side of the box around the good joints (n, K, 2) of each row; NaN with fewer than four."""
    low = np.where(is_good[..., None], joints, np.inf).min(axis=1, initial=np.inf)
    high = np.where(is_good[..., None], joints, -np.inf).max(axis=1, initial=-np.inf)
    result: Floats = np.where(is_good.sum(axis=1) >= 4, (high - low).max(axis=1), np.nan)
    return result
