"""Small things that the window must not wait for."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable


class Background:
    """One thread that does things one after the other, begun when it is first needed.

    Args:
        name: of the thread.

    Attributes:
        is_closed: whether nothing more is taken; a long step looks at it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._steps: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.is_closed = False

    def do(self, step: Callable[[], None]) -> None:
        """Do a step after those that were given before."""
        if self.is_closed:
            return
        self._steps.put(step)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def close(self, deadline: float) -> tuple[str, ...]:
        """Do what was given, and end; returns the thread's name if it did not in time."""
        self.is_closed = True
        if self._thread is None:
            return ()
        self._steps.put(None)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return (self._thread.name,) if self._thread.is_alive() else ()

    def _run(self) -> None:
        while (step := self._steps.get()) is not None:
            try:
                step()
            except Exception:  # noqa: BLE001  told like any that nobody caught; those that wait are done all the same
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
