"""Measure how well people keep their numbers: ours, and the trackers of the package `trackers`.

    python scripts/measure_tracking.py --seeds 20
    python scripts/measure_tracking.py VIDEO... --frames 600

Without videos, made-up scenes (`made_up_people.py`) are tracked, where it is known who is who. With videos,
the detector and the pose network look at every frame; nobody knows who is who there, so the table says how many
numbers each tracker gives, how many of them live for less than half a second, how many detections get none, and
how often a number jumps from one place to another between frames that follow each other. All trackers get the
same detections and remember people for the same time. The package is compared where it is installed
(`pip install trackers`); ours needs none.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import made_up_people
import numpy as np
from scipy.optimize import linear_sum_assignment

from sadinet.geometry import box_iou
from sadinet.people.tracker import Tracker, Tracking
from sadinet.results import Frame, Pose

LIBRARY = ("SORTTracker", "ByteTrackTracker", "OCSORTTracker", "BoTSORTTracker", "CBIoUTracker", "McByteTracker")
_WITH_PICTURES = ("BoTSORTTracker", "McByteTracker")
MEMORY_S = Tracking().memory_s
BRIEF_S = 0.5

Numbers = tuple[int | None, ...]
Update = Callable[[Frame, Sequence[Pose]], Numbers]


@dataclass(frozen=True, slots=True)
class Score:
    """How well numbers fit the people.

    Attributes:
        switches: how often a person's number is another than before.
        idf1: harmonic mean of precision and recall of the one-to-one pairing of numbers and people, percent.
    """

    switches: int
    idf1: float


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("videos", nargs="*", help="files; without them, made-up scenes")
    parser.add_argument("--seeds", type=int, default=10, help="made-up scenes of each kind (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=600, help="frames of each video (default: %(default)s)")
    parser.add_argument(
        "--against", nargs="+", choices=LIBRARY, default=LIBRARY, metavar="NAME", help="trackers of the package (all)"
    )
    options = parser.parse_args(arguments)
    if options.videos:
        print_videos(options.videos, options.frames, options.against)
    else:
        print_scenes(options.seeds, options.against)
    return 0


def makers(fps: float, against: Sequence[str] = LIBRARY) -> dict[str, Callable[[], Update]]:
    """Return how to start each tracker that can be had, by name."""
    found: dict[str, Callable[[], Update]] = {
        "ours": lambda: ours(Tracking()),
        "ours, without colour": lambda: ours(Tracking(use_colour=False)),
    }
    if importlib.util.find_spec("trackers") is not None:
        for name in against:
            found[name] = lambda name=name: library(name, fps)  # type: ignore[misc]
    return found


def ours(config: Tracking) -> Update:
    """Start our tracker."""
    tracker = Tracker(config)

    def update(frame: Frame, poses: Sequence[Pose]) -> Numbers:
        return tuple(pose.track_id for pose in tracker.update(poses, frame.time_s, frame.image))

    return update


def library(name: str, fps: float) -> Update:
    """Start a tracker of the package, with a memory as long as ours."""
    # By name, so that the types can be checked where the package is not installed.
    supervision, trackers = (importlib.import_module(package) for package in ("supervision", "trackers"))
    tracker: Any = getattr(trackers, name)(lost_track_buffer=round(MEMORY_S * fps), frame_rate=fps)
    takes_pictures = name in _WITH_PICTURES

    def update(frame: Frame, poses: Sequence[Pose]) -> Numbers:
        boxes = np.array([(p.box.x, p.box.y, p.box.x + p.box.width, p.box.y + p.box.height) for p in poses])
        detections = supervision.Detections(
            xyxy=boxes.reshape(-1, 4).astype(np.float32),
            confidence=np.array([pose.box.score for pose in poses], np.float32),
            class_id=np.zeros(len(poses), int),
            data={"place": np.arange(len(poses))},
        )
        tracked = tracker.update(detections, frame.image if takes_pictures else None)
        numbers: list[int | None] = [None] * len(poses)
        if tracked.tracker_id is not None:
            for place, number in zip(tracked.data.get("place", ()), tracked.tracker_id, strict=True):
                numbers[int(place)] = int(number) if number >= 0 else None
        return tuple(numbers)

    return update


def score(who: Iterable[Sequence[int]], numbers: Iterable[Numbers]) -> Score:
    """Hold numbers against who is who; `NOBODY` are false detections."""
    last: dict[int, int] = {}
    switches = people = given = 0
    together: Counter[tuple[int, int]] = Counter()
    for frame_who, frame_numbers in zip(who, numbers, strict=True):
        for person, number in zip(frame_who, frame_numbers, strict=True):
            people += person != made_up_people.NOBODY
            given += number is not None
            if person == made_up_people.NOBODY or number is None:
                continue
            together[person, number] += 1
            switches += last.setdefault(person, number) != number
            last[person] = number
    persons, ids = (sorted({pair[side] for pair in together}) for side in (0, 1))
    table = np.array([[together[person, number] for number in ids] for person in persons]).reshape(len(persons), -1)
    right = int(table[linear_sum_assignment(table, maximize=True)].sum()) if table.size else 0
    return Score(switches, 100 * 2 * right / max(people + given, 1))


def scenes(seed: int) -> dict[str, made_up_people.Scene]:
    """Return one scene of each kind."""
    return {
        "cross": made_up_people.crossing(seed),
        "leave": made_up_people.leaving(seed),
        "hide": made_up_people.hiding(seed),
        "another comes": made_up_people.replacing(seed),
        "cross, same clothes": made_up_people.crossing(seed, same_clothes=True),
        "cross, 10 fps": made_up_people.crossing(seed, fps=10),
        "leave, 10 fps": made_up_people.leaving(seed, fps=10),
        "hide, 10 fps": made_up_people.hiding(seed, fps=10),
    }


def measure_scenes(seeds: Iterable[int], against: Sequence[str] = LIBRARY) -> dict[str, dict[str, list[Score]]]:
    """Return the scores of each tracker on each kind of scene."""
    scores: dict[str, dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
    for seed in seeds:
        for kind, scene in scenes(seed).items():
            seen = list(made_up_people.play(scene))
            for name, start in makers(scene.fps, against).items():
                update = start()
                numbers = [update(each.frame, each.poses) for each in seen]
                scores[name][kind].append(score((each.who for each in seen), numbers))
    return scores


def print_scenes(seeds: int, against: Sequence[str] = LIBRARY) -> None:
    """Print switches and IDF1 on made-up scenes as a Markdown table."""
    scores = measure_scenes(range(seeds), against)
    kinds = list(next(iter(scores.values())))
    print(f"switched numbers in {seeds} scenes of each kind (and IDF1, %)\n")
    print("| tracker | " + " | ".join(kinds) + " |")
    print("|---" * (len(kinds) + 1) + "|")
    for name, row in scores.items():
        cells = [f"{sum(s.switches for s in row[kind])} ({np.mean([s.idf1 for s in row[kind]]):.1f})" for kind in kinds]
        print(f"| {name} | " + " | ".join(cells) + " |")


def print_videos(videos: Sequence[str], frames: int, against: Sequence[str] = LIBRARY) -> None:
    """Print what trackers make of videos as a Markdown table."""
    from sadinet.media.source import open_source
    from sadinet.pipeline import People, Settings

    people = People(Settings(engine="onnx", device="cpu"))
    print("| video | tracker | numbers | of them brief | detections | without number | jumps |")
    print("|---" * 7 + "|")
    for video in videos:
        seen = []
        with open_source(video) as source:
            for frame, _ in zip(source, range(frames), strict=False):
                seen.append((frame, people(frame).poses))
        times = np.array([frame.time_s for frame, _ in seen])
        fps = 1 / float(np.median(np.diff(times)))
        for name, start in makers(fps, against).items():
            update = start()
            numbers = [update(frame, poses) for frame, poses in seen]
            cells = " | ".join(str(value) for value in figures_of(seen, numbers))
            print(f"| {source.name.rpartition('/')[2]} | {name} | {cells} |", flush=True)


def figures_of(seen: Sequence[tuple[Frame, Sequence[Pose]]], numbers: Sequence[Numbers]) -> tuple[int, ...]:
    """Return numbers given, brief ones, detections, those without a number, and jumps."""
    first: dict[int, float] = {}
    last: dict[int, tuple[int, float, tuple[float, ...]]] = {}
    total = nameless = jumps = 0
    for position, ((frame, poses), given) in enumerate(zip(seen, numbers, strict=True)):
        for pose, number in zip(poses, given, strict=True):
            total += 1
            if number is None:
                nameless += 1
                continue
            box = (pose.box.x, pose.box.y, pose.box.width, pose.box.height)
            if number in last and last[number][0] == position - 1:
                jumps += float(box_iou(np.array([box]), np.array([last[number][2]]))[0, 0]) < 0.1
            first.setdefault(number, frame.time_s)
            last[number] = (position, frame.time_s, box)
    brief = sum(last[number][1] - first[number] < BRIEF_S for number in first)
    return len(first), brief, total, nameless, jumps


if __name__ == "__main__":
    sys.exit(main())
