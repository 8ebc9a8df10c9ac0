"""Measure what a frame costs, stage by stage, and hold the engines against each other.

    python scripts/benchmark.py [--video FILE] [--people N] [--threads 2] [--json figures.json]

First a video goes through read, detect, crop, network, decode, draw and write (table, overlay), as `sadinet run`
does it. Then every engine and precision that is there gets the same people of that video, taking turns, so that a
machine that is busy is busy for all of them alike; their joints are compared in frame pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from engine_comparison import REFERENCE, SURE, Sample, Stopwatch, compare_engines, described
from rich.console import Console
from rich.table import Table

import sadinet
from sadinet.atomic import check_writable, discard, write_bytes
from sadinet.engines import DEVICES, ENGINES, PRECISIONS
from sadinet.engines.session import physical_cores
from sadinet.errors import SadinetError, SourceError
from sadinet.geometry import Box
from sadinet.media.draw import draw_poses
from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader
from sadinet.people.detector import Detector, open_detector
from sadinet.people.estimator import PeopleMaps, PoseEstimator
from sadinet.recording import record
from sadinet.results import Frame, FrameResult
from sadinet.tables.writer import TableInfo, open_table
from sadinet.weights import find_weights

WARM_UP_FRAMES = 3
SAMPLE_EVERY = 5
MOST_BOXES = 8
"""Frames and boxes kept for comparing engines."""

CLIP = Path(sadinet.__file__).parent / "_demo" / "walk.mp4"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A video that went through all stages."""

    stages_ms: dict[str, dict[str, float]]
    frames: int
    people: float
    fps: float
    peak_memory_mb: float | None
    samples: list[Sample]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default", help="name, manifest or folder of a model")
    parser.add_argument("--detector", default="default")
    parser.add_argument("--video", type=Path, default=CLIP, help="default: the bundled clip")
    parser.add_argument("--frames", type=int, default=90, help="most frames (default: %(default)s)")
    parser.add_argument("--people", type=int, help="boxes a frame, made from those that are found (default: as found)")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="what the video is run with")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=60, help="turns of each engine (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure; returns the exit code."""
    options = parse(arguments)
    try:
        if options.json:
            check_writable(options.json)
            discard(options.json)
        report = measure(options)
        if options.json:
            write_bytes(options.json, (json.dumps(report, indent=2) + "\n").encode())
    except SadinetError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    print_report(report)
    return 0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run the video, then the engines; returns the report."""
    weights = find_weights(options.weights)
    estimator = PoseEstimator(
        weights, engine=options.engine, device=options.device, precision=options.precision, threads=options.threads
    )
    detector = open_detector(options.detector, device=options.device, threads=options.threads)
    run = run_video(options, estimator, detector)
    if not run.samples:
        raise SourceError(f"nobody is found in {options.video}", "choose a video with people")
    report = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical CPUs",
        "threads": options.threads or min(physical_cores(), 8),
        "weights": weights.name,
        "input_wh": list(weights.manifest.input.size_wh),
        "video": options.video.name,
        "frames": run.frames,
        "people_per_frame": run.people,
        "runtime": described(estimator),
        "detector_runtime": f"{detector.runtime.engine} {detector.runtime.device} {detector.runtime.precision}",
        "stages_ms": run.stages_ms,
        "fps": run.fps,
        "peak_memory_mb": run.peak_memory_mb,
    }
    engines = compare_engines(
        weights, run.samples, device=options.device, threads=options.threads, rounds=options.rounds
    )
    return report | {"engines": engines}


def run_video(options: argparse.Namespace, estimator: PoseEstimator, detector: Detector) -> Run:
    """Take a video through every stage; the first frames warm up and are not counted."""
    watch = Stopwatch()
    counts: list[int] = []
    samples: list[Sample] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        video = iter(stack.enter_context(VideoReader(options.video)))
        table = stack.enter_context(open_table("csv", folder / "table.csv", TableInfo(estimator.skeleton)))
        overlay = stack.enter_context(OverlayWriter(folder / "overlay.mp4"))
        started = time.perf_counter()
        for index in range(WARM_UP_FRAMES + options.frames):
            if index == WARM_UP_FRAMES:
                watch, counts, started = Stopwatch(), [], time.perf_counter()
            with watch("read"):
                frame = next(video, None)
            if frame is None:
                break
            result = run_frame(frame, options.people, estimator, detector, watch)
            with watch("draw"):
                canvas = draw_poses(frame.image, result.poses)
            with watch("write table"):
                table.write(record([result], estimator.skeleton))
            with watch("write overlay"):
                overlay.write(canvas, frame.time_s)
            counts.append(len(result.poses))
            if result.poses and index % SAMPLE_EVERY == 0:
                samples.append((frame.image, tuple(pose.box for pose in result.poses)[:MOST_BOXES]))
    seconds = time.perf_counter() - started
    fps = len(counts) / seconds
    return Run(watch.summary(), len(counts), float(np.mean(counts)), fps, peak_memory_mb(), samples)


def run_frame(
    frame: Frame, people: int | None, estimator: PoseEstimator, detector: Detector, watch: Stopwatch
) -> FrameResult:
    """Find the people of a frame, stage by stage."""
    with watch("detect"):
        found = detector(frame.image)
    boxes = as_many(found, people)
    if not boxes:
        return FrameResult(frame, ())
    with watch("crop"):
        crops, matrices = estimator.crop(frame.image, boxes)
    with watch("network"):
        maps = estimator.engine.maps(crops)
    with watch("decode"):
        poses = estimator.read(PeopleMaps((maps,), boxes, tuple(matrices)))
    return FrameResult(frame, poses)


def as_many(boxes: Sequence[Box], people: int | None) -> tuple[Box, ...]:
    """Return so many boxes: those found, over and over, each time a little larger."""
    if people is None or not boxes:
        return tuple(boxes)
    grown = ((boxes[i % len(boxes)], 1 + 0.02 * (i // len(boxes))) for i in range(people))
    return tuple(Box(b.x, b.y, b.width * grow, b.height * grow, b.score) for b, grow in grown)


def peak_memory_mb() -> float | None:
    """Return the most memory that this process ever held (resident set), None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def print_report(report: dict[str, Any]) -> None:
    """Print both tables and the line for one person."""
    console = Console(width=max(110, Console().width))
    console.print(
        f"{report['machine']}, {report['threads']} threads; {report['weights']} "
        f"{'x'.join(map(str, report['input_wh']))} on {report['runtime']}; detector on {report['detector_runtime']}",
        highlight=False,
    )
    title = f"{report['video']}: {report['frames']} frames, {report['people_per_frame']:.1f} people each"
    stages = Table("stage", "median ms", "p90 ms", title=title, title_justify="left")
    for stage, values in report["stages_ms"].items():
        stages.add_row(stage, f"{values['median']:.2f}", f"{values['p90']:.2f}")
    console.print(stages)
    memory = report["peak_memory_mb"]
    console.print(
        f"end to end {report['fps']:.1f} fps, one stage after the other; peak memory "
        f"{'unknown' if memory is None else f'{memory:.0f} MB'}",
        highlight=False,
    )
    engines = Table(
        "engine", "one person, median ms", "p90", "network alone", "differs by, px: median", "99%", "agrees",
        title=f"engines in turns, joints with a score above {SURE} against {REFERENCE}", title_justify="left",
    )  # fmt: skip
    there = [row for row in report["engines"] if "person" in row]
    for row in there:
        engines.add_row(*cells_of(row))
    console.print(engines)
    for row in report["engines"]:
        if row not in there:
            console.print(f"{row['engine']} not run: {row['why_not']}", highlight=False)
    for row in there:
        told = f"crop + network + decode for one person: {row['person']['median']:.1f} ms ({row['runtime']})"
        console.print(told, highlight=False)


def cells_of(row: dict[str, Any]) -> list[str]:
    """Return an engine's line of the table."""
    times = [f"{row['person'][key]:.2f}" for key in ("median", "p90")] + [f"{row['network']['median']:.2f}"]
    if not row["joints_compared"]:
        return [row["engine"], *times, "no sure joint", "", ""]
    verdict = "yes" if row["agrees"] else "no, limits {} / {}".format(*row["limits_px"])
    return [row["engine"], *times, f"{row['median_px']:.4f}", f"{row['p99_px']:.4f}", verdict]


if __name__ == "__main__":
    sys.exit(main())
