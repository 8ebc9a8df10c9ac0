from __future__ import annotations

import multiprocessing
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QCheckBox, QWidget

from app import theme
from app.__main__ import _end
from app.actions import ENTRIES, MENUS
from app.batch_worker import BatchWorker
from app.choice import SourceChoice, SourceKind
from app.heartbeat import Heartbeat
from app.icons import DRAWINGS, icon
from app.panels.transport import clock_text
from app.settings import AppSettings
from app.state import SPEEDS, Phase, Place, Problem
from app.view_options import ViewOptions
from sadinet.errors import SourceError

ROOT = Path(__file__).parents[2]
CAMERA = SourceChoice(SourceKind.CAMERA, "one", "One")


@pytest.fixture
def window(make_window, wait):
    """A window that shows a camera with somebody in view."""
    made = make_window()
    wait(lambda: made.shown is not None and made.shown.poses, "somebody")
    return made


@pytest.fixture
def file_window(make_window, wait, clip):
    """A window with the bundled clip open as a file, standing."""
    made = make_window(SourceChoice(SourceKind.FILE, str(clip)))
    state = made.controller
    wait(lambda: made.shown is not None and state.state.are_models_ready and state.state.place.is_exact, "the file")
    made.actions_by_name["play"].trigger()
    made.controller.seek(20)
    wait(lambda: at(made, 20), "frame 20")
    return made


def at(window, frame):
    return window.shown.frame.index == frame and window.controller.state.place.frame == frame


def test_loading_the_window_loads_no_decoder_no_runtime_and_no_plots():
    code = (
        "import sys, app.main_window\n"
        "heavy = {'cv2', 'av', 'onnxruntime', 'scipy', 'torch', 'pyqtgraph', 'pyarrow'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_qt_of_opencv_does_not_come_in_the_way():
    code = (
        "import sys, cv2\n"
        "from PyQt6.QtWidgets import QApplication, QLabel\n"
        "from PyQt6.QtCore import QLibraryInfo\n"
        "app = QApplication(sys.argv[:1]); label = QLabel('x'); label.show(); app.processEvents()\n"
        "path = QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)\n"
        "sys.exit(0 if 'PyQt6' in path and label.isVisible() else path)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_live_source_is_shown_with_its_people_and_figures(window, wait):
    assert window.viewer.canvas.view is not None
    wait(lambda: "fps" in window.status.accessibleDescription(), "the figures")
    told = window.status.findChildren(QWidget)[0].text()
    assert told.startswith("made-up · ")
    assert "cpu" in told.lower()
    assert window.viewer.transport.isHidden()
    assert "Demo clip" in window.windowTitle()


def test_everything_that_can_be_done_has_a_key_and_says_so(window):
    for name, entry in ENTRIES.items():
        action = window.actions_by_name[name]
        keys = [key.toString() for key in action.shortcuts()]
        assert len(keys) == len(entry.keys) > 0, name
        assert keys[0] in action.toolTip(), name


def test_no_key_does_two_things(window):
    keys = [
        key.toString()
        for action in window.findChildren(type(window.actions_by_name["quit"]))
        for key in action.shortcuts()
    ]
    pages = [key for key in keys if key]
    own = [key.toString() for action in window.actions_by_name.values() for key in action.shortcuts()]
    view = [key.toString() for action in window.viewer.view.switches.values() for key in action.shortcuts()]
    assert len(own + view) == len(set(own + view))
    assert set(own) <= set(pages)


def test_every_control_has_a_name_for_those_who_do_not_see_it(file_window):
    controls = [each for each in file_window.findChildren(QWidget) if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
    nameless = [
        f"{type(each).__name__} in {type(each.parent()).__name__}"
        for each in controls
        if each.window() is file_window  # and not in the list that a choice unfolds
        and not each.objectName().startswith("qt_")
        and not each.accessibleName()
        and not getattr(each, "text", str)()
    ]
    assert len(controls) > 20
    assert not nameless


def test_the_keys_move_through_a_file(file_window, wait):
    window = file_window
    window.activateWindow()
    window.viewer.canvas.setFocus()
    for key, modifier, frame in (
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 21),
        (Qt.Key.Key_Period, Qt.KeyboardModifier.NoModifier, 22),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 21),
        (Qt.Key.Key_Comma, Qt.KeyboardModifier.NoModifier, 20),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, 50),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 20),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 105),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0),
    ):
        QTest.keyClick(window.viewer.canvas, key, modifier)
        wait(lambda frame=frame: at(window, frame), f"frame {frame}")
    QTest.keyClick(window.viewer.canvas, Qt.Key.Key_BracketLeft)
    assert window.controller.state.speed == 0.75
    QTest.keyClick(window.viewer.canvas, Qt.Key.Key_Backslash)
    assert window.controller.state.speed == 1.0
    QTest.keyClick(window.viewer.canvas, Qt.Key.Key_Space)
    wait(lambda: window.controller.state.place.frame > 3, "playing")


def test_space_on_a_switch_turns_the_switch_and_does_not_play(file_window, qapp):
    window = file_window
    window.activateWindow()
    box = next(each for each in window.viewer.view.findChildren(QCheckBox) if each.text() == "Boxes")
    box.setFocus()
    qapp.processEvents()
    before = box.isChecked()
    QTest.keyClick(box, Qt.Key.Key_Space)
    qapp.processEvents()
    assert box.isChecked() is not before
    assert not window.controller.state.is_playing


def test_a_click_on_the_seek_bar_shows_that_frame(file_window, wait):
    bar = file_window.viewer.transport.seek_bar
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.rect().center())
    wait(lambda: 45 <= file_window.shown.frame.index <= 60, "the middle")


def test_every_switch_of_the_view_reaches_the_picture_and_is_remembered(window, qapp):
    for name, action in window.viewer.view.switches.items():
        before = getattr(window.settings.view, name)
        action.toggle()
        qapp.processEvents()
        assert getattr(window.viewer.canvas.options, name) is not before
        assert getattr(window.remembered().view, name) is not before
        action.toggle()


def test_dark_and_light_change_everything_at_once(window, qapp):
    window.actions_by_name["light"].setChecked(True)
    qapp.processEvents()
    assert theme.current() is theme.LIGHT
    assert qapp.palette().window().color().name() == theme.LIGHT.window
    assert window.remembered().theme == "light"
    window.actions_by_name["light"].setChecked(False)
    assert theme.current() is theme.DARK


def test_what_is_remembered_comes_back(make_window, wait, tmp_path):
    settings = AppSettings(
        theme="light",
        view=ViewOptions(boxes=True, threshold=0.5),
        is_smooth=False,
        camera_size_wh=(1280, 720),
        camera_rate_hz=30.0,
        folder=str(tmp_path),
        angle_limits={"left_knee": (20.0, 100.0)},
    )
    first = make_window(settings=settings)
    first.resize(900, 650)  # no more than the screen of a test has
    first.viewer.show_angles()
    kept = first.remembered()
    assert kept.angle_limits == settings.angle_limits
    second = make_window(settings=kept)
    assert (second.width(), second.height()) == (900, 650)
    assert second.viewer.canvas.options == settings.view
    assert second.viewer.view.options == settings.view
    assert not second.actions_by_name["smooth"].isChecked()
    assert second.actions_by_name["light"].isChecked()
    assert second.viewer.sources.camera_size_wh == (1280, 720)
    assert second.remembered().source is None  # the demo clip needs no remembering


def test_a_window_whose_remembered_shape_makes_no_sense_opens_as_at_first(make_window):
    window = make_window(settings=AppSettings(geometry="zz", layout="00ff"))
    assert window.width() >= 900
    assert window.isVisible()


def test_a_dropped_file_is_opened(window, wait, clip):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(clip))])
    event = QDropEvent(
        QPointF(100, 100),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    wait(lambda: window.controller.state.is_file, "the file")
    assert not window.viewer.transport.isHidden()
    assert window.remembered().recent == (str(clip),)
    assert window.remembered().source.where == str(clip)


def test_errors_are_banners_with_remedy_and_can_be_closed(window, qapp):
    window.controller.tell(Problem("the disk is full", "free some space", "OutputError: .."))
    window.controller.tell(Problem("Recorded", "10 frames", is_error=False))
    window.tick()
    assert set(window.notices.messages) == {"the disk is full", "Recorded: 10 frames"}
    window.notices.dismissed.emit("Recorded: 10 frames")
    window.tick()
    assert window.notices.messages == ("the disk is full",)


def test_a_camera_that_fails_clears_the_picture_and_says_why(make_window, made_camera, wait):
    camera = made_camera()
    window = make_window(CAMERA, camera=camera)
    wait(lambda: window.shown is not None and window.shown.poses, "somebody")
    camera._error = SourceError("camera One did not come back", "plug it in again")
    wait(lambda: window.controller.state.phase is Phase.FAILED, "the failure")
    window.tick()
    assert window.shown is None
    assert window.viewer.canvas.view is None
    assert "camera One did not come back" in window.notices.messages


def test_recording_writes_what_is_seen_and_tells_where(window, wait, tmp_path):
    window.actions_by_name["record"].trigger()
    wait(lambda: window.desk.recorder.status.frames >= 5, "five frames")
    assert window.controller.state.is_recording
    assert re.fullmatch(r"recording: \d+ s, \d+ frames(, \d+ missing)?", window.status.text)
    window.actions_by_name["record"].trigger()
    wait(lambda: any(line.startswith("Recorded") for line in window.notices.messages), "the note")
    assert not window.controller.state.is_recording
    assert window.status.text == ""
    (folder,) = (tmp_path / "results" / "recordings").iterdir()
    assert {"video.mkv", "keypoints.csv", "timestamps.csv", "settings.json"} <= {each.name for each in folder.iterdir()}


def test_hiding_faces_while_recording_begins_another_recording_without_them(window, wait, tmp_path):
    import json

    window.actions_by_name["record"].trigger()
    wait(lambda: window.desk.recorder.status.frames >= 3, "three frames")
    window.viewer.view.switches["blur"].setChecked(True)
    wait(
        lambda: (
            window.desk.recorder.status.frames >= 3 and len(list((tmp_path / "results" / "recordings").iterdir())) == 2
        )
    )
    window.actions_by_name["record"].trigger()
    wait(lambda: not window.desk.recorder.status.is_busy, "the end")
    folders = sorted((tmp_path / "results" / "recordings").iterdir(), key=lambda each: each.stat().st_ctime)
    covered = {json.loads((each / "settings.json").read_text(encoding="utf-8"))["faces_covered"] for each in folders}
    assert covered == {False, True}


def test_a_disk_that_refuses_a_recording_is_a_banner_and_the_button_comes_up(make_window, wait, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, where a folder is needed")
    window = make_window(settings=AppSettings(folder=str(blocked)))
    wait(lambda: window.shown is not None, "a picture")
    window.actions_by_name["record"].trigger()
    wait(lambda: window.notices.messages, "the error")
    wait(lambda: not window.actions_by_name["record"].isChecked(), "the button")
    assert not window.controller.state.is_recording


def test_a_recording_ends_with_its_source(window, wait, clip):
    window.actions_by_name["record"].trigger()
    wait(lambda: window.desk.recorder.status.frames >= 3, "three frames")
    window.controller.open(SourceChoice(SourceKind.FILE, str(clip)))
    wait(lambda: not window.desk.recorder.status.is_busy, "the end")
    assert not window.controller.state.is_recording


def test_a_snapshot_gives_two_pictures_and_the_numbers(window, wait, tmp_path):
    window.actions_by_name["snapshot"].trigger()
    folder = tmp_path / "results" / "snapshots"
    wait(lambda: any(line.startswith("Snapshot saved") for line in window.notices.messages), "the note")
    assert sorted(each.suffix for each in folder.iterdir()) == [".json", ".png", ".png"]


def test_choosing_a_person_marks_it_and_lists_its_joints(window, qapp):
    window.viewer.canvas.pose_clicked.emit(1)
    window.tick()
    assert window.controller.state.selected == 1


def test_every_page_and_box_opens(window, qapp):
    for name in ("batch", "compare", "export", "viewer"):
        window.show_page(name)
        qapp.processEvents()
        assert window.side.current == name
        assert window.pages.currentWidget().isVisible()
    for name in ("performance", "about"):
        window.actions_by_name[name].trigger()
        qapp.processEvents()
    assert window.side.performance.isVisible()
    assert any(type(each).__name__ == "AboutDialog" and each.isVisible() for each in QApplication.topLevelWidgets())


def test_full_screen_shows_the_picture_alone_and_escape_brings_all_back(window, qapp):
    window.actions_by_name["full_screen"].setChecked(True)
    qapp.processEvents()
    assert window.isFullScreen()
    assert not window.header.isVisible()
    assert not window.viewer.sources.isVisible()
    window.actions_by_name["cancel"].trigger()
    qapp.processEvents()
    assert not window.isFullScreen()
    assert window.header.isVisible()
    assert window.viewer.sources.isVisible()


@pytest.mark.parametrize(
    "moment", ["at once", "while it opens", "while it shows", "while it records", "while it analyses"]
)
def test_the_window_closes_in_time_at_any_moment(make_window, made_camera, wait, moment, clip):
    camera = made_camera()
    if moment == "while it opens":
        camera.hang.set()
    is_file = moment == "while it analyses"
    window = make_window(SourceChoice(SourceKind.FILE, str(clip)) if is_file else CAMERA, camera=camera)
    if moment in ("while it shows", "while it records"):
        wait(lambda: window.shown is not None, "a picture")
    if moment == "while it records":
        window.actions_by_name["record"].trigger()
    if is_file:
        wait(lambda: window.controller.state.is_file, "the file")
        window.actions_by_name["analyse"].trigger()
    began_s = time.monotonic()
    window.close()
    assert time.monotonic() - began_s < 3.5
    assert not window.isVisible()
    camera.hang.clear()


def test_the_lateness_of_beats_is_told_by_percentiles():
    beats = Heartbeat(0.016)
    now_s = 10.0
    for number in range(1000):
        beats.beat(now_s)
        now_s += 0.016 + (0.040 if number == 500 else 0.001)
    assert beats.beats == 999
    assert beats.percentile_ms(50) == pytest.approx(1.0, abs=0.5)
    assert beats.percentile_ms(99.95) == pytest.approx(40.0, abs=0.6)
    assert beats.worst_ms == pytest.approx(40.0, abs=0.1)
    beats.rest()
    beats.beat(now_s + 100)
    assert beats.worst_ms < 50


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.000"), (61.5, "1:01.500"), (3600.0, "1:00:00.000"), (59.9996, "1:00.000"), (float("nan"), "–")],
)
def test_times_are_written_as_people_write_them(seconds, text):
    assert clock_text(seconds) == text


def test_the_transport_shows_place_speed_and_whether_the_count_is_sure(window):
    transport = window.viewer.transport
    transport.set_place(Place(5, 0.2, 100, 4.0, False))
    assert "≈" in transport.place_text
    transport.set_place(Place(5, 0.2, 100, 4.0, True))
    assert transport.place_text == "0:00.200 / 0:04.000   frame  5 / 99"
    for speed in SPEEDS:
        transport.set_speed(speed)


@pytest.mark.parametrize("name", [*theme.THEMES])
def test_text_reads_well_on_everything_it_stands_on(name):
    chosen = theme.THEMES[name]
    for text in (chosen.text, chosen.muted, chosen.good, chosen.warn, chosen.bad, chosen.accent):
        for ground in (chosen.window, chosen.panel, chosen.raised):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(chosen.on_accent, chosen.accent) >= 4.5
    assert contrast(chosen.outline, chosen.panel) >= 3


def contrast(a, b):
    """Contrast by WCAG 2."""

    def light(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(a), light(b)))
    return (high + 0.05) / (low + 0.05)


def test_sides_of_the_body_have_the_colours_of_the_library():
    from sadinet.media.draw import LEFT, MIDLINE, RIGHT

    for name, bgr in (("left", LEFT), ("right", RIGHT), ("midline", MIDLINE)):
        assert getattr(theme.DARK, name) == "#{2:02x}{1:02x}{0:02x}".format(*bgr)


def test_every_icon_can_be_drawn(qapp):
    for name in DRAWINGS:
        assert not icon(name).pixmap(24, 24).toImage().isNull()


def test_the_table_of_actions_has_no_name_twice():
    names = [entry.name for entries in MENUS.values() for entry in entries if entry is not None]
    assert len(names) == len(set(names))


@pytest.mark.slow
def test_closing_while_a_batch_works_ends_its_process_and_it_is_offered_again(make_window, wait, clip, tmp_path):
    window = make_window()
    window.show_page("batch")
    page = window.side.batch
    video = shutil.copy(clip, tmp_path / "walk.mp4")  # results go beside it
    page.add([str(video)])
    wait(page.commands.actions["start"].isEnabled, "the list")
    page.commands.actions["start"].trigger()
    wait(lambda: any(each.name == "batch" for each in multiprocessing.active_children()), "the process")
    window.on_close = lambda: _end(window)
    window.close()
    assert not window.isVisible()
    assert not page.timer.isActive()
    wait(lambda: not any(each.name == "batch" for each in multiprocessing.active_children()), "the end of the process")
    again = BatchWorker(tmp_path / "data" / "batch.json")
    assert again.note == ""
    assert [item.where for item in again.state.shown] == [str(video)]
    assert again.state.was_cut
    assert again.state.can_start
    assert again.close(30) == ()
