"""Chunks joined: the numbers of a video tracked in one go."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sadinet.errors import InputError
from sadinet.geometry import Box
from sadinet.people.tracker import REFOUND, Tracker
from sadinet.pipeline.joining import Joiner
from sadinet.recording import Recording, concatenate, record
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import BODY19

SCRIPTS = Path(__file__).parents[2] / "scripts"
IMAGE = np.zeros((270, 480, 3), np.uint8)
FRAMES = 60
FPS = 10.0
SHAPE = np.random.default_rng(7).random((len(BODY19), 2)) * (40, 100)


def person(lane: int, index: int) -> Pose:
    """Somebody who sways in a lane of their own."""
    middle = 60 + 110 * lane + 8 * np.sin(0.15 * index + lane)
    joints = SHAPE + np.array([middle, 60 + 3 * lane])
    box = Box(float(middle - 5), 50.0, 50.0, 120.0 + lane, 0.9)
    ones = np.full((len(BODY19), 2), 1.0, np.float32)
    return Pose(joints.astype(np.float32), ones[:, 0] * 0.7, ones, box, BODY19)


def frames(stays: dict[int, list[tuple[int, int]]]) -> list[FrameResult]:
    """Frames with the people of those lanes whose stays, first and last frame, they are in."""
    return [
        FrameResult(
            Frame(IMAGE, index, index / FPS),
            tuple(person(lane, index) for lane, spans in stays.items() if any(a <= index <= b for a, b in spans)),
        )
        for index in range(FRAMES)
    ]


def tracked(results: list[FrameResult]) -> Recording:
    tracker = Tracker()
    found = [replace(each, poses=tracker.update(each.poses, each.frame.time_s)) for each in results]
    return record(found, BODY19)


def joined(results: list[FrameResult], size: int) -> Recording:
    joiner = Joiner()
    parts = []
    for first in range(0, len(results), size):
        is_last = first + size >= len(results)
        parts.append(joiner.add(tracked(results[first : first + size + 1]), is_last=is_last))
    return concatenate(parts)


@st.composite
def visits(draw: st.DrawFn) -> dict[int, list[tuple[int, int]]]:
    """Up to four people, who may be away once: for less than the memory, or for much longer."""
    found: dict[int, list[tuple[int, int]]] = {}
    for lane in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, 10))
        leaves = draw(st.integers(start + 5, 40))
        away = draw(st.sampled_from([3, 8, 15, 60]))
        found[lane] = [(start, leaves), (leaves + away, FRAMES)]
    return found


@settings(max_examples=20, deadline=None)
@given(visits(), st.integers(1, FRAMES + 5))
def test_chunks_of_any_size_give_the_numbers_of_one_go(stays, size):
    results = frames(stays)
    whole, parts = tracked(results), joined(results, size)
    assert parts.index.tolist() == whole.index.tolist()
    assert parts.row_frame.tolist() == whole.row_frame.tolist()
    assert parts.track_ids.tolist() == whole.track_ids.tolist()


@pytest.mark.parametrize("size", [13, 40])
@pytest.mark.parametrize("situation", ["cross", "leave", "hide"])
def test_made_up_people_keep_their_numbers_over_chunks(situation, size, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from made_up_people import SITUATIONS, play
    from measure_tracking import score

    scene = replace(SITUATIONS[situation](2), missed=0.0, false=0.0)
    seen = list(play(scene))
    parts, joiner = [], Joiner()
    for first in range(0, len(seen), size):
        tracker, results = Tracker(), []
        for each in seen[first : first + size + 1]:
            poses = tracker.update(each.poses, each.frame.time_s, each.frame.image)
            results.append(FrameResult(each.frame, poses))
        parts.append(joiner.add(record(results, BODY19), is_last=first + size >= len(seen)))
    whole = concatenate(parts)
    numbers = [tuple(whole.track_ids[whole.rows_of_frame(place)].tolist()) for place in range(whole.frames)]
    result = score([each.who for each in seen], numbers)
    print(f"{situation}, chunks of {size}: {result.switches} switches, IDF1 {result.idf1:.1f}%")  # noqa: T201
    assert result.switches == 0


def test_the_shared_frame_is_the_next_chunks():
    results = frames({0: [(0, FRAMES)]})
    joiner = Joiner()
    first = joiner.add(tracked(results[:21]))
    second = joiner.add(tracked(results[20:31]), is_last=True)
    assert first.index.tolist() == list(range(20))
    assert second.index.tolist() == list(range(20, 31))


def test_who_comes_back_after_the_boundary_is_flagged():
    results = frames({0: [(0, 15), (25, FRAMES)]})
    joiner = Joiner()
    joiner.add(tracked(results[:21]))
    second = joiner.add(tracked(results[20:]), is_last=True)
    assert set(second.track_ids.tolist()) == {1}
    assert [REFOUND in words for words in second.flags] == [True] + [False] * (second.rows - 1)


def test_two_who_stand_apart_are_two():
    results = frames({0: [(0, 15)], 2: [(25, FRAMES)]})
    assert sorted(set(joined(results, 20).track_ids.tolist())) == [1, 2]


def test_numbers_do_not_depend_on_those_within_the_chunk():
    results = frames({0: [(0, FRAMES)], 1: [(5, FRAMES)]})
    other = Joiner()
    first = tracked(results[:21])
    other.add(replace(first, track_ids=first.track_ids + 70))
    second = tracked(results[20:])
    turned = other.add(replace(second, track_ids=5 - second.track_ids), is_last=True)
    assert turned.track_ids.tolist() == joined(results, 20).track_ids.tolist()[first.rows - 2 :]


def test_flags_of_the_shared_frame_come_from_both_chunks():
    results = frames({0: [(0, FRAMES)]})
    results[20] = replace(results[20], frame=replace(results[20].frame, flags=("scene_cut",)))
    joiner = Joiner()
    joiner.add(tracked(results[:21]))
    results[20] = replace(results[20], frame=replace(results[20].frame, flags=("damaged",)))
    second = joiner.add(tracked(results[20:]), is_last=True)
    assert second.frame_flags[0] == ("damaged", "scene_cut")
    assert set(second.frame_flags[1:]) == {()}


def test_video_without_times_is_joined_all_the_same():
    results = [
        replace(each, frame=replace(each.frame, time_s=nan, flags=("no_time",)))
        for each in frames({0: [(0, FRAMES)], 1: [(0, FRAMES)]})
    ]
    joiner = Joiner()
    parts = []
    for first in (0, 20, 40):
        tracker = Tracker()
        chunk = [
            replace(each, poses=tracker.update(each.poses, place / FPS))
            for place, each in enumerate(results[first : first + 21])
        ]
        parts.append(joiner.add(record(chunk, BODY19), is_last=first == 40))
    assert concatenate(parts).track_ids.tolist() == [1, 2] * FRAMES


def test_pictures_keep_their_own_numbers():
    pictures = [replace(each, frame=replace(each.frame, time_s=nan)) for each in frames({0: [(0, 9)], 1: [(0, 9)]})]
    chunk = record(pictures[:5], BODY19)
    assert Joiner().add(chunk, is_last=True).track_ids.tolist() == chunk.track_ids.tolist()


def test_chunks_without_people_or_without_a_match_are_no_trouble():
    results = frames({0: [(0, 5)]})
    assert joined(results, 7).track_ids.tolist() == [1] * 6
    assert joined(frames({}), 20).rows == 0


def test_what_is_remembered_does_not_grow():
    joiner = Joiner()
    for round_ in range(30):
        # Each chunk has somebody of its own, far from the others.
        results = [
            FrameResult(Frame(IMAGE, 20 * round_ + place, 2.0 * round_ + place / FPS), poses)
            for place, poses in enumerate([(person(round_ * 5, place),) if place < 20 else () for place in range(21)])
        ]
        joiner.add(tracked(results))
        assert len(joiner._tracks) <= 3
    assert max(joiner._tracks) == 30


def test_chunks_out_of_order_are_refused():
    results = frames({0: [(0, FRAMES)]})
    joiner = Joiner()
    joiner.add(tracked(results[:21]))
    with pytest.raises(InputError, match="begins with frame 40, the one before ended with frame 20"):
        joiner.add(tracked(results[40:]))
    with pytest.raises(InputError, match="no frame"):
        Joiner().add(record([], BODY19))
