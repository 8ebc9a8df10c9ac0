"""Keys of the window's actions that a focused control needs for itself: Space on a button, arrows in a list."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QWidget

_OWN = frozenset(
    {
        Qt.Key.Key_Space,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
    }
)


class _Guard(QObject):
    """Keeps such keys from becoming shortcuts while one of the guarded controls has the focus."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Claim a key for the control; Qt then sends it as an ordinary key."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            has_modifier = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if event.key() in _OWN and not has_modifier:
                event.accept()
                return True
        return False


def keep_keys(*areas: QWidget) -> None:
    """Let the controls in these areas have Space, arrows, Home and End while they are focused."""
    for area in areas:
        guard = _Guard(area)
        for each in (area, *area.findChildren(QWidget)):
            if each.focusPolicy() != Qt.FocusPolicy.NoFocus:
                each.installEventFilter(guard)
