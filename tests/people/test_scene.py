"""Cuts, and what is none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sadinet.media.source import open_source
from sadinet.people.scene import is_cut, thumbnail


@pytest.fixture(scope="module")
def frames(clip):
    with open_source(clip) as source:
        return [frame.image for frame in source]


def test_a_running_video_has_no_cut(frames):
    small = [thumbnail(image) for image in frames]
    assert not any(is_cut(a, b) for a, b in itertools.pairwise(small))
    # Not even where most of the frames are left out.
    assert not any(is_cut(a, b) for a, b in zip(small, small[5:], strict=False))


def test_another_scene_is_a_cut(frames):
    before = thumbnail(frames[0])
    noise = np.random.default_rng(0).integers(0, 255, (9, 16, 3), dtype=np.uint8)
    blocks = np.kron(noise, np.ones((40, 40, 1), np.uint8))
    assert is_cut(before, thumbnail(blocks))
    assert is_cut(before, thumbnail(np.ascontiguousarray(frames[0][::-1])))
    assert is_cut(before, thumbnail(np.zeros_like(frames[0])))


def test_a_lamp_or_a_flash_is_no_cut(frames):
    image = frames[0].astype(float)
    for light in (image * 0.6, image * 0.7 + 75, np.clip(image * 1.5, 0, 255)):
        assert not is_cut(thumbnail(frames[0]), thumbnail(light.astype(np.uint8)))


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (300, 5)])
def test_pictures_of_any_size_have_a_thumbnail(size):
    small = thumbnail(np.zeros((*size, 3), np.uint8))
    assert small.shape == (24, 24)
    assert not is_cut(small, small)
