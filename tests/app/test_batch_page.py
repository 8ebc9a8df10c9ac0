"""The batch page: what it shows, what it allows, and what it asks of the queue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QAbstractButton, QWidget

from app import theme
from app.batch_state import BatchOptions, BatchPhase, BatchState, Fault, Item, ItemState
from app.batch_worker import BatchWorker
from app.pages.batch import RESULTS, BatchPage

DONE = Item("/v/a.mp4", ItemState.DONE, done=100, frames=100, people=2, outputs=("a.csv", "a.html"), page="a.html")
FAILED = Item("/v/b.mp4", ItemState.FAILED, notes=("no such file: /v/b.mp4 (check the name and the folder)",))
RUNNING = Item("/v/c.mp4", ItemState.RUNNING, "poses", 30, 120)
WAITING = Item("/v/d.mp4", frames=1200)


@pytest.fixture
def worker():
    worker = BatchWorker()
    yield worker
    assert worker.close() == ()


@pytest.fixture
def page(qtbot, qapp, worker):
    theme.apply(qapp, theme.DARK)
    page = BatchPage(worker)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    yield page
    page.timer.stop()


@pytest.fixture
def show(page, worker):
    def show(*items: Item, **more) -> None:
        options = more.pop("options", BatchOptions(folder="/out"))
        worker._state = BatchState(items, options, **more)
        page.refresh()

    return show


def cells(page: BatchPage, row: int) -> list[str]:
    model = page._model
    return [model.data(model.index(row, column)) for column in range(model.columnCount())]


def enabled(page: BatchPage) -> set[str]:
    return {name for name, action in page._actions.items() if action.isEnabled()}


def test_every_item_is_told_in_its_row(page, show):
    show(DONE, FAILED, RUNNING, WAITING, replace(DONE, where="/v/gone.mp4", is_removed=True))
    assert page._model.rowCount() == 4
    assert cells(page, 0) == ["a.mp4", "done", "", "100", "2", "a.csv, a.html"]
    assert cells(page, 1) == ["b.mp4", "failed", "", "", "", FAILED.notes[0]]
    assert cells(page, 2) == ["c.mp4", "finding people", "", "30 / 120", "", ""]
    assert cells(page, 3) == ["d.mp4", "waiting", "", "1,200", "", ""]
    bar = page._model.index(2, 2)
    assert page._model.data(bar, Qt.ItemDataRole.AccessibleTextRole) == "25%"
    assert page._model.data(page._model.index(0, 0), Qt.ItemDataRole.ToolTipRole) == "/v/a.mp4"
    assert page._bar.maximum() == 1420
    assert page._bar.value() == 130
    assert not page.grab().isNull()


def test_a_row_that_moves_on_keeps_the_selection(page, show):
    show(DONE, RUNNING, phase=BatchPhase.RUNNING)
    page._table.selectRow(1)
    show(DONE, replace(RUNNING, done=60), phase=BatchPhase.RUNNING)
    assert [item.done for item in page.selected] == [60]


def test_what_is_allowed_depends_on_what_goes_on(page, show):
    show()
    assert enabled(page) == {"add_files", "add_folder", "folder"}
    show(WAITING, options=BatchOptions())
    assert "start" not in enabled(page)
    show(WAITING)
    assert {"start", "check"} <= enabled(page)
    assert page._actions["start"].text() == "&Start"
    show(DONE, WAITING, was_cut=True)
    assert page._actions["start"].text() == "&Resume"
    assert "cut off" in page._lines.toPlainText()
    show(DONE, RUNNING, phase=BatchPhase.RUNNING)
    assert {"pause", "cancel"} <= enabled(page)
    assert not {"start", "check"} & enabled(page)
    assert not page.options.isEnabled()
    show(DONE, RUNNING, phase=BatchPhase.PAUSED)
    assert page._actions["pause"].text() == "Go &on"
    show(DONE, RUNNING, phase=BatchPhase.STOPPING)
    assert not {"pause", "cancel", "start"} & enabled(page)


def test_commands_reach_the_queue(page, show, worker, monkeypatch):
    asked = []
    for name in ("check", "start", "pause", "resume", "cancel"):
        monkeypatch.setattr(worker, name, lambda name=name: asked.append(name))
    monkeypatch.setattr(worker, "remove", lambda wheres: asked.append(tuple(wheres)))
    show(DONE, WAITING)
    page._actions["pause"].setEnabled(True)
    page._actions["pause"].trigger()
    show(DONE, WAITING, phase=BatchPhase.PAUSED)
    page._actions["pause"].trigger()
    show(DONE, WAITING)
    page._table.selectRow(1)
    page._actions["remove"].trigger()
    page._actions["clear"].trigger()
    assert asked == ["pause", "resume", ("/v/d.mp4",), ("/v/a.mp4",)]


def test_keys_work_on_the_page(qtbot, page, show, worker, monkeypatch):
    asked = []
    monkeypatch.setattr(worker, "remove", lambda wheres: asked.append(tuple(wheres)))
    show(DONE, WAITING)
    page._table.selectRow(0)
    page._table.setFocus()
    qtbot.keyClick(page._table, Qt.Key.Key_Delete)
    assert asked == [("/v/a.mp4",)]


def test_options_go_to_the_queue(qtbot, page, worker):
    page.options._formats["trc"].click()
    page.options._overlay.click()
    page.options._folder.setText("/some/where")
    page.options._folder.editingFinished.emit()
    page.options._scale.setValue(0.0025)
    page.options._jobs.setValue(2)
    expected = BatchOptions(
        "/some/where", ("csv", "trc"), True, True, False, 0.0025, page.options._jobs.maximum() and 2
    )
    assert worker.state.options == replace(expected, jobs=page.options._jobs.value())
    models = page.options._models
    models.setCurrentIndex(models.findText("sadinet-t"))
    models.activated.emit(models.currentIndex())
    assert worker.state.options.weights == "sadinet-t"
    page.options._formats["trc"].click()
    page.options._formats["csv"].click()
    assert worker.state.options.formats == ("csv",), "without a table there is nothing to go on from"
    assert page.options._formats["csv"].isChecked()


def test_what_is_dropped_goes_on_the_list(qtbot, page, worker, tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"no video")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "v.mp4")), QUrl("https://example.org/a.mp4")])
    where, buttons = QPointF(50, 50), (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(where.toPoint(), Qt.DropAction.CopyAction, data, *buttons)
    page.dragEnterEvent(enter)
    assert enter.isAccepted()
    page.dropEvent(QDropEvent(where, Qt.DropAction.CopyAction, data, *buttons))
    qtbot.waitUntil(lambda: bool(worker.state.items) and bool(worker.state.items[0].notes), timeout=60_000)
    (item,) = worker.state.items
    assert item.where == str(tmp_path / "v.mp4")
    assert "damaged" in item.notes[0]
    assert worker.state.options.folder == str(tmp_path / RESULTS)


def test_a_fault_is_told_once_and_stays_readable(qtbot, page, show):
    told = []
    page.failed.connect(lambda *words: told.append(words))
    fault = Fault("the disk is full", "free some space", "details")
    show(WAITING, fault=fault)
    show(WAITING, RUNNING, fault=fault)
    assert told == [("the disk is full", "free some space", "details")]
    assert "the disk is full (free some space)" in page._lines.toPlainText()


def test_pages_and_folders_are_opened_by_the_system(page, show, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    show(DONE, WAITING, report="/out/sadinet-report.html")
    page._table.selectRow(0)
    for name in ("page", "folder", "report"):
        page._actions[name].trigger()
    assert [Path(path) for path in opened] == [Path("/out/a.html"), Path("/out"), Path("/out/sadinet-report.html")]


def test_hidden_and_idle_it_rests(page, show):
    assert page.timer.isActive()
    page.hide()
    assert not page.timer.isActive()
    show(RUNNING, phase=BatchPhase.RUNNING)
    assert page.timer.isActive(), "somebody must hear the process"


def test_everything_has_a_name_and_its_keys(page):
    for button in page.findChildren(QAbstractButton):
        if button.isVisibleTo(page) and button.text():
            assert button.accessibleName() or button.text()
    assert all("(" in action.toolTip() for action in page._actions.values())
    assert all(widget.accessibleName() for widget in (page, page._table, page._bar, page.options))
    assert all(widget.toolTip() for widget in page.options.findChildren(QWidget) if isinstance(widget, QAbstractButton))


def test_a_reason_does_not_begin_with_the_path_that_its_row_is_of(page, show):
    cut = Item("/a/very/long/way/e.mp4", ItemState.FAILED, notes=("/a/very/long/way/e.mp4 has no frames (copy again)",))
    show(cut)
    model = page._model
    index = model.index(0, len(cells(page, 0)) - 1)
    assert model.data(index) == "has no frames (copy again)"
    assert model.data(index, Qt.ItemDataRole.ToolTipRole) == cut.notes[0]
