"""The export page: which files an analysed source is to give, and what they will hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSignalBlocker, Qt, QTimer, QUrl, pyqtSignal
from PyQt6.QtGui import QAction, QDesktopServices, QFontDatabase, QHideEvent, QKeySequence, QShowEvent, QTextOption
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.batch_state import BatchOptions, Fault
from app.export_table import RowsModel
from app.export_worker import ExportState, ExportWorker
from app.panels.batch_options import FORMAT_NAMES, BatchOptionsPanel

if TYPE_CHECKING:
    from app.analysis import Analysed

_PERIOD_MS = 100
_ROW_PX = 24
_NOTHING = "Nothing is analysed yet.\nOpen a file in the viewer and press Analyse."


class ExportPage(QWidget):
    """Shows previews of an analysed file's tables, and has them written."""

    failed = pyqtSignal(str, str, str)
    """Message, remedy and details of why an export failed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Export")
        self._worker = ExportWorker()
        self._analysed: Analysed | None = None
        self._shown: ExportState | None = None
        self._told: Fault | None = None
        self.options = BatchOptionsPanel(has_run=False)
        self.options.options_changed.connect(self._look)
        self._make_actions()
        self._arrange()
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.refresh)
        self._enable(ExportState())

    def set_analysed(self, analysed: Analysed | None, folder: str = "") -> None:
        """Offer this file; None for none.

        Args:
            analysed: what is to be exported.
            folder: to suggest, unless one was chosen.
        """
        self._analysed = analysed
        if folder and not self.options.options.folder:
            self.options.set_options(replace(self.options.options, folder=folder, angles=True))
        self._stack.setCurrentWidget(self._nothing if analysed is None else self._table)
        self._title.setText("" if analysed is None else Path(analysed.where).name)
        self._look()

    def start(self) -> None:
        """Write the files."""
        if self._analysed is not None and self.options.options.folder:
            self._worker.start(self._analysed, self.options.options)
            self.refresh()
            self.timer.start(_PERIOD_MS)

    def refresh(self) -> None:
        """Show how it is now."""
        state = self._worker.poll()
        if state is self._shown:
            return
        before, self._shown = self._shown, state
        if before is None or before.preview is not state.preview or before.preview_fault is not state.preview_fault:
            self._show_preview(state)
        self._show_course(state)
        self._enable(state)
        if state.fault is not None and state.fault is not self._told:
            self.failed.emit(state.fault.message, state.fault.remedy, state.fault.details)
        self._told = state.fault
        self._tend()

    @property
    def state(self) -> ExportState:
        """How it was at the last `refresh`."""
        return self._shown or ExportState()

    def close_work(self, deadline_s: float = 3.0) -> tuple[str, ...]:
        """End the threads; returns the names of those that did not end in time."""
        return self._worker.close(deadline_s)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        """Follow while it can be seen."""
        super().showEvent(event)
        self._tend()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        """Rest, unless something is being written."""
        super().hideEvent(event)
        self._tend()

    # parts

    def _make_actions(self) -> None:
        self.export_action = self._action("&Export", "Ctrl+Return", "Write the chosen files", self.start)
        self.stop_action = self._action("S&top", "Ctrl+.", "Stop writing", self._worker.cancel)
        self.open_action = self._action("Open &folder", "Ctrl+Shift+F", "Open the folder of the files", self._open)

    def _action(self, text: str, keys: str, tip: str, command: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setToolTip(f"{tip} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
        action.triggered.connect(lambda: command())
        self.addAction(action)
        return action

    def _arrange(self) -> None:
        self._title = QLabel()
        self._title.setProperty("role", "title")
        self._tabs = QTabBar()
        self._tabs.setAccessibleName("Format of the preview")
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        for name, text in FORMAT_NAMES.items():
            self._tabs.setTabData(self._tabs.addTab(text), name)
        self._tabs.currentChanged.connect(self._look)
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setAccessibleName("About the preview")
        self._files = QLabel()
        self._files.setWordWrap(True)
        self._files.setAccessibleName("Files")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        self._bar.setAccessibleName("Course of the export")
        left = QVBoxLayout()
        left.setContentsMargins(14, 12, 14, 12)
        left.setSpacing(8)
        left.addWidget(self._title)
        left.addWidget(self._tabs)
        left.addWidget(self._make_stack(), 1)
        for part in (self._note, self._bar, self._files):
            left.addWidget(part)
        left.addLayout(self._buttons())
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(left, 1)
        whole.addWidget(self.options)

    def _make_stack(self) -> QStackedWidget:
        self._model = RowsModel()
        self._table = QTableView()
        self._table.setModel(self._model)
        self._table.setAccessibleName("First rows of the table")
        self._table.setFrameShape(QFrame.Shape.NoFrame)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setTabKeyNavigation(False)
        rows = self._table.verticalHeader()
        assert rows is not None  # noqa: S101  a table has one
        rows.setVisible(False)
        rows.setDefaultSectionSize(_ROW_PX)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self._table.setFont(fixed)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setFont(fixed)
        self._text.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self._text.setAccessibleName("Beginning of the file")
        self._nothing = QLabel(_NOTHING)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setProperty("role", "hint")
        self._stack = QStackedWidget()
        for part in (self._nothing, self._table, self._text):
            self._stack.addWidget(part)
        return self._stack

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(6)
        for action in (self.export_action, self.stop_action, self.open_action):
            button = QPushButton(action.text())
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text().replace("&", ""))
            button.clicked.connect(action.trigger)
            action.changed.connect(lambda action=action, button=button: button.setEnabled(action.isEnabled()))
            if action is self.export_action:
                button.setProperty("role", "primary")
            if action is self.open_action:
                line.addStretch(1)
            line.addWidget(button)
        return line

    # what is shown

    def _look(self) -> None:
        if self._analysed is not None:
            self._worker.look(self._analysed, self._tabs.tabData(self._tabs.currentIndex()), self.options.options)
        self._enable(self.state)
        self._tend()

    def _show_preview(self, state: ExportState) -> None:
        if self._analysed is None:
            return
        if state.preview is None:
            fault = state.preview_fault
            self._text.setPlainText("" if fault is None else f"{fault.message}\n{fault.remedy}")
            self._stack.setCurrentWidget(self._text)
        elif state.preview.head:
            self._model.show(state.preview)
            self._table.resizeColumnsToContents()
            self._stack.setCurrentWidget(self._table)
        else:
            # JSON is one long line; rows of TRC stay rows.
            is_json = state.preview.format in ("openpose", "coco")
            wrap = QPlainTextEdit.LineWrapMode
            self._text.setLineWrapMode(wrap.WidgetWidth if is_json else wrap.NoWrap)
            self._text.setPlainText(state.preview.text)
            self._stack.setCurrentWidget(self._text)
        self._note.setText("" if state.preview is None else state.preview.note)

    def _show_course(self, state: ExportState) -> None:
        frames = 0 if self._analysed is None else self._analysed.recording.frames
        is_drawing = state.is_busy and state.stage == "drawing" and frames > 0
        self._bar.setVisible(state.is_busy)
        # Tables are written at once; only drawing can be told in frames.
        self._bar.setRange(0, frames if is_drawing else 0)
        self._bar.setValue(state.done if is_drawing else 0)
        self._files.setText(files_text(state))

    def _enable(self, state: ExportState) -> None:
        options: BatchOptions = self.options.options
        self.export_action.setEnabled(self._analysed is not None and bool(options.folder) and not state.is_busy)
        self.stop_action.setEnabled(state.is_busy)
        self.open_action.setEnabled(state.exported is not None)
        self.options.setEnabled(self._analysed is not None and not state.is_busy)
        with QSignalBlocker(self._tabs):
            self._tabs.setEnabled(self._analysed is not None)

    def _tend(self) -> None:
        if self.isVisible() or self.state.is_busy:
            if not self.timer.isActive():
                self.timer.start(_PERIOD_MS)
        else:
            self.timer.stop()

    def _open(self) -> None:
        if self.state.exported is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.state.exported.folder)))


def files_text(state: ExportState) -> str:
    """Return one line on what was written, or would be."""
    if state.is_busy:
        return f"Drawing, frame {state.done:,}" if state.stage == "drawing" else "Writing …"
    if state.fault is not None:
        return f"{state.fault.message} ({state.fault.remedy})" if state.fault.remedy else state.fault.message
    if state.exported is not None:
        return f"Written to {state.exported.folder}: {', '.join(state.exported.files)}"
    names = [f"{name} (takes the place of an earlier one)" if is_there else name for name, is_there in state.planned]
    return f"Will write {', '.join(names)}" if names else ""
