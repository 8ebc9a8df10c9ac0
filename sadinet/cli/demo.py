"""Run the whole pipeline on a short video that comes with the program."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from sadinet.cli.options import add_runtime_options, settings_of
from sadinet.cli.progress import Reporter, make_reporter, print_facts
from sadinet.cli.run import make_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sadinet.pipeline import Outputs, People, Summary
    from sadinet.results import FrameResult

HELP = "the whole pipeline on a bundled clip"
EPILOG = "Writes walk.csv, walk.json, walk.mp4 and sheet.png, and prints what they were made with."

CLIP = "walk.mp4"
PICTURES, COLUMNS = 8, 2
STAGES = ("read", "detect", "pose", "draw", "write")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments."""
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="folder of the results (%(default)s)"
    )
    add_runtime_options(parser)


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from sadinet.media.pictures import write_picture
    from sadinet.pipeline import Outputs, People

    make_folder(options.out)
    people = People(settings_of(options))
    clip = resources.files("sadinet").joinpath("_demo", CLIP)
    outputs = Outputs(options.out / "walk.csv", options.out / "walk.mp4")
    with resources.as_file(clip) as path, make_reporter(is_quiet=False) as reporter:
        summary, chosen = _analyse(path, people, outputs, reporter)
    sheet = options.out / "sheet.png"
    write_picture(sheet, _sheet(chosen, people))
    _print_summary(summary, people, sheet)
    return 0 if summary.poses and not summary.problems else 1


def _analyse(path: Path, people: People, outputs: Outputs, reporter: Reporter) -> tuple[Summary, Sequence[FrameResult]]:
    """Run the clip; returns the summary and a few frames spread over it."""
    from sadinet.media.source import open_source
    from sadinet.pipeline import analyse

    source = open_source(path)
    expected = max(source.expected_frames or 1, PICTURES)
    wanted = {round(i * (expected - 1) / (PICTURES - 1)) for i in range(PICTURES)}
    chosen: list[FrameResult] = []

    def keep(result: FrameResult) -> None:
        reporter.frame()
        if result.frame.index in wanted:
            chosen.append(result)

    reporter.begin(CLIP, source.expected_frames)
    summary = analyse(source, people, outputs, keep)
    reporter.end()
    return summary, chosen


def _sheet(chosen: Sequence[FrameResult], people: People) -> NDArray[np.uint8]:
    from sadinet.media.draw import draw_poses
    from sadinet.media.sheet import contact_sheet

    return contact_sheet(
        [draw_poses(result.frame.image, result.poses) for result in chosen],
        COLUMNS,
        [f"{result.frame.time_s:.2f} s, frame {result.frame.index}" for result in chosen],
        title=f"{CLIP} by {people.estimator.weights.name}",
        cell_width=480,
    )


def _print_summary(summary: Summary, people: People, sheet: Path) -> None:
    pose, detect = people.estimator.runtime, people.detector.runtime
    times_ms = "  ".join(f"{stage} {summary.timings_ms.get(stage, 0):.1f}" for stage in STAGES)
    seen = f"{summary.frames - summary.empty_frames} of {summary.frames} frames, {summary.most_people} at most at once"
    lines = {
        "device": f"{pose.device} ({pose.why})",
        "engine": f"{pose.engine} {pose.version}, {pose.precision}",
        "detector on": f"{detect.device}, {detect.engine} {detect.version}, {detect.precision} ({detect.why})",
        "weights": f"{summary.sidecar.weights.name} (SHA-256 {summary.sidecar.weights.sha256[:12]}…)",
        "detector": summary.sidecar.detector.name if summary.sidecar.detector else "",
        "people": f"in {seen}",
        "frames": f"{summary.frames} in {summary.sidecar.seconds:.1f} s, {summary.fps:.1f} fps end to end",
        "ms a frame": times_ms,
        "table": str(summary.outputs.table),
        "made with": str(summary.outputs.sidecar),
        "overlay": str(summary.outputs.overlay),
        "contact sheet": str(sheet),
    }
    print_facts(lines.items(), indent=0)
    for problem in summary.problems:
        print(problem)
