"""A small stacked bar: what the time for a frame is spent on."""

from __future__ import annotations

import math

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.stages import colour_of, described


class SplitBar(QWidget):
    """Its full width is the time between two frames of the source, or the work on one where that takes longer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Time for a frame")
        self._stages: dict[str, float] = {}
        self._period_ms = math.nan

    def set_split(self, stages: dict[str, float], period_ms: float) -> None:
        """Show milliseconds by stage; `period_ms` is NaN where frames have no rate."""
        self._stages, self._period_ms = stages, period_ms
        text = described(stages) if stages else "nothing was measured in the last two seconds"
        if math.isfinite(period_ms):
            text += f"\nbetween two frames  {period_ms:.1f} ms"
        self.setToolTip(text)
        self.setAccessibleDescription(text.replace("\n", ", "))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return its only size."""
        return QSize(120, 12)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint the stages from left to right."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(whole, 3, 3)
        painter.fillPath(outline, theme.colour("raised"))
        total = sum(self._stages.values())
        if total > 0:
            painter.setClipPath(outline)
            scale = whole.width() / (max(total, self._period_ms) if math.isfinite(self._period_ms) else total)
            left = whole.left()
            for stage, spent_ms in self._stages.items():
                part = QRectF(left, whole.top(), spent_ms * scale, whole.height())
                painter.fillRect(part, QColor(colour_of(stage)))
                left = part.right()
            painter.setClipping(False)
        painter.setPen(theme.colour("border"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(outline)
