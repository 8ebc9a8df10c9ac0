from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication

from app import theme
from app.angle_course import HOLD_S, SECONDS, AngleCourse, angles_of, bounds_of
from app.panels.angles import AnglesPanel, _bridged
from sadinet.motion.angles import ANGLES, angles
from sadinet.results import FrameResult
from sadinet.skeletons import BODY19


def bent(pose, degrees, number=1, height=160.0):
    """Return somebody whose left knee has this angle."""
    one = pose(number, height=height)
    joints = one.joints.copy()
    hip, knee, ankle = (BODY19.index(f"left_{name}") for name in ("hip", "knee", "ankle"))
    thigh = joints[hip] - joints[knee]
    turn = math.radians(degrees)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    joints[ankle] = joints[knee] + rotation @ thigh
    return replace(one, joints=joints)


@pytest.fixture
def panel(qtbot):
    made = AnglesPanel()
    made.resize(300, 700)
    qtbot.addWidget(made)
    made.show()
    return made


def settle(panel):
    panel._throttle.now()


def test_angles_are_those_of_the_library(pose):
    one = bent(pose, 100)
    found = angles_of(one)

    expected = angles(one.joints[None], one.sigmas[None], one.skeleton)
    assert found.keys() == ANGLES.keys()
    assert found["left_knee"][0] == pytest.approx(100, abs=1e-3)
    assert found["left_knee"] == (float(expected["left_knee"][0][0]), float(expected["left_knee"][1][0]))


def test_an_angle_at_a_joint_that_is_hardly_seen_is_not_known(pose):
    one = bent(pose, 100)
    scores = one.scores.copy()
    scores[BODY19.index("left_ankle")] = 0.1

    found = angles_of(replace(one, scores=scores))

    assert math.isnan(found["left_knee"][0])
    assert math.isfinite(found["right_knee"][0])


def test_numbers_come_with_their_uncertainty(panel, pose, frame):
    one = bent(pose, 100)
    panel.add(FrameResult(frame(), (one,)))
    settle(panel)

    sigma = angles_of(one)["left_knee"][1]
    assert panel._rows["left_knee"].value.text() == f"100° ± {sigma:.0f}"
    assert panel._title.text() == "Person 1"


def test_the_person_who_was_chosen_is_shown_and_nobody_in_their_place(panel, pose, frame):
    both = (bent(pose, 100, 1), bent(pose, 50, 2))
    panel.set_person(2)
    panel.add(FrameResult(frame(0), both))
    settle(panel)
    assert panel._rows["left_knee"].value.text().startswith("50°")

    panel.add(FrameResult(frame(1), both[:1]))
    settle(panel)
    assert panel._rows["left_knee"].value.text() == "–"
    assert panel._title.text() == "Nobody in view"


def test_unasked_the_largest_is_followed_as_long_as_there(pose, frame):
    course = AngleCourse()
    course.add(FrameResult(frame(0), (bent(pose, 100, 1, 150), bent(pose, 50, 2, 100))))
    assert course.followed == 1

    course.add(FrameResult(frame(1), (bent(pose, 100, 1, 90), bent(pose, 50, 2, 200))))
    assert course.followed == 1

    course.add(FrameResult(frame(2), (bent(pose, 50, 2, 200),)))
    assert course.followed == 2
    assert len(course.course("left_knee")[0]) == 1  # the other one's angles are no part of it


def test_a_limit_alarms_at_once_and_ends_only_after_a_while(panel, pose, frame, qtbot):
    told = []
    panel.alarm.connect(lambda name, on: told.append((name, on)))
    panel.set_limits({"left_knee": (60.0, 140.0)})
    course = [100, 141, 139, 141, *[100] * 40, 59]
    for index, degrees in enumerate(course):
        panel.add(FrameResult(frame(index), (bent(pose, degrees),)))
        if told == [("left_knee", True)] and index == 3:
            settle(panel)
            row = panel._rows["left_knee"].value
            assert row.text().startswith("⚠ 141°")
            assert theme.colour("bad").name() in row.styleSheet()
            assert row.accessibleDescription() == "beyond its limit"

    assert told == [("left_knee", True), ("left_knee", False), ("left_knee", True)]


def test_the_hold_of_an_alarm_is_by_the_frames_times(pose, frame):
    course = AngleCourse()
    course.limits = {"left_knee": (0.0, 140.0)}
    course.add(FrameResult(frame(0), (bent(pose, 170),)))
    last = round(HOLD_S * 30)
    for index in range(1, last):
        assert course.add(FrameResult(frame(index), (bent(pose, 100),))) == ()
    course.add(FrameResult(frame(last + 1), (bent(pose, 100),)))

    assert course.alarms == frozenset()


def test_an_angle_that_is_not_known_does_not_alarm(pose, frame):
    course = AngleCourse()
    course.limits = dict.fromkeys(ANGLES, (100.0, 100.0))

    course.add(FrameResult(frame(), ()))

    assert course.alarms == frozenset()


def test_alarms_are_silent_unless_sound_is_wanted(panel, pose, frame, monkeypatch):
    beeps = []
    monkeypatch.setattr(QApplication, "beep", lambda: beeps.append(1))
    panel.set_limits({"left_knee": (0.0, 140.0)})
    panel.add(FrameResult(frame(0), (bent(pose, 170),)))
    assert beeps == []
    assert not panel.has_sound

    panel.set_sound(True)
    panel.set_limits({"right_knee": (0.0, 10.0)})
    panel.add(FrameResult(frame(1), (bent(pose, 100),)))
    assert beeps == [1]


def test_limits_that_are_typed_are_told_and_come_back_as_they_were(panel, qtbot):
    with qtbot.waitSignal(panel.limits_changed) as told:
        panel._rows["left_knee"].high.setValue(120)
    assert told.args == [{"left_knee": (0.0, 120.0)}]

    with qtbot.assertNotEmitted(panel.limits_changed):
        panel.set_limits({"trunk_lean": (-10.0, 180.0), "no_such_angle": (1.0, 2.0)})
    assert panel.limits == {"trunk_lean": (-10.0, 180.0)}
    assert panel._rows["left_knee"].high.text() == "–"
    assert panel._rows["trunk_lean"].low.text() == "-10"
    assert panel._rows["trunk_lean"].limits == (-10.0, 180.0)

    with qtbot.waitSignal(panel.limits_changed) as told:
        panel._rows["trunk_lean"].low.setValue(panel._rows["trunk_lean"].low.minimum())
    assert told.args == [{}]


def test_bounds_are_those_of_the_angles_definition():
    assert bounds_of("left_knee") == (0, 180)
    assert bounds_of("trunk_lean") == (-180, 180)


def test_ten_seconds_are_plotted_for_the_pair_that_is_chosen(panel, pose, frame):
    for index in range(500):
        panel.add(FrameResult(frame(index), (bent(pose, 100 + 30 * math.sin(index / 10)),)))
    settle(panel)
    x, y = panel._plot._lines["left"].getData()
    assert np.ptp(x) == pytest.approx(SECONDS, abs=0.05)
    assert (y.min(), y.max()) == pytest.approx((70, 130), abs=0.5)
    low, high = (curve.getData()[1] for curve in panel._plot._bands["left"][:2])
    assert np.allclose((low + high) / 2, y)

    panel._choice.setCurrentText("trunk lean")
    settle(panel)
    assert panel._plot._lines["left"].getData()[0] is None or not len(panel._plot._lines["left"].getData()[0])
    assert len(panel._plot._lines["midline"].getData()[0]) == len(x)


def test_limits_are_lines_in_the_plot(panel, pose, frame):
    panel.set_limits({"left_knee": (60.0, 140.0), "left_elbow": (1.0, 2.0)})
    panel.add(FrameResult(frame(), (bent(pose, 100),)))
    settle(panel)

    assert sorted(item.value() for item in panel._plot._levels if item.isVisible()) == [60, 140]


def test_a_gap_breaks_the_line_and_closes_the_band():
    times = np.arange(5.0)
    values = np.array([10, 20, np.nan, np.nan, 50.0])

    middle, spread = _bridged(times, values, np.full(5, 3.0))

    assert middle.tolist() == [10, 20, 30, 40, 50]
    assert spread.tolist() == [3, 3, 0, 0, 3]


@pytest.mark.parametrize("back_to", [0, 1000])
def test_a_leap_in_time_begins_a_new_course(pose, frame, back_to):
    course = AngleCourse()
    for index in range(100, 130):
        course.add(FrameResult(frame(index), (pose(),)))

    course.add(FrameResult(frame(back_to), (pose(),)))

    assert len(course.course("left_knee")[0]) == 1


def test_a_picture_that_is_shown_twice_counts_once(pose, frame):
    course = AngleCourse()
    for index in (5, 5, 5, 6):
        course.add(FrameResult(frame(index), (pose(),)))

    assert len(course.course("left_knee")[0]) == 2


def test_while_it_is_hidden_it_paints_nothing_but_goes_on_watching(qtbot, pose, frame):
    panel = AnglesPanel()
    qtbot.addWidget(panel)
    panel.set_limits({"left_knee": (0.0, 140.0)})
    with qtbot.waitSignal(panel.alarm):
        panel.add(FrameResult(frame(), (bent(pose, 170),)))

    assert panel._plot is None


def test_every_limit_has_a_name_of_its_own(panel):
    names = [spin.accessibleName() for row in panel._rows.values() for spin in (row.low, row.high)]

    assert len(set(names)) == 2 * len(ANGLES)
    assert "Greatest left knee" in names


def test_nothing_is_cut_off_beside_a_loud_number(panel, pose, frame):
    panel.set_limits({"left_knee": (0.0, 10.0)})
    panel.add(FrameResult(frame(), (replace(bent(pose, 177), sigmas=np.full((19, 2), 18, np.float32)),)))
    settle(panel)
    row = panel._rows["left_knee"]

    assert row.value.sizeHint().width() <= row.value.width()
    assert all(each.name.width() >= each.name.sizeHint().width() for each in panel._rows.values())
