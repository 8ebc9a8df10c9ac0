from __future__ import annotations

import time
from dataclasses import fields, replace

import av
import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QMainWindow,
    QPushButton,
    QSlider,
)

from app import theme
from app.actions import ENTRIES
from app.panels.about import PARTS, AboutDialog, card_text, licences_text
from app.panels.joints import JointsTable, short_name, spread_px
from app.panels.paper import Paper
from app.panels.throttle import Throttle
from app.panels.timeline import Timeline
from app.panels.view import ViewPanel
from app.view_options import ViewOptions
from sadinet.skeletons import BODY19
from sadinet.weights import list_weights


@pytest.fixture
def panel(qtbot):
    window = QMainWindow()
    made = ViewPanel()
    window.setCentralWidget(made)
    window.resize(270, 700)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    yield made
    window.close()


def test_every_option_can_be_changed(panel):
    changed = {"threshold", "heatmap_joint"} | panel.switches.keys()

    assert changed == {each.name for each in fields(ViewOptions)}


@pytest.mark.parametrize("field", [each.name for each in fields(ViewOptions) if each.type == "bool"])
def test_a_switch_changes_its_option_by_mouse_and_by_key(panel, qtbot, field):
    before = getattr(panel.options, field)
    action = panel.switches[field]
    box = panel._boxes[field]
    with qtbot.waitSignal(panel.options_changed) as told:
        box.click()
    assert getattr(told.args[0], field) is (not before)

    key = action.shortcut().toString()
    with qtbot.waitSignal(panel.options_changed) as told:
        QTest.keyClick(panel.window(), Qt.Key[f"Key_{key}"])
    assert told.args[0] == ViewOptions()
    assert box.isChecked() is before
    assert box.toolTip().endswith(f"({key})")


def test_no_key_has_two_meanings(panel, qtbot):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    ours = [
        action.shortcut().toString()
        for action in (*panel.switches.values(), timeline.next_mark, timeline.previous_mark)
    ]
    of_window = [key for entry in ENTRIES.values() for key in entry.keys]

    assert len({*ours, *of_window}) == len(ours) + len(of_window)


def test_options_that_are_set_are_shown_and_not_told_back(panel, qtbot):
    panel.set_joints(BODY19.joints)
    wanted = ViewOptions(skeleton=False, trails=True, threshold=0.55, heatmap_joint="nose", mirror=True)
    with qtbot.assertNotEmitted(panel.options_changed):
        panel.set_options(wanted)

    assert panel.options == wanted
    assert (panel._boxes["skeleton"].isChecked(), panel._boxes["trails"].isChecked()) == (False, True)
    assert (panel._slider.value(), panel._spin.value(), panel._heatmap.currentText()) == (55, 0.55, "nose")


def test_slider_and_number_of_the_least_score_agree(panel, qtbot):
    with qtbot.waitSignal(panel.options_changed) as told:
        panel._slider.setValue(80)
    assert told.args[0].threshold == 0.8
    assert panel._spin.value() == 0.8

    with qtbot.waitSignal(panel.options_changed) as told:
        panel._spin.setValue(0.15)
    assert told.args[0].threshold == 0.15
    assert panel._slider.value() == 15


def test_a_heatmap_is_of_a_joint_that_the_model_has(panel, qtbot):
    assert not panel._heatmap.isEnabled()
    panel.set_joints(BODY19.joints)
    with qtbot.waitSignal(panel.options_changed) as told:
        panel._heatmap.setCurrentText("left knee")
    assert told.args[0].heatmap_joint == "left_knee"

    with qtbot.assertNotEmitted(panel.options_changed):
        panel.set_joints(BODY19.joints[:3])
        panel.set_joints(BODY19.joints)
    assert panel._heatmap.currentText() == "left knee"

    with qtbot.waitSignal(panel.options_changed) as told:
        panel._heatmap.setCurrentIndex(0)
    assert told.args[0].heatmap_joint is None


def test_everything_can_be_put_back_at_once(panel, qtbot):
    panel.set_options(ViewOptions(names=True, blur=True, threshold=0.9))
    with qtbot.waitSignal(panel.options_changed) as told:
        next(each for each in panel.findChildren(QPushButton) if each.text() == "Defaults").click()

    assert told.args == [ViewOptions()]
    assert not panel._boxes["blur"].isChecked()


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(panel):
    for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider):
        for control in panel.findChildren(kind):
            assert control.accessibleName(), control
            assert control.toolTip(), control.accessibleName()
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert len(panel.findChildren(QCheckBox)) == len(panel.switches)


@pytest.fixture
def table(qtbot):
    made = JointsTable()
    made.resize(290, 600)
    qtbot.addWidget(made)
    made.show()
    made._throttle._last_s = float("-inf")  # as if it had been shown for long
    return made


def cells(table, row):
    return [table.model.index(row, column).data() for column in range(table.model.columnCount())]


def test_joints_are_listed_with_their_numbers(table, pose):
    one = pose(4)
    sigmas = one.sigmas.copy()
    sigmas[0] = (3.0, 4.0)
    table.set_pose(replace(one, sigmas=sigmas))

    x, y = one.joints[0]
    assert cells(table, 0) == ["R ankle", f"{x:.1f}", f"{y:.1f}", f"{np.sqrt(12.5):.1f}", "0.90"]
    assert table.model.rowCount() == len(BODY19)
    assert table._title.text() == "Person 4, score 0.90"
    assert table.model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "right ankle"


def test_what_is_not_known_is_a_dash(table, pose):
    one = pose()
    nothing = np.full_like(one.joints, np.nan)
    table.set_pose(replace(one, joints=nothing, sigmas=nothing, scores=nothing[:, 0]))

    assert cells(table, 5)[1:] == ["–"] * 4


def test_numbers_change_at_most_ten_times_a_second_and_the_last_ones_always_come(table, pose, until):
    changes = []
    table.model.dataChanged.connect(lambda *_: changes.append(1))
    began_s = time.monotonic()
    table.set_pose(pose(1, (100, 100)))
    for step in range(50):
        table.set_pose(pose(1, (100 + step, 100)))

    nose = BODY19.index("nose")
    last = f"{float(pose(1, (149, 100)).joints[nose, 0]):.1f}"
    until(lambda: cells(table, nose)[1] == last, "the last pose", QApplication.processEvents)
    assert len(changes) <= 2 + (time.monotonic() - began_s) / 0.1


def test_nobody_empties_the_table(table, pose, until):
    table.set_pose(pose())
    table.set_pose(None)
    until(lambda: table.model.rowCount() == 0, "the empty table", QApplication.processEvents)

    assert table._title.text() == "Nobody in view"


def test_chosen_rows_are_copied_for_a_spreadsheet(table, pose):
    table.set_pose(pose())
    table.table.selectRow(2)
    QTest.keyClick(table.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)

    head, row = QApplication.clipboard().text().split("\n")
    assert head.split("\t") == ["joint", "x", "y", "±", "score"]
    assert row.split("\t")[0] == "R hip"


def test_no_head_of_a_column_is_cut_off(table, pose):
    table.set_pose(pose())
    header = table.table.horizontalHeader()

    for column in range(header.count()):
        text = table.model.headerData(column, Qt.Orientation.Horizontal)
        assert header.sectionSize(column) >= header.fontMetrics().horizontalAdvance(text) + 8


def test_names_are_short_without_losing_their_side():
    assert [short_name(each) for each in ("left_hip", "right_eye", "head_top", "neck")] == [
        "L hip", "R eye", "head top", "neck",
    ]  # fmt: skip
    assert spread_px(5.0, 5.0) == pytest.approx(5.0)


def test_a_throttle_runs_at_once_and_once_more_after_the_last_request(qtbot, qapp, until):
    runs = []
    holder = QMainWindow()
    qtbot.addWidget(holder)
    throttle = Throttle(lambda: runs.append(1), 1000, holder)
    throttle.request()
    assert runs == []  # nobody sees it

    holder.show()
    assert len(runs) == 1
    runs.clear()
    throttle._last_s = float("-inf")
    for _ in range(10):
        throttle.request()
    assert len(runs) == 1

    until(lambda: len(runs) == 2, "the last run", qapp.processEvents)
    throttle.request()
    assert throttle._timer.isActive()
    holder.hide()
    assert not throttle._timer.isActive()


@pytest.fixture
def about(qtbot):
    made = AboutDialog(list_weights())
    qtbot.addWidget(made)
    made.show()
    return made


def test_about_shows_each_models_card(about):
    assert not about.isModal()
    names = [about.names.item(row).text() for row in range(about.names.count())]
    assert {"sadinet-s", "person-yolo11n"} <= set(names)

    about.names.setCurrentRow(names.index("person-yolo11n"))
    assert "A person detector" in about.card.toPlainText()
    assert "|" not in about.card.toPlainText()  # tables are tables, not their source


def test_a_model_without_a_card_shows_what_its_manifest_says(tmp_path):
    weights = list_weights()[0]
    bare = replace(weights, path=tmp_path / "bare.json")

    assert weights.manifest.licence in card_text(bare)


def test_licences_name_everything_that_the_program_needs(pytestconfig):
    import tomllib

    project = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())["project"]
    needed = {line.partition(">")[0].partition(",")[0].strip() for line in project["dependencies"]}

    assert needed <= {part.package for part in PARTS}
    assert "AGPL-3.0-or-later" in licences_text()
    assert "not installed" not in licences_text()


def test_licences_of_ffmpeg_and_its_encoders_are_those_of_the_build_in_use():
    from av._core import library_meta

    codec = library_meta["libavcodec"]
    assert codec["license"].startswith("LGPL version 3")
    assert {"libx264", "libx265"} <= {codec.name for codec in map(av.Codec, ("libx264", "libx265"), "ww")}
    by_name = {part.name: part.licence for part in PARTS}
    assert by_name["FFmpeg"].startswith("LGPL-3.0")
    assert by_name["x264, x265"] == "GPL-2.0-or-later"


def test_tables_to_read_have_no_empty_head_and_the_colours_of_the_theme(qtbot, qapp):
    paper = Paper("| | |\n|---|---|\n| Data | COCO |\n| Licence | MIT |\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "Card")
    qtbot.addWidget(paper)
    tables = paper._tables()
    assert [table.rows() for table in tables] == [2, 2]
    for name in ("light", "dark"):
        theme.apply(qapp, theme.THEMES[name])
        qapp.processEvents()
        border = tables[0].format().toTableFormat().borderBrush().color()
        assert border.name() == theme.THEMES[name].border


def test_without_models_about_says_so(qtbot):
    made = AboutDialog(())
    qtbot.addWidget(made)

    assert made.names.count() == 0


@pytest.mark.parametrize("name", ["dark", "light"])
def test_text_stands_out_in_both_themes(name):
    made = theme.THEMES[name]

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a, b):
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for ground in (made.window, made.panel, made.raised):
        assert contrast(made.text, ground) >= 7
        assert contrast(made.muted, ground) >= 4.5
    assert contrast(made.window, made.bad) >= 4.5  # an alarm's number on its ground
    for lane in ("bad", "warn", "accent", "good"):
        assert contrast(getattr(made, lane), made.panel) >= 3
