"""What the tracking scripts measure: made-up people, switches of numbers, and what a detection interval costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))


def test_switches_and_idf1_of_numbers_that_are_known():
    from made_up_people import NOBODY
    from measure_tracking import score

    who = [(0, 1), (1, 0), (0, 1), (1, 0)]
    assert score(who, [(1, 2), (2, 1), (1, 2), (2, 1)]).switches == 0
    assert score(who, [(1, 2), (2, 1), (1, 2), (2, 1)]).idf1 == 100
    # Both exchange their numbers half-way: two switches, and half of the rows are another person's.
    exchanged = score(who, [(1, 2), (2, 1), (2, 1), (1, 2)])
    assert (exchanged.switches, exchanged.idf1) == (2, 50)
    # A number for nobody and a row without a number cost precision and recall.
    assert score([(0, NOBODY)], [(1, 2)]).idf1 == pytest.approx(200 / 3)
    assert score([(0,), (0,)], [(1,), (None,)]).idf1 == pytest.approx(200 / 3)
    assert score([(0,), (0,)], [(1,), (None,)]).switches == 0


@pytest.mark.parametrize("situation", ["cross", "leave", "hide"])
def test_made_up_scenes_show_what_their_names_say(situation):
    from made_up_people import SITUATIONS, play

    scene = SITUATIONS[situation](0)
    seen = list(play(scene))
    both = np.array([{0, 1} <= set(each.who) for each in seen])
    first_x, second_x = (person.x for person in scene.people)
    sides = np.sign(first_x - second_x)
    # They begin in full sight of each other, lose it for a while, and have it again.
    assert both[:20].mean() > 0.8
    assert both[-10:].mean() > 0.5
    longest = max(len(stretch) for stretch in "".join("01"[int(sight)] for sight in both).split("1"))
    assert longest / scene.fps > (0.05 if situation == "cross" else 0.6)
    assert (sides[0] != sides[-1]) == (situation == "cross") or situation == "hide"
    assert all(pose.joints.shape == (19, 2) for each in seen for pose in each.poses)


def test_the_same_scene_is_the_same_again():
    from made_up_people import crossing, play

    for one, other, _ in zip(play(crossing(4)), play(crossing(4)), range(3), strict=False):
        assert np.array_equal(one.frame.image, other.frame.image)
        assert one.who == other.who
        assert all(np.array_equal(a.joints, b.joints) for a, b in zip(one.poses, other.poses, strict=True))


def test_the_table_has_every_tracker_and_every_kind_of_scene(monkeypatch, capsys):
    import made_up_people
    import measure_tracking

    monkeypatch.setattr(measure_tracking, "LIBRARY", ())
    monkeypatch.setattr(
        measure_tracking, "scenes", lambda seed: {"leave, 10 fps": made_up_people.leaving(seed, fps=10)}
    )
    assert measure_tracking.main(["--seeds", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("switched numbers in 2 scenes")
    assert [line.split("|")[1].strip() for line in lines[4:]] == ["ours", "ours, without colour"]
    assert lines[4].split("|")[2].strip().startswith("0 (9")


def test_figures_of_a_video_count_brief_numbers_and_jumps():
    from measure_tracking import figures_of

    from sadinet.geometry import Box
    from sadinet.results import Frame, Pose
    from sadinet.skeletons import LSP14

    joints = np.zeros((14, 2), np.float32)

    def at(x: float) -> Pose:
        return Pose(joints, joints[:, 0], joints, Box(x, 0, 10, 20), LSP14)

    image = np.zeros((4, 4, 3), np.uint8)
    seen = [(Frame(image, index, index * 0.2), [at(0), at(100 + 300 * (index == 2))]) for index in range(4)]
    assert figures_of(seen, [(1, 2), (1, 2), (1, 2), (1, None)]) == (2, 1, 8, 1, 1)


def test_intervals_are_held_against_the_first(clip, capsys):
    from measure_interval import main

    assert main([str(clip), "--frames", "31", "--intervals", "1,3"]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("|")][2:]
    first, third = ([cell.strip() for cell in row] for row in rows)
    assert first[:2] == ["1", "100%"]
    assert first[4:9] == ["100.0%", "100.0%", "0.0%", "0.0%", "0.0%"]
    assert third[:2] == ["3", "35%"]
    assert float(third[4].rstrip("%")) > 90
    assert float(third[3]) > 1


def test_a_video_that_is_not_there_is_one_line(tmp_path, capsys):
    from measure_interval import main

    assert main([str(tmp_path / "none.mp4")]) == 1
    assert capsys.readouterr().err.startswith("measure_interval: ")
