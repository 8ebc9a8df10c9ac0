"""Let a stage work ahead of the next one in a thread of its own, by a bounded number of items."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class _Failure:
    """What the thread could not do."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _End:
    """Nothing more comes."""


def prefetch(items: Iterable[Item], depth: int = 4, name: str = "reader") -> Generator[Item]:
    """Yield the items in their order while a thread takes up to `depth` of them ahead.

    An exception in the thread comes out here, after the items before it. When the generator is closed or left,
    the thread stops taking items and is waited for, so that the caller may close what `items` reads. A generator
    that is left by an exception outside of it must be closed (`contextlib.closing`).
    """
    passed: queue.Queue[Item | _Failure | _End] = queue.Queue(maxsize=depth)
    stopped = threading.Event()
    thread = threading.Thread(target=_work, args=(iter(items), passed, stopped), name=name, daemon=True)
    thread.start()
    try:
        while not isinstance(item := passed.get(), _End):
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stopped.set()
        # The thread may be waiting for room; it puts at most one more item.
        with contextlib.suppress(queue.Empty):
            while True:
                passed.get_nowait()
        thread.join()


def _work(items: Iterator[Item], passed: queue.Queue[Item | _Failure | _End], stopped: threading.Event) -> None:
    last: _Failure | _End = _End()
    try:
        for item in items:
            passed.put(item)
            if stopped.is_set():
                return
    except BaseException as error:  # noqa: BLE001
        # Whatever it is, it belongs to whoever takes the items.
        last = _Failure(error)
    finally:
        if isinstance(items, Generator):
            items.close()  # here, where it ran
    passed.put(last)
