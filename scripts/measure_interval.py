"""Measure what it costs to let the detector look at every n-th frame only, and what it saves.

    python scripts/measure_interval.py VIDEO... --frames 300 --intervals 1,2,3,5,8,10

Each frame is given to all intervals in turn, so that a busy machine is busy for all of them alike. They are held
against the first one: how many of its people are found, by the likeness of the joints (OKS), how many are missing,
how many are there that it has not, and how far joints lie from its own, by the person's size (the square root of
the crop's area). Of the joints those count that the first one gives a score of at least 0.3. Milliseconds are
of a processor at work (detector, poses, tracks; one thread each, no reading), not of the clock on the wall.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SadinetError
from sadinet.geometry import Box
from sadinet.media.source import open_source
from sadinet.people.assignment import assign
from sadinet.people.detector import Detector
from sadinet.people.following import Follower, Following
from sadinet.people.similarity import bodies_of, oks
from sadinet.pipeline import People, Settings
from sadinet.results import Pose

FOUND_OKS = 0.3
SURE = 0.3


@dataclass(slots=True)
class Tally:
    """What one interval did on a video, or on several.

    Attributes:
        ms: of each frame.
        looks: frames at which the detector looked.
        people: of the first interval.
        alike: OKS of each of them who is found.
        extra: people whom the first interval has not.
        apart: distances of joints, by the person's size.
        numbers: how many people were numbered.
    """

    ms: list[float] = field(default_factory=list)
    looks: int = 0
    people: int = 0
    alike: list[float] = field(default_factory=list)
    extra: int = 0
    apart: list[float] = field(default_factory=list)
    numbers: int = 0

    def compare(self, wanted: Sequence[Pose], found: Sequence[Pose]) -> None:
        """Count one frame's people against those of the first interval."""
        self.people += len(wanted)
        if not wanted or not found:
            self.extra += len(found)
            return
        a, b = (bodies_of(poses, wanted[0].skeleton) for poses in (wanted, found))
        likeness = oks(a, b)
        pairs = assign(likeness, FOUND_OKS)
        self.extra += len(found) - len(pairs)
        for column, row in pairs.items():
            self.alike.append(float(likeness[row, column]))
            sure = a.scores[row] >= SURE
            distance = np.linalg.norm(a.joints[row] - b.joints[column], axis=1)[sure] / a.sizes[row]
            self.apart.extend(float(value) for value in distance)


class Counted:
    """A detector that counts how often it looks."""

    def __init__(self, detector: Detector) -> None:
        self.runtime = detector.runtime
        self.looks = 0
        self._detector = detector

    def __call__(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Find people."""
        self.looks += 1
        return self._detector(image)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("videos", nargs="+", help="files")
    parser.add_argument("--frames", type=int, default=300, help="of each video (default: %(default)s)")
    parser.add_argument("--intervals", default="1,2,3,5,8,10", help="held against the first (default: %(default)s)")
    parser.add_argument("--weights", default="default", help="pose model")
    options = parser.parse_args(arguments)
    intervals = tuple(int(number) for number in options.intervals.split(","))
    try:
        people = People(Settings(options.weights, engine="onnx", device="cpu", threads=1, lanes=1))
        tallies = [measure(video, people, intervals, options.frames) for video in options.videos]
    except SadinetError as error:
        print(f"measure_interval: {error}", file=sys.stderr)
        return 1
    for video, by_interval in zip(options.videos, tallies, strict=True):
        print_table(Path(video).name, by_interval)
    if len(tallies) > 1:
        print_table("all", {interval: added(tally[interval] for tally in tallies) for interval in intervals})
    return 0


def measure(video: str, people: People, intervals: Sequence[int], frames: int) -> dict[int, Tally]:
    """Follow the people of a video at each interval; returns what came of it, by interval."""
    detector = Counted(people.detector)
    followers = {n: Follower(detector, people.estimator, Following(interval=n)) for n in intervals}
    tallies = {interval: Tally() for interval in intervals}
    numbers: dict[int, set[int | None]] = {interval: set() for interval in intervals}
    with open_source(video) as source:
        for frame, _ in zip(source, range(frames), strict=False):
            wanted: tuple[Pose, ...] | None = None
            for interval, follower in followers.items():
                detector.looks = 0
                started = time.process_time()
                found = follower(frame).poses
                tallies[interval].ms.append(1e3 * (time.process_time() - started))
                tallies[interval].looks += detector.looks
                wanted = found if wanted is None else wanted
                tallies[interval].compare(wanted, found)
                numbers[interval] |= {pose.track_id for pose in found}
    for interval, tally in tallies.items():
        tally.numbers = len(numbers[interval])
    return tallies


def added(tallies: Iterable[Tally]) -> Tally:
    """Return several videos' tallies as one."""
    total = Tally()
    for tally in tallies:
        total.ms += tally.ms
        total.alike += tally.alike
        total.apart += tally.apart
        total.looks += tally.looks
        total.people += tally.people
        total.extra += tally.extra
        total.numbers += tally.numbers
    return total


def print_table(name: str, tallies: dict[int, Tally]) -> None:
    """Print the figures of all intervals as a Markdown table."""
    first = next(iter(tallies.values()))
    print(f"\n{name}: {len(first.ms)} frames, {first.people} people in them\n")
    print(
        "| n | detector looks at | ms a frame | faster | OKS > 0.5 | OKS > 0.75 | missing | extra "
        "| joints apart, median | 90% | numbers |"
    )
    print("|---" * 11 + "|")
    for interval, tally in tallies.items():
        alike, apart = np.array(tally.alike), 100 * np.array(tally.apart or [np.nan])
        share = 100 / max(tally.people, 1)
        cells = [
            f"{100 * tally.looks / len(tally.ms):.0f}%",
            f"{np.mean(tally.ms):.1f}",
            f"{np.mean(first.ms) / np.mean(tally.ms):.2f}",
            f"{share * (alike > 0.5).sum():.1f}%",
            f"{share * (alike > 0.75).sum():.1f}%",
            f"{share * (tally.people - len(alike)):.1f}%",
            f"{share * tally.extra:.1f}%",
            f"{np.median(apart):.1f}%",
            f"{np.percentile(apart, 90):.1f}%",
            str(tally.numbers),
        ]
        print(f"| {interval} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
