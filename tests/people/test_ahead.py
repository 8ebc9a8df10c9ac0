"""A detector that begins early finds what it would have found, once for each picture, and one after the other."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.geometry import Box
from sadinet.people.ahead import AheadDetector
from sadinet.people.following import Follower, Following
from sadinet.pipeline.stages import People, Settings
from sadinet.results import Frame


class Slow:
    """Notes what it looked at, and says if two calls overlap."""

    runtime = SimpleNamespace(engine="none")

    def __init__(self):
        self.seen = []
        self.release = threading.Event()
        self.release.set()
        self._busy = threading.Lock()

    def __call__(self, image):
        assert self._busy.acquire(blocking=False), "two at once"
        try:
            assert self.release.wait(10)
            if not image.size:
                raise InputError("empty")
            self.seen.append(int(image[0, 0, 0]))
            return (Box(0.0, 0.0, float(image[0, 0, 0]), 1.0),)
        finally:
            self._busy.release()


def picture(value):
    return np.full((4, 4, 3), value, np.uint8)


def test_what_was_begun_is_not_looked_at_twice():
    inner = Slow()
    detector = AheadDetector(inner)
    one = picture(1)
    detector.begin(one)
    detector.begin(one)
    assert detector(one)[0].width == 1
    assert inner.seen == [1]
    assert detector(one)[0].width == 1
    assert inner.seen == [1, 1]


def test_an_equal_picture_is_another_picture():
    inner = Slow()
    detector = AheadDetector(inner)
    detector.begin(picture(1))
    assert detector(picture(1))[0].width == 1
    assert inner.seen == [1, 1]


def test_another_picture_waits_for_the_one_that_was_begun():
    inner = Slow()
    inner.release.clear()
    detector = AheadDetector(inner)
    one = picture(1)
    detector.begin(one)
    detector.begin(picture(2))  # one is still being looked at: not begun
    threading.Timer(0.05, inner.release.set).start()
    assert detector(picture(3))[0].width == 3
    assert detector(one)[0].width == 1
    assert inner.seen == [1, 3]


def test_errors_come_out_where_the_boxes_are_wanted():
    detector = AheadDetector(Slow())
    empty = np.empty((0, 4, 3), np.uint8)
    detector.begin(empty)
    with pytest.raises(InputError, match="empty"):
        detector(empty)


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_a_video_is_followed_the_same_however_far_one_looks_ahead(short_clip, depth):
    from sadinet.media.video import VideoReader

    people = People(Settings(device="cpu", engine="onnx", lanes=1))
    with VideoReader(short_clip) as reader:
        frames = list(reader)
    config = Following(interval=3)
    plain = Follower(people.detector, people.estimator, config)
    early = Follower(AheadDetector(people.detector), people.estimator, config)
    for place, frame in enumerate(frames):
        assert isinstance(frame, Frame)
        wanted, found = plain(frame), early(frame, frames[place + 1 : place + 1 + depth])
        assert [pose.track_id for pose in wanted.poses] == [pose.track_id for pose in found.poses]
        for one, other in zip(wanted.poses, found.poses, strict=True):
            assert np.array_equal(one.joints, other.joints)
