"""The detector now and then, poses in every frame: on the bundled clip, with the shipped models."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.media.source import open_source
from sadinet.people.following import Follower, Following
from sadinet.people.scene import CUT
from sadinet.results import Frame, FrameResult


class Looks:
    """A detector that notes at which calls it looked."""

    def __init__(self, detector) -> None:
        self.runtime = detector.runtime
        self._detector = detector
        self.count = 0

    def __call__(self, image):
        self.count += 1
        return self._detector(image)


@pytest.fixture(scope="module")
def frames(clip) -> list[Frame]:
    with open_source(clip) as source:
        return [frame for frame, _ in zip(source, range(24), strict=False)]


def follow(people, frames: list[Frame], config: Following) -> tuple[list[FrameResult], list[bool]]:
    """Return what was found, and in which frames the detector looked."""
    detector = Looks(people.detector)
    follower = Follower(detector, people.estimator, config)
    results, looked = [], []
    for frame in frames:
        detector.count = 0
        results.append(follower(frame))
        looked.append(detector.count > 0)
        assert detector.count <= 1
    return results, looked


@pytest.fixture(scope="module")
def every(people, frames) -> list[FrameResult]:
    results, looked = follow(people, frames, Following(interval=1))
    assert all(looked)
    return results


@pytest.fixture(scope="module")
def rarely(people, frames) -> tuple[list[FrameResult], list[bool]]:
    return follow(people, frames, Following(interval=99, at_least_every_s=9.0))


def people_of(results: list[FrameResult]) -> list[list[int | None]]:
    return [[pose.track_id for pose in result.poses] for result in results]


def test_every_frame_has_numbered_people_and_the_time_of_each_stage(every):
    for result, numbers in zip(every, people_of(every), strict=True):
        assert numbers == sorted(numbers)
        assert 1 in numbers
        assert set(result.timings_ms) == {"detect", "pose", "track"}
        assert all(spent > 0 for spent in result.timings_ms.values())


def test_the_detector_looks_at_every_nth_frame(people, frames):
    _, looked = follow(people, frames[:9], Following(interval=4))
    assert looked == [index % 4 == 0 for index in range(9)]


def test_the_detector_looks_often_enough_by_time(people, frames):
    slow = [replace(frame, time_s=frame.index * 0.07) for frame in frames[:9]]
    _, looked = follow(people, slow, Following(interval=99, at_least_every_s=0.21))
    assert looked == [index % 3 == 0 for index in range(9)]


def test_crops_from_poses_do_not_drift_away(every, rarely):
    results, looked = rarely
    # Followed by poses alone for most of a second, the crops still lie where the detector's would.
    assert sum(looked) <= 2
    aside, apart = [], []
    for wanted, found in zip(every[1:], results[1:], strict=True):
        a, b = (next(pose for pose in each.poses if pose.track_id == 1) for each in (wanted, found))
        # The detector's box grows wide and narrow with every step; only its middle can be held against ours.
        aside.append(float(np.hypot(*np.subtract(a.box.centre, b.box.centre))) / a.box.height)
        sure = a.scores > 0.3
        apart.append(float(np.median(np.linalg.norm(a.joints - b.joints, axis=1)[sure])) / a.box.height)
    print(f"by the person's height: boxes aside {max(aside):.3f}, joints {np.median(apart):.4f}")  # noqa: T201
    assert max(aside) < 0.12
    assert np.mean(aside[-8:]) < 0.08
    assert np.median(apart) < 0.02


def test_the_same_frames_give_the_same_results_after_a_reset(people, frames):
    follower = Follower(people.detector, people.estimator, Following(interval=3))
    first = [follower(frame) for frame in frames[:8]]
    follower.reset()
    second = [follower(frame) for frame in frames[:8]]
    for a, b in zip(first, second, strict=True):
        assert len(a.poses) == len(b.poses)
        for one, other in zip(a.poses, b.poses, strict=True):
            assert (one.track_id, one.box, one.flags) == (other.track_id, other.box, other.flags)
            assert np.array_equal(one.joints, other.joints)
            assert np.array_equal(one.scores, other.scores)


def test_the_detector_looks_at_once_where_somebody_is_lost(people, clip, frames):
    with open_source(clip) as source:
        later = [frame.image for frame, _ in zip(source, range(90), strict=False)][-1]
    # The picture behind the person, taken from when they have walked on.
    empty = frames[4].image.copy()
    empty[:, 660:] = later[:, 660:]
    gone = [*frames[:4], replace(frames[4], image=empty), replace(frames[5], image=empty)]
    results, looked = follow(people, gone, Following(interval=99, at_least_every_s=9.0))
    assert looked == [True, False, False, False, True, True]
    assert people_of(results) == [[1]] * 4 + [[]] * 2
    assert not any(result.frame.flags for result in results)


def test_a_new_scene_is_flagged_and_looked_at_at_once(people, frames):
    turned = [replace(frame, image=np.ascontiguousarray(frame.image[::-1])) for frame in frames[4:6]]
    results, looked = follow(people, [*frames[:4], *turned], Following(interval=99, at_least_every_s=9.0))
    assert [CUT in result.frame.flags for result in results] == [False] * 4 + [True, False]
    assert looked[4]
    assert frames[4].flags == ()


def test_pictures_are_looked_at_each_for_itself(people, frames):
    pictures = [replace(frame, time_s=nan) for frame in frames[:3]]
    results, looked = follow(people, pictures, Following(interval=3))
    assert all(looked)
    for picture, result in zip(pictures, results, strict=True):
        alone = people(picture)
        assert [pose.track_id for pose in result.poses] == [None] * len(alone.poses)
        assert all(np.array_equal(a.joints, b.joints) for a, b in zip(alone.poses, result.poses, strict=True))


def test_frames_of_a_video_without_times_are_followed(people, frames):
    timeless = [replace(frame, time_s=nan, flags=("no_time",)) for frame in frames[:7]]
    results, looked = follow(people, timeless, Following(interval=3))
    assert looked == [True, False, False, True, False, False, True]
    assert all(1 in numbers for numbers in people_of(results))


def test_empty_frames_have_nobody_and_no_trouble(people):
    black = [Frame(np.zeros((48, 64, 3), np.uint8), index, index / 30) for index in range(5)]
    results, looked = follow(people, black, Following(interval=2))
    assert people_of(results) == [[]] * 5
    assert looked == [True, False, True, False, True]


def test_frames_may_change_their_size(people, frames):
    halves = [replace(frame, image=np.ascontiguousarray(frame.image[::2, ::2])) for frame in frames[2:4]]
    results, _ = follow(people, [*frames[:2], *halves], Following(interval=99))
    height, width = halves[0].image.shape[:2]
    for pose in (pose for result in results[2:] for pose in result.poses):
        assert pose.box.x + pose.box.width <= width
        assert pose.box.y + pose.box.height <= height


def test_the_interval_may_be_changed_between_frames(people, frames):
    detector = Looks(people.detector)
    follower = Follower(detector, people.estimator, Following(interval=5))
    for frame in frames[:2]:
        follower(frame)
    assert detector.count == 1
    follower.detection_interval = 1
    follower(frames[2])
    assert detector.count == 2
    with pytest.raises(InputError, match="interval 0"):
        follower.detection_interval = 0
    with pytest.raises(InputError, match="interval"):
        Follower(detector, people.estimator, Following(interval=0))
