from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sadinet.skeletons import BODY19
from sadinet.tables.schema import columns, flags, number


def test_columns_are_those_of_the_design():
    head = columns(BODY19)
    assert head[:8] == ("frame", "time_s", "track_id", "score", "box_x", "box_y", "box_w", "box_h")
    joint = ("right_ankle_x", "right_ankle_y", "right_ankle_score", "right_ankle_sigma_x", "right_ankle_sigma_y")
    assert head[8:13] == joint
    assert head[-1] == "flags"
    assert len(head) == 8 + 5 * 19 + 1
    assert columns(BODY19, with_source=True) == (*head, "source")
    assert columns(BODY19, with_source=True, extra=("a", "b")) == (*head, "source", "a", "b")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9), st.sampled_from([2, 3, 6]))
def test_numbers_are_the_nearest_with_fixed_decimals(value, decimals):
    text = number(value, decimals)
    assert len(text.partition(".")[2]) == decimals
    assert abs(float(text) - value) <= 0.5 * 10**-decimals + 1e-6 * abs(value)
    assert float(text) != 0 or not text.startswith("-")


def test_what_is_not_finite_is_empty():
    assert [number(value, 2) for value in (float("nan"), float("inf"), -float("inf"))] == ["", "", ""]


def test_flags_come_once_in_order():
    assert flags(("b", "a"), (), ("a", "c")) == "b;a;c"
