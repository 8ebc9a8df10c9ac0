"""The joints of one person, as numbers."""

from __future__ import annotations

import math
from typing import Any, Final

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPixmap
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableView, QVBoxLayout, QWidget

from app import theme
from app.panels.throttle import Throttle
from sadinet.results import Pose

_HEADS: Final = ("joint", "x", "y", "±", "score")
_TIPS: Final = (
    "Blue is the person's left, orange the right",
    "Pixels from the frame's left edge",
    "Pixels from the frame's upper edge",
    "One standard deviation in pixels: the root of the mean of the squares of x and y",
    "Height of the heatmap at its maximum, 0 to 1",
)
_EVERY_MS: Final = 100
UNKNOWN: Final = "–"


def spread_px(sigma_x: float, sigma_y: float) -> float:
    """Return one number for a joint's two standard deviations."""
    return math.sqrt((sigma_x**2 + sigma_y**2) / 2)


class JointsModel(QAbstractTableModel):
    """A pose as rows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._pose: Pose | None = None

    def set_pose(self, pose: Pose | None) -> None:
        """Show another pose."""
        before = () if self._pose is None else self._pose.skeleton.joints
        after = () if pose is None else pose.skeleton.joints
        if before != after:
            self.beginResetModel()
            self._pose = pose
            self.endResetModel()
            return
        self._pose = pose
        if pose is not None:
            self.dataChanged.emit(self.index(0, 1), self.index(len(after) - 1, len(_HEADS) - 1))

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Count joints."""
        return 0 if self._pose is None or (parent is not None and parent.isValid()) else len(self._pose.skeleton)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Count columns."""
        return 0 if parent is not None and parent.isValid() else len(_HEADS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802
        """Return a column's head."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(_HEADS):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(section)
        return {Qt.ItemDataRole.DisplayRole: _HEADS[section], Qt.ItemDataRole.ToolTipRole: _TIPS[section]}.get(
            Qt.ItemDataRole(role)
        )

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Return what a cell shows."""
        if self._pose is None or not index.isValid():
            return None
        row, column = index.row(), index.column()
        joint = self._pose.skeleton.joints[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return short_name(joint) if column == 0 else self._number(row, column)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole) and column == 0:
            return joint.replace("_", " ")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column)
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return _dot(joint)
        return None

    def _number(self, row: int, column: int) -> str:
        assert self._pose is not None  # noqa: S101
        if column in (1, 2):
            value, digits = float(self._pose.joints[row, column - 1]), 1
        elif column == 3:
            value, digits = spread_px(*self._pose.sigmas[row].tolist()), 1
        else:
            value, digits = float(self._pose.scores[row]), 2
        return f"{value:.{digits}f}" if math.isfinite(value) else UNKNOWN


class JointsTable(QWidget):
    """Shows the current person's joints; ten times a second at most."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Joints")
        self._latest: Pose | None = None
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        self.model = JointsModel(self)
        self.table = _Table()
        self.table.setModel(self.model)
        self.table.setAccessibleName("Joints of the current person")
        header = self.table.horizontalHeader()
        assert header is not None  # noqa: S101  a table has one
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(34)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(6)
        layout.addWidget(self._title)
        layout.addWidget(self.table, 1)
        self._throttle = Throttle(self._show, _EVERY_MS, self)
        self._show()

    def set_pose(self, pose: Pose | None) -> None:
        """Show a person, or nobody."""
        self._latest = pose
        self._throttle.request()

    def _show(self) -> None:
        pose = self._latest
        if pose is None:
            text = "Nobody in view"
        elif pose.track_id is None:
            text = f"Score {pose.score:.2f}"
        else:
            text = f"Person {pose.track_id}, score {pose.score:.2f}"
        if text != self._title.text():
            self._title.setText(text)
        self.model.set_pose(pose)


class _Table(QTableView):
    """A table whose rows can be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setToolTip("Ctrl+C copies the chosen rows")
        rows = self.verticalHeader()
        assert rows is not None  # noqa: S101
        rows.hide()
        rows.setDefaultSectionSize(24)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Copy the chosen rows as text with tabs."""
        if event is None or not event.matches(QKeySequence.StandardKey.Copy):
            super().keyPressEvent(event)
            return
        model, selection, board = self.model(), self.selectionModel(), QGuiApplication.clipboard()
        if model is None or selection is None or board is None:
            return
        rows = sorted(index.row() for index in selection.selectedRows())
        cells = [[str(model.index(row, column).data()) for column in range(model.columnCount())] for row in rows]
        board.setText("\n".join("\t".join(line) for line in [list(_HEADS), *cells]))


def alignment(column: int) -> Qt.AlignmentFlag:
    """Return how a column of names, or of numbers behind it, is aligned."""
    return (Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter


def short_name(name: str) -> str:
    """Return a joint's or angle's name for narrow columns."""
    side, _, rest = name.partition("_")
    short = {"left": "L ", "right": "R "}.get(side)
    return (name if short is None else short + rest).replace("_", " ")


def _dot(joint: str) -> QPixmap:
    side = joint.partition("_")[0]
    dot = QPixmap(10, 10)
    dot.fill(theme.colour(side if side in ("left", "right") else "midline"))
    return dot
