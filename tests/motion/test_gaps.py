import numpy as np
import pytest

from sadinet.motion.clock import read_clock
from sadinet.motion.gaps import bridge

CLOCK = read_clock(np.arange(40) / 20)


def path(*missing: int) -> tuple[np.ndarray, np.ndarray]:
    values = np.sin(np.arange(40.0) / 8)[:, None] * 30
    good = np.ones((40, 1), dtype=bool)
    good[list(missing)] = False
    return values, good


def test_a_short_gap_is_bridged_near_the_truth():
    values, good = path(10, 11, 12)
    closed = bridge(CLOCK, np.where(good, values, 999), good, 0.25)
    assert closed.is_filled[:, 0].nonzero()[0].tolist() == [10, 11, 12]
    assert closed.values[10:13, 0] == pytest.approx(values[10:13, 0], abs=0.5)
    assert np.array_equal(closed.values[good], values[good])
    assert set(closed.piece[:, 0]) == {0}


def test_a_longer_gap_stays_open_and_parts_the_pieces():
    values, good = path(10, 11, 12, 13, 14)
    closed = bridge(CLOCK, values, good, 0.25)
    assert not closed.is_filled.any()
    assert np.isnan(closed.values[10:15, 0]).all()
    assert closed.piece[:, 0].tolist() == [0] * 10 + [-1] * 5 + [1] * 25


def test_nothing_is_carried_beyond_the_ends():
    values, good = path(0, 1, 39)
    closed = bridge(CLOCK, values, good, 9.0)
    assert np.isnan(closed.values[[0, 1, 39], 0]).all()
    assert not closed.is_filled.any()


def test_gaps_can_be_left_open():
    values, good = path(10)
    closed = bridge(CLOCK, values, good, 0.25, fill=False)
    assert np.isnan(closed.values[10, 0])
    assert closed.piece[9, 0] != closed.piece[11, 0]


def test_what_is_put_in_never_overshoots():
    rng = np.random.default_rng(0)
    values, good = rng.normal(size=(40, 6)), rng.random((40, 6)) < 0.7
    closed = bridge(CLOCK, values, good, 0.5)
    for column in range(6):
        for frame in closed.is_filled[:, column].nonzero()[0]:
            known = good[:, column].nonzero()[0]
            around = values[[known[known < frame][-1], known[known > frame][0]], column]
            assert around.min() - 1e-9 <= closed.values[frame, column] <= around.max() + 1e-9


def test_nothing_is_bridged_across_time_that_jumps_back():
    clock = read_clock(np.concatenate([np.arange(20) / 20, np.arange(20) / 20]))
    values, good = path(19)
    closed = bridge(clock, values, good, 0.25)
    assert np.isnan(closed.values[19, 0])
    assert closed.piece[18, 0] != closed.piece[20, 0]


def test_nothing_at_all():
    closed = bridge(read_clock(np.empty(0)), np.empty((0, 2)), np.empty((0, 2), dtype=bool), 0.25)
    assert closed.values.shape == closed.piece.shape == (0, 2)
    nobody = bridge(CLOCK, np.full((40, 1), np.nan), np.zeros((40, 1), dtype=bool), 0.25)
    assert (nobody.piece == -1).all()
