"""What is added to a recording once its frames and ids are final: smoothed joints, angles, flags."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sadinet.motion.angles import angles
from sadinet.motion.clock import Clock, read_clock
from sadinet.motion.columns import extra_columns, smooth_columns
from sadinet.motion.gaps import bridge
from sadinet.motion.quality import add_words, quality
from sadinet.motion.settings import MotionSettings
from sadinet.motion.smoothing import smooth, too_slow
from sadinet.motion.track import tracks, trusted
from sadinet.recording import Recording

__all__ = ["enrich", "extra_columns"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """Smoothed joints of R rows.

    Attributes:
        joints: (R, K, 2) x, y in frame pixels; NaN where a joint is not good and its gap too long.
        is_filled: (R,) some joint was put in between others.
        is_unfiltered: (R,) frames come too slowly for the cut-off: values are the measured ones.
    """

    joints: Floats
    is_filled: Bools
    is_unfiltered: Bools


def enrich(recording: Recording, settings: MotionSettings, keep: slice | None = None) -> Recording:
    """Add smoothed joints, angles and flags to a recording whose track ids are final.

    No row is ever added: a person who is not there in a frame has none. A long video can be handed in by parts:
    frames with 600 others around them (or the video's end) come out as if the whole had been handed in.

    Args:
        recording: all frames that may be looked at.
        settings: what to add.
        keep: positions of the frames to return, None for all; step 1.

    Returns:
        The frames of `keep`, with the columns of `extra_columns` added to `extra` in that order, and flags
        (`sadinet.motion.quality.FLAGS`) behind those that the rows already had.
    """
    extra: dict[str, Floats] = {}
    joints = recording.joints.astype(np.float64)
    smoothed = smooth_rows(recording, settings) if settings.smooth else None
    if smoothed is not None:
        flat = smoothed.joints.reshape(recording.rows, 2 * len(recording.skeleton))
        extra |= {name: flat[:, place].copy() for place, name in enumerate(smooth_columns(recording.skeleton))}
        joints = np.where(np.isfinite(smoothed.joints), smoothed.joints, joints)
    if settings.angles:
        for name, (values, sigmas) in angles(joints, recording.sigmas, recording.skeleton).items():
            extra |= {f"angle_{name}": values, f"angle_{name}_sigma": sigmas}
    result = replace(recording, extra={**recording.extra, **extra}, flags=_flags(recording, smoothed, settings))
    if keep is None:
        return result
    first, last, _ = keep.indices(recording.frames)
    return result.part(first, last)


def smooth_rows(recording: Recording, settings: MotionSettings) -> Smoothed:
    """Smooth the joints of each track; frames without a time are left out."""
    count, joints = recording.rows, len(recording.skeleton)
    timed = np.isfinite(recording.time_s)
    place = np.where(timed, np.cumsum(timed) - 1, -1)
    clock = read_clock(recording.time_s[timed])
    slow = too_slow(clock.period_s, settings.cutoff_hz)
    found = np.full((count, joints, 2), np.nan)
    is_filled = np.zeros(count, dtype=bool)
    is_unfiltered = np.zeros(count, dtype=bool)
    is_good = trusted(recording, settings.least_score)
    for every in tracks(recording):
        rows = every[timed[recording.row_frame[every]]]
        if len(rows):
            at = place[recording.row_frame[rows]]
            found[rows], is_filled[rows] = _smooth_track(clock, at, recording.joints[rows], is_good[rows], settings)
            is_unfiltered[rows] = slow[at] & is_good[rows].any(axis=1)
    return Smoothed(found, is_filled, is_unfiltered)


def _smooth_track(
    clock: Clock, at: NDArray[np.intp], joints: NDArray[np.float32], is_good: Bools, settings: MotionSettings
) -> tuple[Floats, Bools]:
    # From rows to all frames of the track's time, so that frames without the person are gaps too.
    first, count = int(at[0]), int(at[-1] - at[0]) + 1
    part = clock.part(first, first + count)
    width = is_good.shape[1]
    values = np.full((count, 2 * width), np.nan)
    good = np.zeros((count, 2 * width), dtype=bool)
    values[at - first] = joints.reshape(len(at), -1)
    good[at - first] = np.repeat(is_good, 2, axis=1)
    path = bridge(part, values, good, settings.longest_gap_s, fill=settings.fill_gaps)
    smoothed = smooth(part, path, settings.cutoff_hz, settings.order)[at - first]
    is_filled: Bools = np.asarray(path.is_filled[at - first].any(axis=1))
    return smoothed.reshape(-1, width, 2), is_filled


def _flags(recording: Recording, smoothed: Smoothed | None, settings: MotionSettings) -> tuple[tuple[str, ...], ...]:
    masks = quality(recording, settings) if settings.quality else {}
    if smoothed is not None:
        masks |= {"filled": smoothed.is_filled, "unfiltered": smoothed.is_unfiltered}
    return add_words(recording.flags, masks)
