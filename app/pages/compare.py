"""Two results of one source side by side: another model, other settings, or a recording made again."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PyQt6.QtCore import QPointF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PyQt6.QtWidgets import (
    QBoxLayout,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.canvas import Canvas
from app.compare_worker import Compared, CompareWorker, position_of, time_of
from app.comparison import blank_frame, summary
from app.dropping import sort_dropped
from app.panels.difference import DifferenceCurve, DifferenceModel
from app.panels.status import Elided
from app.view_options import ViewOptions
from sadinet.results import Frame, FrameResult

_PERIOD_MS: Final = 33
_PATIENCE_S: Final = 0.7  # for a picture, until joints are shown without it
_TABLES: Final = "Tables (*.csv *.parquet);;All files (*)"
_VIDEOS: Final = "Videos and pictures (*)"


class ComparePage(QWidget):
    """Shows two tables of the same frames, and how far they lie apart.

    Args:
        worker: reads tables and pictures; one of its own if None.
        folder: where dialogs begin.
    """

    problem = pyqtSignal(object)
    """A `Problem`, for a banner."""

    def __init__(self, worker: CompareWorker | None = None, folder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Compare")
        self.setAcceptDrops(True)
        self._worker = worker or CompareWorker()
        self._folder = folder
        self._tables: dict[str, Path | None] = {"A": None, "B": None}
        self._source: Path | None = None
        self._compared: Compared | None = None
        self._frame = 0
        self._picture: Frame | None = None
        self._make_parts()
        self._arrange()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.poll)
        self._show_compared(None)

    def set_options(self, options: ViewOptions) -> None:
        """Draw both alike."""
        # A picture is fetched as it is: faces that must be hidden are not shown here at all.
        self._is_blurred = options.blur
        for canvas in self._canvases.values():
            canvas.set_options(replace(options, heatmap_joint=None))
        self._show_frame()

    def set_tables(self, a: Path | None = None, b: Path | None = None, source: Path | None = None) -> None:
        """Choose tables, and compare them once there are two.

        Args:
            a, b: CSV or Parquet; None leaves what is chosen.
            source: video or folder; None to look where the tables say.
        """
        for side, path in (("A", a), ("B", b)):
            if path is not None:
                self._tables[side] = path
                self._names[side].setText(str(path))
                self._titles[side].setText(f"{side}  {path.parent.name}/{path.name}")
        self._source = source if source is not None else self._source if a is None and b is None else None
        first, second = self._tables["A"], self._tables["B"]
        if first is not None and second is not None:
            self._summary.setText("Reading the tables …")
            self._worker.load(first, second, self._source)
            self._timer.start(_PERIOD_MS)

    @property
    def is_shown(self) -> bool:
        """Whether two tables have been compared, and their frames can be looked at."""
        return self._compared is not None

    def show_frame(self, frame: int) -> None:
        """Look at this frame."""
        if self._compared is None:
            return
        self._frame = min(max(frame, 0), int(self._compared.comparison.index[-1]))
        self._worker.seek(self._frame)
        self._curve.set_position(self._frame)
        self._place.setText(self._place_text(self._compared))
        # The last picture stays until the next one is there: dragging along the curve must not flicker.
        self._asked_s = time.monotonic()
        if self._compared.source is None or self._is_blurred or self._picture is None:
            self._show_frame()

    def poll(self) -> None:
        """Take what the worker has."""
        news = self._worker.poll()
        if news.problem is not None:
            if self._compared is None or self._worker.is_busy:
                self._summary.setText(news.problem.message)
            self.problem.emit(news.problem)
        if news.compared is not None:
            self._show_compared(news.compared)
        if news.frame is not None and news.frame.index == self._frame:
            self._picture, self._asked_s = news.frame, math.inf
            self._show_frame()
        elif time.monotonic() - self._asked_s > _PATIENCE_S:
            self._picture, self._asked_s = None, math.inf
            self._show_frame()

    def stop(self) -> tuple[str, ...]:
        """End the threads; returns the names of those that did not end in time."""
        self._timer.stop()
        return self._worker.stop()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        """Look for news again."""
        super().showEvent(event)
        if self._tables["A"] is not None and self._tables["B"] is not None:
            self._timer.start(_PERIOD_MS)

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        """Rest."""
        super().hideEvent(event)
        self._timer.stop()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files and folders."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and any(url.isLocalFile() for url in data.urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Choose tables, and the video, by what is dropped and where."""
        data = None if event is None else event.mimeData()
        if event is None or data is None:
            return
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        has = [side for side, table in self._tables.items() if table is not None]
        dropped = sort_dropped(paths, self._side_at(event.position()), has)
        if dropped.problem is not None:
            self.problem.emit(dropped.problem)
        if dropped.a is not None or dropped.b is not None or dropped.source is not None:
            self.set_tables(dropped.a, dropped.b, dropped.source)

    def _side_at(self, at: QPointF) -> str | None:
        for side, canvas in self._canvases.items():
            if canvas.rect().contains(canvas.mapFrom(self, at.toPoint())):
                return side
        return None

    def _make_parts(self) -> None:
        self._is_blurred = False
        self._asked_s = math.inf
        self._names = {side: Elided() for side in "AB"}
        self._titles = {side: QLabel(side) for side in "AB"}
        self._canvases: dict[str, Canvas] = {side: Canvas() for side in "AB"}
        for side, canvas in self._canvases.items():
            self._titles[side].setProperty("role", "heading")
            self._names[side].setProperty("role", "muted")
            canvas.setAccessibleName(f"Picture {side}")
        self._canvases["A"].zoom_changed.connect(self._canvases["B"].set_zoom)
        self._canvases["B"].zoom_changed.connect(self._canvases["A"].set_zoom)
        self._pictures = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._curve: DifferenceCurve = DifferenceCurve()
        self._curve.frame_chosen.connect(self.show_frame)
        self._place: QLabel = QLabel()
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.model = DifferenceModel(self)
        self._table = QTableView()
        self._table.setModel(self.model)
        self._table.setAccessibleName("Differences joint by joint")
        self._table.setShowGrid(False)
        self._table.setTabKeyNavigation(False)
        rows, heads = self._table.verticalHeader(), self._table.horizontalHeader()
        assert rows is not None  # noqa: S101  a table has both
        assert heads is not None  # noqa: S101
        rows.hide()
        rows.setDefaultSectionSize(24)
        heads.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        heads.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)

    def _arrange(self) -> None:
        head = QGridLayout()
        head.setHorizontalSpacing(8)
        for row, side in enumerate("AB"):
            button = QPushButton(f"Table {side} …")
            button.setToolTip(f"Choose table {side}: CSV or Parquet (Alt+{side})")
            button.setShortcut(f"Alt+{side}")
            button.setAccessibleName(f"Choose table {side}")
            button.clicked.connect(lambda _, side=side: self._ask_table(side))
            head.addWidget(button, row, 0)
            head.addWidget(self._names[side], row, 1)
        source = QPushButton("Video …")
        source.setToolTip("Choose the video that both tables are of; it is found by itself where it has not moved")
        source.setAccessibleName("Choose the video")
        source.clicked.connect(self._ask_source)
        self._worst = QPushButton("Furthest apart")
        self._worst.setToolTip("Go to the frame whose joints lie furthest apart (Alt+W)")
        self._worst.setShortcut("Alt+W")
        self._worst.clicked.connect(self._show_worst)
        head.addWidget(source, 0, 2)
        head.addWidget(self._worst, 1, 2)
        head.setColumnStretch(1, 1)
        pictures = self._pictures
        pictures.setSpacing(6)
        for side in "AB":
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(self._titles[side])
            column.addWidget(self._canvases[side], 1)
            pictures.addLayout(column, 1)
        numbers = QVBoxLayout()
        numbers.addWidget(self._summary)
        numbers.addWidget(self._table, 1)
        holder = QWidget()
        holder.setFixedWidth(290)
        holder.setLayout(numbers)
        numbers.setContentsMargins(6, 0, 0, 0)
        middle = QHBoxLayout()
        middle.addLayout(pictures, 1)
        middle.addWidget(holder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addLayout(middle, 1)
        layout.addWidget(self._place)
        layout.addWidget(self._curve)

    def _show_compared(self, compared: Compared | None) -> None:
        self._compared = compared
        self._picture = None
        self._curve.set_comparison(None if compared is None else compared.comparison)
        self.model.set_comparison(None if compared is None else compared.comparison)
        self._worst.setEnabled(compared is not None and compared.comparison.worst is not None)
        if compared is None:
            self._summary.setText("Choose two tables of the same source, by two models perhaps, or drop them here.")
            for side, canvas in self._canvases.items():
                canvas.set_placeholder(f"Choose or drop table {side}")
                canvas.show_result(None)
            self._place.setText("")
            return
        self._summary.setText(summary(compared.comparison))
        self.show_frame(int(compared.comparison.index[0]))

    def _show_frame(self) -> None:
        compared = self._compared
        if compared is None:
            return
        frame = self._picture
        if frame is None or frame.index != self._frame or self._is_blurred:
            frame = blank_frame((compared.a, compared.b), self._frame)
        self._turn(frame.size_wh)
        for side, recording in (("A", compared.a), ("B", compared.b)):
            place = position_of(recording, self._frame)
            poses = () if place is None else recording.poses(place)
            self._canvases[side].show_result(FrameResult(frame, poses))
        self._place.setText(self._place_text(compared))

    def _turn(self, size_wh: tuple[int, int]) -> None:
        # Wide pictures are larger above each other, tall ones beside each other.
        area = self._pictures.geometry()
        beside = min(area.width() / 2 / size_wh[0], area.height() / size_wh[1])
        above = min(area.width() / size_wh[0], area.height() / 2 / size_wh[1])
        directions = QBoxLayout.Direction
        self._pictures.setDirection(directions.TopToBottom if above > beside else directions.LeftToRight)

    def _place_text(self, compared: Compared) -> str:
        where = int(np.searchsorted(compared.comparison.index, self._frame))
        time_s = time_of(compared.a, self._frame)
        parts = [f"Frame {self._frame}" + (f", {time_s:.3f} s" if math.isfinite(time_s) else "")]
        if compared.comparison.index[where] == self._frame:
            apart = float(compared.comparison.distance_px[where])
            parts.append(f"joints {apart:.1f} px apart" if math.isfinite(apart) else "nobody whom both have")
            for name, counts in (("A", compared.comparison.only_a), ("B", compared.comparison.only_b)):
                if counts[where]:
                    parts.append(f"{counts[where]} only in {name}")
        if compared.source is None:
            parts.append("the video was not found: choose it to see it")
        elif self._is_blurred:
            parts.append("faces are hidden: joints are shown without their picture")
        return "   ·   ".join(parts)

    def _show_worst(self) -> None:
        if self._compared is not None and self._compared.comparison.worst is not None:
            self.show_frame(self._compared.comparison.worst)

    def _ask_table(self, side: str) -> None:
        dialog = QFileDialog(self, f"Choose table {side}", self._folder, _TABLES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self._take_table(side, Path(path)))
        _open(dialog)

    def _take_table(self, side: str, path: Path) -> None:
        self._folder = str(path.parent)
        self.set_tables(**{side.lower(): path})

    def _ask_source(self) -> None:
        dialog = QFileDialog(self, "Choose the video", self._folder, _VIDEOS)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.set_tables(source=Path(path)))
        _open(dialog)


def _open(dialog: QFileDialog) -> None:
    # Not `exec`, which would run a second event loop in which the window may be closed.
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
