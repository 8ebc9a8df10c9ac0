"""Look at the next items of a stream before they are taken."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Lookahead(Generic[Item]):
    """An iterator that holds the next few items ready.

    Args:
        items: whose order is kept; at most `depth` of them are taken before their turn.
        depth: how many items `upcoming` shows while there are as many.

    An exception out of `items` comes out when it is its turn: after the items before it.
    """

    def __init__(self, items: Iterable[Item], depth: int) -> None:
        self._items: Iterator[Item] = iter(items)
        self._depth = depth
        self._ready: deque[Item] = deque()
        self._error: BaseException | None = None
        self._is_done = False

    @property
    def upcoming(self) -> tuple[Item, ...]:
        """The items that come next, at most `depth`."""
        return tuple(self._ready)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        self._fill(1)
        if not self._ready:
            if self._error is not None:
                raise self._error
            raise StopIteration
        item = self._ready.popleft()
        self._fill(self._depth)
        return item

    def push_back(self, item: Item) -> None:
        """Put an item in front of those that come next."""
        self._ready.appendleft(item)

    def close(self) -> None:
        """Take nothing more, and close `items` if they can be."""
        self._is_done = True
        self._ready.clear()
        if isinstance(self._items, Generator):
            self._items.close()

    def _fill(self, wanted: int) -> None:
        while len(self._ready) < wanted and not self._is_done:
            try:
                self._ready.append(next(self._items))
            except StopIteration:
                self._is_done = True
            except BaseException as error:  # noqa: BLE001
                # Not before its turn.
                self._is_done, self._error = True, error
