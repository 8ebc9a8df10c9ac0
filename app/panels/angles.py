"""Joint angles as numbers and plots, each with a limit that alarms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from PyQt6.QtCore import QEvent, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.angle_course import SECONDS, AngleCourse, Limits, bounds_of
from app.panels.angle_row import AngleRow
from app.panels.throttle import Throttle
from sadinet.motion.angles import ANGLES
from sadinet.results import FrameResult

_EVERY_MS: Final = 100
_PAIRS: Final[dict[str, tuple[str, ...]]] = {
    "knee": ("left_knee", "right_knee"),
    "hip": ("left_hip", "right_hip"),
    "elbow": ("left_elbow", "right_elbow"),
    "shoulder": ("left_shoulder", "right_shoulder"),
    "trunk lean": ("trunk_lean",),
}
"""What one plot shows together."""


class AnglesPanel(QWidget):
    """Takes every result, shows the angles of one person ten times a second."""

    alarm = pyqtSignal(str, bool)
    """Name of an angle, and whether its alarm is on."""
    limits_changed = pyqtSignal(object)
    """The new limits, angle -> least and greatest degrees."""
    sound_changed = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Angles")
        self._course = AngleCourse()
        self._plot: AnglePlot | None = None
        self._title = QLabel("Nobody in view")
        self._title.setProperty("role", "heading")
        self._choice = QComboBox()
        self._choice.addItems(list(_PAIRS))
        self._choice.setAccessibleName("Angle that is plotted")
        self._choice.setToolTip("Angle that is plotted over the last ten seconds: blue left, orange right")
        self._place = QVBoxLayout()
        self._rows: dict[str, AngleRow] = {}
        self._sound = QCheckBox("Sound")
        self._sound.setToolTip("A tone when an angle passes its limit")
        self._sound.setAccessibleName("Sound of alarms")
        self._sound.clicked.connect(self.sound_changed)
        self._arrange()
        self._throttle = Throttle(self._show, _EVERY_MS, self)
        self._choice.currentIndexChanged.connect(self._throttle.now)

    @property
    def limits(self) -> Limits:
        """Angle -> least and greatest degrees, of those that have a limit."""
        return dict(self._course.limits)

    @property
    def has_sound(self) -> bool:
        """Whether an alarm is heard."""
        return self._sound.isChecked()

    def add(self, result: FrameResult) -> None:
        """Take a result."""
        for change in self._course.add(result):
            self.alarm.emit(change.angle, change.is_on)
            if change.is_on and self._sound.isChecked():
                QApplication.beep()
        self._throttle.request()

    def set_person(self, track_id: int | None) -> None:
        """Show this person; None for whoever is largest."""
        self._course.set_person(track_id)
        self._throttle.request()

    def set_limits(self, limits: Mapping[str, tuple[float, float]]) -> None:
        """Show limits, angle -> least and greatest degrees; names that are not known are left out."""
        self._course.limits = {name: pair for name, pair in limits.items() if name in ANGLES}
        for name, row in self._rows.items():
            row.set_limits(self._course.limits.get(name, bounds_of(name)))
        self._throttle.request()

    def set_sound(self, is_on: bool) -> None:
        """Let alarms be heard, or not."""
        with QSignalBlocker(self._sound):
            self._sound.setChecked(is_on)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and self._plot is not None:
            self._plot.dress()
            self._throttle.now()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(6)
        layout.addWidget(self._title)
        layout.addWidget(self._choice)
        layout.addLayout(self._place)
        grid = QGridLayout()
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        for column, text in enumerate(("angle", "now", "least", "most")):
            head = QLabel(text)
            head.setProperty("role", "muted")
            side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
            grid.addWidget(head, 0, column, side)
        for place, name in enumerate(ANGLES, start=1):
            row = self._rows[name] = AngleRow(name)
            for column, widget in enumerate((row.name, row.value, row.low, row.high)):
                grid.addWidget(widget, place, column)
            row.limits_changed.connect(self._take_limits)
        layout.addLayout(grid)
        below = QHBoxLayout()
        below.addWidget(self._sound)
        below.addStretch(1)
        layout.addLayout(below)
        layout.addStretch(1)

    def _take_limits(self) -> None:
        limits = {name: row.limits for name, row in self._rows.items()}
        self._course.limits = {name: pair for name, pair in limits.items() if pair != bounds_of(name)}
        self.limits_changed.emit(self.limits)
        self._throttle.request()

    def _show(self) -> None:
        known = any(math.isfinite(value) for value, _ in self._course.current.values())
        number = self._course.followed
        person = "One person" if number is None else f"Person {number}"
        self._title.setText(person if known else "Nobody in view")
        for name, row in self._rows.items():
            row.show_angle(
                *self._course.current.get(name, (math.nan, math.nan)), is_alarmed=name in self._course.alarms
            )
        if self._plot is None and self.isVisible():
            self._plot = AnglePlot(self._place)  # when it is first looked at, as it takes its time to load
        if self._plot is not None:
            self._plot.show(self._course, _PAIRS[self._choice.currentText()])


class AnglePlot:
    """One or two angles over the last seconds, with their uncertainty and limits."""

    def __init__(self, place: QVBoxLayout) -> None:
        from app.panels import plots

        self._library = plots
        self.plot = plots.make_plot("degrees", "Angles over the last ten seconds", seconds=SECONDS)
        self.plot.setFixedHeight(190)
        self.plot.setLabel("bottom", "seconds")
        self._sides = ("left", "right", "midline")
        self._bands = {side: plots.band(self.plot, theme.colour(side, 0.22)) for side in self._sides}
        self._lines = {side: plots.line(self.plot, theme.colour(side)) for side in self._sides}
        self._levels = [plots.level(self.plot, theme.colour("bad")) for _ in range(4)]
        place.addWidget(self.plot)

    def dress(self) -> None:
        """Take the colours of the theme in use."""
        self._library.dress(self.plot)
        for side, line in self._lines.items():
            line.setPen(self._library.pen(theme.colour(side)))
        for item in self._levels:
            item.setPen(self._library.pen(theme.colour("bad"), 1.2, dashed=True))

    def show(self, course: AngleCourse, names: tuple[str, ...]) -> None:
        """Show these angles."""
        shown: list[Any] = []
        levels: list[float] = []
        by_side = {_side(name): name for name in names}
        for side in self._sides:
            low, high, _ = self._bands[side]
            if side not in by_side:
                for curve in (low, high, self._lines[side]):
                    curve.setData([], [])
                continue
            times_s, values, sigmas = course.course(by_side[side])
            self._lines[side].setData(times_s, values)
            middle, spread = _bridged(times_s, values, sigmas)
            low.setData(times_s[: len(middle)], middle - spread)
            high.setData(times_s[: len(middle)], middle + spread)
            shown.append(values[np.isfinite(values)])
            pair, bounds = course.limits.get(by_side[side]), bounds_of(by_side[side])
            if pair is not None:
                levels += [value for value, bound in zip(pair, bounds, strict=True) if value != bound]
        for place, item in enumerate(self._levels):
            item.setVisible(place < len(levels))
            if place < len(levels):
                item.setValue(levels[place])
        self._fit(np.concatenate([*shown, np.array(levels)]))

    def _fit(self, values: Any) -> None:
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 180.0)
        room = max(15.0, (high - low) * 0.15)
        self.plot.setYRange(low - room, high + room, padding=0)


def _bridged(times_s: Any, values: Any, sigmas: Any) -> tuple[Any, Any]:
    # The area between two lines knows no holes: where nothing is known it has no width.
    known = np.isfinite(values) & np.isfinite(sigmas)
    if not known.any():
        return np.zeros(0), np.zeros(0)
    return np.interp(times_s, times_s[known], values[known]), np.where(known, sigmas, 0.0)


def _side(name: str) -> str:
    side = name.partition("_")[0]
    return side if side in ("left", "right") else "midline"
