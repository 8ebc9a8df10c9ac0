"""A hand-over of one place between two threads: the newest replaces what nobody took."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one item, the newest.

    Attributes:
        replaced: items so far that were overwritten before anybody took them.
    """

    def __init__(self) -> None:
        self.replaced = 0
        self._item: T | None = None
        self._is_closed = False
        self._changed = threading.Condition()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come."""
        return self._is_closed

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come and nothing is left to take."""
        with self._changed:
            return self._is_closed and self._item is None

    def put(self, item: T) -> bool:
        """Leave an item; returns False, and leaves nothing, once the box is closed."""
        with self._changed:
            if self._is_closed:
                return False
            self.replaced += self._item is not None
            self._item = item
            self._changed.notify()
            return True

    def take(self, timeout_s: float | None = 0.0) -> T | None:
        """Take the item, waiting for one; None if none came in time, or the box is closed and empty.

        Args:
            timeout_s: how long to wait; None waits until there is one, or the box is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._is_closed, timeout_s)
            item, self._item = self._item, None
            return item

    def close(self, *, keep: bool = False) -> None:
        """Wake everybody up; nothing more may be left. What is inside may still be taken if `keep`."""
        with self._changed:
            self._is_closed = True
            if not keep:
                self._item = None
            self._changed.notify_all()
