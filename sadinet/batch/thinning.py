"""Long series made short for drawing: what is highest and lowest in each stretch stays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

BINS = 1000
"""Stretches that a series is thinned to; each leaves two points."""

Values = NDArray[np.float64]

_RULES: dict[str, tuple[np.ufunc, float]] = {
    "low": (np.fmin, np.nan),
    "high": (np.fmax, np.nan),
    "sum": (np.add, 0.0),
}


def thin(x: Values, y: Values, bins: int = BINS) -> tuple[Values, Values]:
    """Return at most two points for each of `bins` stretches of (N,) arrays: the lowest and the highest y.

    Points keep their order. A stretch without any value leaves NaN; short arrays are returned as they are.
    """
    if len(x) <= 2 * bins:
        return x, y
    rows = _rows(y, bins)
    lowest = np.where(np.isfinite(rows), rows, np.inf).argmin(axis=1)
    highest = np.where(np.isfinite(rows), rows, -np.inf).argmax(axis=1)
    places = np.sort(np.column_stack([lowest, highest]), axis=1)
    flat = (places + np.arange(len(rows))[:, None] * rows.shape[1]).ravel()
    flat = np.minimum(flat, len(y) - 1)
    return x[flat], y[flat]


def thin_band(x: Values, low: Values, high: Values, bins: int = BINS) -> tuple[Values, Values, Values]:
    """Return the outline of a band, (N,) arrays, in at most `bins` stretches: their least and greatest value."""
    if len(x) <= 2 * bins:
        return x, low, high
    starts = _rows(x, bins)[:, 0]
    return starts, np.fmin.reduce(_rows(low, bins), axis=1), np.fmax.reduce(_rows(high, bins), axis=1)


def thin_trail(points: Values, at_most: int = 2 * BINS) -> Values:
    """Return at most about `at_most` of the points (N, 2) of a path, leaving out those next to the last kept.

    Breaks (NaN) stay. How near is near grows until the path is short enough.
    """
    known = points[np.isfinite(points).all(axis=1)]
    near = float(np.ptp(known, axis=0).max()) / 4000 if len(known) else 0.0
    while len(points) > at_most and near > 0:
        points = points[_far_apart(points, near)]
        near *= 2
    return points


def _far_apart(points: Values, near: float) -> NDArray[np.bool_]:
    cells = np.floor(np.nan_to_num(points, nan=-1e12) / near)
    return np.concatenate([[True], np.any(np.diff(cells, axis=0) != 0, axis=1)])


def _rows(values: Values, bins: int) -> Values:
    """Return values in `bins` rows or fewer, filled up with NaN."""
    size = -(-len(values) // bins)
    count = -(-len(values) // size)
    rows = np.full(count * size, np.nan)
    rows[: len(values)] = values
    return rows.reshape(count, size)


class Bins:
    """Columns of least, greatest and summed values by stretches of frames, in memory that does not grow.

    While there are few frames each has a stretch of its own; whenever there are more than fit, two neighbours
    become one. What comes out depends on the values alone, not on how they were handed in.

    Args:
        columns: what each is: "low", "high" or "sum". Sums are exact as long as the values are whole numbers.
        capacity: most stretches, a power of two.
    """

    def __init__(self, columns: Mapping[str, str], capacity: int = 1024) -> None:
        self.stride = 1
        self._columns = dict(columns)
        self._capacity = capacity
        self._used = 0
        self._values = {name: np.full(capacity, _RULES[rule][1]) for name, rule in columns.items()}

    def add(self, positions: NDArray[np.int64], **values: Values) -> None:
        """Take values (N,) of the frames at positions (N,), counted from 0; positions may repeat."""
        if not len(positions):
            return
        while int(positions.max()) // self.stride >= self._capacity:
            self._halve()
        places = positions // self.stride
        self._used = max(self._used, int(places.max()) + 1)
        for name, array in values.items():
            _RULES[self._columns[name]][0].at(self._values[name], places, array)

    def get(self, name: str) -> Values:
        """Return a column, one value a stretch, NaN (0 for a sum) where nothing was added."""
        return self._values[name][: self._used]

    def _halve(self) -> None:
        for name, array in self._values.items():
            function, start = _RULES[self._columns[name]]
            merged = function.reduce(array.reshape(-1, 2), axis=1)
            array[:] = start
            array[: len(merged)] = merged
        self.stride *= 2
        self._used = -(-self._used // 2)
