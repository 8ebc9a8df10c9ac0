from __future__ import annotations

import math
from dataclasses import replace

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLabel, QToolButton

from app import theme
from app.panels.banner import MOST, Banner
from app.panels.performance import SECONDS, PerformancePlot
from app.panels.split_bar import SplitBar
from app.panels.status import Elided, StatusBar
from app.stages import MEANINGS, OTHER_COLOUR, STAGES, colour_of, split
from sadinet.engines.session import Runtime
from sadinet.media.live_source import SourceState
from sadinet.pipeline.live_status import LiveStatus

WHY = "onnxruntime has no CUDA here, only: CPU"
CPU = Runtime("onnxruntime", "1.20.0", "cpu", "fp32", WHY)
TIMINGS = {"pose": 14.0, "wait": 4.0, "detect": 8.0, "track": 0.5}


def status(**changes):
    made = LiveStatus(
        is_running=True, source=SourceState("connected", 0.0), source_fps=30.0, shown_fps=28.44, latency_ms=71.2,
        age_s=0.05, captured=100, dropped=12, unseen=0, timings_ms=TIMINGS, detection_interval=3, notes=(), error=None,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def bar(qtbot):
    made = StatusBar()
    made.resize(1200, 30)
    qtbot.addWidget(made)
    made.show()
    return made


def texts(widget):
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def test_what_really_runs_stands_there_with_the_reason(bar):
    bar.set_runtime(CPU, CPU)

    assert texts(bar) == ["CPU · onnxruntime 1.20.0 · fp32", f"CPU: {WHY}"]


def test_a_detector_that_runs_elsewhere_is_told(bar):
    bar.set_runtime(Runtime("torch", "2.7", "cuda", "fp16", "asked for"), CPU)

    assert texts(bar)[0] == "GPU (CUDA) · torch 2.7 · fp16"
    assert texts(bar)[1] == f"GPU (CUDA): asked for; detector on CPU: {WHY}"


def test_figures_of_a_live_source_are_shown_and_go_with_it(bar):
    bar.set_runtime(CPU, CPU)
    bar.set_live(status(), draw_ms=3.0)

    assert texts(bar)[2:] == ["28.4 of 30.0 fps", "74 ms late", "12 dropped", "detects every 3rd"]
    assert bar.accessibleDescription() == "28.4 of 30.0 fps, 74 ms late, 12 dropped"

    bar.set_live(None)
    assert len(texts(bar)) == 2


def test_the_latency_to_the_screen_counts_where_it_was_measured(bar):
    bar.set_live(status(), draw_ms=3.0, screen_ms=99.0)

    assert "99 ms late" in texts(bar)


def test_what_is_not_known_is_not_made_up(bar):
    bar.set_live(
        status(source_fps=math.nan, shown_fps=math.nan, latency_ms=math.nan, timings_ms={}, detection_interval=None)
    )

    assert texts(bar)[2:] == ["– fps", "– ms late", "12 dropped"]


@pytest.mark.parametrize(
    ("interval", "text"),
    [(1, "every frame"), (2, "every 2nd"), (11, "every 11th"), (13, "every 13th"), (21, "every 21st")],
)
def test_the_detection_interval_is_told_in_words(bar, interval, text):
    bar.set_live(status(detection_interval=interval))

    assert f"detects {text}" in texts(bar)


def test_a_text_takes_the_place_of_the_reason_until_it_goes(bar):
    bar.set_runtime(CPU, CPU)
    bar.set_text("recording to the folder")
    assert texts(bar)[1] == "recording to the folder"

    bar.set_text("")
    assert texts(bar)[1] == f"CPU: {WHY}"


def test_click_and_keys_ask_for_more(bar, qtbot):
    for ask in (
        lambda: QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(500, 10)),
        lambda: QTest.keyClick(bar, Qt.Key.Key_Return),
        lambda: QTest.keyClick(bar, Qt.Key.Key_Space),
    ):
        with qtbot.waitSignal(bar.clicked):
            ask()


def test_long_lines_are_cut_and_whole_in_the_tooltip(qtbot):
    label = Elided()
    label.resize(100, 20)
    qtbot.addWidget(label)
    label.show()
    label.setText("a reason that is much longer than there is room for it")

    assert label.text().endswith("…")
    assert label.toolTip().endswith("room for it")
    label.resize(900, 20)
    assert not label.text().endswith("…")
    assert label.toolTip() == ""


def test_stages_come_in_the_order_of_the_work_with_drawing_last():
    assert list(split(TIMINGS | {"odd": 1.0, "smooth": 0.0}, 3.0)) == ["wait", "detect", "pose", "track", "draw", "odd"]
    assert "draw" not in split(TIMINGS)
    assert STAGES.keys() == MEANINGS.keys()
    assert colour_of("odd") == OTHER_COLOUR


def test_the_bar_is_as_full_as_the_time_between_two_frames_is(qtbot):
    bar = SplitBar()
    bar.resize(bar.sizeHint())
    qtbot.addWidget(bar)

    def share(stage):
        image = bar.grab().toImage()
        hits = sum(image.pixelColor(x, 6).name() == colour_of(stage) for x in range(bar.width()))
        return hits / bar.width()

    bar.set_split({"detect": 10.0, "pose": 10.0}, 40.0)
    assert share("detect") == pytest.approx(0.25, abs=0.03)
    assert share("pose") == pytest.approx(0.25, abs=0.03)
    bar.set_split({"detect": 30.0, "pose": 30.0}, 40.0)
    assert share("pose") == pytest.approx(0.5, abs=0.03)
    assert "detect  30.0 ms" in bar.toolTip()
    assert "together  60.0 ms" in bar.accessibleDescription()


@pytest.fixture
def banner(qtbot):
    made = Banner()
    qtbot.addWidget(made)
    return made


def buttons(banner, text):
    return [each for each in banner.findChildren(QToolButton) if each.text() == text and each.parent().isVisible()]


def test_notices_stack_with_the_newest_on_top_and_go_one_by_one(banner):
    banner.show_error("first", "do this")
    banner.show_note("second")
    assert banner.messages == ("second", "first")
    assert banner.isVisible()

    banner.dismiss()
    assert banner.messages == ("first",)
    banner.dismiss()
    banner.dismiss()
    assert banner.messages == ()
    assert not banner.isVisible()


def test_what_happens_again_is_counted_and_not_stacked(banner):
    for _ in range(3):
        banner.show_error("the camera is gone", "plug it in")
    banner.show_note("the camera is gone")

    assert banner.messages == ("the camera is gone", "the camera is gone")
    assert "the camera is gone  (3 times)" in texts(banner)


def test_of_many_notices_the_oldest_go(banner):
    for number in range(MOST + 3):
        banner.show_error(f"error {number}")

    assert banner.messages == tuple(f"error {number}" for number in range(MOST + 2, 2, -1))


def test_details_unfold_and_can_be_copied_with_message_and_remedy(banner, qtbot):
    banner.show_error("it failed", "try again", "Traceback …")
    (unfold,) = buttons(banner, "Details")
    (copy,) = buttons(banner, "Copy")
    notice = copy.parent()

    assert not notice._details.isVisible()
    QTest.mouseClick(unfold, Qt.MouseButton.LeftButton)
    assert notice._details.isVisible()
    QTest.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "it failed\ntry again\nTraceback …"


def test_without_details_there_is_nothing_to_unfold(banner):
    banner.show_error("it failed")

    assert [each.isVisible() for each in banner.findChildren(QToolButton)] == [False, False, True]


def test_closing_is_told_and_works_by_keyboard(banner, qtbot):
    banner.show_error("first")
    banner.show_error("second")
    (notice, _) = banner._notices
    with qtbot.waitSignal(banner.dismissed) as told:
        QTest.keyClick(notice, Qt.Key.Key_Escape)

    assert told.args == ["second"]
    assert banner.messages == ("first",)
    with qtbot.assertNotEmitted(banner.dismissed):
        banner.remove("first")
    assert banner.messages == ()


def test_text_of_an_error_is_never_taken_for_markup(banner):
    banner.show_error("<b>weights</b> & more", "<i>x</i>")

    assert {"<b>weights</b> & more", "<i>x</i>"} <= set(texts(banner))
    assert all(
        label.textFormat() == Qt.TextFormat.PlainText for label in banner.findChildren(QLabel) if "<" in label.text()
    )


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def performance(qtbot):
    clock = Clock()
    made = PerformancePlot(clock=clock)
    qtbot.addWidget(made)
    return made, clock


def test_two_minutes_are_kept_and_no_more(performance):
    plot, clock = performance
    for number in range(2000):
        clock.now_s = number * 0.1
        plot.add(status(dropped=number))

    assert plot._samples[-1].at_s - plot._samples[0].at_s == pytest.approx(SECONDS, abs=0.5)
    assert len(plot._samples) < 650


def test_plots_are_made_when_they_are_looked_at_and_show_what_came_before(performance, qtbot):
    plot, clock = performance
    for number in range(20):
        clock.now_s = number * 0.5
        plot.add(status(dropped=3 * number), draw_ms=3.0, screen_ms=80.0)
    assert plot._plots is None

    plot.show()
    x, late = plot._plots._late.getData()
    assert x[-1] == 0
    assert x[0] == pytest.approx(-9.5)
    assert set(late) == {80.0}
    low, high = (curve.getData()[1] for curve in plot._plots._areas["draw"][:2])
    assert high - low == pytest.approx(3.0)
    assert high[0] == pytest.approx(sum(TIMINGS.values()) + 3)
    assert texts(plot)[0].startswith("Median of the last 10 s: shown 28.4 frames a second; late by 80 ms")
    assert texts(plot)[0].endswith("57 frames dropped")


def test_another_source_that_counts_anew_does_not_undo_drops(performance):
    plot, clock = performance
    for dropped in (0, 5, 5, 0, 2):
        clock.now_s += 1
        plot.add(status(dropped=dropped))
    plot.show()

    assert texts(plot)[0].endswith("7 frames dropped")


def test_plots_survive_figures_that_are_not_known_and_another_theme(performance, qapp):
    plot, clock = performance
    plot.show()
    for _ in range(3):
        clock.now_s += 1
        plot.add(status(shown_fps=math.nan, source_fps=math.nan, latency_ms=math.nan, timings_ms={}))
    try:
        theme.apply(qapp, theme.LIGHT)
        plot._throttle.now()
        assert plot._plots.rates.backgroundBrush().color() == theme.colour("panel")
    finally:
        theme.apply(qapp, theme.DARK)
    plot.clear()
    plot._throttle.now()
    assert texts(plot)[0] == "Nothing was measured yet"
