"""Find people's joints in videos and pictures, and write tables of them."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sadinet.cli.options import add_model_options, add_runtime_options, settings_of
from sadinet.cli.progress import Reporter, make_reporter
from sadinet.errors import SadinetError

if TYPE_CHECKING:
    from sadinet.pipeline import Job, People, Summary

HELP = "tables of joints from videos and pictures"
EPILOG = """\
Each input NAME gives NAME.csv, a row for each person and frame, and NAME.json, which tells how the table was made.
A pattern in quotes ('shots/*.png') or a folder of pictures gives one table for all of them.

exit codes:
  0  everything was done
  1  an input, or all, failed; the others were done
  2  wrong use
  3  everything was done, but something is wrong with an input: frames were lost or damaged, or have no time;
     what could be read is in the table, and NAME.json names the problem too
  130  interrupted; NAME.csv.part holds the rows so far
"""

_log = logging.getLogger(__name__)

SOME_FAILED = 1
SOME_IN_PART = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="video, picture, folder of pictures, or pattern")
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="DIR", help="folder of the results")
    parser.add_argument("--overlay", action="store_true", help="also write the skeletons drawn: MP4, or pictures")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    add_model_options(parser)
    add_runtime_options(parser)


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from sadinet.pipeline import People, plan_jobs

    make_folder(options.out)
    people = People(settings_of(options))
    jobs, repeated = plan_jobs(options.inputs, options.out, overlay=options.overlay)
    with make_reporter(is_quiet=options.quiet) as reporter:
        reporter.say(_models(people))
        for name in repeated:
            reporter.say(f"{name} is given twice; once is enough")
        outcomes = [(job, _run(job, people, reporter)) for job in jobs]
        return _finish(outcomes, reporter)


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


def _run(job: Job, people: People, reporter: Reporter) -> Summary | None:
    """Do one input; None if it failed, which is told and stops nothing else."""
    from sadinet.media.source import open_source
    from sadinet.pipeline import analyse

    try:
        source = open_source(job.where)
        reporter.begin(Path(job.where).name or job.where, source.expected_frames)
        summary = analyse(source, people, job.outputs, lambda result: reporter.frame())
    except SadinetError as error:
        _log.debug("gave up", exc_info=True)
        reporter.complain(str(error) if job.where in str(error) else f"{job.where}: {error}")
        return None
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001
        # One input that meets a fault of ours must not cost the others; the traceback is for its report.
        reporter.complain(f"{job.where}: unexpected {type(error).__name__}: {error} (please report what --debug shows)")
        _log.debug("unexpected error", exc_info=True)
        return None
    finally:
        reporter.end()
    reporter.say(_outcome(job, summary))
    for problem in summary.problems:
        reporter.complain(problem if job.where in problem else f"{job.where}: {problem}")
    return summary


def _models(people: People) -> str:
    runtime = people.estimator.runtime
    on = f"{runtime.engine} {runtime.version}, {runtime.device}, {runtime.precision}"
    return f"{people.estimator.weights.name} on {on} ({runtime.why})"


def _outcome(job: Job, summary: Summary) -> str:
    people = "nobody" if not summary.most_people else f"up to {summary.most_people} at once"
    frames = "1 frame" if summary.frames == 1 else f"{summary.frames} frames"
    files = ", ".join(str(path) for path in summary.outputs.paths)
    renamed = " (its own name is taken)" if job.is_renamed else ""
    return f"{job.where}: {frames}, {people}, {summary.fps:.1f} fps -> {files}{renamed}"


def _finish(outcomes: Sequence[tuple[Job, Summary | None]], reporter: Reporter) -> int:
    failed = [job.where for job, summary in outcomes if summary is None]
    in_part = [job.where for job, summary in outcomes if summary is not None and summary.problems]
    for names, what in ((failed, "failed"), (in_part, "done with problems")):
        if names and len(outcomes) > 1:
            reporter.complain(f"{len(names)} of {len(outcomes)} inputs {what}: {', '.join(names)}")
    if failed:
        return SOME_FAILED
    return SOME_IN_PART if in_part else 0
