from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.tables.digits import joined
from sadinet.tables.schema import number

NUMBERS = st.one_of(
    st.floats(-4000, 4000),
    st.floats(-4000, 4000, width=32),
    st.integers(-80000, 80000).map(lambda eighths: eighths / 8),  # halves between two texts
    st.integers(-9999, 9999).map(lambda thousandths: thousandths / 1000),
    st.floats(-0.006, 0.006),  # negative zeros
    st.just(float("nan")),
)


def one_by_one(values, decimals):
    return [",".join(number(value, each) for value, each in zip(row, decimals, strict=True)) for row in values.tolist()]


@given(st.lists(st.lists(NUMBERS, min_size=4, max_size=4), min_size=1, max_size=20))
def test_arrays_are_written_as_numbers_are_one_by_one(rows):
    values = np.array(rows)
    assert joined(values, (2, 3, 0, 1)) == one_by_one(values, (2, 3, 0, 1))


def test_a_hundred_thousand_numbers_are_the_same_digit_for_digit():
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [
            rng.uniform(-10, 2000, (10_000, 5)).astype(np.float32).astype(float),
            rng.uniform(-3e5, 3e5, (5_000, 5)),
            rng.integers(-9000, 9000, (5_000, 5)) / 200,
        ]
    )
    assert joined(values, (2, 3, 6, 2, 1)) == one_by_one(values, (2, 3, 6, 2, 1))


@pytest.mark.parametrize("value", [4e9, -1e12, 1e300, float("inf"), 0.0, -0.0, 4294967.294, 4294967.295, 4294967.296])
def test_extremes(value):
    values = np.array([[value, 1.5], [float("nan"), -2.0]])
    assert joined(values, (3, 2)) == one_by_one(values, (3, 2))


def test_no_rows_and_no_columns():
    assert joined(np.zeros((0, 2)), (2, 3)) == []
    assert joined(np.zeros((2, 0)), ()) == ["", ""]
