"""What really runs, and how well it keeps pace."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from app import theme
from app.panels.split_bar import SplitBar
from app.stages import split

if TYPE_CHECKING:
    from sadinet.engines.session import Runtime
    from sadinet.pipeline.live_status import LiveStatus

_LOADING: Final = "loading the models …"
_DEVICES: Final = {"cpu": "CPU", "cuda": "GPU (CUDA)", "mps": "GPU (Apple)"}


class StatusBar(QFrame):
    """Device, engine and precision in use; rate, latency, drops and the split of the time. A click asks for more."""

    clicked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAccessibleName("Status")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._text, self._why = "", ""
        self._runtime = QLabel(_LOADING)
        self._message = Elided()
        self._message.setProperty("role", "muted")
        self._rate = _figure("Frames a second that are shown, and that the source gives", "60.0 of 60.0 fps")
        self._latency = _figure("Median time from the capture of a frame to its result on the screen", "1000 ms late")
        self._dropped = _figure("Frames that were left out so that nothing lags", "10000 dropped")
        self._interval = _figure("How often the detector looks; in between people are followed", "detects every 15th")
        self._bar = SplitBar()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 12, 4)
        layout.setSpacing(14)
        layout.addWidget(self._runtime)
        layout.addWidget(self._message, 1)
        self._figures = (self._rate, self._latency, self._dropped, self._interval, self._bar)
        for figure in self._figures:
            layout.addWidget(figure)
        self.set_live(None)

    def set_loading(self) -> None:
        """Show that there are no models just now."""
        self._runtime.setText(_LOADING)
        self._runtime.setToolTip("")
        self._why = ""
        self._show_message()

    def set_runtime(self, pose: Runtime, detector: Runtime, model: str = "") -> None:
        """Show on what the networks really run, and which pose model it is."""
        self._runtime.setText(f"{model} · {runtime_text(pose)}" if model else runtime_text(pose))
        same = (pose.engine, pose.device, pose.precision) == (detector.engine, detector.device, detector.precision)
        self._why = f"{_device(pose)}: {pose.why}"
        if not same:
            self._why += f"; detector on {_device(detector)}: {detector.why}"
        tip = "\n".join(f"{name}: {runtime_text(each)}, {each.why}" for name, each in _named(pose, detector))
        self._runtime.setToolTip(tip)
        self._show_message()

    @property
    def text(self) -> str:
        """The line in the middle, as it was set; empty where it says why this device is in use."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show a line in the middle; an empty one makes room for why this device is in use."""
        if text != self._text:
            self._text = text
            self._show_message()

    def set_live(self, status: LiveStatus | None, *, draw_ms: float = math.nan, screen_ms: float = math.nan) -> None:
        """Show how a source is doing, or nothing.

        Args:
            status: of the last two seconds.
            draw_ms: what painting takes, NaN where not known.
            screen_ms: median from capture to screen; NaN for the one from capture to result with `draw_ms` added.
        """
        for figure in self._figures:
            figure.setVisible(status is not None)
        if status is None:
            self.setAccessibleDescription(self._runtime.text())
            return
        late_ms = screen_latency_ms(status, draw_ms, screen_ms)
        self._rate.setText(_rate_text(status))
        self._latency.setText(f"{late_ms:.0f} ms late" if math.isfinite(late_ms) else "– ms late")
        self._dropped.setText(f"{status.dropped} dropped")
        self._interval.setVisible(status.detection_interval is not None)
        if status.detection_interval is not None:
            self._interval.setText(f"detects {_every(status.detection_interval)}")
        period_ms = 1e3 / status.source_fps if status.source_fps > 0 else math.nan
        self._bar.set_split(split(status.timings_ms, draw_ms), period_ms)
        figures = (self._rate, self._latency, self._dropped)
        self.setAccessibleDescription(", ".join(figure.text() for figure in figures))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Ask for more."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Ask for more."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint the ground, a line above, and the focus."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("panel"))
        painter.setPen(QPen(theme.colour("accent" if self.hasFocus() else "border"), 1))
        painter.drawLine(0, 0, self.width(), 0)
        if self.hasFocus():
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _show_message(self) -> None:
        self._message.setText(self._text or self._why)


class Elided(QLabel):
    """A line that is cut with an ellipsis where there is no room; its tooltip has all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""

    @property
    def whole(self) -> str:
        """The text, however little of it there is room for."""
        return self._whole

    def setText(self, text: str | None) -> None:  # noqa: N802
        """Show a text, as far as there is room."""
        self._whole = text or ""
        self._fit()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return how small it may become."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Cut anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = max(0, self.contentsRect().width())
        cut = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        super().setText(cut)
        self.setToolTip(self._whole if cut != self._whole else "")


def runtime_text(runtime: Runtime) -> str:
    """Return device, engine and precision in a few words."""
    return f"{_device(runtime)} · {runtime.engine} {runtime.version} · {runtime.precision}"


def screen_latency_ms(status: LiveStatus, draw_ms: float, screen_ms: float) -> float:
    """Return the time from capture to screen as well as it is known."""
    if math.isfinite(screen_ms):
        return screen_ms
    return status.latency_ms + (draw_ms if math.isfinite(draw_ms) else 0.0)


def _device(runtime: Runtime) -> str:
    return _DEVICES.get(runtime.device, runtime.device)


def _named(pose: Runtime, detector: Runtime) -> tuple[tuple[str, Runtime], ...]:
    return ("pose model", pose), ("detector", detector)


def _rate_text(status: LiveStatus) -> str:
    if not math.isfinite(status.shown_fps):
        return "– fps"
    if math.isfinite(status.source_fps):
        return f"{status.shown_fps:.1f} of {status.source_fps:.1f} fps"
    return f"{status.shown_fps:.1f} fps"


def _every(interval: int) -> str:
    if interval == 1:
        return "every frame"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(interval % 10 if interval not in (11, 12, 13) else 0, "th")
    return f"every {interval}{ending}"


def _figure(tip: str, widest: str) -> QLabel:
    label = QLabel()
    label.setToolTip(tip)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    # Numbers that change must not push each other about.
    label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest))
    return label
