"""The list of a batch: a row for each input, with a bar of how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter
from PyQt6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import theme
from app.batch_state import Item, ItemState

HEADS = ("Input", "State", "Progress", "Frames", "People", "Result")
INPUT, STATE, PROGRESS, FRAMES, PEOPLE, RESULT = range(len(HEADS))

_BAR_PX = 8
_TEXTS = {ItemState.KEPT: "done before", ItemState.IN_PART: "done in part"}
_NUMBERS = (FRAMES, PEOPLE)

_NOWHERE = QModelIndex()


class BatchModel(QAbstractTableModel):
    """Shows items; rows that did not change are left alone, so that a selection stays."""

    def __init__(self) -> None:
        super().__init__()
        self._items: tuple[Item, ...] = ()

    def set_items(self, items: Sequence[Item]) -> None:
        """Show these."""
        before, self_items = self._items, tuple(items)
        if [item.where for item in before] != [item.where for item in self_items]:
            self.beginResetModel()
            self._items = self_items
            self.endResetModel()
            return
        self._items = self_items
        for row, (old, new) in enumerate(zip(before, self_items, strict=True)):
            if old is not new and old != new:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADS) - 1))

    def item(self, row: int) -> Item:
        """Return what a row shows."""
        return self._items[row]

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802
        """One row for each item."""
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:  # noqa: N802
        """As many as there are heads."""
        return 0 if parent.isValid() else len(HEADS)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Heads of columns."""
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows, says and looks like."""
        item, column = self._items[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(item, column)
        if role == Qt.ItemDataRole.UserRole:
            return item
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.where if column == INPUT else "\n".join(item.notes or item.outputs)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == PROGRESS:
            return f"{item.share:.0%}"
        if role == Qt.ItemDataRole.ForegroundRole and column in (STATE, RESULT):
            return _colour(item, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None


class EndDelegate(QStyledItemDelegate):
    """Shows the beginning of a text that is too long, as that says most; names of files show both ends."""

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:  # noqa: N802
        """Leave out the end."""
        super().initStyleOption(option, index)
        if option is not None:
            option.textElideMode = Qt.TextElideMode.ElideRight


class BarDelegate(QStyledItemDelegate):
    """Draws how far an item is as a bar; what is drawn on frames has a colour of its own."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the bar on the row's background."""
        if painter is None:
            return
        style = QApplication.style()
        if style is not None:
            style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        item: Item = index.data(Qt.ItemDataRole.UserRole)
        colours = theme.current()
        area = QRectF(option.rect).adjusted(8, 0, -8, 0)
        middle = area.center().y()
        groove = QRectF(area.left(), middle - _BAR_PX / 2, area.width(), _BAR_PX)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.border))
        painter.drawRoundedRect(groove, _BAR_PX / 2, _BAR_PX / 2)
        share = 1.0 if item.state is ItemState.FAILED else item.share
        if share > 0:
            filled = QRectF(groove.topLeft(), QPointF(groove.left() + max(_BAR_PX, groove.width() * share), 0))
            filled.setHeight(_BAR_PX)
            is_marked = bool(option.state & QStyle.StateFlag.State_Selected)
            painter.setBrush(QColor(colours.on_accent if is_marked else _bar_colour(item)))
            painter.drawRoundedRect(filled, _BAR_PX / 2, _BAR_PX / 2)
        painter.restore()


def _bar_colour(item: Item) -> str:
    colours = theme.current()
    if item.state is ItemState.FAILED:
        return colours.bad
    if item.state is ItemState.IN_PART:
        return colours.warn
    if item.state.has_results:
        return colours.good
    return colours.right if item.stage == "drawing" else colours.accent


def _colour(item: Item, column: int) -> QColor:
    colours = theme.current()
    by_state = {
        ItemState.FAILED: colours.bad,
        ItemState.IN_PART: colours.warn,
        ItemState.DONE: colours.good,
        ItemState.KEPT: colours.good,
        ItemState.RUNNING: colours.accent,
    }
    if column == RESULT:
        if item.state is ItemState.FAILED:
            return QColor(colours.bad)
        return QColor(colours.warn if item.notes else colours.muted)
    return QColor(by_state.get(item.state, colours.muted))


def _text(item: Item, column: int) -> str:
    if column == INPUT:
        return item.name
    if column == STATE:
        if item.state is ItemState.RUNNING:
            return "drawing" if item.stage == "drawing" else "finding people"
        return _TEXTS.get(item.state, item.state.value)
    if column == FRAMES:
        whole = "" if item.frames is None else f"{item.frames:,}"
        return f"{item.done:,} / {whole or '?'}" if item.done and not item.state.is_over else whole
    if column == PEOPLE:
        return str(item.people) if item.state.has_results else ""
    if column == RESULT:
        # The row names the input already; its whole path would hide the reason.
        reasons = (note.removeprefix(item.where).lstrip(" :") for note in item.notes)
        return "; ".join(reasons) or ", ".join(item.outputs)
    return ""


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
