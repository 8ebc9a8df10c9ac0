"""One angle: its name, its value, and its limits."""

from __future__ import annotations

import math
from typing import Final

from PyQt6.QtCore import QObject, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QFont, QFontMetrics
from PyQt6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QLabel

from app import theme
from app.angle_course import bounds_of
from app.panels.joints import short_name

NO_LIMIT: Final = "–"


class AngleRow(QObject):
    """Widgets of one line; whoever makes it puts them into a grid."""

    limits_changed = pyqtSignal()

    def __init__(self, angle: str) -> None:
        super().__init__()
        words = angle.replace("_", " ")
        self._bounds = bounds_of(angle)
        self._state: tuple[str, bool, str] | None = None
        self.name = QLabel(short_name(angle))
        self.name.setToolTip(words)
        self.name.setAccessibleName(words)
        self.value = QLabel("–")
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # As wide as an alarm, so that nothing moves when one comes.
        bold = QFont(self.value.font())
        bold.setBold(True)
        self.value.setMinimumWidth(QFontMetrics(bold).horizontalAdvance("⚠ 188° ± 188") + 6)
        self.value.setAccessibleName(words)
        self.value.setToolTip("Degrees in the picture, and one standard deviation")
        self.low = self._spin(f"Least {words}", f"Alarm when {words} is below this many degrees")
        self.high = self._spin(f"Greatest {words}", f"Alarm when {words} is above this many degrees")

    @property
    def limits(self) -> tuple[float, float]:
        """Least and greatest degrees; the bounds of the angle where there is no limit."""
        low, high = (spin.value() for spin in (self.low, self.high))
        none = self._bounds[0] - 1
        return self._bounds[0] if low == none else low, self._bounds[1] if high == none else high

    def set_limits(self, limits: tuple[float, float]) -> None:
        """Show limits; nothing is emitted."""
        none = self._bounds[0] - 1
        for spin, value, bound in zip((self.low, self.high), limits, self._bounds, strict=True):
            with QSignalBlocker(spin):
                spin.setValue(none if value == bound else value)

    def show_angle(self, degrees: float, sigma: float, *, is_alarmed: bool) -> None:
        """Show a value; an alarm by colour and by a sign."""
        text = _text(degrees, sigma)
        state = (text, is_alarmed, theme.current().name)
        if state == self._state:
            return
        self._state = state
        self.value.setText(f"⚠ {text}" if is_alarmed else text)
        # What a colour says is said by the sign, too, and to screen readers.
        self.value.setAccessibleDescription("beyond its limit" if is_alarmed else "")
        bad = theme.colour("bad").name()
        ink = theme.colour("window").name()
        style = (
            f"background: {bad}; color: {ink}; border-radius: 3px; font-weight: bold; padding: 0 2px;"
            if is_alarmed
            else ""
        )
        if self.value.styleSheet() != style:
            self.value.setStyleSheet(style)

    def _spin(self, name: str, tip: str) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setDecimals(0)
        spin.setRange(self._bounds[0] - 1, self._bounds[1])
        spin.setSingleStep(5)
        spin.setSpecialValueText(NO_LIMIT)
        spin.setValue(self._bounds[0] - 1)
        spin.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        spin.setKeyboardTracking(False)
        spin.setFixedWidth(46)
        spin.setAccessibleName(name)
        spin.setToolTip(f"{tip}; {NO_LIMIT} for no limit")
        spin.valueChanged.connect(lambda _: self.limits_changed.emit())
        return spin


def _text(degrees: float, sigma: float) -> str:
    if not math.isfinite(degrees):
        return "–"
    return f"{degrees:.0f}° ± {sigma:.0f}" if math.isfinite(sigma) else f"{degrees:.0f}°"
