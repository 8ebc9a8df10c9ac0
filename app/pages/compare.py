"""Two results of one source side by side: another model, other settings, or a recording made again."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Final

import numpy as np
from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.compare_worker import Compared, CompareWorker, position_of, time_of
from app.comparison import blank_frame, summary
from app.dropping import sort_dropped
from app.panels.compare_head import CompareHead
from app.panels.difference import DifferenceCurve, DifferenceTable
from app.panels.side_by_side import SideBySide
from app.view_options import ViewOptions
from sadinet.results import Frame, FrameResult

_PERIOD_MS: Final = 33
_PATIENCE_S: Final = 0.7  # for a picture, until joints are shown without it
_NUMBERS_PX: Final = 290
_TABLES: Final = "Tables (*.csv *.parquet);;All files (*)"
_VIDEOS: Final = "Videos and pictures (*)"


class ComparePage(QWidget):
    """Shows two tables of the same frames, and how far they lie apart.

    Args:
        worker: reads tables and pictures; one of its own if None.
        folder: where dialogs begin.

    Attributes:
        head: says what is compared.
        pictures: the frame that is looked at, with the joints of both tables.
        table: differences joint by joint.
        curve: differences over the frames.
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
        self._is_blurred = False
        self._asked_s = math.inf
        self.head = CompareHead()
        self.pictures = SideBySide()
        self.table = DifferenceTable()
        self.curve = DifferenceCurve()
        self._summary = QLabel()
        self._place = QLabel()
        self._arrange()
        self._wire()
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.poll)
        self._show_compared(None)

    def set_options(self, options: ViewOptions) -> None:
        """Draw both alike."""
        # A picture is fetched as it is: faces that must be hidden are not shown here at all.
        self._is_blurred = options.blur
        self.pictures.set_options(options)
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
                self.head.set_name(side, str(path))
                self.pictures.set_title(side, f"{path.parent.name}/{path.name}")
        self._source = source if source is not None else self._source if a is None and b is None else None
        first, second = self._tables["A"], self._tables["B"]
        if first is not None and second is not None:
            self._summary.setText("Reading the tables …")
            self._worker.load(first, second, self._source)
            self.timer.start(_PERIOD_MS)

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
        self.curve.set_position(self._frame)
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
        return self._worker.stop()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        """Look for news again."""
        super().showEvent(event)
        if self._tables["A"] is not None and self._tables["B"] is not None:
            self.timer.start(_PERIOD_MS)

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        """Rest."""
        super().hideEvent(event)
        self.timer.stop()

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
        at = self.pictures.mapFrom(self, event.position().toPoint())
        has = [side for side, table in self._tables.items() if table is not None]
        dropped = sort_dropped(paths, self.pictures.side_at(at), has)
        if dropped.problem is not None:
            self.problem.emit(dropped.problem)
        if dropped.a is not None or dropped.b is not None or dropped.source is not None:
            self.set_tables(dropped.a, dropped.b, dropped.source)

    def _arrange(self) -> None:
        self._summary.setWordWrap(True)
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        holder = QWidget()
        holder.setFixedWidth(_NUMBERS_PX)
        numbers = QVBoxLayout(holder)
        numbers.setContentsMargins(6, 0, 0, 0)
        numbers.addWidget(self._summary)
        numbers.addWidget(self.table, 1)
        middle = QHBoxLayout()
        middle.addWidget(self.pictures, 1)
        middle.addWidget(holder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 8)
        layout.setSpacing(8)
        layout.addWidget(self.head)
        layout.addLayout(middle, 1)
        layout.addWidget(self._place)
        layout.addWidget(self.curve)

    def _wire(self) -> None:
        self.curve.frame_chosen.connect(self.show_frame)
        self.head.table_wished.connect(self._ask_table)
        self.head.source_wished.connect(self._ask_source)
        self.head.worst_wished.connect(self._show_worst)

    def _show_compared(self, compared: Compared | None) -> None:
        self._compared = compared
        self._picture = None
        self.curve.set_comparison(None if compared is None else compared.comparison)
        self.table.model_of_joints.set_comparison(None if compared is None else compared.comparison)
        self.head.worst.setEnabled(compared is not None and compared.comparison.worst is not None)
        if compared is None:
            self._summary.setText("Choose two tables of the same source, by two models perhaps, or drop them here.")
            self.pictures.clear("Choose or drop table {side}")
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
        places = [(each, position_of(each, self._frame)) for each in (compared.a, compared.b)]
        a, b = (FrameResult(frame, () if place is None else each.poses(place)) for each, place in places)
        self.pictures.show_results(a, b)
        self._place.setText(self._place_text(compared))

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
