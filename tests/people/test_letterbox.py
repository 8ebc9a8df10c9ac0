"""Frame to input and back is exact, for every shape of frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.people.letterbox import FILL, Letterbox

sides = st.integers(1, 9000)


@given(sides, sides, st.integers(1, 300), st.sampled_from([8, 32]), st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_there_and_back_is_the_identity(width, height, blocks, step, share):
    letterbox = Letterbox.fit((width, height), blocks * step**2, step)
    point = np.array(share) * (width, height) - 0.5
    inside = letterbox.to_canvas(point)
    np.testing.assert_allclose(letterbox.to_frame(inside), point, atol=1e-6)
    assert (inside >= -0.5 - 1e-9).all()
    assert (inside <= np.array(letterbox.canvas_wh) - 0.5 + 1e-9).all()


@given(sides, sides, st.integers(1, 300), st.sampled_from([8, 32]))
def test_the_canvas_holds_the_content_and_keeps_to_its_area(width, height, blocks, step):
    letterbox = Letterbox.fit((width, height), blocks * step**2, step)
    canvas, content = np.array(letterbox.canvas_wh), np.array(letterbox.content_wh)
    assert (canvas % step == 0).all()
    assert (content <= canvas).all()
    assert (canvas - content < step).all()
    assert canvas.prod() <= blocks * step**2


@given(st.integers(64, 4000), st.integers(64, 4000))
def test_no_larger_scale_would_fit(width, height):
    area, step = 384 * 288, 32
    letterbox = Letterbox.fit((width, height), area, step)
    # Two pixels more along the longer side, and the frame, unrounded, passes a border of steps.
    scale = (max(letterbox.content_wh) + 2) / max(width, height)
    grown = [int(np.ceil(side * scale / step)) * step for side in (width, height)]
    assert grown[0] * grown[1] > area


@pytest.mark.parametrize("size_wh", [(640, 480), (481, 640), (1280, 720), (50, 70)])
def test_a_dot_lands_where_the_map_says(size_wh):
    """The picture is really drawn where `to_canvas` claims: the centre of mass of a soft dot moves with the map."""
    width, height = size_wh
    centre = np.array([width * 0.3, height * 0.7])
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    blob = 255 * np.exp(-((grid - centre) ** 2).sum(-1) / (2 * (0.05 * min(size_wh)) ** 2))
    letterbox = Letterbox.fit(size_wh, 384 * 288, 32)
    drawn = letterbox.apply(np.repeat(blob[..., None], 3, axis=2).round().astype(np.uint8))[..., 0].astype(float)
    x, y = letterbox.offset_xy
    w, h = letterbox.content_wh
    drawn[:y], drawn[y + h :], drawn[:, :x], drawn[:, x + w :] = 0, 0, 0, 0
    rows, columns = np.indices(drawn.shape)
    found = np.array([(columns * drawn).sum(), (rows * drawn).sum()]) / drawn.sum()
    np.testing.assert_allclose(found, letterbox.to_canvas(centre), atol=0.05)


def test_margins_are_grey():
    letterbox = Letterbox((100, 50), (100, 50), (128, 64))
    canvas = letterbox.apply(np.zeros((50, 100, 3), np.uint8))
    assert canvas.shape == (64, 128, 3)
    assert (canvas[:7] == FILL).all()
    assert (canvas[7:57, 14:114] == 0).all()
