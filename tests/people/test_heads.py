"""Decoding and suppression against plain, slow references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.people.heads import decode_heads, suppress

BINS = 8


def slow_iou(a, b):
    overlap = 1.0
    for axis in (0, 1):
        overlap *= max(0.0, min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]) - max(a[axis], b[axis]))
    union = a[2] * a[3] + b[2] * b[3] - overlap
    return overlap / union if union > 0 else 0.0


def slow_suppress(boxes, scores, iou):
    left = sorted(range(len(boxes)), key=lambda i: (-scores[i], i))
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if slow_iou(boxes[best], boxes[i]) <= iou]
    return kept


box = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 12), st.integers(1, 12))


@given(st.lists(st.tuples(box, st.integers(1, 9)), max_size=25), st.sampled_from([0.01, 0.3, 0.45, 0.6, 0.9]))
def test_suppression_equals_the_slow_one(pairs, iou):
    boxes = np.array([pair[0] for pair in pairs], float).reshape(-1, 4)
    scores = np.array([pair[1] / 10 for pair in pairs])
    assert suppress(boxes, scores, iou).tolist() == slow_suppress(boxes.tolist(), scores.tolist(), iou)


def test_suppression_is_not_a_chain():
    # The second falls to the first, so it cannot take the third with it.
    boxes = np.array([[0, 0, 10, 10], [3, 0, 10, 10], [6, 0, 10, 10]], float)
    assert suppress(boxes, np.array([0.9, 0.8, 0.7]), 0.4).tolist() == [0, 2]


def test_nothing_in_nothing_out():
    assert suppress(np.empty((0, 4)), np.empty(0), 0.5).shape == (0,)


def random_heads(seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 3, (4 * BINS + 1, n, n + 1)).astype(np.float32) for n in (6, 3)]


def slow_decode(heads, strides, score):
    found = []
    for head, stride in zip(heads, strides, strict=True):
        for row in range(head.shape[1]):
            for column in range(head.shape[2]):
                confidence = 1 / (1 + math.exp(-float(head[-1, row, column])))
                if confidence < score:
                    continue
                left, top, right, bottom = (
                    sum(n * math.exp(float(v)) for n, v in enumerate(side)) / sum(math.exp(float(v)) for v in side)
                    for side in head[:-1, row, column].reshape(4, BINS)
                )
                x, y = column + 0.5, row + 0.5
                edges = (x - left, y - top, x + right, y + bottom)
                found.append((confidence, *(edge * stride - 0.5 for edge in edges)))
    return np.array(sorted(found, key=lambda entry: -entry[0])).reshape(-1, 5)


@pytest.mark.parametrize("score", [0.001, 0.3, 0.9, 1.0])
def test_decoding_equals_the_slow_one(score):
    heads = random_heads(1)
    corners, scores = decode_heads(heads, (8, 16), BINS, score)
    expected = slow_decode(heads, (8, 16), score)
    np.testing.assert_allclose(scores, expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(corners, expected[:, 1:], atol=1e-4)


def test_a_certain_cell_gives_the_box_it_says():
    head = np.full((4 * BINS + 1, 5, 5), -50, np.float32)
    head[-1, 2, 3] = 40
    for side, distance in enumerate((1, 2, 3, 0)):
        head[side * BINS + distance, 2, 3] = 50
    corners, scores = decode_heads([head], [8], BINS, 0.5)
    # The cell's middle is (3.5, 2.5) cells, 27.5 and 19.5 in pixels that count from the first one's centre.
    np.testing.assert_allclose(corners, [[19.5, 3.5, 51.5, 19.5]], atol=1e-4)
    np.testing.assert_allclose(scores, [1])


def test_values_that_are_no_numbers_give_no_boxes():
    corners, scores = decode_heads([np.full((4 * BINS + 1, 3, 3), np.nan, np.float32)], [8], BINS, 0.3)
    assert corners.shape == (0, 4)
    assert scores.shape == (0,)
