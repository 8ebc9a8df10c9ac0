"""Whether one way is better than another on the same pictures: the paired bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sadinet.errors import InputError


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference and the bounds of its bootstrap interval."""

    difference: float
    low: float
    high: float


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    repeats: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return mean(a) - mean(b) and its percentile interval, from resampling the pairs.

    Args:
        a: (N,) one figure a picture, for example the share of its joints that are hits.
        b: (N,) the same pictures under the other way.
        weight: (N,) how much a picture counts, for example its labelled joints; equal by default.
        repeats: resamplings.
        level: share of the resampled differences inside the interval.
        seed: the same seed gives the same interval.

    Raises:
        InputError: if the shapes differ or no pair is finite.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    mass = np.ones_like(first) if weight is None else np.asarray(weight, dtype=float)
    if first.ndim != 1 or first.shape != second.shape or mass.shape != first.shape:
        raise InputError(f"pairs of shapes {first.shape}, {second.shape}, weight {mass.shape}", "must be (N,) each")
    known = np.isfinite(first) & np.isfinite(second) & (mass > 0)
    if not known.any():
        raise InputError("no pair to compare")
    mass = mass[known]
    gap = (first - second)[known] * mass
    rng = np.random.default_rng(seed)
    drawn = np.empty(repeats)
    for i in range(repeats):
        picked = rng.integers(0, len(gap), len(gap))
        drawn[i] = gap[picked].sum() / mass[picked].sum()
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(gap.sum() / mass.sum()), float(low), float(high))
