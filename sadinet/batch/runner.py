"""Run a batch: inputs in, outputs out, with everything that is done remembered at once."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, Protocol

from sadinet.batch.describe import BatchSettings, Models, part_key, result_key
from sadinet.batch.executors import Executor
from sadinet.batch.fingerprint import fingerprint
from sadinet.batch.finish import are_outputs
from sadinet.batch.ledger import ChunkRecord, Ledger, ResultRecord
from sadinet.batch.naming import Job, check_formats, input_files
from sadinet.batch.replacing import check_replaceable
from sadinet.batch.state import InputState, Phase, told_error
from sadinet.batch.tasks import ChunkTask, Event, Finished, FinishTask, Progress, RestTask, Task
from sadinet.errors import SadinetError, SourceError
from sadinet.media.packets import scan_packets
from sadinet.media.seeking import UnseekableError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an input.

    Attributes:
        job: the input.
        error: why it failed, None if it did not.
        is_kept: whether an earlier run had done it, with the same settings.
        seconds: from its first piece of work to its last in this run.
        computed_frames: frames that were looked at in this run; the rest was there.
        timings_ms: milliseconds of each stage in all over these frames.
        summary: what is told about the results; empty if it failed.
    """

    job: Job
    error: SadinetError | None = None
    is_kept: bool = False
    seconds: float = 0.0
    computed_frames: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


class Listener(Protocol):
    """Hears how far a batch is; inputs are told by their place among all."""

    def began(self, place: int, job: Job, frames: int | None, done: int) -> None:
        """Work on an input begins: so many frames, None where nobody knows; so many are there already."""

    def advanced(self, place: int, frames: int, stage: str) -> None:
        """Some more frames of an input were looked at ("poses") or drawn ("drawing")."""

    def ended(self, place: int, outcome: Outcome) -> None:
        """An input is done, or failed."""


class Batch:
    """One run over some inputs.

    Args:
        jobs: the inputs.
        settings: everything that changes results.
        models: what the workers' models really are.
        ledger: of the folder of results.
        listener: hears how far it is.
        fresh: forget what earlier runs did with these inputs.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        settings: BatchSettings,
        models: Models,
        ledger: Ledger,
        listener: Listener,
        *,
        fresh: bool = False,
    ) -> None:
        self._settings = settings
        self._models = models
        self._ledger = ledger
        self._listener = listener
        self._fresh = fresh
        self._inputs = [InputState(place, job) for place, job in enumerate(jobs)]
        self._outcomes: dict[int, Outcome] = {}
        self._flying: dict[Future[Any], tuple[InputState, Task]] = {}
        self._suspects: deque[tuple[InputState, Task]] = deque()
        self._is_quarantined = False
        self._begun: set[str] = set()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Of the inputs that are over, in their order."""
        return tuple(self._outcomes[place] for place in sorted(self._outcomes))

    def hear(self, event: Event) -> None:
        """Take what a worker tells."""
        state = self._inputs[event.place]
        if state.phase is Phase.OVER:
            return
        if isinstance(event, Progress):
            if event.stage == "poses":
                state.told += event.frames
            self._listener.advanced(event.place, event.frames, event.stage)
        elif event.record.number not in state.chunks:
            self._guarded(state, lambda: self._record(state, event.record))

    def run(self, executor: Executor) -> tuple[Outcome, ...]:
        """Do everything; returns what became of each input, in order.

        One input's failure costs no other. An interruption comes out here, after which `outcomes` has those that
        are over; the chunks that are done stay.
        """
        while True:
            self._fill(executor)
            if not self._flying:
                return self.outcomes
            for future in executor.wait(list(self._flying)):
                state, task = self._flying.pop(future)
                state.in_flight -= 1
                self._take(state, task, future)

    def _fill(self, executor: Executor) -> None:
        """Submit as many pieces of work as there is room for."""
        while self._suspects:
            if self._flying:
                return
            state, task = self._suspects.popleft()
            state.suspected -= 1
            if state.phase is Phase.OVER:
                continue
            # A piece of work during which a process died is tried again alone, to know whether it is the one.
            self._is_quarantined = True
            self._correct(state)
            self._submit(executor, state, task)
            return
        self._is_quarantined = False
        for state in self._inputs:
            if len(self._flying) >= executor.capacity:
                return
            if state.phase is Phase.WAITING:
                self._guarded(state, lambda state=state: self._prepare(state, executor))
            while state.todo and len(self._flying) < executor.capacity:
                self._submit(executor, state, state.todo.popleft())
                if executor.capacity == 1:
                    return

    def _submit(self, executor: Executor, state: InputState, task: Task) -> None:
        state.in_flight += 1
        self._flying[executor.submit(task)] = (state, task)

    def _prepare(self, state: InputState, executor: Executor) -> None:
        """Find out what of an input is done, and plan the rest."""
        job = state.job
        state.began = time.perf_counter()
        if state.source is None:
            check_formats(job)
            state.source = fingerprint(input_files(job))
            state.key = part_key(job, state.source, self._models)
        if self._is_under_way(state.key):
            return  # a copy of it, whose chunks are the same files: what is done of one is there for the other
        record = None if self._fresh else self._ledger.result(job.outputs.stem)
        if (
            record is not None
            and record.key == self._result_key(state)
            and are_outputs(job.outputs.folder, record.files)
        ):
            self._listener.began(state.place, job, record.summary.get("frames"), record.summary.get("frames", 0))
            self._end(state, Outcome(job, is_kept=True, summary=dict(record.summary)))
            self._forget_faces(state)
            return
        check_replaceable(job.outputs, self._ledger.outputs())
        if self._fresh and state.key not in self._begun:
            self._ledger.forget_parts(state.key)
        self._begun.add(state.key)
        state.chunks = self._ledger.chunks(state.key)
        frames = self._plan(state, executor)
        state.told = state.frames
        self._listener.began(state.place, job, frames, state.told)
        self._go_on(state)

    def _is_under_way(self, key: str) -> bool:
        return any(each.key == key and each.phase not in (Phase.WAITING, Phase.OVER) for each in self._inputs)

    def _plan(self, state: InputState, executor: Executor) -> int | None:
        """Fill in the pieces of work that are missing; returns how many frames to expect."""
        size = self._settings.people.chunk_frames
        if state.job.kind == "video":
            index = scan_packets(state.job.where)
            executor.remember(index)
            is_seekable, frames = index.is_seekable, index.frames
        else:
            is_seekable, frames = True, len(input_files(state.job))
        state.phase = Phase.CHUNKS
        if not is_seekable or any(chunk.from_start for chunk in state.chunks.values()):
            state.unseekable_from = state.first_missing
            return frames or None
        for number in range(-(-frames // size)):
            if number not in state.chunks:
                path = self._ledger.part_path(state.key, number)
                state.todo.append(ChunkTask(state.place, state.job, number, path))
        return frames

    def _go_on(self, state: InputState) -> None:
        """Begin the next phase of an input if nothing of the one before is left."""
        if state.phase is Phase.OVER or state.in_flight or state.todo or state.suspected:
            return
        if state.is_whole:
            if state.phase is not Phase.FINISHING:
                state.phase = Phase.FINISHING
                state.todo.append(self._finishing(state))
        elif state.unseekable_from is None:
            self._fail(state, SourceError(f"{state.job.where} ended too early", "it may have changed; run again"))
        else:
            self._begin_rest(state, min(state.unseekable_from, state.first_missing))

    def _begin_rest(self, state: InputState, first: int) -> None:
        """Have all chunks from number `first` on computed in one go, as numbers of frames are unsure."""
        state.phase = Phase.REST
        state.unseekable_from = None
        self._ledger.drop_chunks(state.key, first)
        state.forget_from(first)
        self._correct(state)
        folder = self._ledger.part_path(state.key, first).parent
        state.todo.append(RestTask(state.place, state.job, first, folder))

    def _finishing(self, state: InputState) -> FinishTask:
        # Looked at again, as hours may have passed; then they are ours, whatever happens while they are written.
        outputs = state.job.outputs
        check_replaceable(outputs, self._ledger.outputs())
        self._ledger.add_outputs(path.name for path in outputs.paths)
        parts = tuple(self._ledger.part_path(state.key, number) for number in range(state.first_missing))
        assert state.source is not None  # noqa: S101  prepared before
        return FinishTask(state.place, state.job, parts, self._settings, self._models, state.source)

    def _take(self, state: InputState, task: Task, future: Future[Any]) -> None:
        """Take what came of a piece of work."""
        if state.phase is Phase.OVER:
            return
        error = future.exception()
        if isinstance(error, UnseekableError) and not isinstance(task, FinishTask):
            _log.debug("%s is read from its start: %s", state.job.where, error)
            # The rest is not where the chunks before it end: all of them are in doubt.
            first = task.number if isinstance(task, ChunkTask) else 0
            state.unseekable_from = first if state.unseekable_from is None else min(first, state.unseekable_from)
            state.todo.clear()
        elif isinstance(error, BrokenProcessPool):
            self._after_death(state, task)
            return
        elif error is not None:
            self._fail(state, told_error(state.job, error))
            return
        else:
            self._guarded(state, lambda: self._store(state, future.result()))
        self._guarded(state, lambda: self._go_on(state))

    def _after_death(self, state: InputState, task: Task) -> None:
        if self._is_quarantined:
            message = f"{state.job.where}: the process that worked on it died"
            self._fail(state, SourceError(message, "it may have run out of memory; try fewer --jobs"))
        else:
            state.suspected += 1
            self._suspects.append((state, task))

    def _correct(self, state: InputState) -> None:
        """Tell of the frames that count: some were told of that have to be done again."""
        if state.told != state.frames:
            self._listener.advanced(state.place, state.frames - state.told, "poses")
            state.told = state.frames

    def _store(self, state: InputState, result: tuple[ChunkRecord, ...] | Finished) -> None:
        if isinstance(result, Finished):
            record = ResultRecord(self._result_key(state), result.files, result.summary)
            self._ledger.add_outputs(result.files)
            self._ledger.add_result(state.job.outputs.stem, record)
            self._end(state, self._outcome(state, dict(result.summary)))
            self._forget_faces(state)
            return
        for chunk in result:
            if chunk.number not in state.chunks:
                self._record(state, chunk)

    def _forget_faces(self, state: InputState) -> None:
        """Remove an input's parts if faces are to be covered: parts hold small pictures that show them."""
        is_shared = any(each.key == state.key and each.phase is not Phase.OVER for each in self._inputs)
        if self._settings.wanted.blur_faces and not is_shared:
            self._ledger.forget_parts(state.key)

    def _record(self, state: InputState, chunk: ChunkRecord) -> None:
        self._ledger.add_chunk(state.key, chunk)
        state.add(chunk)

    def _result_key(self, state: InputState) -> str:
        return result_key(state.key, self._settings)

    def _outcome(self, state: InputState, summary: dict[str, Any]) -> Outcome:
        seconds = time.perf_counter() - state.began
        return Outcome(state.job, None, False, seconds, state.computed, state.timings_ms, summary)

    def _fail(self, state: InputState, error: SadinetError) -> None:
        self._end(state, Outcome(state.job, error, seconds=time.perf_counter() - state.began))

    def _end(self, state: InputState, outcome: Outcome) -> None:
        state.phase = Phase.OVER
        state.todo.clear()
        self._outcomes[state.place] = outcome
        self._listener.ended(state.place, outcome)

    def _guarded(self, state: InputState, step: Any) -> None:
        """Let a fault cost its input alone."""
        try:
            step()
        except Exception as error:  # noqa: BLE001
            self._fail(state, told_error(state.job, error))
