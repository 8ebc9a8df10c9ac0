"""Whether a predicted spread is the spread of the errors: the reliability of sigma."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sadinet.training.metrics import distances


def sigma_reliability(
    predicted: ArrayLike, labels: ArrayLike, weight: ArrayLike, sigmas: ArrayLike, bins: int = 8
) -> NDArray[np.float64]:
    """Return for groups of errors, from the smallest sigma to the largest, what was told and what was true.

    Errors in x and in y are taken together, sorted by their sigma and cut into groups of one size. The true spread is
    what 68.27% of a group's errors stay below, their standard deviation if they are Gaussian.

    Args:
        predicted: (N, K, 2) pixels.
        labels: (N, K, 2) pixels.
        weight: (N, K), above 0 where labelled.
        sigmas: (N, K, 2) one standard deviation in x and y, pixels; NaN is left out.
        bins: groups at most; each has at least ten errors.

    Returns:
        (B, 3): median sigma, true spread, both in pixels, and the number of errors; (0, 3) without a sigma.
    """
    spread = np.asarray(sigmas, dtype=float)
    usable = np.isfinite(distances(predicted, labels, weight)) & np.isfinite(spread).all(axis=2)
    error = np.abs(np.asarray(predicted, dtype=float) - np.asarray(labels, dtype=float))[usable].ravel()
    told = spread[usable].ravel()
    order = np.argsort(told, kind="stable")
    groups = [group for group in np.array_split(order, max(1, min(bins, len(order) // 10))) if len(group)]
    rows = [(np.median(told[g]), np.quantile(error[g], 0.6827), len(g)) for g in groups]
    return np.array(rows, dtype=float).reshape(-1, 3)
