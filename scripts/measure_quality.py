"""Measure the quality flags: how often each finds an error that was put in on purpose, and how often it is wrong.

    python scripts/measure_quality.py [VIDEO ...]

Motion: made-up people who walk, run, squat and turn, seen from all sides; and the people of the videos (the bundled
clip unless others are named), found by the shipped models and made smooth. Onto both goes noise like the network's,
and then, in copies, one kind of error each; errors that move no joint by a tenth of the person's size are left out.
`hit` is the share of errors with their flag in one of their rows; `rows` the share of their rows; `false` counts
flagged rows in a thousand without any error. Pictures: frames of the videos, cut off above the ankles or with people
covered, and given to the models.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from made_up_motion import ERRORS, FPS, HEIGHT, Error, Floats, made_up, noisy, recorded, size_of
from scipy.ndimage import median_filter
from scipy.optimize import linear_sum_assignment

from sadinet.geometry import Box, box_iou
from sadinet.media.source import open_source
from sadinet.motion.clock import read_clock
from sadinet.motion.gaps import bridge
from sadinet.motion.quality import quality
from sadinet.motion.settings import MotionSettings
from sadinet.motion.smoothing import smooth
from sadinet.motion.track import tracks
from sadinet.pipeline.stages import People, Settings
from sadinet.recording import Recording, record
from sadinet.results import Frame, FrameResult, Pose

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "sadinet" / "_demo" / "walk.mp4"
EVERY = 90  # rows from one error to the next
LEAST_ROWS = 60
AT_BORDER_PX = 3
LEAST_MOVED = 0.1  # share of the size; to exchange joints that lie on each other changes nothing


def found(path: Path, people: People) -> Recording:
    """Run the models on every frame, and number people by where they were."""
    results: list[FrameResult] = []
    last: dict[int, Floats] = {}
    with open_source(path) as source:
        for frame in source:
            result = people(frame)
            boxes = np.array([[b.x, b.y, b.width, b.height] for b in (p.box for p in result.poses)]).reshape(-1, 4)
            ids = list(range(1000 * len(results), 1000 * len(results) + len(boxes)))
            if last and len(boxes):
                overlap = box_iou(boxes, np.array(list(last.values())))
                for i, j in zip(*linear_sum_assignment(-overlap), strict=True):
                    ids[i] = list(last)[j] if overlap[i, j] > 0.3 else ids[i]
            last = dict(zip(ids, boxes, strict=True))
            poses = tuple(replace(pose, track_id=i) for pose, i in zip(result.poses, ids, strict=True))
            blank = np.empty((*frame.image.shape[:2], 0), np.uint8)  # size alone: videos are long
            results.append(FrameResult(replace(frame, image=blank), poses))
    return record(results, people.estimator.skeleton)


def made_smooth(recording: Recording) -> Iterator[Floats]:
    """Yield the joints (n, 19, 2) of the longer tracks without leaps and jitter, at 30 frames a second."""
    for rows in tracks(recording):
        if len(rows) < LEAST_ROWS or np.any(np.diff(recording.row_frame[rows]) != 1):
            continue
        joints = median_filter(recording.joints[rows].reshape(len(rows), -1).astype(float), (15, 1), mode="nearest")
        clock = read_clock(np.arange(len(rows)) / FPS)
        path = bridge(clock, joints, np.ones(joints.shape, dtype=bool), 0.25)
        yield smooth(clock, path, 3.0, 4).reshape(len(rows), -1, 2)


# Measuring ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Score:
    """Sums over all tracks."""

    errors: int = 0
    hits: int = 0
    rows: int = 0
    rows_hit: int = 0

    @property
    def hit(self) -> float:
        """Share of errors that are told, percent."""
        return 100 * self.hits / max(self.errors, 1)

    @property
    def row(self) -> float:
        """Share of their rows that are flagged, percent."""
        return 100 * self.rows_hit / max(self.rows, 1)


def measure(
    motions: Iterable[Floats], settings: MotionSettings, seed: int = 0
) -> tuple[dict[str, Score], dict[str, float]]:
    """Return scores by what was done, and false alarms in a thousand rows by flag."""
    rng = np.random.default_rng(seed)
    scores = {name: Score() for name in ERRORS}
    wrong: dict[str, int] = {}
    clean_rows = 0
    for motion in motions:
        placed = motion - motion.mean(axis=(0, 1)) + HEIGHT / 2
        joints, sigmas = noisy(placed, rng)
        clean_rows += len(joints)
        for word, mask in quality(recorded(joints, sigmas), settings).items():
            wrong[word] = wrong.get(word, 0) + int(mask.sum())
        for name, (words, (least, most), change) in ERRORS.items():
            spoiled, errors = joints.copy(), []
            for first in range(int(rng.integers(10, EVERY)), len(joints) - most - 10, EVERY):
                errors.append(Error(first, first + int(rng.integers(least, most + 1))))
                spoiled = change(spoiled, errors[-1], rng)
            masks = quality(recorded(spoiled, sigmas), settings)
            flagged = np.any([masks[word] for word in words], axis=0)
            moved = np.linalg.norm(spoiled - joints, axis=2).max(axis=1) / size_of(joints)
            for error in errors:
                rows = slice(error.first, error.last)
                told = flagged[rows]
                if moved[rows].mean() < LEAST_MOVED:
                    continue
                scores[name].errors += 1
                scores[name].hits += int(told.any())
                scores[name].rows += len(told)
                scores[name].rows_hit += int(told.sum())
    return scores, {word: 1000 * count / max(clean_rows, 1) for word, count in wrong.items()}


@dataclass(frozen=True, slots=True)
class Seen:
    """Percent of people in pictures: rightly flagged where something was done to the picture, wrongly where not."""

    people: int
    cut_hit: float
    cut_false: float
    covered_hit: float
    covered_false: float


def on_pictures(paths: Iterable[Path], people: People, settings: MotionSettings, every: int = 5) -> Seen | None:
    """Run the models on frames cut off above the people's ankles, and on people covered from the chest down.

    Only people count whose whole box lies within the frame. Returns None if there is nobody.
    """
    marks = [
        mark
        for path in paths
        for frame in every_nth(path, every)
        for pose in people(frame).poses
        for mark in marks_of(frame, pose, people, settings)
    ]
    return Seen(len(marks), *(100 * float(share) for share in np.mean(marks, axis=0))) if marks else None


def every_nth(path: Path, every: int) -> Iterator[Frame]:
    """Yield every n-th frame of a video."""
    with open_source(path) as source:
        yield from (frame for frame in source if frame.index % every == 0)


def marks_of(frame: Frame, pose: Pose, people: People, settings: MotionSettings) -> Iterator[tuple[bool, ...]]:
    """Yield, for a person who is wholly in the picture, whether flagged: cut, not cut, covered, not covered."""
    box = pose.box
    ankles = pose.joints[[pose.skeleton.index("left_ankle"), pose.skeleton.index("right_ankle")], 1]
    border = int(float(ankles.min()) - 0.05 * box.height)
    width, height = frame.size_wh
    is_inside = min(box.x, box.y, width - box.x - box.width, height - box.y - box.height) > AT_BORDER_PX
    if border - box.y < box.height / 2 or not is_inside:
        return
    short = np.ascontiguousarray(frame.image[:border])
    there = as_row(replace(box, height=border - box.y))
    boxes = people.detector(short)
    if not boxes:
        return
    nearest = max(boxes, key=lambda each: float(box_iou(as_row(each), there)[0, 0]))
    hidden = frame.image.copy()
    top, left = max(round(box.y + 0.35 * box.height), 0), max(round(box.x), 0)
    hidden[top : round(box.y + box.height), left : round(box.x + box.width)] = 128
    as_is = look(frame, people, box, settings)
    cut_off = look(replace(frame, image=short), people, nearest, settings)
    covered = look(replace(frame, image=hidden), people, box, settings)
    yield "cut_off" in cut_off, "cut_off" in as_is, "low_confidence" in covered, "low_confidence" in as_is


def as_row(box: Box) -> Floats:
    """Return (1, 4)."""
    return np.array([[box.x, box.y, box.width, box.height]])


def look(frame: Frame, people: People, box: Box, settings: MotionSettings) -> set[str]:
    """Return the flags of the person in a box."""
    pose = people.estimator(frame.image, [box])
    masks = quality(record([FrameResult(frame, pose)], people.estimator.skeleton), settings)
    return {word for word, mask in masks.items() if mask[0]}


# The table ---------------------------------------------------------------------------------------------------------


def rows_of(name: str, motions: list[Floats], settings: MotionSettings) -> Iterator[str]:
    """Yield lines of the table for one kind of motion."""
    scores, wrong = measure(motions, settings)
    count = sum(map(len, motions))
    for what, score in scores.items():
        words = ERRORS[what][0]
        false = sum(wrong[word] for word in words)
        cells = (what, ", ".join(f"`{word}`" for word in words), score.errors, f"{score.hit:.0f}", f"{score.row:.0f}")
        yield f"| {name} ({count} rows) | " + " | ".join(map(str, cells)) + f" | {false:.1f} |"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("videos", nargs="*", type=Path, help="videos with people (default: the bundled clip)")
    parser.add_argument("--people", type=int, default=40, help="made-up people, 20 s each (default: %(default)s)")
    parser.add_argument(
        "--repeats", type=int, default=20, help="errors put into each real track (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    settings, rng = MotionSettings(), np.random.default_rng(0)
    videos = options.videos or [CLIP]
    people = People(Settings(engine="onnx", device="cpu"))
    print("| motion | error | flags that count | errors | hit % | rows % | false / 1000 rows |")
    print("|---|---|---|---|---|---|---|")
    for line in rows_of("made up", [made_up(rng) for _ in range(options.people)], settings):
        print(line)
    recordings = [found(path, people) for path in videos]
    real = [joints for recording in recordings for joints in made_smooth(recording)]
    for line in rows_of("real", real * options.repeats, settings):
        print(line)
    seen = on_pictures(videos, people, settings)
    if seen is not None:
        for what, word, hit, false in (
            ("cut off above the ankles", "cut_off", seen.cut_hit, seen.cut_false),
            ("covered from the chest down", "low_confidence", seen.covered_hit, seen.covered_false),
        ):
            print(f"| pictures | {what} | `{word}` | {seen.people} | {hit:.0f} | | {10 * false:.1f} |")
    print("\nRows that are flagged in what the models themselves say of the videos, percent:")
    for path, recording in zip(videos, recordings, strict=True):
        shares = {word: 100 * mask.mean() for word, mask in quality(recording, settings).items() if mask.any()}
        print(f"- {path.name} ({recording.rows} rows): " + ", ".join(f"`{w}` {s:.0f}" for w, s in shares.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
