"""Round numbers for axes."""

from __future__ import annotations

import math

from sadinet.media.chart import XKind

_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def ticks(low: float, high: float, at_most: int, kind: XKind = "number") -> tuple[tuple[float, str], ...]:
    """Return round values within [low, high] and their labels, at most `at_most` where that is more than one.

    Times of a minute and more are told as minutes and hours, 1:30 and 1:05:00.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high < low:
        return ()
    if high == low:
        return ((low, _label(low, 1.0 if low == round(low) else 1e-3, kind == "time" and low >= 60)),)
    is_clock = kind == "time" and max(abs(low), abs(high)) >= 60
    step = _step(low, high, max(at_most, 2), is_clock)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((number * step, _label(number * step, step, is_clock)) for number in range(first, last + 1))


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """Return a range that is wider by `share` on each side, and never empty."""
    room = (high - low) * share
    if room <= 0:
        room = max(abs(low), 1.0) * share
    return low - room, high + room


def clock(seconds: float, decimals: int = 0) -> str:
    """Return a time as 1:05 or 1:02:05, with decimals of a second if wanted."""
    unit = 10**decimals
    whole = round(abs(seconds) * unit)
    minutes, rest = divmod(whole, 60 * unit)
    hours, minutes = divmod(minutes, 60)
    second = f"{rest // unit:02d}" + (f".{rest % unit:0{decimals}d}" if decimals else "")
    text = f"{hours}:{minutes:02d}:{second}" if hours else f"{minutes}:{second}"
    return "−" + text if seconds < 0 and whole else text


def _step(low: float, high: float, at_most: int, is_clock: bool) -> float:
    """Return the least round step with at most `at_most` multiples in [low, high]."""
    span = high - low
    unit = 10.0 ** math.floor(math.log10(span / at_most))
    steps = [factor * unit * scale for scale in (1, 10, 100) for factor in (1, 2, 5)]
    if is_clock and span >= at_most:
        days = 86_400.0 * math.ceil(span / 86_400.0 / max(at_most - 1, 1))
        steps = [*map(float, _TIME_STEPS_S), days]
    return next((step for step in steps if _count(low, high, step) <= at_most), steps[-1])


def _count(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1


def _label(value: float, step: float, is_clock: bool) -> str:
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if is_clock:
        return clock(value, decimals)
    text = f"{value:.{decimals}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.") else "−" + text[1:]
    return text
