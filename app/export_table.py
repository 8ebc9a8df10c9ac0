"""The first rows of a table that is going to be written."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt

from app.exporting import Preview

_NOWHERE = QModelIndex()


class RowsModel(QAbstractTableModel):
    """Cells of a table as texts."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = Preview("csv")

    def show(self, shown: Preview) -> None:
        """Show these rows."""
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802
        """As many as the preview has."""
        return 0 if parent.isValid() else len(self._shown.rows)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802
        """As many as the table has."""
        return 0 if parent.isValid() else len(self._shown.head)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        """Names of columns."""
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return self._shown.head[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> str | Qt.AlignmentFlag | None:
        """A cell."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self._shown.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
