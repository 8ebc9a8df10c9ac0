"""Measure the live pipeline over time: latency, drops, growth of lag, memory.

    python scripts/measure_live.py VIDEO --minutes 10 [--png live.png] [--csv live.csv]

The file is played as a camera at a fixed rate, again and again. Latency is from the moment a frame is there to the
moment its skeletons are drawn. Lag does not grow if the slope over all frames (Theil and Sen's, over pieces of the run)
is about zero; the first minute or tenth of the run, whichever is shorter, is left out of it.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import resource
import statistics
import sys
import time
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sadinet.errors import SadinetError
from sadinet.media.chart import Chart, Figure, Series
from sadinet.media.chart_png import write_png
from sadinet.media.chart_ticks import clock
from sadinet.media.draw import draw_poses
from sadinet.media.playback import Playback
from sadinet.people.following import Follower
from sadinet.pipeline.live import LivePipeline
from sadinet.pipeline.stages import People, Settings

PIECES = 40
"""Medians of so many pieces of the run go into the slope."""
SHORT_S = 120.0
"""A shorter run does not tell growth from warming up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame that was shown.

    Attributes:
        time_s: seconds from the beginning.
        latency_ms: from capture to drawn.
        result_ms: from capture to result.
        wait_ms: of it, until the work on the frame began.
        people: how many were drawn.
        dropped: frames dropped so far.
        interval: the detector looks at every n-th frame.
        rss_mb: memory of the process, MiB.
    """

    time_s: float
    latency_ms: float
    result_ms: float
    wait_ms: float
    people: int
    dropped: int
    interval: int
    rss_mb: float


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0, help="default: %(default)s")
    parser.add_argument("--rate", type=float, default=30.0, metavar="HZ", help="frames a second (default: %(default)s)")
    parser.add_argument("--weights", default="default", metavar="NAME|PATH")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--png", type=Path, help="draw latency and memory over time here")
    parser.add_argument("--csv", type=Path, help="write a row for each frame shown here")
    options = parser.parse_args(arguments)
    try:
        samples, captured = run(options)
    except SadinetError as error:
        print(f"measure_live: {error}", file=sys.stderr)
        return 1
    if len(samples) < 2:
        print("measure_live: hardly anything was shown; give it more time", file=sys.stderr)
        return 1
    report(samples, captured, options)
    if options.csv:
        write_csv(options.csv, samples)
    if options.png:
        write_png(options.png, figure(samples, options))
    return 0


def run(options: argparse.Namespace) -> tuple[list[Sample], int]:
    """Play and show; returns what was shown, and how many frames the camera gave."""
    people = People(
        Settings(weights=options.weights, engine=options.engine, device=options.device, threads=options.threads)
    )
    follower = Follower(people.detector, people.estimator)
    samples: list[Sample] = []
    source = Playback(options.video, rate_hz=options.rate, is_looped=True)
    began_s = time.monotonic()
    with LivePipeline(source, follower) as live:
        for shown in live.results():
            result = shown.result
            draw_poses(result.frame.image, result.poses)
            now_s = time.monotonic()
            samples.append(
                Sample(
                    time_s=now_s - began_s,
                    latency_ms=(now_s - shown.captured_s) * 1e3,
                    result_ms=shown.latency_ms,
                    wait_ms=result.timings_ms["wait"],
                    people=len(result.poses),
                    dropped=live.dropped,
                    interval=follower.detection_interval,
                    rss_mb=memory_mb(),
                )
            )
            if now_s - began_s > 60 * options.minutes:
                break
        status = live.status
    if status.error is not None:
        raise status.error
    return samples, status.captured


def memory_mb() -> float:
    """Return the resident memory now, MiB; where the system does not tell, the most so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        scale = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def report(samples: list[Sample], captured: int, options: argparse.Namespace) -> None:
    """Print a row a minute, and what became of lag and memory."""
    console = Console(highlight=False)
    console.width = max(console.width, 100)
    table = Table("minute", "fps", "median ms", "p90", "p99", "most", "dropped", "interval", "people", "MiB")
    step_s = min(60.0, 60.0 * options.minutes / 4)
    dropped = 0
    for minute in sorted({int(sample.time_s // step_s) for sample in samples}):
        part = [sample for sample in samples if int(sample.time_s // step_s) == minute]
        latency = np.percentile([sample.latency_ms for sample in part], [50, 90, 99, 100])
        spent_s = min(step_s, part[-1].time_s - minute * step_s)
        table.add_row(
            f"{minute * step_s / 60:.4g}",
            f"{len(part) / spent_s:.1f}" if spent_s > 0.1 else "",
            *(f"{value:.0f}" for value in latency),
            str(part[-1].dropped - dropped),
            f"{statistics.median(sample.interval for sample in part):.3g}",
            f"{statistics.mean(sample.people for sample in part):.1f}",
            f"{part[-1].rss_mb:.0f}",
        )
        dropped = part[-1].dropped
    console.print(table)
    share = 100 * samples[-1].dropped / max(1, captured)
    console.print(f"{captured} frames captured, {len(samples)} shown, {samples[-1].dropped} dropped ({share:.1f}%)")
    if samples[-1].time_s < SHORT_S:
        console.print(f"growth of lag and memory: not told of less than {SHORT_S / 60:g} minutes")
        return
    console.print(f"lag grows by {growth(samples, 'latency_ms') * 60:+.2f} ms a minute")
    console.print(f"memory grows by {growth(samples, 'rss_mb') * 60:+.2f} MiB a minute")


def growth(samples: list[Sample], name: str) -> float:
    """Return the slope of a figure per second: the median of the slopes between the medians of the run's pieces."""
    warm_s = min(60.0, samples[-1].time_s / 10)
    warm = [sample for sample in samples if sample.time_s >= warm_s]
    pieces = [
        part for part in np.array_split(np.array([[s.time_s, getattr(s, name)] for s in warm]), PIECES) if len(part)
    ]
    medians = [np.median(part, axis=0) for part in pieces]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(medians, 2) if b[0] > a[0]]
    return float(np.median(slopes)) if slopes else math.nan


def write_csv(path: Path, samples: list[Sample]) -> None:
    """Write a row for each frame that was shown."""
    names = [field.name for field in fields(Sample)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for sample in samples:
            values = [getattr(sample, name) for name in names]
            writer.writerow([f"{value:.3f}" if isinstance(value, float) else value for value in values])


def figure(samples: list[Sample], options: argparse.Namespace) -> Figure:
    """Return latency and memory over time."""
    times, latency = column(samples, "time_s"), column(samples, "latency_ms")
    cuts = np.linspace(0.0, times[-1], min(241, max(2, len(samples) // 4)))
    place = np.clip(np.digitize(times, cuts) - 1, 0, len(cuts) - 2)
    filled = np.unique(place)
    middle = (cuts[filled] + cuts[filled + 1]) / 2
    median, high = (
        np.array([np.percentile(latency[place == piece], percent) for piece in filled]) for percent in (50, 99)
    )
    whole = (0.0, float(times[-1]))
    charts = (
        Chart(
            "capture to drawn, ms",
            (Series("99%", middle, high, "right"), Series("median", middle, median, "left", 2.0)),
            x_kind="time",
            x_range=whole,
            y_range=(0.0, float(max(high.max() * 1.08, 50.0))),
            height=200,
            has_x_labels=False,
        ),
        Chart(
            "frames dropped so far",
            (Series("", times, column(samples, "dropped"), "flag"),),
            x_kind="time",
            x_range=whole,
            height=80,
            has_x_labels=False,
        ),
        Chart(
            "memory, MiB",
            (Series("", times, column(samples, "rss_mb"), "ink"),),
            x_kind="time",
            x_range=whole,
            y_range=(0.0, float(column(samples, "rss_mb").max() * 1.15)),
            height=80,
        ),
    )
    return Figure(
        tuple((chart,) for chart in charts),
        title=f"{options.video.name} as a camera at {options.rate:g} frames a second",
        subtitle=f"{options.weights} weights, {clock(times[-1])}",
        width=900,
        description="Latency, dropped frames and memory of the live pipeline over time.",
    )


def column(samples: list[Sample], name: str) -> NDArray[np.float64]:
    """Return one figure of all samples, (N,)."""
    return np.array([getattr(sample, name) for sample in samples], dtype=np.float64)


if __name__ == "__main__":
    sys.exit(main())
