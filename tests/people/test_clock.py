"""Times that go forward."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.people.clock import Clock


def ticks(times: list[float]) -> list[float]:
    clock = Clock()
    return [clock.tick(time_s) for time_s in times]


def test_rising_times_stay_as_they_are():
    times = [0.5, 0.54, 0.6, 2.0, 2.01]
    assert ticks(times) == pytest.approx(times)


def test_missing_times_are_filled_by_the_last_step():
    assert ticks([0.0, 0.1, nan, nan, 0.4, 0.5]) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_times_that_go_back_go_on():
    assert ticks([5.0, 5.1, 0.0, 0.1, 0.3]) == pytest.approx([5, 5.1, 5.2, 5.3, 5.5])


@given(st.lists(st.floats(-10, 10) | st.just(nan), min_size=2, max_size=30))
def test_time_always_rises(times: list[float]):
    assert (np.diff(ticks([round(time_s, 3) for time_s in times])) > 0).all()
