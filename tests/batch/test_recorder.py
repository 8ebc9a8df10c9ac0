"""Results of a chunk are kept without their pictures, but for a few small ones."""

from __future__ import annotations

import gc
import weakref

import cv2
import numpy as np
import pytest

from sadinet.batch.recorder import PREVIEW_SIDE_PX, PREVIEWS, Recorder, preview
from sadinet.results import Frame, FrameResult
from sadinet.skeletons import BODY19


def result(index: int, size_wh: tuple[int, int] = (64, 48)) -> FrameResult:
    image = np.full((size_wh[1], size_wh[0], 3), index % 250, np.uint8)
    return FrameResult(Frame(image, index, index / 25), (), {"detect": 2.0, "pose": 0.5})


def test_no_picture_is_kept():
    recorder = Recorder(BODY19, 600)
    alive = []
    for index in range(50):
        each = result(index)
        alive.append(weakref.ref(each.frame.image))
        recorder.add(each)
        del each
    gc.collect()
    assert [place for place, image in enumerate(alive) if image() is not None] == []
    recording = recorder.recording()
    assert recording.index.tolist() == list(range(50))
    assert recording.sizes_wh.tolist() == [[64, 48]] * 50


@pytest.mark.parametrize("frames", [2, 7, 8, 9, 60, 601])
def test_previews_are_few_and_spread(frames):
    recorder = Recorder(BODY19, frames)
    for index in range(frames):
        recorder.add(result(index))
    places = [place for place, _ in recorder.previews]
    assert min(frames, PREVIEWS) // 2 <= len(places) <= PREVIEWS
    assert places == sorted(set(places))
    assert all(0 <= place < frames for place in places)
    if frames > 4 * PREVIEWS:
        assert max(np.diff(places)) <= 2 * frames / PREVIEWS
    for place, data in recorder.previews:
        assert abs(int(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).mean()) - place % 250) <= 3


@pytest.mark.parametrize(
    ("size_wh", "expected_wh"),
    [((1920, 1080), (480, 270)), ((300, 900), (160, 480)), ((64, 48), (64, 48)), ((5000, 1), (480, 1))],
)
def test_previews_are_small_and_keep_their_shape(size_wh, expected_wh):
    image = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    small = cv2.imdecode(np.frombuffer(preview(image), np.uint8), cv2.IMREAD_COLOR)
    assert (small.shape[1], small.shape[0]) == expected_wh
    assert max(small.shape) <= PREVIEW_SIDE_PX


def test_times_of_stages_add_up():
    recorder = Recorder(BODY19, 10)
    for index in range(4):
        recorder.add(result(index))
    assert recorder.timings_ms == {"detect": 8.0, "pose": 2.0}
