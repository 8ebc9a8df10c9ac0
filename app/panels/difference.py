"""How far two results lie apart: over the frames, and joint by joint."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHeaderView, QSizePolicy, QTableView, QWidget

from app import theme
from app.comparison import Comparison
from app.marks import columns_of, stretches
from app.panels.course_painting import MARGIN, Ruler
from app.panels.joints import UNKNOWN, alignment, short_name

_HEIGHT: Final = 92
_FOOT: Final = 16
_LANE: Final = 8
_KEYS: Final = {
    Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -30, Qt.Key.Key_PageDown: 30,
    Qt.Key.Key_Home: -(10**9), Qt.Key.Key_End: 10**9,
}  # fmt: skip


class DifferenceCurve(QWidget):
    """Mean distance of the joints over the frames; a click, or the arrow keys, choose a frame.

    Below the curve frames are marked in which one result has people whom the other has not.
    """

    frame_chosen = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Difference over the frames")
        self.setToolTip("Mean distance of the joints; marks below: people whom only A (blue) or only B (orange) has")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._comparison: Comparison | None = None
        self._frame = 0

    def set_comparison(self, comparison: Comparison | None) -> None:
        """Show another comparison, or none."""
        self._comparison = comparison
        self._frame = 0
        self.update()

    def set_position(self, frame: int) -> None:
        """Show which frame is looked at."""
        self._frame = frame
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return its usual size."""
        return QSize(400, _HEIGHT)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Choose a frame."""
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton and self._comparison is not None:
            self.frame_chosen.emit(self._ruler(self._comparison).frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Choose a frame while the button is held."""
        self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Go to another frame."""
        if event is not None and event.key() in _KEYS and self._comparison is not None:
            last = int(self._comparison.index[-1])
            self.frame_chosen.emit(min(max(self._frame + _KEYS[Qt.Key(event.key())], 0), last))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint curve, marks and position."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("raised"))
        ground = QRectF(MARGIN - 4, 4, self.width() - 2 * MARGIN + 8, _HEIGHT - 2 * _LANE - _FOOT - 4)
        painter.drawRoundedRect(ground, 3, 3)
        if self._comparison is not None:
            ruler = self._ruler(self._comparison)
            self._paint_curve(painter, self._comparison, ruler, ground)
            self._paint_lanes(painter, self._comparison, ruler)
            x = ruler.x(min(self._frame, ruler.frames - 1))
            painter.setPen(QPen(theme.colour("text"), 1.5))
            painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - _FOOT))
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _ruler(self, comparison: Comparison) -> Ruler:
        return Ruler(self.width(), int(comparison.index[-1]) + 1)

    def _paint_curve(self, painter: QPainter, comparison: Comparison, ruler: Ruler, ground: QRectF) -> None:
        whole = np.full(ruler.frames, np.nan)
        whole[comparison.index] = comparison.distance_px
        # The least of the negative is the greatest: peaks must not be averaged away.
        columns = max(2, min(ruler.length, ruler.frames))
        peaks = -columns_of(-whole, columns)[0]
        if not np.isfinite(peaks).any():
            return
        top = float(np.nanmax(peaks)) or 1.0
        at = MARGIN + ruler.length * (np.arange(columns) + 0.5) / columns
        down = ground.bottom() - 2 - (ground.height() - 16) * peaks / top
        painter.setPen(QPen(theme.colour("warn"), 1.3))
        for first, last in stretches(np.isfinite(peaks)):
            points = [QPointF(*point) for point in zip(at[first : last + 1], down[first : last + 1], strict=True)]
            if len(points) > 1:
                painter.drawPolyline(*points)
            else:
                painter.drawPoint(points[0])
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(theme.colour("muted"))
        height = QFontMetricsF(font).ascent()
        painter.drawText(QPointF(MARGIN + 2, ground.top() + height), f"{top:.1f} px")
        painter.drawText(QPointF(MARGIN, self.height() - 4), "0")
        text = str(ruler.frames - 1)
        painter.drawText(
            QPointF(self.width() - MARGIN - QFontMetricsF(font).horizontalAdvance(text), self.height() - 4), text
        )

    def _paint_lanes(self, painter: QPainter, comparison: Comparison, ruler: Ruler) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        lanes = ((comparison.only_a, "left"), (comparison.only_b, "right"))
        for place, (counts, colour) in enumerate(lanes):
            painter.setBrush(theme.colour(colour))
            top = _HEIGHT - _FOOT - 2 * _LANE + place * _LANE + 2
            for first, last in stretches(counts > 0):
                left, right = ruler.x(int(comparison.index[first])), ruler.x(int(comparison.index[last]))
                painter.drawRect(QRectF(left - 1, top, right - left + 2, _LANE - 3))


class DifferenceModel(QAbstractTableModel):
    """A comparison's joints as rows."""

    _HEADS: Final = ("joint", "median", "95%", "in 1 σ")
    _TIPS: Final = (
        "Blue is the person's left, orange the right",
        "Median distance, pixels",
        "95% of the distances are smaller, pixels",
        "Share of differences within one standard deviation of both together; far below 68%: one claims too much",
    )

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._comparison: Comparison | None = None

    def set_comparison(self, comparison: Comparison | None) -> None:
        """Show another comparison, or none."""
        self.beginResetModel()
        self._comparison = comparison
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Count joints."""
        return 0 if self._comparison is None else len(self._comparison.joints)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Count columns."""
        return len(self._HEADS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802
        """Return a column's head."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._HEADS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return self._TIPS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(section)
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Return what a cell shows."""
        if self._comparison is None:
            return None
        row = self._comparison.joints[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            share = f"{row.within:.0%}" if math.isfinite(row.within) else UNKNOWN
            return (short_name(row.joint), _pixels(row.median_px), _pixels(row.p95_px), share)[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return row.joint.replace("_", " ")
        return None


def _pixels(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else UNKNOWN


class DifferenceTable(QTableView):
    """A row for each joint.

    Attributes:
        model_of_joints: what it shows.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model_of_joints = DifferenceModel(self)
        self.setModel(self.model_of_joints)
        self.setAccessibleName("Differences joint by joint")
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        rows, heads = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None  # noqa: S101  a table has both
        assert heads is not None  # noqa: S101
        rows.hide()
        rows.setDefaultSectionSize(24)
        heads.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        heads.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
