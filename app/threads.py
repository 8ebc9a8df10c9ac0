"""Threads that are begun together with what owns them, and end with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Threads:
    """Begins threads from any thread, and waits for all of them at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[threading.Thread] = []
        self._is_ended = False

    @property
    def is_ended(self) -> bool:
        """Whether none is begun any more."""
        return self._is_ended

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Begin a thread; nothing happens once all were told to end."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        with self._lock:
            if self._is_ended:
                return
            self._running = [each for each in self._running if each.is_alive()]
            self._running.append(thread)
            # Within the lock: what does not run yet would count as over.
            thread.start()

    def is_running(self, name: str) -> bool:
        """Return whether a thread of this name runs."""
        with self._lock:
            return any(each.is_alive() and each.name == name for each in self._running)

    def end(self) -> None:
        """Begin none any more; those that run must be told by their own means."""
        with self._lock:
            self._is_ended = True

    def join(self, deadline: float) -> tuple[str, ...]:
        """Wait for those that run until the deadline, by `time.monotonic`; returns the names of those still there."""
        with self._lock:
            running = tuple(self._running)
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        return tuple(thread.name for thread in running if thread.is_alive())
