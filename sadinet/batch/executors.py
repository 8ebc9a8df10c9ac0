"""Where pieces of work are done: in this process one by one, or in several processes side by side."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for_handles
from typing import Any, Protocol

from sadinet.batch.tasks import Event, Task
from sadinet.batch.worker import Result, Worker
from sadinet.media.packets import PacketIndex
from sadinet.pipeline.stages import Settings

_POLL_S = 0.2

Tell = Callable[[Event], None]


class Executor(Protocol):
    """Takes pieces of work, gives back futures."""

    @property
    def capacity(self) -> int:
        """How many pieces may be submitted at a time."""

    def submit(self, task: Task) -> Future[Result]:
        """Begin a piece of work, or do it."""

    def wait(self, futures: Sequence[Future[Result]]) -> set[Future[Result]]:
        """Pass on what the workers tell, and return the futures that are done; at least one, sooner or later."""

    def remember(self, index: PacketIndex) -> None:
        """Take the packets of a source that was looked at, where that spares a second look."""

    def close(self) -> None:
        """Stop everything that is under way."""


class InProcess:
    """Does each piece of work when it is submitted.

    Args:
        worker: does it.
        tell: hears of frames and chunks.
    """

    capacity = 1

    def __init__(self, worker: Worker, tell: Tell) -> None:
        self._worker = worker
        self._tell = tell

    def submit(self, task: Task) -> Future[Result]:
        """Do a piece of work; an interruption by the user comes out here, everything else with the future."""
        future: Future[Result] = Future()
        try:
            future.set_result(self._worker.run(task, self._tell))
        except Exception as error:  # noqa: BLE001
            # As a pool of processes does: whoever asks for the result gets it.
            future.set_exception(error)
        return future

    def wait(self, futures: Sequence[Future[Result]]) -> set[Future[Result]]:
        """Return all of them."""
        return set(futures)

    def remember(self, index: PacketIndex) -> None:
        """Spare the worker a second look."""
        self._worker.remember(index)

    def close(self) -> None:
        """Do nothing: nothing is under way."""


class Processes:
    """Several processes, each with its own models.

    A process that dies, as it was killed or ran out of memory, takes all futures with it that are under way: they
    raise `BrokenProcessPool`, and the next task gets new processes. If this process dies, however, the others end
    themselves.

    Args:
        settings: of the models.
        jobs: how many processes.
        tell: hears of frames and chunks, in this process.
    """

    def __init__(self, settings: Settings, jobs: int, tell: Tell) -> None:
        self.capacity = 2 * jobs  # one is waiting for each that is under way
        self._settings = settings
        self._jobs = jobs
        self._tell = tell
        # Threads of the libraries do not survive a fork.
        self._context = multiprocessing.get_context("spawn")
        self._events: Any = None
        self._stopped: Any = None
        self._leash: Any = None
        self._pool = self._make()

    def submit(self, task: Task) -> Future[Result]:
        """Hand a piece of work to the next free process."""
        with _held_back_interruptions():
            try:
                return self._pool.submit(_work, task)
            except BrokenProcessPool:
                self._pool.shutdown(wait=True, cancel_futures=True)
                self._pass_on()
                self._let_go()
                self._pool = self._make()
                return self._pool.submit(_work, task)

    def wait(self, futures: Sequence[Future[Result]]) -> set[Future[Result]]:
        """Pass on events until a future is done."""
        while True:
            done, _ = wait(futures, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            self._pass_on()
            if done:
                return done

    def remember(self, index: PacketIndex) -> None:
        """Do nothing: each process looks for itself."""

    def close(self) -> None:
        """Let every process stop at its next frame, and wait for that; an interruption meanwhile ends them at once."""
        with _on_interruption(self._leash.close):
            self._stopped.set()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._let_go()

    def _let_go(self) -> None:
        self._leash.close()
        self._events.close()
        self._events.cancel_join_thread()

    def _make(self) -> ProcessPoolExecutor:
        # A process that was killed may have held their locks for ever: new processes get new ones.
        self._events, self._stopped = self._context.Queue(), self._context.Event()
        held, self._leash = self._context.Pipe(duplex=False)
        return ProcessPoolExecutor(
            self._jobs,
            mp_context=self._context,
            initializer=_begin,
            initargs=(self._settings, self._events, self._stopped, held),
        )

    def _pass_on(self) -> None:
        while True:
            try:
                event: Event = self._events.get_nowait()
            except queue.Empty:
                return
            self._tell(event)


@contextlib.contextmanager
def _on_interruption(act: Callable[[], None]) -> Iterator[None]:
    """Do something in place of raising `KeyboardInterrupt`, which would leave a pool that never ends."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals come to the main thread alone
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _held_back_interruptions() -> Iterator[None]:
    """Let Ctrl-C wait here, and never reach the processes that begin here, which would complain while they load."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _StoppedError(Exception):
    """The batch is over."""


class _Process:
    """What a process of the pool keeps from one piece of work to the next."""

    worker: Worker
    events: Any
    stopped: Any


def _begin(settings: Settings, events: Any, stopped: Any, held: Any) -> None:
    # Ctrl-C reaches all processes of a terminal; the first one decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(held,), name="parent", daemon=True).start()
    events.cancel_join_thread()  # nobody may be left to read them when this process is to end
    _Process.worker, _Process.events, _Process.stopped = Worker(settings), events, stopped


def _end_with_parent(held: Any) -> None:
    """End this process, once nobody holds the other end of the leash: parts are whole or not there."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_handles([parent.sentinel, held])
        os._exit(1)


def _work(task: Task) -> Result:
    return _Process.worker.run(task, _tell)


def _tell(event: Event) -> None:
    if _Process.stopped.is_set():
        raise _StoppedError
    _Process.events.put(event)
