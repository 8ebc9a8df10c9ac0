"""Numbers as text, whole arrays at once, digit for digit what `schema.number` gives one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sadinet.tables.schema import number

_LARGEST = 4e9
"""What a 32-bit number of last decimals holds; pixels and scores are far below."""
_NEAR_HALF = 1e-4
"""Closer to the middle between two texts than this, the product may have been rounded over it."""

_ZERO, _MINUS, _POINT, _COMMA = b"0-.,"


def joined(values: NDArray[np.float64], decimals: Sequence[int]) -> list[str]:
    """Return each row of (N, C) as cells joined by commas, column c with `decimals[c]`; NaN is an empty cell."""
    if not values.size:
        return [""] * len(values)
    most = max(decimals)
    places = np.array(decimals)
    known = np.isfinite(values)
    whole = _rounded(np.where(known, values, 0.0), places)
    in_last_place = whole * 10.0 ** (most - places)
    if in_last_place.max() >= _LARGEST:
        return [",".join(number(value, each) for value, each in zip(row, decimals, strict=True)) for row in values]
    return _assembled(in_last_place.astype(np.uint32), np.signbit(values) & (whole > 0), known, places, most)


def _rounded(values: NDArray[np.float64], places: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return |values| in units of the last decimal, rounded as exactly as text is."""
    scaled = np.abs(values) * 10.0**places
    whole: NDArray[np.float64] = np.rint(scaled)
    unsure = np.abs(np.abs(scaled - whole) - 0.5) < _NEAR_HALF
    for row, column in np.argwhere(unsure & (scaled < _LARGEST)):
        whole[row, column] = int(f"{abs(values[row, column]):.{places[column]}f}".replace(".", ""))
    return whole


def _assembled(
    rest: NDArray[np.uint32],
    negative: NDArray[np.bool_],
    known: NDArray[np.bool_],
    places: NDArray[np.int_],
    most: int,
) -> list[str]:
    """Lay every cell out at full width (sign, digits, point, decimals, comma) and keep the bytes that it has."""
    before = max(1, len(str(int(rest.max()))) - most)
    width = 1 + before + 1 + most + 1
    letters = np.empty((*rest.shape, width), np.uint8)
    kept = np.zeros(letters.shape, bool)
    letters[..., 0], kept[..., 0] = _MINUS, negative
    letters[..., 1 + before], kept[..., 1 + before] = _POINT, known & (places > 0)
    letters[..., -1], kept[..., :-1, -1] = _COMMA, True
    for place in range(before + most):
        is_decimal = place < most
        at = width - 2 - place - (not is_decimal)
        # A digit in front is there if something is left to write, or as the one before the point.
        if is_decimal:
            kept[..., at] = known & (most - place <= places)
        else:
            kept[..., at] = known & ((rest > 0) | (place == most))
        tenth = rest // np.uint32(10)
        letters[..., at] = _ZERO + (rest - tenth * np.uint32(10)).astype(np.uint8)
        rest = tenth
    text = letters[kept].tobytes().decode("ascii")
    ends = np.cumsum(kept.sum(axis=(1, 2))).tolist()
    return [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
