"""Find people's joints in videos and pictures, and write tables of them."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sadinet.cli.listener import RunListener
from sadinet.cli.options import (
    add_model_options,
    add_runtime_options,
    positive_number,
    settings_of,
    some_folder,
    some_name,
)
from sadinet.cli.progress import Reporter, make_reporter

if TYPE_CHECKING:
    from sadinet.batch.describe import BatchSettings
    from sadinet.batch.report import BatchReport
    from sadinet.batch.session import Session
    from sadinet.pipeline import People

HELP = "tables of joints from videos and pictures"
EPILOG = """\
Each input NAME gives NAME.csv, a row for each person and frame, NAME.json, which tells how the table was made, and
NAME.html with pictures and charts. A folder stands for its videos and its pictures, a pattern in quotes
('shots/*.png') for what it matches; pictures of one folder or pattern give one table.

A run that was stopped, by whatever, goes on where it was when the same line is given again. What is done is kept in
DIR/.sadinet, which may be removed once nothing is to be added.

exit codes:
  0  everything was done
  1  an input, or all, failed; the others were done
  2  wrong use
  3  everything was done, but something is wrong with an input: frames were lost or damaged, or have no time;
     what could be read is in the table, and NAME.json names the problem too
  130  interrupted; give the same line again to go on
"""

SOME_FAILED = 1
SOME_IN_PART = 3
INTERRUPTED = 130

# Told here, as the modules that define them import numpy; a test holds them together.
FORMATS = ("csv", "parquet", "openpose", "coco", "trc", "c3d")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments."""
    parser.add_argument(
        "inputs", nargs="+", type=some_name, metavar="INPUT", help="video, picture, folder, or pattern in quotes"
    )
    parser.add_argument("-o", "--out", required=True, type=some_folder, metavar="DIR", help="folder of the results")
    _add_result_options(parser)
    _add_motion_options(parser)
    _add_course_options(parser)
    add_model_options(parser)
    add_runtime_options(parser)


def _add_result_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    group.add_argument(
        "--format", type=_formats, default=("csv",), metavar="F[,F]", help=f"tables: {', '.join(FORMATS)} (csv)"
    )
    group.add_argument("--overlay", action="store_true", help="also write the skeletons drawn: MP4, or pictures")
    group.add_argument(
        "--blur-faces", action="store_true", help="cover the faces of all who are found, in --overlay and NAME.html"
    )
    group.add_argument("--no-page", action="store_true", help="write no NAME.html")
    group.add_argument(
        "--metres-per-pixel", type=_positive, metavar="M", help="scale for .trc and .c3d, if somebody measured it"
    )


def _add_motion_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("over time")
    group.add_argument("--angles", action="store_true", help="add columns of joint angles")
    group.add_argument("--no-smooth", action="store_true", help="add no columns of smoothed joints")
    group.add_argument("--cutoff", type=_positive, default=6.0, metavar="HZ", help="of the smoothing filter (6 Hz)")
    group.add_argument(
        "--detect-every", type=positive_number, metavar="N", help="frames from one detection to the next"
    )
    group.add_argument("--chunk-frames", type=int, default=600, metavar="N", help="frames of a chunk (600)")


def _add_course_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("course")
    group.add_argument("--jobs", type=positive_number, default=1, metavar="N", help="processes to work in (1)")
    group.add_argument("--check", action="store_true", help="only look at the inputs and say what would be done")
    group.add_argument("--fresh", action="store_true", help="begin anew, whatever earlier runs did")
    group.add_argument("--quiet", action="store_true", help="print nothing but errors")
    group.add_argument("--json-lines", action="store_true", help="print one JSON object a line, for programs")


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from sadinet.batch.naming import Wanted, plan_jobs
    from sadinet.batch.preflight import check_inputs
    from sadinet.batch.session import batch_people, run_batch
    from sadinet.pipeline import People

    make_folder(options.out)
    wanted = Wanted(options.format, options.overlay, page=not options.no_page, blur_faces=options.blur_faces)
    settings = _batch_settings(options, wanted)
    jobs, repeated = plan_jobs(options.inputs, options.out, wanted)
    with make_reporter(is_quiet=options.quiet, is_json=options.json_lines) as reporter:
        people = People(batch_people(settings.people, options.jobs))
        reporter.say(_models(people))
        for name in repeated:
            reporter.say(f"{name} is given twice; once is enough")
        plan = check_inputs(jobs, options.out, people, processes=options.jobs)
        for line in plan.lines:
            reporter.say(line)
        reporter.tell("plan", **asdict(plan.totals), failures=plan.failures)
        if options.check:
            return _complain_of(plan.failures, reporter)
        for line in plan.failures:
            reporter.say(f"will fail: {line}")
        names = [job.where for job in jobs]
        listener = RunListener(reporter, names, plan.totals.frames, 1 + options.overlay)
        session = run_batch(jobs, options.out, settings, people, listener, processes=options.jobs, fresh=options.fresh)
        listener.close()
        return _finish(session, options.out, reporter)


def make_folder(folder: Path) -> None:
    """Make the folder of the results, and see that files can be made in it.

    Raises:
        OutputError: if it cannot be made or written.
    """
    from sadinet.atomic import output_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise output_error(folder, error) from error


def _batch_settings(options: argparse.Namespace, wanted: object) -> BatchSettings:
    from sadinet.batch.describe import BatchSettings
    from sadinet.batch.naming import Wanted
    from sadinet.motion.settings import MotionSettings

    people = replace(settings_of(options), chunk_frames=options.chunk_frames)
    if options.detect_every is not None:
        people = replace(people, following=replace(people.following, interval=options.detect_every))
    motion = MotionSettings(smooth=not options.no_smooth, cutoff_hz=options.cutoff, angles=options.angles)
    assert isinstance(wanted, Wanted)  # noqa: S101
    return BatchSettings(people, motion, wanted, options.metres_per_pixel)


def _models(people: People) -> str:
    runtime = people.estimator.runtime
    on = f"{runtime.engine} {runtime.version}, {runtime.device}, {runtime.precision}"
    return f"{people.estimator.weights.name} on {on} ({runtime.why})"


def _finish(session: Session, folder: Path, reporter: Reporter) -> int:
    """Write the report and say what needs saying; returns the exit code."""
    from sadinet.batch.naming import REPORT_NAME
    from sadinet.batch.report import State, write_report
    from sadinet.batch.report_html import write_index
    from sadinet.batch.session import report_of

    for note in session.notes:
        reporter.complain(note)
    report = report_of(session)
    write_report(folder / f"{REPORT_NAME}.json", report)
    index = folder / f"{REPORT_NAME}.html"
    # The one of an earlier run is not to stand there beside this run's JSON.
    if len(report.inputs) > 1 or index.exists():
        write_index(index, report)
    if len(report.inputs) > 1:
        _say_totals(report, reporter)
    reporter.tell("report", states={state.value: count for state, count in report.counts.items()})
    if session.is_interrupted:
        reporter.complain("interrupted; give the same line again to go on")
        return INTERRUPTED
    if report.count(State.FAILED):
        return SOME_FAILED
    return SOME_IN_PART if any(each.problems for each in report.inputs) else 0


def _say_totals(report: BatchReport, reporter: Reporter) -> None:
    from sadinet.batch.report import State
    from sadinet.batch.report_text import summary

    failed = [each.name for each in report.inputs if each.state is State.FAILED]
    in_part = [each.name for each in report.inputs if each.state is not State.FAILED and each.problems]
    for names, what in ((failed, "failed"), (in_part, "done with problems")):
        if names:
            reporter.complain(f"{len(names)} of {len(report.inputs)} inputs {what}: {', '.join(names)}")
    reporter.say(summary(report))


def _complain_of(failures: Sequence[str], reporter: Reporter) -> int:
    for line in failures:
        reporter.complain(line)
    return SOME_FAILED if failures else 0


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f"there is no format {name!r}, only {', '.join(FORMATS)}")
    return names


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value
