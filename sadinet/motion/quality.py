"""Where a result is doubtful: quality words for each row, and their course over a video.

A flag never changes a value. Those that need time stay away where a frame has none, and where a person's rows are more
than `MotionSettings.longest_gap_s` apart. docs/quality.md tells how often each hits and how often it is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.motion.breaks import Path, read_path
from sadinet.motion.leaps import leaps
from sadinet.motion.settings import MotionSettings, QualityLimits
from sadinet.motion.swaps import swaps
from sadinet.motion.track import tracks, trusted
from sadinet.recording import Recording

FLAGS: dict[str, str] = {
    "id_change": "place or posture of the whole body changes abruptly: the number may have gone to another person",
    "swap_body": "left and right of arms and legs seem exchanged",
    "swap_legs": "left and right seem exchanged in a pair of hips, knees or ankles",
    "swap_arms": "left and right seem exchanged in a pair of shoulders, elbows or wrists",
    "jump": "a joint leaves its path faster than the body can move",
    "bone_length": "an arm, a leg or a side of the trunk is longer than usual for this person, or changes abruptly",
    "cut_off": "the person's box or a joint lies at the frame's border, or beyond",
    "low_confidence": "a quarter of the joints, or more, score low",
    "filled": "a smoothed joint was put in between good ones, as its own score is low or it is missing",
    "unfiltered": "frames come too slowly for the filter: smoothed joints are the measured ones",
}
"""Word -> meaning, in the order in which words are written."""

Bools = NDArray[np.bool_]
Masks = dict[str, Bools]


def quality(recording: Recording, settings: MotionSettings) -> Masks:
    """Return which rows (R,) each flag of `FLAGS` holds for, but for the last two, which smoothing tells."""
    masks = {word: np.zeros(recording.rows, dtype=bool) for word in FLAGS if word not in ("filled", "unfiltered")}
    if not recording.rows:
        return masks
    masks |= _at_once(recording, settings)
    is_good = trusted(recording, settings.least_score)
    is_timed = np.isfinite(recording.row_times_s)
    for every in tracks(recording):
        rows = every[is_timed[every]]
        if not len(rows):
            continue
        path = read_path(
            recording.index[recording.row_frame[rows]],
            recording.row_times_s[rows],
            recording.joints[rows],
            recording.sigmas[rows],
            is_good[rows],
            settings.longest_gap_s,
        )
        for word, mask in _over_time(path, recording, settings.limits).items():
            masks[word][rows] = mask
    return masks


def add_words(flags: Sequence[tuple[str, ...]], masks: Mapping[str, Bools]) -> tuple[tuple[str, ...], ...]:
    """Return each row's words with those of the masks that hold for it, each once, behind its own."""
    result = list(flags)
    for word in FLAGS:
        for row in np.flatnonzero(masks[word]).tolist() if word in masks else ():
            if word not in result[row]:
                result[row] = (*result[row], word)
    return tuple(result)


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """A recording's course over its F frames.

    Attributes:
        index: (F,) int64, numbers of the frames.
        time_s: (F,) float64 seconds, NaN where unknown.
        people: (F,) int64.
        confidence: (F,) float64, mean score over the people of a frame; NaN where there is nobody.
        counts: word -> (F,) int64, rows of the frame that have it; for a word of the whole frame, 1. All words of
            `FLAGS` first, then others that occur, in alphabetical order.
    """

    index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    people: NDArray[np.int64]
    confidence: NDArray[np.float64]
    counts: Mapping[str, NDArray[np.int64]]


def timeline(recording: Recording) -> Timeline:
    """Return the course over time of a recording that `enrich` returned."""
    frames = recording.frames
    found: dict[str, list[int]] = {word: [] for word in FLAGS}
    for words, frame in zip(recording.flags, recording.row_frame.tolist(), strict=True):
        for word in words:
            found.setdefault(word, []).append(frame)
    for frame, words in enumerate(recording.frame_flags):
        for word in words:
            found.setdefault(word, []).append(frame)
    known = np.isfinite(recording.row_scores)
    places = recording.row_frame[known]
    scored = np.bincount(places, minlength=frames)
    sums = np.bincount(places, weights=recording.row_scores[known], minlength=frames)
    return Timeline(
        index=recording.index,
        time_s=recording.time_s,
        people=np.bincount(recording.row_frame, minlength=frames).astype(np.int64),
        confidence=np.where(scored > 0, sums / np.maximum(scored, 1), np.nan),
        counts={word: _count(found[word], frames) for word in (*FLAGS, *sorted(found.keys() - FLAGS))},
    )


def join_timelines(parts: Sequence[Timeline]) -> Timeline:
    """Put the timelines of a video's parts behind each other; at least one."""
    words = set().union(*(part.counts for part in parts)) - FLAGS.keys()
    return Timeline(
        index=np.concatenate([part.index for part in parts]),
        time_s=np.concatenate([part.time_s for part in parts]),
        people=np.concatenate([part.people for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        counts={
            word: np.concatenate([part.counts.get(word, np.zeros(len(part.index), np.int64)) for part in parts])
            for word in (*FLAGS, *sorted(words))
        },
    )


def _count(frames_of_word: list[int], frames: int) -> NDArray[np.int64]:
    return np.bincount(np.array(frames_of_word, dtype=np.int64), minlength=frames).astype(np.int64)


def _at_once(recording: Recording, settings: MotionSettings) -> Masks:
    limits = settings.limits
    return {
        "cut_off": _is_cut_off(recording, limits.edge),
        "low_confidence": _low_quarter(recording.scores) < limits.low_confidence,
    }


def _is_cut_off(recording: Recording, edge: float) -> Bools:
    # Networks put a joint that is out of the picture anywhere within it; the box that ends at the border tells.
    joints = recording.joints.astype(np.float64)
    boxes = recording.boxes[:, :4]
    low = np.fmin(boxes[:, :2], np.fmin.reduce(joints, axis=1, initial=np.inf))
    high = np.fmax(boxes[:, :2] + boxes[:, 2:], np.fmax.reduce(joints, axis=1, initial=-np.inf))
    margin = edge * np.nan_to_num(boxes[:, 2:].max(axis=1, initial=0.0))[:, None] - 0.5
    sizes_wh = recording.sizes_wh[recording.row_frame]
    return np.asarray(((low < margin) | (high > sizes_wh - 1 - margin)).any(axis=1))


def _low_quarter(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    # The score that a quarter of a row's joints does not reach; NaN where no joint has one.
    ordered = np.sort(scores.astype(np.float64), axis=1)
    place = np.isfinite(ordered).sum(axis=1) // 4
    return np.asarray(np.take_along_axis(ordered, np.minimum(place, scores.shape[1] - 1)[:, None], axis=1)[:, 0])


def _over_time(path: Path, recording: Recording, limits: QualityLimits) -> Masks:
    exchanged, turning = swaps(path, recording.skeleton, limits)
    return {**exchanged, **leaps(path, recording.skeleton, limits, turning)}
