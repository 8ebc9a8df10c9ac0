"""Steers a queue of files: the process that works on it, and the thread that looks at files and saves the list.

The page commands, which never waits, and polls. Commands come from one thread.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from app.background import Background
from app.batch_child import PAUSE, RESUME, STOP, Order, work
from app.batch_course import contains, heard, removed, starting
from app.batch_events import BatchEvent, Ended, Looked, Over
from app.batch_file import load_queue, save_queue
from app.batch_state import BatchOptions, BatchPhase, BatchState, Fault
from app.claim import Claim
from sadinet.errors import SadinetError

_THEIRS = "SADI-NET is open twice: the other window keeps its list of files, this one's is forgotten when it is closed."
_DIED = "the process that worked on the batch died"
_DIED_REMEDY = "it may have run out of memory; start again to go on, with fewer processes"


class BatchWorker:
    """A queue of files that outlives the program.

    Args:
        path: where the list is kept; None keeps it nowhere. Of two programs the second begins with an empty list, and
            keeps it nowhere.

    Attributes:
        note: what is to be told of the list that was kept; empty if all is well.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._claim = None if path is None else Claim(path)
        is_theirs = self._claim is not None and not self._claim.is_ours
        self._path = None if is_theirs else path
        self._heard: queue.SimpleQueue[tuple[BatchEvent, float]] = queue.SimpleQueue()
        self._background = Background("app batch list")
        self._process: _Process | None = None
        self._state, self.note = (BatchState(), "") if self._path is None else load_queue(self._path)
        if is_theirs:
            self.note = _THEIRS

    @property
    def state(self) -> BatchState:
        """The queue as it was at the last `poll` or command."""
        return self._state

    def poll(self) -> BatchState:
        """Take what was heard; returns the queue as it is now."""
        is_changed = False
        while True:
            try:
                event, now_s = self._heard.get_nowait()
            except queue.Empty:
                break
            self._state = heard(self._state, event, now_s)
            is_changed |= isinstance(event, Looked | Ended | Over)
            if isinstance(event, Over):
                self._end_process()
        if is_changed:
            self._save()
        return self._state

    def add(self, paths: Sequence[str]) -> None:
        """Put files, folders and patterns at the end of the list; what is in folders is looked for beside."""
        for path in paths:
            self._background.do(lambda path=path: self._look(path))  # type: ignore[misc]

    def remove(self, wheres: Sequence[str]) -> None:
        """Take inputs off the list, other than those that are being worked on."""
        self._state = removed(self._state, wheres)
        gone = {item.where for item in self._state.items if item.is_removed}
        if self._process is not None:
            self._process.wish(tuple(where for where in wheres if where in gone))
        self._save()

    def set_options(self, options: BatchOptions) -> None:
        """Choose what the next run gives."""
        if options != self._state.options:
            self._state = replace(self._state, options=options)
            self._save()

    def check(self) -> None:
        """Look at all inputs, and try how long it will take."""
        self._start(is_check=True)

    def start(self) -> None:
        """Do everything that is not done yet."""
        self._start(is_check=False)

    def pause(self) -> None:
        """Hold the work at its next frame.

        In several processes the pieces under way are given up: at most 600 frames each are done again.
        """
        if self._process is None or self._state.phase is not BatchPhase.RUNNING:
            return
        self._state = replace(self._state, phase=BatchPhase.PAUSING)
        self._process.wish(PAUSE if self._state.options.jobs == 1 else STOP)

    def resume(self) -> None:
        """Go on."""
        if self._state.phase is not BatchPhase.PAUSED:
            return
        if self._process is not None:
            self._process.wish(RESUME)
            return
        self._state = replace(self._state, phase=BatchPhase.IDLE)
        self.start()

    def cancel(self) -> None:
        """Stop at the next frame; what is done stays, and a start goes on from there."""
        if self._process is not None:
            # While models load and files are looked at nothing can be lost, and nobody listens.
            self._process.stop(at_once=self._state.phase is BatchPhase.STARTING)
            self._state = replace(self._state, phase=BatchPhase.STOPPING)
        elif self._state.phase is BatchPhase.PAUSED:
            self._state = replace(self._state, phase=BatchPhase.IDLE)
            self._save()

    def close(self, deadline_s: float = 5.0) -> tuple[str, ...]:
        """Save the list and end everything; a run that is cut so is offered again at the next start.

        Returns:
            Names of the threads that did not end in time.
        """
        deadline = time.monotonic() + deadline_s
        self.poll()
        self._save()
        if self._process is not None:
            self._process.end(deadline)
            self._process = None
        late = self._background.close(deadline)
        if self._claim is not None:
            self._claim.let_go()
        return late

    def _start(self, *, is_check: bool) -> None:
        if not self._state.can_start:
            return
        self._state = starting(self._state, is_check=is_check)
        items = self._state.items
        left_out = tuple(item.where for item in items if item.is_removed)
        order = Order(tuple(item.where for item in items), left_out, self._state.options, is_check)
        self._process = _Process(order, self._hear)
        self._save()

    def _hear(self, event: BatchEvent) -> None:
        self._heard.put((event, time.monotonic()))

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.end(time.monotonic() + 1.0)
            self._process = None

    def _save(self) -> None:
        if self._path is None:
            return
        path, state = self._path, self._state

        def save() -> None:
            # The list is a convenience: nothing is lost but its memory.
            with contextlib.suppress(SadinetError):
                save_queue(path, state)

        self._background.do(save)

    def _look(self, path: str) -> None:
        """Find the inputs that a path stands for, and look at each."""
        from sadinet.batch.naming import plan_jobs
        from sadinet.batch.preflight import check_input

        try:
            jobs, _ = plan_jobs([path], Path(self._state.options.folder or "."))
        except OSError as error:
            self._hear(Looked(path, error=f"{path} cannot be read: {error.strerror}"))
            return
        new = [job for job in jobs if not contains(self._state, job.where)]
        for job in new:
            self._hear(Looked(job.where))
        for job in new:
            if self._background.is_closed:
                return
            seen = check_input(job)
            told = "" if seen.error is None else str(seen.error)
            self._hear(Looked(job.where, seen.frames, seen.notes, told))


class _Process:
    """The process of one run, and the thread that hears it."""

    def __init__(self, order: Order, hear: Callable[[BatchEvent], None]) -> None:
        # A fork would take the threads' locks along, and what Qt holds.
        context = multiprocessing.get_context("spawn")
        self._hear = hear
        self._is_stopped = False
        self._events, events = context.Pipe(duplex=False)
        wishes, self._wishes = context.Pipe(duplex=False)
        self._process: SpawnProcess = context.Process(target=work, args=(order, events, wishes), name="batch")
        self._thread = threading.Thread(target=self._run, args=(events, wishes), name="app batch process", daemon=True)
        # Runs before `multiprocessing` waits for its processes at the end of the program.
        atexit.register(self._kill)
        self._thread.start()

    def wish(self, wish: str | tuple[str, ...]) -> None:
        """Tell the process something; one that is ending hears nothing."""
        with contextlib.suppress(OSError, ValueError):
            self._wishes.send(wish)

    def stop(self, *, at_once: bool) -> None:
        """Let it stop at its next frame, or now."""
        self._is_stopped = True
        self.wish(STOP)
        if at_once:
            self._kill()

    def end(self, deadline: float) -> None:
        """Let it stop, and if it has not by the deadline, by `time.monotonic`, kill it."""
        self.stop(at_once=False)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._kill()
        self._thread.join(1.0)
        with contextlib.suppress(OSError):
            self._wishes.close()

    def _run(self, events: Connection, wishes: Connection) -> None:
        # Starting takes some tens of milliseconds, which the window must not wait for.
        try:
            self._process.start()
        except Exception as error:  # noqa: BLE001  it is told
            self._hear(Over(Fault(f"the batch cannot be started: {error}", "close other programs and try again")))
            return
        finally:
            # Its own ends: with the process gone, reading ends too.
            events.close()
            wishes.close()
        over: Over | None = None
        try:
            while over is None:
                event = self._events.recv()
                if isinstance(event, Over):
                    over = event
                else:
                    self._hear(event)
        except (EOFError, OSError):
            over = Over(None if self._is_stopped else Fault(_DIED, _DIED_REMEDY))
        self._process.join()
        self._events.close()
        atexit.unregister(self._kill)
        self._hear(over)

    def _kill(self) -> None:
        with contextlib.suppress(ValueError, AssertionError, AttributeError):
            self._process.kill()
