"""A page of text to read: Markdown, with tables in the colours of the theme."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QBrush, QTextFrameFormat, QTextTable
from PyQt6.QtWidgets import QTextBrowser, QWidget

from app import theme

_MARGIN = 14
_CELL_PADDING = 4


class Paper(QTextBrowser):
    """Shows a text that can be marked and copied; its links are not followed.

    Args:
        text: Markdown.
        name: for screen readers.
    """

    def __init__(self, text: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        # A link would be opened as a page in here, and fail: nothing is fetched.
        self.setOpenLinks(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Show another text."""
        self.setMarkdown(text)
        document = self.document()
        if document is not None:
            document.setDocumentMargin(_MARGIN)
        for table in self._tables():
            head = [table.cellAt(0, column).firstCursorPosition().block().text() for column in range(table.columns())]
            if not any(head):
                # Markdown knows no table without a head; one that says nothing is not shown.
                table.removeRows(0, 1)
        self._dress()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._dress()

    def _dress(self) -> None:
        for table in self._tables():
            form = table.format().toTableFormat()
            form.setBorderCollapse(True)
            form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            form.setBorderBrush(QBrush(theme.colour("border")))
            form.setCellPadding(_CELL_PADDING)
            table.setFormat(form)

    def _tables(self) -> list[QTextTable]:
        document = self.document()
        root = None if document is None else document.rootFrame()
        return [] if root is None else [frame for frame in root.childFrames() if isinstance(frame, QTextTable)]
