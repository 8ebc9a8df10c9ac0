"""Calls that come faster than eyes follow are put together: the last one always happens."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, QTimer
from PyQt6.QtWidgets import QWidget


class Throttle(QObject):
    """Refreshes a widget at most every so often, once more after the last request, and when it comes into view.

    While the widget is hidden nothing is done.

    Args:
        action: what to do.
        every_ms: least time between two of it.
        widget: what is refreshed.
    """

    def __init__(self, action: Callable[[], None], every_ms: int, widget: QWidget) -> None:
        super().__init__(widget)
        self._action = action
        self._every_ms = every_ms
        self._widget = widget
        self._last_s = float("-inf")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.now)
        widget.installEventFilter(self)

    def request(self) -> None:
        """Do it now, or as soon as it may be done again."""
        if self._timer.isActive() or not self._widget.isVisible():
            return
        wait_ms = self._every_ms - (time.monotonic() - self._last_s) * 1e3
        if wait_ms <= 0:
            self.now()
        else:
            self._timer.start(max(1, round(wait_ms)))

    def now(self) -> None:
        """Do it at once, whatever was requested before."""
        self._timer.stop()
        self._last_s = time.monotonic()
        self._action()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Refresh what comes into view, rest when it goes."""
        if event is not None and watched is self._widget:
            if event.type() == QEvent.Type.Show:
                self.now()
            elif event.type() == QEvent.Type.Hide:
                self._timer.stop()
        return super().eventFilter(watched, event)
