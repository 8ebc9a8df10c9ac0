"""Run a batch in a folder of results: lock, ledger, models, workers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sadinet._version import __version__
from sadinet.batch.describe import BatchSettings, Models, describe_models
from sadinet.batch.executors import Executor, InProcess, Processes
from sadinet.batch.ledger import Ledger
from sadinet.batch.lock import hold
from sadinet.batch.naming import Job
from sadinet.batch.report import BatchReport, InputReport, State
from sadinet.batch.runner import Batch, Listener, Outcome
from sadinet.batch.worker import Worker
from sadinet.engines.session import MOST_THREADS, physical_cores
from sadinet.pipeline.stages import People, Settings
from sadinet.tables.sidecar import local_time

RECORD_FOLDER = ".sadinet"
"""Where in the folder of results the ledger and the parts lie."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a run of a batch did.

    Attributes:
        outcomes: of the inputs that are over, in order.
        models: what was really run.
        notes: what had to be mended, one line each.
        started, ended: local times, ISO 8601.
        seconds: between them.
        is_interrupted: whether the user stopped it.
    """

    outcomes: tuple[Outcome, ...]
    models: Models
    notes: tuple[str, ...]
    started: str
    ended: str
    seconds: float
    is_interrupted: bool


def batch_people(settings: Settings, jobs: int = 1) -> Settings:
    """Return settings under which results do not depend on how many threads and processes share the work.

    Each crop is run by one thread; `settings.threads` says how many at once, None for the cores that are there.
    """
    lanes = settings.threads or max(1, min(physical_cores(), MOST_THREADS) // jobs)
    return replace(settings, lanes=lanes)


def run_batch(
    jobs: Sequence[Job],
    folder: Path,
    settings: BatchSettings,
    people: People,
    listener: Listener,
    *,
    processes: int = 1,
    fresh: bool = False,
    record: Path | None = None,
) -> Session:
    """Do all inputs; what earlier runs in the folder did with the same settings is taken over.

    Args:
        jobs: from `plan_jobs`, for the same folder.
        folder: of results; must be there.
        settings: everything that changes results.
        people: the models, made with `batch_people(settings.people)`; with several processes each loads its own.
        listener: hears how far it is.
        processes: how many to work in; 1 is this one alone.
        fresh: forget what earlier runs did with these inputs.
        record: folder of the ledger and the parts; None for the one inside the folder of results.

    Raises:
        OutputError: if another process works in the folder, or its record cannot be written.
    """
    started, began = local_time(), time.perf_counter()
    models = describe_models(people)
    is_interrupted = False
    record = record or folder / RECORD_FOLDER
    with hold(record), Ledger(record) as ledger:
        batch = Batch(jobs, settings, models, ledger, listener, fresh=fresh)
        executor: Executor
        if processes == 1:
            executor = InProcess(Worker(people), batch.hear)
        else:
            executor = Processes(people.settings, processes, batch.hear)
        try:
            batch.run(executor)
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            executor.close()
        notes = tuple(ledger.notes)
    seconds = time.perf_counter() - began
    return Session(batch.outcomes, models, notes, started, local_time(), seconds, is_interrupted)


def report_of(session: Session) -> BatchReport:
    """Return the report of a run."""
    models = session.models
    return BatchReport(
        inputs=tuple(map(_input_report, session.outcomes)),
        started=session.started,
        ended=session.ended,
        seconds=session.seconds,
        weights=models.weights.name,
        engine=models.engine,
        device=models.device,
        precision=models.precision,
        version=__version__,
        is_interrupted=session.is_interrupted,
    )


def _input_report(outcome: Outcome) -> InputReport:
    job, summary = outcome.job, outcome.summary
    if outcome.error is not None:
        return InputReport(
            job.where, State.FAILED, outcome.error.message, outcome.error.remedy, seconds=outcome.seconds
        )
    problems = tuple(summary["problems"])
    state = State.IN_PART if problems else State.DONE
    page = job.outputs.page
    return InputReport(
        name=job.where,
        state=State.KEPT if outcome.is_kept else state,
        frames=summary["frames"],
        skipped_frames=summary["skipped_frames"],
        people=summary["people"] or summary["most_people"],
        seconds=outcome.seconds,
        fps=outcome.computed_frames / outcome.seconds if outcome.seconds else 0.0,
        outputs=tuple(summary["files"]),
        page="" if page is None else page.name,
        problems=problems,
    )
