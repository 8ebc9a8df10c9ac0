"""Where a path breaks: what a value before a moment and the one behind it disagree about, velocity considered.

Between two rows, the path before is carried on for half the way, and the path behind is carried back for the other
half. On smooth motion the two ends meet, however fast it is; a value that leaps leaves them apart by the leap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.motion.track import sizes, usual

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

USUAL_RATE_HZ = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The n rows of one track.

    Attributes:
        index: (n,) numbers of the frames, growing.
        time_s: (n,) seconds, NaN where unknown.
        joints: (n, K, 2) frame pixels.
        sigmas: (n, K) one standard deviation, frame pixels, the mean of both axes; 0 where unknown.
        is_good: (n, K) joints to be trusted.
        size: (n,) usual size of the person around each row, frame pixels; NaN where unknown.
        step_s: (n,) seconds since the row before; NaN where the two are not to be compared.
    """

    index: NDArray[np.int64]
    time_s: Floats
    joints: Floats
    sigmas: Floats
    is_good: Bools
    size: Floats
    step_s: Floats

    @property
    def slack(self) -> Floats:
        """How much more a path may bend between rows that are further apart than usual, (n,), at least 1."""
        return np.maximum(1.0, self.step_s * USUAL_RATE_HZ)


def read_path(
    index: NDArray[np.int64],
    time_s: Floats,
    joints: NDArray[np.float32],
    sigmas: NDArray[np.float32],
    is_good: Bools,
    longest_step_s: float,
) -> Path:
    """Return the path of one track; rows further apart than `longest_step_s` are not compared with each other."""
    points = joints.astype(np.float64)
    size = usual(sizes(points, is_good)[:, None], index, 0.5, fewest=1)[:, 0]
    steps = np.diff(time_s, prepend=np.nan)
    steps[~((steps > 0) & (steps <= longest_step_s + 1e-9))] = np.nan
    spread = np.nan_to_num(sigmas.astype(np.float64)).mean(axis=2)
    return Path(index, time_s, points, spread, is_good, size, steps)


def ends(path: Path, values: Floats, is_good: Bools) -> tuple[Floats, Floats]:
    """Return both ends at the middle between each row and the one before.

    Args:
        path: whose times to go by.
        values: (n, C, D).
        is_good: (n, C).

    Returns:
        (n, C, D) of the path before and of the path behind; NaN where either row is not good, or not to be compared.
    """
    known = np.where(is_good[..., None], values, np.nan)
    step = path.step_s[:, None, None]
    velocity = np.diff(known, axis=0, prepend=np.nan) / step
    before = np.concatenate([np.full_like(velocity[:1], np.nan), velocity[:-1]])
    behind = np.concatenate([velocity[1:], np.full_like(velocity[:1], np.nan)])
    # Where one side has no velocity the other's is taken; where neither has one, the values are compared as they are.
    before, behind = (np.where(np.isnan(a), np.nan_to_num(b), a) for a, b in ((before, behind), (behind, before)))
    last = np.concatenate([np.full_like(known[:1], np.nan), known[:-1]])
    return last + before * step / 2, known - behind * step / 2 + 0 * last


def is_peak(gap: Floats) -> Bools:
    """Say where a gap (n, ...) is no mere echo: a leap shows half as large in the rows next to its own."""
    padded = np.nan_to_num(np.pad(gap, [(1, 1), *[(0, 0)] * (gap.ndim - 1)], constant_values=0.0))
    peak: Bools = gap >= 0.75 * np.maximum(padded[:-2], padded[2:])
    return peak


def pair_sigmas(path: Path) -> Floats:
    """Return (n, K): standard deviation of a joint's difference to the row before, errors taken as independent."""
    before = np.concatenate([path.sigmas[:1], path.sigmas[:-1]])
    result: Floats = np.hypot(path.sigmas, before)
    return result
