"""The batch page: a list of files, what each is to give, how far it is, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QEvent, QItemSelectionModel, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.batch_commands import BatchCommands
from app.batch_state import BatchPhase, BatchState, Item
from app.batch_table import FRAMES, INPUT, PEOPLE, PROGRESS, RESULT, STATE, BarDelegate, BatchModel, EndDelegate
from app.batch_words import course_text
from app.batch_worker import BatchWorker
from app.panels.batch_options import BatchOptionsPanel
from app.panels.drop_hint import DropHint

_PERIOD_MS = 200
RESULTS = "sadinet results"
"""Folder beside the first input, until another one is chosen."""
_WIDTHS = {INPUT: 230, STATE: 110, PROGRESS: 130, FRAMES: 100, PEOPLE: 60}
_ROW_PX = 28
_LINES_PX = 92


class BatchPage(QWidget):
    """Shows a queue and steers it.

    Args:
        worker: the queue.
    """

    failed = pyqtSignal(str, str, str)
    """Message, remedy and details of why the whole batch stopped."""

    def __init__(self, worker: BatchWorker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Batch")
        self.setAcceptDrops(True)
        self._worker = worker
        self._shown: BatchState | None = None
        self._has_told = False
        self.options = BatchOptionsPanel()
        self.options.options_changed.connect(self._worker.set_options)
        self.commands = BatchCommands(self, worker)
        self.commands.done.connect(self._go_on)
        self._actions = self.commands.actions
        self._arrange()
        self.options.set_options(worker.state.options)
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how it is now."""
        state = self._worker.poll()
        if state is self._shown:
            return
        self._shown = state
        self._model.set_items(state.shown)
        is_empty = not state.shown
        self._hint.setVisible(is_empty)
        for part in (self._table, self._bar, self._course):
            part.setVisible(not is_empty)
        self._show_course(state)
        self._show_lines(state)
        self._enable(state)
        if state.fault is None:
            self._has_told = False
        elif not self._has_told:
            self._has_told = True
            self.failed.emit(state.fault.message, state.fault.remedy, state.fault.details)
        # Someone must hear the process while it works, also while another page is shown.
        self._tend()

    @property
    def selected(self) -> tuple[Item, ...]:
        """The inputs that are marked."""
        rows = self._selection.selectedRows() if self._model.rowCount() else []
        return tuple(self._model.item(index.row()) for index in rows)

    def add(self, paths: list[str]) -> None:
        """Put files and folders at the end of the list."""
        if not paths:
            return
        if not self.options.options.folder:
            first = Path(paths[0])
            around = first.parent if first.suffix else first
            self.options.set_options(replace(self.options.options, folder=str(around / RESULTS)))
            self._worker.set_options(self.options.options)
        self._worker.add(paths)
        self.timer.start(_PERIOD_MS)

    def _go_on(self) -> None:
        self.refresh()
        self.timer.start(_PERIOD_MS)

    # what Qt calls

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        """Follow the queue while it can be seen."""
        super().showEvent(event)
        self._tend()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        """Rest, unless something goes on."""
        super().hideEvent(event)
        self._tend()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files and folders."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and any(url.isLocalFile() for url in data.urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Put them on the list."""
        data = None if event is None else event.mimeData()
        if event is None or data is None:
            return
        event.acceptProposedAction()
        self.add([url.toLocalFile() for url in data.urls() if url.isLocalFile()])

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Let what is dropped on the list reach the page."""
        kinds = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)
        if event is not None and event.type() in kinds:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    # parts

    def _arrange(self) -> None:
        self._model = BatchModel()
        self._table = self._make_table()
        self._hint = DropHint("Drop videos, pictures and folders here,\nor press Ins to choose some.")
        self._lines = QPlainTextEdit()
        self._lines.setReadOnly(True)
        self._lines.setFixedHeight(_LINES_PX)
        self._lines.setAccessibleName("What is told of the run")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        self._bar.setAccessibleName("All inputs")
        self._course = QLabel()
        self._course.setAccessibleName("How far it is")
        left = QVBoxLayout()
        left.setContentsMargins(14, 12, 14, 12)
        left.setSpacing(8)
        left.addLayout(self._buttons("add_files", "add_folder", "remove", "clear"))
        left.addWidget(self._table, 1)
        left.addWidget(self._hint, 1)
        left.addWidget(self._lines)
        left.addWidget(self._bar)
        left.addWidget(self._course)
        left.addLayout(self._buttons("start", "pause", "cancel", "check", "", "page", "folder", "report"))
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(left, 1)
        whole.addWidget(self.options)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self._model)
        table.setItemDelegateForColumn(PROGRESS, BarDelegate(table))
        table.setItemDelegateForColumn(RESULT, EndDelegate(table))
        table.setStyleSheet("QTableView::item { padding: 0 3px; }")
        table.setAccessibleName("Inputs of the batch")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setTabKeyNavigation(False)
        table.doubleClicked.connect(self._actions["page"].trigger)
        table.viewport().installEventFilter(self)  # type: ignore[union-attr]
        heads, rows = table.horizontalHeader(), table.verticalHeader()
        selection = table.selectionModel()
        assert heads is not None and rows is not None and selection is not None  # noqa: PT018, S101  a table has them
        self._selection: QItemSelectionModel = selection
        self._selection.selectionChanged.connect(lambda: self._enable(self._worker.state))
        rows.setVisible(False)
        rows.setDefaultSectionSize(_ROW_PX)
        heads.setHighlightSections(False)
        for column, width in _WIDTHS.items():
            table.setColumnWidth(column, width)
        heads.setSectionResizeMode(RESULT, QHeaderView.ResizeMode.Stretch)
        return table

    def _buttons(self, *names: str) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(6)
        for name in names:
            if not name:
                line.addStretch(1)
                continue
            action = self._actions[name]
            button = QPushButton(action.text())
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text().replace("&", "").replace(" …", ""))
            button.clicked.connect(action.trigger)
            action.changed.connect(lambda action=action, button=button: _follow(action, button))
            if name == "start":
                button.setProperty("role", "primary")
            line.addWidget(button)
        if "" not in names:
            line.addStretch(1)
        return line

    # what is shown

    def _show_course(self, state: BatchState) -> None:
        frames, done = state.frames, state.done
        self._bar.setRange(0, max(1, frames))
        self._bar.setValue(done)
        self._course.setText(course_text(state))

    def _show_lines(self, state: BatchState) -> None:
        lines = list(state.lines)
        if state.was_cut:
            lines.insert(0, "The last run was cut off. Start goes on where it was.")
        if state.fault is not None:
            lines.append(f"{state.fault.message} ({state.fault.remedy})" if state.fault.remedy else state.fault.message)
        text = "\n".join(lines)
        if text != self._lines.toPlainText():
            self._lines.setPlainText(text)
        self._lines.setVisible(bool(lines))

    def _enable(self, state: BatchState) -> None:
        items, phase, marked = state.shown, state.phase, self.selected
        is_working = phase in (BatchPhase.RUNNING, BatchPhase.PAUSED)
        enabled = {
            "remove": bool(marked),
            "clear": any(item.state.has_results for item in items),
            "check": state.can_start,
            "start": state.can_start,
            "pause": is_working,
            "cancel": phase.is_busy and phase is not BatchPhase.STOPPING,
            "folder": bool(state.options.folder),
            "report": bool(state.report),
            "page": any(item.page for item in marked),
        }
        for name, is_enabled in enabled.items():
            self._actions[name].setEnabled(is_enabled)
        self._actions["start"].setText("&Resume" if state.can_resume else "&Start")
        self._actions["pause"].setText("Go &on" if phase is BatchPhase.PAUSED else "&Pause")
        self.options.setEnabled(not phase.is_busy)

    def _tend(self) -> None:
        if self.isVisible() or self._worker.state.phase.is_busy:
            if not self.timer.isActive():
                self.timer.start(_PERIOD_MS)
        else:
            self.timer.stop()


def _follow(action: QAction, button: QPushButton) -> None:
    button.setEnabled(action.isEnabled())
    button.setText(action.text())
    button.setAccessibleName(action.text().replace("&", "").replace(" …", ""))
