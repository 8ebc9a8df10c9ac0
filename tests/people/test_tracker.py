"""Numbers that stay: on made-up people of whom it is known who is who, and on single poses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.geometry import Box
from sadinet.people.tracker import REFOUND, UNCERTAIN, Tracker, Tracking
from sadinet.results import Pose
from sadinet.skeletons import BODY19

SCRIPTS = Path(__file__).parents[2] / "scripts"
IMAGE = np.full((270, 480, 3), 128, np.uint8)


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))


def standing(x: float, y: float = 250, height: float = 150, seed: int = 0, score: float = 0.7) -> Pose:
    """A person with feet at (x, y), still but for half a pixel of noise."""
    from made_up_people import Walker, joints_of

    walker = Walker(np.full(3, x), y, height, (0, 0, 200), (200, 0, 0), 0.0)
    joints = joints_of(walker, 1, 30) + np.random.default_rng(seed).normal(0, 0.5, (len(BODY19), 2))
    low, high = joints.min(axis=0) - 8, joints.max(axis=0) + 8
    box = Box(*(float(value) for value in (*low, *(high - low))), 0.9)
    scores = np.full(len(BODY19), score, np.float32)
    return Pose(joints.astype(np.float32), scores, np.ones((len(BODY19), 2), np.float32), box, BODY19)


def track(tracker: Tracker, *frames: tuple[float, list[Pose]]) -> list[list[int | None]]:
    return [[pose.track_id for pose in tracker.update(poses, time_s)] for time_s, poses in frames]


def numbers_of(scene, config: Tracking | None = None):
    from made_up_people import play

    tracker = Tracker(config)
    for seen in play(scene):
        poses = tracker.update(seen.poses, seen.frame.time_s, seen.frame.image)
        assert len(poses) == len(seen.poses)
        yield seen.who, tuple(pose.track_id for pose in poses)


@pytest.mark.parametrize("situation", ["cross", "leave", "hide"])
def test_nobody_changes_numbers_in_crossings_absences_and_hiding(situation):
    from made_up_people import SITUATIONS
    from measure_tracking import score

    for seed in range(4):
        found = list(numbers_of(SITUATIONS[situation](seed)))
        result = score([who for who, _ in found], [numbers for _, numbers in found])
        print(f"{situation}, seed {seed}: {result.switches} switches, IDF1 {result.idf1:.1f}%")  # noqa: T201
        assert result.switches == 0
        # Detections of nobody have numbers too, so that it cannot be 100.
        assert result.idf1 > 97


@pytest.mark.parametrize("use_colour", [True, False])
def test_only_colours_tell_that_another_person_comes_in(use_colour):
    from made_up_people import replacing

    numbers: dict[int, set[int | None]] = {}
    for who, given in numbers_of(replacing(1), Tracking(use_colour=use_colour)):
        for person, number in zip(who, given, strict=True):
            numbers.setdefault(person, set()).add(number)
    assert len(numbers[0]) == len(numbers[1]) == len(numbers[2]) == 1
    assert (numbers[1] == numbers[2]) is not use_colour


def test_numbers_do_not_depend_on_the_order_of_the_detections():
    from made_up_people import crossing, play

    forward, backward = Tracker(), Tracker()
    for seen in list(play(crossing(3)))[:90]:
        there = forward.update(seen.poses, seen.frame.time_s, seen.frame.image)
        back = backward.update(seen.poses[::-1], seen.frame.time_s, seen.frame.image)
        assert [(p.track_id, p.flags) for p in there] == [(p.track_id, p.flags) for p in back[::-1]]


def test_numbers_count_from_one_from_left_to_right_and_then_by_appearance():
    people = [standing(300), standing(100), standing(200)]
    tracker = Tracker()
    assert track(tracker, (0.0, people), (0.04, [*people, standing(30)])) == [[3, 1, 2], [3, 1, 2, 4]]
    tracker.reset()
    assert track(tracker, (0.0, people[:1])) == [[1]]


@pytest.mark.parametrize("fps", [5, 60])
@pytest.mark.parametrize(("away_s", "is_same"), [(0.25, True), (2.5, True), (3.5, False)])
def test_memory_lasts_by_time_not_by_frames(fps, away_s, is_same):
    tracker = Tracker(Tracking(memory_s=3.0))
    for index in range(2 * fps):
        tracker.update([standing(100, seed=index)], index / fps)
    last_s = (2 * fps - 1) / fps
    for index in range(1, int(away_s * fps)):
        assert tracker.update([], last_s + index / fps) == ()
    (back,) = tracker.update([standing(110)], last_s + away_s)
    assert (back.track_id == 1) is is_same
    assert (REFOUND in back.flags) is (is_same and away_s > 0.3)


def test_a_detection_of_one_frame_has_a_number_but_is_soon_forgotten():
    tracker = Tracker()
    steady = [(index / 30, [standing(100, seed=index)]) for index in range(60)]
    steady[10][1].append(standing(400))
    steady[40][1].append(standing(400))
    given = track(tracker, *steady)
    assert given[10] == [1, 2]
    assert given[40] == [1, 3]
    assert [numbers for numbers in given if len(numbers) == 1] == [[1]] * 58


def test_a_number_that_could_have_been_another_is_flagged():
    tracker = Tracker()
    for index in range(10):
        apart = tracker.update([standing(100, seed=index), standing(300, seed=50 + index)], index / 30)
    assert all(pose.flags == () for pose in apart)
    between = tracker.update([standing(200)], 9 / 30 + 0.8)
    assert UNCERTAIN in between[0].flags


def test_weak_poses_continue_a_person_but_bring_nobody_back():
    tracker = Tracker()
    track(tracker, *((index / 30, [standing(100, seed=index)]) for index in range(10)))
    assert track(tracker, (0.4, [standing(100, score=0.1)])) == [[1]]
    assert track(tracker, (1.4, [standing(100, score=0.1)])) == [[2]]


def test_after_a_cut_only_those_stay_who_lie_where_they_were():
    for moved, expected in ((0.0, [1]), (60.0, [2])):
        tracker = Tracker()
        track(tracker, *((index / 30, [standing(100, seed=index)]) for index in range(10)))
        (pose,) = tracker.update([standing(100 + moved)], 0.4, is_cut=True)
        assert [pose.track_id] == expected
    tracker = Tracker()
    track(tracker, (0.0, [standing(100)]))
    tracker.update([], 0.1, is_cut=True)
    assert tracker.tracks == ()


def test_poses_keep_their_order_and_all_else_that_they_hold():
    people = [replace(standing(300), flags=("jump",)), standing(100)]
    numbered = Tracker().update(people, 0.0, IMAGE)
    for before, after in zip(people, numbered, strict=True):
        assert (after.box, after.flags) == (before.box, before.flags)
        assert after.joints is before.joints


def test_joints_that_are_not_known_do_not_disturb():
    joints = standing(100).joints.copy()
    joints[3:7] = np.nan
    scores = np.full(len(BODY19), 0.6, np.float32)
    scores[3:7] = np.nan
    torn = replace(standing(100), joints=joints, scores=scores)
    blank = replace(torn, joints=np.full_like(joints, np.nan), scores=np.full_like(scores, np.nan))
    tracker = Tracker()
    given = [tracker.update([pose], index / 30, IMAGE)[0].track_id for index, pose in enumerate([torn, blank, torn])]
    assert given == [1, 1, 1]


@pytest.mark.parametrize("time_s", [0.5, 0.2, float("nan")])
def test_time_has_to_go_forward(time_s):
    tracker = Tracker()
    tracker.update([], 0.5)
    with pytest.raises(InputError, match="order"):
        tracker.update([], time_s)
