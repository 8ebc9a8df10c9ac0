"""How the timeline of an analysed file is painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from app import theme
from app.marks import LANES, Mark, stretches

MARGIN: Final = 16
"""Left and right of the first and last frame, as at the seek bar above."""
_CURVE: Final = 46
_LANE: Final = 15
_GAP: Final = 5
_FOOT: Final = 18

HEIGHT: Final = 3 * _GAP + _CURVE + len(LANES) * _LANE + _FOOT
"""Of the whole timeline, logical pixels."""

LANE_COLOURS: Final = {
    "id change": "bad",
    "left/right swap": "warn",
    "jump": "accent",
    "bone length": "good",
    "low confidence": "muted",
    "cut off": "right",
    "scene cut": "text",
}
"""Lane -> colour of the theme."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ruler:
    """Where frames and lanes lie, logical pixels.

    Attributes:
        width: of the widget.
        frames: how many there are.
    """

    width: int
    frames: int

    @property
    def length(self) -> int:
        """From the first frame to the last."""
        return max(1, self.width - 2 * MARGIN)

    def x(self, frame: float) -> float:
        """Return where a frame lies."""
        return MARGIN + self.length * frame / max(1, self.frames - 1)

    def frame_at(self, x: float) -> int:
        """Return the number of the nearest frame."""
        share = (x - MARGIN) / self.length
        return min(max(round(share * (self.frames - 1)), 0), max(self.frames - 1, 0))

    @staticmethod
    def y(score: float) -> float:
        """Return the height of a score in the curve."""
        return _GAP + 3 + (_CURVE - 6) * (1 - min(max(score, 0.0), 1.0))

    @staticmethod
    def lane_top(lane: int) -> float:
        """Return the upper edge of a lane; that behind the last one is where the times begin."""
        return 2 * _GAP + _CURVE + lane * _LANE

    def mark_rect(self, mark: Mark) -> QRectF:
        """Return where a mark lies."""
        left, right = self.x(mark.first), self.x(mark.last)
        top = self.lane_top(list(LANES).index(mark.lane)) + 2
        return QRectF(left - 2, top, max(right - left, 0) + 4, _LANE - 4)


def paint_ground(painter: QPainter, ruler: Ruler, nobody: Sequence[tuple[int, int]]) -> None:
    """Paint what lies behind curve and marks, and hatch frames with nobody in view (first and last of each run)."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("raised"))
    painter.drawRoundedRect(QRectF(MARGIN - 4, _GAP, ruler.length + 8, _CURVE), 3, 3)
    for lane in range(len(LANES)):
        painter.setBrush(theme.colour("border", 0.5))
        painter.drawRoundedRect(QRectF(MARGIN - 4, ruler.lane_top(lane) + 2, ruler.length + 8, _LANE - 4), 3, 3)
    for first, last in nobody:
        left, right = ruler.x(first - 0.5), ruler.x(last + 0.5)
        band = QRectF(left, _GAP, max(right - left, 1.5), _CURVE)
        painter.fillRect(band, theme.colour("muted", 0.12))
        brush = painter.brush()
        brush.setStyle(Qt.BrushStyle.BDiagPattern)
        brush.setColor(theme.colour("muted", 0.45))
        painter.fillRect(band, brush)


def paint_curve(painter: QPainter, ruler: Ruler, low: Floats, mean: Floats) -> None:
    """Paint scores: the least and the mean (columns,) of equal parts of the time, NaN where nobody is in view."""
    # A part's value stands at its middle.
    at = MARGIN + ruler.length * (np.arange(len(mean)) + 0.5) / len(mean)
    colour = theme.colour("accent")
    for first, last in stretches(np.isfinite(mean)):
        part = slice(first, last + 1)
        tops = [QPointF(x, ruler.y(value)) for x, value in zip(at[part], mean[part], strict=True)]
        floors = [QPointF(x, ruler.y(value)) for x, value in zip(at[part], low[part], strict=True)]
        if len(tops) == 1:
            painter.setPen(QPen(colour, 3))
            painter.drawPoint(tops[0])
            continue
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour.red(), colour.green(), colour.blue(), 70))
        painter.drawPolygon(QPolygonF([*tops, *reversed(floors)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.4))
        painter.drawPolyline(QPolygonF(tops))


def paint_mark(painter: QPainter, ruler: Ruler, mark: Mark, *, is_current: bool) -> None:
    """Paint a mark in its lane."""
    painter.setPen(QPen(theme.colour("text"), 1.5) if is_current else Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(LANE_COLOURS[mark.lane]))
    painter.drawRoundedRect(ruler.mark_rect(mark), 2, 2)


def paint_times(painter: QPainter, ruler: Ruler, text_of: Callable[[int], str]) -> None:
    """Write times below, none over another."""
    metrics = _small(painter, 11)
    painter.setPen(theme.colour("muted"))
    base = ruler.lane_top(len(LANES)) + 2 + metrics.ascent()
    # No more than there are frames, or a time would stand twice.
    count = min(max(2, min(9, ruler.length // 110)), ruler.frames)
    for place in range(count):
        frame = round((ruler.frames - 1) * place / max(1, count - 1))
        text = text_of(frame)
        width = metrics.horizontalAdvance(text)
        left = min(max(ruler.x(frame) - width / 2, 4), ruler.width - width - 4)
        painter.drawText(QPointF(left, base), text)


def paint_position(painter: QPainter, ruler: Ruler, frame: int) -> None:
    """Paint where the file stands."""
    x = ruler.x(min(frame, ruler.frames - 1))
    painter.setPen(QPen(theme.colour("text"), 1.5))
    painter.drawLine(QPointF(x, _GAP - 2), QPointF(x, ruler.lane_top(len(LANES))))


def paint_names(painter: QPainter, ruler: Ruler) -> None:
    """Write what curve and lanes are at their beginning; marks that lie there shine through."""
    metrics = _small(painter, 10)
    tops = {"score": _GAP + 2, **{name: ruler.lane_top(lane) + 1 for lane, name in enumerate(LANES)}}
    for name, top in tops.items():
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("panel", 0.0 if name == "score" else 0.85))
        painter.drawRoundedRect(QRectF(MARGIN - 3, top, metrics.horizontalAdvance(name) + 6, _LANE - 2), 2, 2)
        painter.setPen(theme.colour("muted" if name == "score" else "text"))
        painter.drawText(QPointF(MARGIN, top + (_LANE - 2 + metrics.ascent() - metrics.descent()) / 2), name)


def _small(painter: QPainter, size_px: int) -> QFontMetricsF:
    font = painter.font()
    font.setPixelSize(size_px)
    painter.setFont(font)
    return QFontMetricsF(font)
