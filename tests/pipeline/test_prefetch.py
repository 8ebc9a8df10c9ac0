"""A stage that works ahead of the next one, and ends with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest

from sadinet.pipeline.prefetch import prefetch


def test_order_is_kept() -> None:
    assert list(prefetch(range(50), depth=3)) == list(range(50))


def test_it_works_ahead_but_not_further_than_its_depth() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            taken.append(i)
            yield i

    ahead = prefetch(items(), depth=3)
    assert next(ahead) == 0
    deadline = time.monotonic() + 30
    while len(taken) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert taken == [0, 1, 2, 3, 4]  # one given, three waiting, one in hand
    ahead.close()


def test_an_error_comes_out_behind_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("gone")

    ahead = prefetch(items())
    assert next(ahead) == 1
    with pytest.raises(KeyError, match="gone"):
        next(ahead)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    for item in prefetch(iter(int, 1), depth=2):
        assert item == 0
        break
    deadline = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_leaving_early_does_not_wait_for_a_slow_next_stage() -> None:
    # The thread is waiting for room in the queue when it is told to stop.
    ahead = prefetch(iter(int, 1), depth=1)
    next(ahead)
    time.sleep(0.05)
    started = time.monotonic()
    ahead.close()
    assert time.monotonic() - started < 20
    assert not [thread for thread in threading.enumerate() if thread.name == "reader"]


def test_the_source_is_closed_in_the_thread_that_read_it() -> None:
    closed_by = []

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed_by.append(threading.current_thread().name)

    ahead = prefetch(items(), name="mine")
    assert next(ahead) == 0
    ahead.close()
    assert closed_by == ["mine"]


@pytest.mark.parametrize("taken", [0, 1, 7, 30])
@pytest.mark.parametrize("is_closed", [True, False])
def test_stages_in_a_row_all_end(taken: int, is_closed: bool) -> None:
    before = set(threading.enumerate())

    def doubled(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            yield 2 * item

    def use() -> list[int]:
        with (
            closing(prefetch(range(20), name="first")) as first,
            closing(prefetch(doubled(first), name="second")) as second,
        ):
            got = list(islice(second, taken))
            if not is_closed:
                raise KeyError("left by an error")
            return got

    if is_closed:
        assert use() == [2 * number for number in range(min(taken, 20))]
    else:
        with pytest.raises(KeyError):
            use()
    assert set(threading.enumerate()) == before


def test_an_error_in_the_first_of_two_stages_comes_out_of_the_second() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("unplugged")

    with closing(prefetch(items())) as first, closing(prefetch(first)) as second:
        assert next(second) == 1
        with pytest.raises(OSError, match="unplugged"):
            next(second)


def test_a_generator_that_was_never_begun_starts_no_thread() -> None:
    before = threading.active_count()
    prefetch(range(5)).close()
    assert threading.active_count() <= before
