"""What went wrong, and what to do about it, above the page; nothing waits for an answer."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from app import theme

MOST: Final = 4


class Banner(QWidget):
    """Several notices, the newest on top; one that comes again is counted, not repeated."""

    dismissed = pyqtSignal(str)
    """The message of a notice that the user closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Notices")
        self._notices: list[Notice] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(1)
        self.hide()

    @property
    def messages(self) -> tuple[str, ...]:
        """What is shown, the newest first."""
        return tuple(notice.message for notice in self._notices)

    def show_error(self, message: str, remedy: str = "", details: str = "") -> None:
        """Tell of a failure.

        Args:
            message: what happened.
            remedy: what to do about it; empty where nothing helps.
            details: to be copied into a report.
        """
        self._show(message, remedy, details, is_error=True)

    def show_note(self, text: str) -> None:
        """Tell of something that is no failure."""
        self._show(text, "", "", is_error=False)

    def dismiss(self) -> None:
        """Close the newest notice."""
        if self._notices:
            self._remove(self._notices[0])

    def clear(self) -> None:
        """Close all notices."""
        for notice in list(self._notices):
            self._remove(notice)

    def remove(self, message: str) -> None:
        """Close the notice with this message, if there is one; nothing is emitted."""
        for notice in [each for each in self._notices if each.message == message]:
            self._remove(notice)

    def _show(self, message: str, remedy: str, details: str, *, is_error: bool) -> None:
        for notice in self._notices:
            if (notice.message, notice.is_error) == (message, is_error):
                notice.repeat(remedy, details)
                return
        while len(self._notices) >= MOST:
            self._remove(self._notices[-1])
        notice = Notice(message, remedy, details, is_error=is_error)
        notice.closed.connect(lambda: self._close(notice))
        self._notices.insert(0, notice)
        self._layout.insertWidget(0, notice)
        self.show()
        # Screen readers tell of a description that changes.
        self.setAccessibleDescription(f"{message} {remedy}".strip())

    def _close(self, notice: Notice) -> None:
        self._remove(notice)
        self.dismissed.emit(notice.message)

    def _remove(self, notice: Notice) -> None:
        if notice not in self._notices:
            return
        self._notices.remove(notice)
        self._layout.removeWidget(notice)
        notice.hide()
        notice.deleteLater()
        self.setVisible(bool(self._notices))


class Notice(QFrame):
    """One message with its remedy, and details that unfold and can be copied."""

    closed = pyqtSignal()

    def __init__(self, message: str, remedy: str, details: str, *, is_error: bool) -> None:
        super().__init__()
        self.message = message
        self.is_error = is_error
        self._count = 1
        self.setAccessibleName("Error" if is_error else "Note")
        self.setToolTip("Escape closes the notice that has the focus")
        self._head = QLabel()
        self._head.setTextFormat(Qt.TextFormat.PlainText)
        self._head.setWordWrap(True)
        self._head.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = self._head.font()
        font.setBold(is_error)
        self._head.setFont(font)
        self._remedy = QLabel()
        self._remedy.setTextFormat(Qt.TextFormat.PlainText)
        self._remedy.setWordWrap(True)
        self._remedy.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setMaximumHeight(110)
        self._details.setAccessibleName("Details")
        self._details.setTabChangesFocus(True)
        self._unfold = _button("Details", "Show what a report should contain")
        self._unfold.setCheckable(True)
        self._copy = _button("Copy", "Copy message, remedy and details")
        close = _button("✕", "Close this notice (Escape)")
        close.setAccessibleName("Close this notice")
        self._unfold.toggled.connect(self._details.setVisible)
        self._copy.clicked.connect(self._copy_text)
        close.clicked.connect(self.closed)
        self._arrange(close)
        self._fill(remedy, details)

    def repeat(self, remedy: str, details: str) -> None:
        """It happened once more."""
        self._count += 1
        self._fill(remedy, details)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Close it."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint the ground, and a bar at its left in the colour of its kind."""
        painter = QPainter(self)
        kind = "bad" if self.is_error else "accent"
        painter.fillRect(self.rect(), theme.colour("panel"))
        painter.fillRect(self.rect(), theme.colour(kind, 0.13))
        painter.fillRect(0, 0, 4, self.height(), theme.colour(kind))

    def _arrange(self, close: QToolButton) -> None:
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._head)
        words.addWidget(self._remedy)
        row = QHBoxLayout()
        row.addLayout(words, 1)
        for button in (self._unfold, self._copy, close):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 7, 8, 7)
        layout.addLayout(row)
        layout.addWidget(self._details)

    def _fill(self, remedy: str, details: str) -> None:
        times = f"  ({self._count} times)" if self._count > 1 else ""
        self._head.setText(self.message + times)
        self._remedy.setText(remedy)
        self._remedy.setVisible(bool(remedy))
        self._details.setPlainText(details)
        self._details.setVisible(bool(details) and self._unfold.isChecked())
        self._unfold.setVisible(bool(details))
        self._copy.setVisible(bool(details))
        self.setAccessibleDescription(f"{self.message} {remedy}".strip())

    def _copy_text(self) -> None:
        board = QGuiApplication.clipboard()
        if board is not None:
            parts = (self.message, self._remedy.text(), self._details.toPlainText())
            board.setText("\n".join(part for part in parts if part))


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setProperty("role", "flat")
    return button
