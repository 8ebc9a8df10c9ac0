"""Who continues whom: the pairing of most likeness, and which of its pairs could have been others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]


def assign(likeness: Floats, least: Floats | float) -> dict[int, int]:
    """Pair columns with rows so that the likeness of all pairs, good ones counting more, sums up to the most.

    Args:
        likeness: (T, N) in [0, 1].
        least: pairs of less are not made; one for all, or (T, 1).

    Returns:
        Row of each column that has one, by column.
    """
    # More than in proportion: two bad pairs are not worth as much as a good one.
    base = float(np.min(least, initial=1.0))
    worth = np.where(likeness > least, np.maximum(likeness - base, 0.0) ** 1.5, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    pairs = sorted((int(column), int(row)) for row, column in zip(rows, columns, strict=True))
    return {column: row for column, row in pairs if worth[row, column] > 0}


def close_calls(likeness: Floats, pairs: Mapping[int, int], close: float) -> set[int]:
    """Return the columns whose pair would cost less than `close` to be exchanged for another row.

    The other row's own column, if it has one, takes the freed row in turn. Pairs of no likeness (0) are no choice.

    Args:
        likeness: (T, N) in [0, 1].
        pairs: as `assign` made them.
        close: in likeness.
    """
    column_of = {row: column for column, row in pairs.items()}
    doubtful: set[int] = set()
    for column, row in pairs.items():
        for other in np.flatnonzero(likeness[:, column] > 0):
            partner = column_of.get(int(other))
            if other == row or (partner is not None and likeness[row, partner] <= 0):
                continue
            now, then = likeness[row, column], likeness[other, column]
            if partner is not None:
                now, then = now + likeness[other, partner], then + likeness[row, partner]
            if now - then < close:
                doubtful |= {column} if partner is None else {column, partner}
        unpaired = [place for place in range(likeness.shape[1]) if place not in pairs]
        if any(likeness[row, place] > likeness[row, column] - close for place in unpaired):
            doubtful.add(column)
    return doubtful
