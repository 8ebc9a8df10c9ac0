"""Play, pause, step, seek, speed and loop of a file, and how far its analysis is."""

from __future__ import annotations

import math

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QMouseEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.icons import icon
from app.state import SPEEDS, Analysis, AnalysisPhase, Place

_ICON = QSize(20, 20)
_MOST_STEPS = 1_000_000_000


def clock_text(time_s: float) -> str:
    """Return a time as minutes, seconds and thousandths; a dash where it is not known."""
    if not math.isfinite(time_s):
        return "–"
    thousandths = round(max(0.0, time_s) * 1000)
    seconds, rest = divmod(thousandths, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"{head}:{seconds:02}.{rest:03}"


class SeekBar(QSlider):
    """A slider that goes where it is clicked; its value is the number of a frame."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setAccessibleName("Position in the file")
        self.setToolTip("Frame that is shown; click or drag to seek")
        self.setPageStep(30)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Go where it is clicked."""
        if event is not None and event.button() is Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._go(event)
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Go along."""
        if event is not None and self.isSliderDown():
            self._go(event)
            event.accept()
            return
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Let go."""
        self.setSliderDown(False)
        super().mouseReleaseEvent(event)

    def _go(self, event: QMouseEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style = self.style()
        assert style is not None  # noqa: S101  every widget has one
        control = QStyle.ComplexControl.CC_Slider
        groove = style.subControlRect(control, option, QStyle.SubControl.SC_SliderGroove, self)
        handle = style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, self)
        along = round(event.position().x()) - groove.x() - handle.width() // 2
        room = groove.width() - handle.width()
        self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), along, room))


class TransportPanel(QWidget):
    """Shows where a file stands, and asks for another place of it.

    Args:
        actions: "play", "step_back", "step_on", "loop", "analyse" and "export"; their buttons are here.
    """

    frame_chosen = pyqtSignal(int)
    speed_chosen = pyqtSignal(float)
    cancel_wished = pyqtSignal()

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Transport")
        self._actions = actions
        self._bar = SeekBar()
        self._bar.valueChanged.connect(self.frame_chosen)
        self._time = QLabel()
        self._time.setAccessibleName("Time and frame")
        self._time.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._time.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        font = self._time.font()
        font.setStyleHint(font.StyleHint.Monospace)
        self._time.setFont(font)
        self._speed = QComboBox()
        self._speed.setAccessibleName("Speed")
        self._speed.setToolTip("Speed, times the true one ([ slower, ] faster)")
        for speed in SPEEDS:
            self._speed.addItem(f"{speed:g} ×", speed)
        self._speed.activated.connect(lambda place: self.speed_chosen.emit(SPEEDS[place]))
        self._progress = QProgressBar()
        self._progress.setAccessibleName("Progress of the analysis")
        self._progress.setFixedWidth(190)
        self._cancel = QPushButton("Stop")
        self._cancel.setToolTip("Stop the analysis (Esc); what is done is kept for the next time")
        self._cancel.clicked.connect(self.cancel_wished)
        self._analyse = QPushButton("Analyse")
        self._analyse.setProperty("role", "primary")
        self._export = QPushButton("Export …")
        for button, name in ((self._analyse, "analyse"), (self._export, "export")):
            action = actions[name]
            button.clicked.connect(action.trigger)
            button.setToolTip(action.toolTip())
            action.changed.connect(self._follow_actions)
        self._buttons = {name: self._button(name) for name in ("step_back", "play", "step_on", "loop")}
        self._arrange()
        self._follow_actions()
        self.set_speed(1.0)
        self.set_place(Place())
        self.set_analysis(Analysis())
        self.refresh_theme()

    @property
    def seek_bar(self) -> SeekBar:
        """Where a file is sought through."""
        return self._bar

    @property
    def place_text(self) -> str:
        """What is said of the place."""
        return self._time.text()

    def set_place(self, place: Place) -> None:
        """Show where the file stands."""
        if not self._bar.isSliderDown():
            with QSignalBlocker(self._bar):
                self._bar.setRange(0, min(max(place.frames - 1, 0), _MOST_STEPS))
                self._bar.setValue(place.frame)
        about = "" if place.is_exact else "≈ "
        last = max(place.frames - 1, 0)
        width = len(str(last))
        times = (
            f"{clock_text(place.time_s)} / {clock_text(place.duration_s)}   " if place.time_s == place.time_s else ""
        )
        self._time.setText(f"{times}frame {place.frame:>{width}} / {about}{last}")

    def set_playing(self, is_playing: bool) -> None:
        """Show whether it runs."""
        self._buttons["play"].setIcon(icon("pause" if is_playing else "play"))
        self._is_playing = is_playing

    def set_speed(self, speed: float) -> None:
        """Show the speed."""
        self._speed.setCurrentIndex(SPEEDS.index(speed))

    def set_analysis(self, analysis: Analysis) -> None:
        """Show how far the analysis is."""
        is_running = analysis.phase is AnalysisPhase.RUNNING
        self._progress.setVisible(is_running)
        self._cancel.setVisible(is_running)
        self._analyse.setVisible(analysis.phase is AnalysisPhase.NONE)
        self._export.setVisible(analysis.phase is AnalysisPhase.DONE)
        if is_running and analysis.frames:
            self._progress.setRange(0, analysis.frames)
            self._progress.setValue(min(analysis.done, analysis.frames))
            self._progress.setFormat(f"{analysis.done} of {analysis.frames} frames")
        elif is_running:
            self._progress.setRange(0, 0)

    def refresh_theme(self) -> None:
        """Take the icons' colours from the theme in use."""
        for name, button in self._buttons.items():
            if name != "play":
                button.setIcon(icon(name))
        self.set_playing(getattr(self, "_is_playing", False))

    def _button(self, name: str) -> QToolButton:
        action = self._actions[name]
        button = QToolButton()
        button.setProperty("role", "flat")
        button.setIconSize(_ICON)
        button.setCheckable(action.isCheckable())
        button.setChecked(action.isChecked())
        button.clicked.connect(action.trigger)
        action.changed.connect(self._follow_actions)
        button.setAccessibleName(action.text().replace("&", ""))
        button.setToolTip(action.toolTip())
        return button

    def _follow_actions(self) -> None:
        for name, button in self._buttons.items():
            button.setEnabled(self._actions[name].isEnabled())
            button.setChecked(self._actions[name].isChecked())
        self._analyse.setEnabled(self._actions["analyse"].isEnabled())
        self._analyse.setToolTip(self._actions["analyse"].toolTip())
        self._export.setEnabled(self._actions["export"].isEnabled())

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        for name in ("step_back", "play", "step_on", "loop"):
            row.addWidget(self._buttons[name])
        row.addWidget(self._speed)
        row.addSpacing(8)
        self._time.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self._time, 1)
        for widget in (self._progress, self._cancel, self._analyse, self._export):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(4)
        layout.addWidget(self._bar)
        layout.addLayout(row)
