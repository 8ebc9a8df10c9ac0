"""Make the uncertainty honest: one factor a joint and axis, so that sigma covers what one sigma should."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sadinet.errors import InputError
from sadinet.skeletons import Skeleton

ONE_SIGMA = 0.6827
"""Share of a Gaussian's errors within one standard deviation."""

PRIOR_SAMPLES = 50.0
"""A joint's own factor weighs as much as the factor of all joints when it comes from so many errors."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Factors for the uncertainty of a model.

    Attributes:
        factors: (K, 2) for x and y, to multiply sigma by.
        samples: (K,) errors that each joint's factor comes from, both sides together; 0 where it is the overall one.
        overall: (2,) the factor of all joints together.
    """

    factors: Floats
    samples: NDArray[np.int64]
    overall: Floats


def fit_calibration(
    predicted: ArrayLike, labels: ArrayLike, sigmas: ArrayLike, skeleton: Skeleton, share: float = ONE_SIGMA
) -> Calibration:
    """Find the factors by which `share` of the errors come to lie within sigma.

    A joint's factor is the quantile of |error| / sigma at `share`, for x and y alone, left and right together,
    drawn towards the quantile of all joints where there are few samples (in logarithms, as factors multiply).

    Args:
        predicted: (N, K, 2) pixels.
        labels: (N, K, 2) pixels, NaN where not labelled.
        sigmas: (N, K, 2) pixels, NaN where the model gives none.
        skeleton: names of the joints.
        share: of errors within sigma.

    Raises:
        InputError: if not a single joint has label, prediction and sigma.
    """
    spread = np.asarray(sigmas, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(np.asarray(predicted, dtype=float) - np.asarray(labels, dtype=float)) / spread
    usable = np.isfinite(ratio).all(axis=2)
    if not usable.any():
        raise InputError("no joint has label, prediction and sigma", "does this model give an uncertainty at all?")
    overall = np.quantile(ratio[usable], share, axis=0)
    factors = np.tile(overall, (len(skeleton), 1))
    samples = np.zeros(len(skeleton), dtype=np.int64)
    for joint, other in enumerate(skeleton.flip_order):
        both = sorted({joint, int(other)})
        own = ratio[:, both][usable[:, both]]
        if len(own):
            trust = len(own) / (len(own) + PRIOR_SAMPLES)
            factors[joint] = np.quantile(own, share, axis=0) ** trust * overall ** (1 - trust)
            samples[joint] = len(own)
    return Calibration(factors, samples, overall)
