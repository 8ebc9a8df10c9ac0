"""The next items of a stream are there to be seen, in order, and errors wait for their turn."""

from __future__ import annotations

import pytest

from sadinet.pipeline.lookahead import Lookahead


def test_items_keep_their_order_and_the_next_ones_show():
    items = Lookahead(iter(range(5)), 2)
    seen = [(item, items.upcoming) for item in items]
    assert seen == [(0, (1, 2)), (1, (2, 3)), (2, (3, 4)), (3, (4,)), (4, ())]


def test_nothing_is_taken_before_the_first_is_wanted():
    taken = []
    items = Lookahead((taken.append(i) or i for i in range(9)), 3)
    assert taken == []
    assert next(items) == 0
    assert taken == [0, 1, 2, 3]


def test_an_error_comes_behind_the_items_before_it():
    def failing():
        yield from (1, 2)
        raise OSError("gone")

    items = Lookahead(failing(), 4)
    assert next(items) == 1
    assert items.upcoming == (2,)
    assert next(items) == 2
    with pytest.raises(OSError, match="gone"):
        next(items)


def test_an_item_that_is_pushed_back_comes_next():
    items = Lookahead(iter("abc"), 1)
    first = next(items)
    items.push_back(first)
    assert list(items) == ["a", "b", "c"]


def test_closing_closes_a_generator():
    closed = []

    def numbers():
        try:
            yield from range(9)
        finally:
            closed.append(True)

    items = Lookahead(numbers(), 2)
    next(items)
    items.close()
    assert closed == [True]
    assert list(items) == []
