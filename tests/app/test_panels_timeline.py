from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtTest import QTest

from app.marks import LANES, columns_of, marks_of, stretches
from app.panels.course_painting import LANE_COLOURS
from app.panels.timeline import Timeline
from sadinet.motion.quality import FLAGS  # fmt: skip
from sadinet.motion.quality import Timeline as Course
from sadinet.people.scene import CUT

FRAMES = 600


def course(frames=FRAMES, nobody=(), **words):
    counts = {word: np.zeros(frames, np.int64) for word in (*FLAGS, CUT)}
    for word, places in words.items():
        counts[word][list(places)] = 1
    people = np.ones(frames, np.int64)
    people[list(nobody)] = 0
    confidence = np.where(people > 0, 0.8, np.nan)
    return Course(np.arange(frames), np.arange(frames) / 30, people, confidence, counts)


@pytest.fixture
def timeline(qtbot):
    made = Timeline()
    made.resize(800, made.sizeHint().height())
    qtbot.addWidget(made)
    made.show()
    return made


def test_every_doubt_that_the_library_tells_has_a_lane_and_so_have_scene_cuts():
    # How a joint was smoothed is no doubt of its own.
    doubts = FLAGS.keys() - {"filled", "unfiltered"}

    assert {word for words in LANES.values() for word in words} == doubts | {CUT}
    assert LANE_COLOURS.keys() == LANES.keys()


def test_neighbouring_doubtful_frames_make_one_mark_with_all_its_words():
    marks = marks_of(course(jump=[10, 11, 13, 40], swap_legs=[11, 12], swap_arms=[12]))

    found = [(mark.lane, mark.first, mark.last, mark.words) for mark in marks]
    assert found == [
        ("jump", 10, 13, ("jump",)),
        ("left/right swap", 11, 12, ("swap_legs", "swap_arms")),
        ("jump", 40, 40, ("jump",)),
    ]
    assert marks[1].text == "swap legs, swap arms: frames 11 to 12, 0.367 s"


def test_a_scene_cut_and_people_at_the_border_are_pointed_out():
    marks = marks_of(course(scene_cut=[7], cut_off=range(20, 30), low_confidence=[25]))

    assert [(mark.lane, mark.first, mark.last) for mark in marks] == [
        ("scene cut", 7, 7),
        ("cut off", 20, 29),
        ("low confidence", 25, 25),
    ]


def test_marks_bear_the_numbers_of_frames_that_do_not_begin_at_nought():
    made = course(jump=[5])
    shifted = Course(made.index + 100, made.time_s * np.nan, made.people, made.confidence, made.counts)

    (mark,) = marks_of(shifted)
    assert (mark.first, mark.text) == (105, "jump: frame 105")


@pytest.mark.parametrize(
    ("holds", "join", "expected"),
    [
        ([], 1, ()),
        ([0, 0], 1, ()),
        ([1, 0, 1, 1], 1, ((0, 0), (2, 3))),
        ([1, 0, 1, 1], 2, ((0, 3),)),
        ([1], 1, ((0, 0),)),
    ],
)
def test_stretches_are_runs_of_what_holds(holds, join, expected):
    assert stretches(np.array(holds, dtype=bool), join) == expected


def test_the_curve_keeps_the_lowest_score_of_what_falls_on_one_pixel():
    values = np.full(1000, 0.9)
    values[512] = 0.1
    values[700:800] = np.nan

    low, mean = columns_of(values, 10)

    assert low[5] == pytest.approx(0.1)
    assert mean[5] == pytest.approx((99 * 0.9 + 0.1) / 100)
    assert np.isnan(low[7])
    assert np.isnan(mean[7])


def test_a_click_chooses_the_frame_below_it(timeline, qtbot):
    timeline.set_timeline(course())
    with qtbot.waitSignal(timeline.frame_chosen) as told:
        QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(400, 20))

    assert told.args == [pytest.approx(FRAMES / 2, abs=2)]


def test_a_click_near_a_mark_chooses_its_first_frame(timeline, qtbot):
    timeline.set_timeline(course(jump=range(300, 306), id_change=[100]))
    place = next(i for i, mark in enumerate(timeline.marks) if mark.lane == "jump")
    rect = timeline._ruler.mark_rect(timeline.marks[place])
    at = QPointF(rect.right() + 4, rect.center().y()).toPoint()
    with qtbot.waitSignal(timeline.frame_chosen) as told:
        QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at)

    assert told.args == [300]
    assert "jump" in timeline.accessibleDescription()


def test_the_keyboard_goes_from_mark_to_mark_wherever_the_file_stands(timeline):
    timeline.set_timeline(course(jump=[50, 200], id_change=[120], bone_length=[200]))
    chosen = []
    timeline.frame_chosen.connect(chosen.append)
    timeline.set_position(100)

    timeline.next_mark.trigger()
    timeline.next_mark.trigger()
    timeline.next_mark.trigger()  # two marks at one frame are two stops
    timeline.next_mark.trigger()  # and after the last one it stays
    assert chosen == [120, 200, 200, 200]
    assert timeline.accessibleDescription().startswith("mark 4 of 4: bone length")

    QTest.keyClick(timeline, Qt.Key.Key_PageUp)
    QTest.keyClick(timeline, Qt.Key.Key_PageUp)
    timeline.set_position(10)
    timeline.previous_mark.trigger()
    assert chosen[4:] == [200, 120, 50]


def test_tooltips_tell_frame_time_and_what_is_there(timeline):
    timeline.set_timeline(course(nobody=range(290, 310), jump=[100]))

    assert timeline._tip(QPointF(400, 10)).endswith("nobody in view")
    assert timeline._tip(QPointF(700, 10)).startswith("frame 53")
    assert "mean score 0.80" in timeline._tip(QPointF(700, 10))
    assert timeline._tip(timeline._ruler.mark_rect(timeline.marks[0]).center()) == "jump: frame 100, 3.333 s"


def test_frames_with_nobody_look_different(timeline):
    timeline.set_timeline(course(nobody=range(200, 400)))
    image = timeline.grab().toImage()

    def shades(left, right):
        return {image.pixelColor(x, 40).rgb() for x in range(left, right)}

    assert len(shades(390, 410)) > 1
    assert len(shades(600, 620)) == 1


def test_marks_have_the_colour_of_their_lane(timeline):
    timeline.set_timeline(course(id_change=[300]))
    before = timeline.grab().toImage()
    timeline.set_timeline(course())
    after = timeline.grab().toImage()

    x, y = 400, round(timeline._ruler.lane_top(0)) + 6
    assert before.pixelColor(x, y) != after.pixelColor(x, y)


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_very_short_files_have_a_timeline_too(timeline, frames):
    timeline.set_timeline(course(frames))
    timeline.set_position(7)
    timeline.grab()
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(700, 20))

    assert not timeline.next_mark.isEnabled()


def test_pictures_without_times_are_told_by_number(timeline):
    made = course()
    timeline.set_timeline(Course(made.index, made.time_s * np.nan, made.people, made.confidence, made.counts))
    timeline.grab()

    assert timeline._tip(QPointF(400, 10)).startswith(("frame 299\n", "frame 300\n"))
    assert timeline._time_text(20) == "#20"


def test_times_are_rounded_before_they_are_cut_into_minutes(timeline):
    made = course()
    timeline.set_timeline(made, np.full(FRAMES, 59.97))

    assert timeline._time_text(0) == "1:00.0"


def test_without_an_analysis_nothing_can_be_chosen(timeline, qtbot):
    timeline.set_timeline(course(jump=[3]))
    timeline.set_timeline(None)

    with qtbot.assertNotEmitted(timeline.frame_chosen):
        QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(400, 20))
        timeline.go_to_mark(1)
    assert timeline.accessibleDescription() == "not analysed"


def test_an_hour_of_video_is_painted_without_delay(timeline):
    import time

    rng = np.random.default_rng(0)
    words = {word: rng.integers(0, 108_000, 300) for word in ("jump", "bone_length", "swap_legs", "id_change")}
    timeline.set_timeline(course(108_000, **words))
    timeline.grab()
    spent_s = []
    for place in (5000, 6000, 7000, 8000, 9000):
        began_s = time.thread_time()
        timeline.set_position(place)
        timeline.grab()
        spent_s.append(time.thread_time() - began_s)
    # Other programs that share the caches can only make it slower.
    assert min(spent_s) < 0.05
