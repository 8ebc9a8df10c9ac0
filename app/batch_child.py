"""The process that works on a queue: the same planning, checks, ledger and report as `sadinet run` has.

Started with `multiprocessing`'s spawn. What happens goes out through one pipe, what is wished comes in through
another; when that one breaks, as the program is gone, the process ends at once, and the next run goes on from what the
ledger has.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from app.batch_events import Advanced, BatchEvent, Began, Ended, Held, Line, Looked, Over, Ready, Reported
from app.batch_state import BatchOptions, Fault, ItemState
from sadinet.atomic import output_error
from sadinet.errors import InputError, SadinetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sadinet.batch.describe import BatchSettings
    from sadinet.batch.naming import Job
    from sadinet.batch.preflight import Plan
    from sadinet.batch.runner import Outcome
    from sadinet.batch.session import Session
    from sadinet.pipeline.stages import People

STOP, PAUSE, RESUME = "stop", "pause", "resume"

_NICER = 5  # than the window and what is seen live

Send = Callable[[BatchEvent], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done.

    Attributes:
        inputs: all of the list in its order, as names of results depend on it.
        left_out: those of them that are not to be done.
        options: for all of them.
        is_check: only look at the inputs.
    """

    inputs: tuple[str, ...]
    left_out: tuple[str, ...]
    options: BatchOptions
    is_check: bool = False


def work(order: Order, events: Connection, wishes: Connection) -> None:
    """Do what is ordered; the process's main function."""
    # Ctrl-C in a terminal reaches this process too; the program decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICER)
    fault: Fault | None = None
    try:
        _Run(order, events.send, Wishes(wishes)).run()
    except SadinetError as error:
        fault = Fault(error.message, error.remedy, f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001  it is told, with its traceback
        details = "".join(traceback.format_exception(error))
        fault = Fault(
            f"the batch stopped: {type(error).__name__}: {error}", "copy the details and report them", details
        )
    events.send(Over(fault))


class Wishes:
    """What the program wishes: to stop, to hold, to leave inputs out.

    Args:
        pipe: gives `STOP`, `PAUSE`, `RESUME`, or the name of an input to leave out as a tuple of one.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._changed = threading.Condition()
        self._is_held = False
        self._left_out: set[str] = set()
        self.is_stopped = False
        threading.Thread(target=self._listen, name="wishes", daemon=True).start()

    def is_left_out(self, where: str) -> bool:
        """Return whether an input was taken off the list after the run began."""
        with self._changed:
            return where in self._left_out

    def obey(self, send: Send) -> None:
        """Wait while the work is to be held; raises `KeyboardInterrupt` if it is to stop."""
        with self._changed:
            if self._is_held and not self.is_stopped:
                send(Held(True))
                self._changed.wait_for(lambda: not self._is_held or self.is_stopped)
                send(Held(False))
            if self.is_stopped:
                raise KeyboardInterrupt

    def _listen(self) -> None:
        while True:
            try:
                wish = self._pipe.recv()
            except (EOFError, OSError):
                os._exit(1)
            with self._changed:
                if isinstance(wish, tuple):
                    self._left_out.update(wish)
                else:
                    self._is_held = wish == PAUSE or (self._is_held and wish != RESUME)
                    self.is_stopped |= wish == STOP
                self._changed.notify_all()


class _Run:
    """One run over the list. Also hears how far the batch is, and passes it on."""

    def __init__(self, order: Order, send: Send, wishes: Wishes) -> None:
        self._order = order
        self._send = send
        self._wishes = wishes
        self._jobs: Sequence[Job] = ()

    def run(self) -> None:
        from sadinet.batch.naming import plan_jobs
        from sadinet.batch.preflight import check_inputs
        from sadinet.batch.session import batch_people, run_batch
        from sadinet.pipeline.stages import People

        options = self._order.options
        folder = Path(options.folder)
        _make_folder(folder)
        settings = _settings(options)
        planned, _ = plan_jobs(self._order.inputs, folder, settings.wanted)
        jobs = self._jobs = [job for job in planned if job.where not in self._order.left_out]
        people = People(batch_people(settings.people, options.jobs))
        self._send(Line(_models(people)))
        plan = check_inputs(jobs, folder, people, processes=options.jobs)
        self._tell(plan)
        if self._order.is_check or self._wishes.is_stopped:
            return
        self._send(Ready())
        session = run_batch(jobs, folder, settings, people, self, processes=options.jobs)
        for note in session.notes:
            self._send(Line(note))
        self._report(session, folder)

    def began(self, place: int, job: Job, frames: int | None, done: int) -> None:
        if self._wishes.is_left_out(job.where):
            # Fails this input alone.
            raise InputError(f"{job.where} was taken off the list")
        self._send(Began(job.where, frames, done))

    def advanced(self, place: int, frames: int, stage: str) -> None:
        self._send(Advanced(self._where(place), frames, stage))
        self._wishes.obey(self._send)

    def ended(self, place: int, outcome: Outcome) -> None:
        where = outcome.job.where
        if not self._wishes.is_left_out(where):
            self._send(_ended(outcome))

    def _where(self, place: int) -> str:
        return self._jobs[place].where

    def _tell(self, plan: Plan) -> None:
        for check in plan.checks:
            self._send(
                Looked(check.job.where, check.frames, check.notes, "" if check.error is None else str(check.error))
            )
        for line in plan.lines[sum(len(check.notes) for check in plan.checks) :]:
            self._send(Line(line))

    def _report(self, session: Session, folder: Path) -> None:
        from sadinet.batch.naming import REPORT_NAME
        from sadinet.batch.report import write_report
        from sadinet.batch.report_html import write_index
        from sadinet.batch.report_text import summary
        from sadinet.batch.session import report_of

        kept = tuple(each for each in session.outcomes if not self._wishes.is_left_out(each.job.where))
        report = report_of(replace(session, outcomes=kept))
        write_report(folder / f"{REPORT_NAME}.json", report)
        page = folder / f"{REPORT_NAME}.html"
        write_index(page, report)
        self._send(Reported(summary(report), str(page)))


def _settings(options: BatchOptions) -> BatchSettings:
    """Return what `sadinet run` makes of the same options, so that each goes on with what the other did."""
    from sadinet.batch.describe import BatchSettings
    from sadinet.batch.naming import Wanted
    from sadinet.motion.settings import MotionSettings
    from sadinet.pipeline.stages import Settings

    people = Settings(
        weights=options.weights, engine=options.engine, device=options.device, chunk_frames=options.chunk_frames
    )
    return BatchSettings(
        people,
        MotionSettings(angles=options.angles),
        Wanted(options.formats, options.overlay, page=options.page),
        options.metres_per_pixel or None,
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error


def _models(people: People) -> str:
    runtime = people.estimator.runtime
    on = f"{runtime.engine} {runtime.version}, {runtime.device}, {runtime.precision}"
    return f"{people.estimator.weights.name} on {on} ({runtime.why})"


def _ended(outcome: Outcome) -> Ended:
    job, summary = outcome.job, outcome.summary
    if outcome.error is not None:
        return Ended(job.where, ItemState.FAILED, notes=(str(outcome.error),))
    problems = tuple(summary["problems"])
    state = ItemState.IN_PART if problems else ItemState.KEPT if outcome.is_kept else ItemState.DONE
    page = job.outputs.page
    return Ended(
        job.where,
        state,
        frames=summary["frames"],
        people=summary["most_people"],
        notes=problems,
        outputs=tuple(summary["files"]),
        page="" if page is None else page.name,
    )
