"""Pairs of most likeness."""

from __future__ import annotations

import numpy as np

from sadinet.people.assignment import assign, close_calls


def test_one_good_pair_is_worth_more_than_two_bad_ones():
    likeness = np.array([[0.76, 0.0], [0.88, 0.46]])
    assert assign(likeness, 0.3) == {0: 1}
    assert assign(np.array([[0.76, 0.0], [0.80, 0.70]]), 0.3) == {0: 0, 1: 1}


def test_pairs_below_the_least_are_not_made():
    assert assign(np.array([[0.5], [0.4]]), np.array([[0.6], [0.3]])) == {0: 1}
    assert assign(np.array([[0.2]]), 0.3) == {}
    assert assign(np.zeros((0, 2)), np.zeros((0, 1))) == {}
    assert assign(np.zeros((2, 0)), 0.3) == {}


def test_close_calls_are_exchanges_that_cost_little():
    clear = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert close_calls(clear, {0: 0, 1: 1}, 0.1) == set()
    mixed = np.array([[0.8, 0.75], [0.78, 0.8]])
    assert close_calls(mixed, {0: 0, 1: 1}, 0.1) == {0, 1}


def test_close_calls_count_people_without_a_pair():
    # Somebody lost fits nearly as well; or two poses fit one person.
    assert close_calls(np.array([[0.7], [0.65]]), {0: 0}, 0.1) == {0}
    assert close_calls(np.array([[0.7], [0.5]]), {0: 0}, 0.1) == set()
    assert close_calls(np.array([[0.7, 0.65]]), {0: 0}, 0.1) == {0}


def test_pairs_that_are_impossible_are_no_choice():
    # The other's own place is out of reach for the first: they cannot have been exchanged.
    assert close_calls(np.array([[0.8, 0.0], [0.8, 0.8]]), {0: 0, 1: 1}, 0.1) == set()
