"""What the numbers of settings may be: a table for each dataclass, checked when one is made."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

from sadinet.errors import InputError

ABOVE_0 = math.ulp(0.0)
"""As the lowest value: anything above 0, but not 0 itself."""

FINITE = sys.float_info.max
"""As the highest value: anything but infinity."""


def check_bounds(settings: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Compare fields with the lowest and the highest value that each may have.

    Args:
        settings: has the fields; of several numbers each is compared.
        bounds: lowest and highest value by name of field, both allowed.

    Raises:
        InputError: for the first field that is no number, not a number (NaN), or out of bounds.
    """
    for name, (low, high) in bounds.items():
        value = getattr(settings, name)
        for number in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(number, int | float) or not low <= number <= high:
                raise InputError(f"{name} is {value!r}", f"must be {_told(low, high)}")


def _told(low: float, high: float) -> str:
    if high < FINITE:
        return f"from {low:g} to {high:g}"
    kind = "a number" if high == math.inf else "a finite number"
    return f"{kind} above 0" if low == ABOVE_0 else f"{kind} of at least {low:g}"
