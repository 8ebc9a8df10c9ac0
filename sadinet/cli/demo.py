"""Run the whole pipeline on a short video that comes with the program."""

from __future__ import annotations

import argparse
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from sadinet.cli.options import add_runtime_options, settings_of, some_folder
from sadinet.cli.progress import Reporter, make_reporter, print_facts
from sadinet.cli.run import make_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sadinet.batch.naming import Job
    from sadinet.batch.runner import Outcome
    from sadinet.pipeline import People

HELP = "the whole pipeline on a bundled clip"
EPILOG = "Writes walk.csv, walk.json, walk.mp4, walk.html and sheet.png, and prints what they were made with."

CLIP = "walk.mp4"
PICTURES, COLUMNS = 8, 2
STAGES = ("detect", "pose", "track")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments."""
    parser.add_argument(
        "-o",
        "--out",
        type=some_folder,
        default=Path("demo-out"),
        metavar="DIR",
        help="folder of the results (%(default)s)",
    )
    add_runtime_options(parser)


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from sadinet.batch.session import batch_people
    from sadinet.media.pictures import write_picture
    from sadinet.pipeline import People

    make_folder(options.out)
    settings = batch_people(settings_of(options))
    people = People(settings)
    clip = resources.files("sadinet").joinpath("_demo", CLIP)
    with resources.as_file(clip) as path, make_reporter(is_quiet=False) as reporter:
        outcome = _analyse(path, people, options.out, reporter)
    if outcome.error is not None:
        raise outcome.error
    sheet = options.out / "sheet.png"
    write_picture(sheet, _sheet(outcome.job, people))
    _print_summary(outcome, people, sheet)
    return 0 if outcome.summary["rows"] and not outcome.summary["problems"] else 1


class _Listener:
    """Passes frames on to a reporter."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._number = 0

    def began(self, place: int, job: Job, frames: int | None, done: int) -> None:
        """Begin."""
        self._number = self._reporter.begin(CLIP, frames)

    def advanced(self, place: int, frames: int, stage: str) -> None:
        """Go on."""
        if stage == "poses":
            self._reporter.advance(self._number, frames)

    def ended(self, place: int, outcome: Outcome) -> None:
        """End."""
        self._reporter.end(self._number)


def _analyse(path: Path, people: People, folder: Path, reporter: Reporter) -> Outcome:
    """Run the clip as `sadinet run` does."""
    from sadinet.batch.describe import BatchSettings
    from sadinet.batch.naming import Wanted, plan_jobs
    from sadinet.batch.session import run_batch

    wanted = Wanted(overlay=True, page=True)
    jobs, _ = plan_jobs([str(path)], folder, wanted)
    settings = BatchSettings(people.settings, wanted=wanted)
    with tempfile.TemporaryDirectory(prefix="sadinet-") as record:
        session = run_batch(jobs, folder, settings, people, _Listener(reporter), record=Path(record))
    if session.is_interrupted:
        raise KeyboardInterrupt
    return session.outcomes[0]


def _sheet(job: Job, people: People) -> NDArray[np.uint8]:
    """Return a few of the drawn frames as one picture."""
    from sadinet.media.sheet import contact_sheet
    from sadinet.media.video import VideoReader

    assert job.outputs.overlay is not None  # noqa: S101  wanted above
    with VideoReader(job.outputs.overlay) as reader:
        last = max(reader.expected_frames or 1, PICTURES) - 1
        wanted = {round(i * last / (PICTURES - 1)) for i in range(PICTURES)}
        chosen = [frame for frame in reader if frame.index in wanted]
    return contact_sheet(
        [frame.image for frame in chosen],
        COLUMNS,
        [f"{frame.time_s:.2f} s, frame {frame.index}" for frame in chosen],
        title=f"{CLIP} by {people.estimator.weights.name}",
        cell_width=480,
    )


def _print_summary(outcome: Outcome, people: People, sheet: Path) -> None:
    from sadinet.batch.describe import describe_models

    pose, detect = people.estimator.runtime, people.detector.runtime
    models, summary, outputs = describe_models(people), outcome.summary, outcome.job.outputs
    frames = summary["frames"]
    times_ms = "  ".join(f"{stage} {outcome.timings_ms.get(stage, 0) / frames:.1f}" for stage in STAGES)
    seen = f"{frames - summary['empty_frames']} of {frames} frames, {summary['most_people']} at most at once"
    lines = {
        "device": f"{pose.device} ({pose.why})",
        "engine": f"{pose.engine} {pose.version}, {pose.precision}",
        "detector on": f"{detect.device}, {detect.engine} {detect.version}, {detect.precision} ({detect.why})",
        "weights": f"{models.weights.name} (SHA-256 {models.weights.sha256[:12]}…)",
        "detector": models.detector.name,
        "people": f"in {seen}",
        "frames": f"{frames} in {outcome.seconds:.1f} s, {frames / outcome.seconds:.1f} fps end to end",
        "ms a frame": times_ms,
        "table": str(outputs.table),
        "made with": str(outputs.sidecar),
        "overlay": str(outputs.overlay),
        "page": str(outputs.page),
        "contact sheet": str(sheet),
    }
    print_facts(lines.items(), indent=0)
    for problem in summary["problems"]:
        print(problem)
