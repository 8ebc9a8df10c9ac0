"""Icons drawn as vectors in the colours of the theme, so that they are sharp on any screen and need no files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from app import theme

_SIDE = 24.0
_SCALES = (1, 2, 3)

Draw = Callable[[QPainter, QColor], None]


def icon(name: str) -> QIcon:
    """Return an icon in the colours of the theme in use; names are the keys of `DRAWINGS`."""
    return _icon(name, theme.current().name)


@cache
def _icon(name: str, theme_name: str) -> QIcon:
    chosen = theme.THEMES[theme_name]
    faded = QColor(chosen.text)
    faded.setAlphaF(0.35)
    made = QIcon()
    for colour, mode, state in (
        (QColor(chosen.text), QIcon.Mode.Normal, QIcon.State.Off),
        (QColor(chosen.on_accent), QIcon.Mode.Normal, QIcon.State.On),
        (faded, QIcon.Mode.Disabled, QIcon.State.Off),
        (faded, QIcon.Mode.Disabled, QIcon.State.On),
    ):
        for scale in _SCALES:
            made.addPixmap(_pixmap(DRAWINGS[name], colour, scale), mode, state)
    return made


def _pixmap(draw: Draw, colour: QColor, scale: int) -> QPixmap:
    made = QPixmap(round(_SIDE * scale), round(_SIDE * scale))
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(scale, scale)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    draw(painter, colour)
    painter.end()
    made.setDevicePixelRatio(scale)
    return made


def _polygon(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _stroke(painter: QPainter, colour: QColor, width: float = 2.0) -> None:
    pen = QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _play(painter: QPainter, colour: QColor) -> None:
    _polygon(painter, (7, 4.5), (19.5, 12), (7, 19.5))


def _pause(painter: QPainter, colour: QColor) -> None:
    painter.drawRoundedRect(QRectF(6, 4.5, 4.2, 15), 1, 1)
    painter.drawRoundedRect(QRectF(13.8, 4.5, 4.2, 15), 1, 1)


def _step_on(painter: QPainter, colour: QColor) -> None:
    _polygon(painter, (6, 5.5), (14.5, 12), (6, 18.5))
    painter.drawRoundedRect(QRectF(15.5, 5.5, 3, 13), 1, 1)


def _step_back(painter: QPainter, colour: QColor) -> None:
    _polygon(painter, (18, 5.5), (9.5, 12), (18, 18.5))
    painter.drawRoundedRect(QRectF(5.5, 5.5, 3, 13), 1, 1)


def _loop(painter: QPainter, colour: QColor) -> None:
    _stroke(painter, colour)
    painter.drawArc(QRectF(4.5, 5, 15, 14), 40 * 16, 280 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    _polygon(painter, (14.2, 8.9), (21.2, 9.6), (18.4, 3.6))


def _refresh(painter: QPainter, colour: QColor) -> None:
    _stroke(painter, colour)
    painter.drawArc(QRectF(5, 5, 14, 14), 60 * 16, 290 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    _polygon(painter, (11.8, 1.6), (18.2, 5.6), (11.4, 9))


def _record(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(QColor(theme.current().bad))
    painter.drawEllipse(QPointF(12, 12), 7, 7)


def _stop(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(QColor(theme.current().bad))
    painter.drawRoundedRect(QRectF(6, 6, 12, 12), 2, 2)


def _snapshot(painter: QPainter, colour: QColor) -> None:
    path = QPainterPath()
    path.addRoundedRect(QRectF(3, 7, 18, 13), 2.5, 2.5)
    path.addRoundedRect(QRectF(8, 4.5, 8, 5), 1.5, 1.5)
    hole = QPainterPath()
    hole.addEllipse(QPointF(12, 13.4), 4.2, 4.2)
    lens = QPainterPath()
    lens.addEllipse(QPointF(12, 13.4), 2.2, 2.2)
    painter.drawPath(path.simplified().subtracted(hole).united(lens))


def _export(painter: QPainter, colour: QColor) -> None:
    _stroke(painter, colour)
    painter.drawPolyline(QPolygonF([QPointF(4.5, 14), QPointF(4.5, 19.5), QPointF(19.5, 19.5), QPointF(19.5, 14)]))
    painter.drawLine(QPointF(12, 4), QPointF(12, 14))
    painter.drawPolyline(QPolygonF([QPointF(7.8, 10.2), QPointF(12, 14.4), QPointF(16.2, 10.2)]))


def _video(painter: QPainter, colour: QColor) -> None:
    frame = QPainterPath()
    frame.addRoundedRect(QRectF(3, 5, 18, 14), 2.5, 2.5)
    hole = QPainterPath()
    hole.addPolygon(QPolygonF([QPointF(10, 8.6), QPointF(15.6, 12), QPointF(10, 15.4), QPointF(10, 8.6)]))
    painter.drawPath(frame.subtracted(hole))


def _pictures(painter: QPainter, colour: QColor) -> None:
    _stroke(painter, colour, 1.8)
    painter.drawRoundedRect(QRectF(3.5, 5, 17, 14), 2, 2)
    painter.drawPolyline(
        QPolygonF([QPointF(4, 17), QPointF(9, 11.5), QPointF(13, 15.5), QPointF(16, 12.8), QPointF(20, 17)])
    )
    painter.drawEllipse(QPointF(15.2, 8.8), 1.2, 1.2)


def _camera(painter: QPainter, colour: QColor) -> None:
    painter.drawRoundedRect(QRectF(2.5, 6.5, 12.5, 11), 2.2, 2.2)
    _polygon(painter, (16.2, 11), (21.5, 7.4), (21.5, 16.6), (16.2, 13))


def _stream(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(QPointF(12, 12), 2.4, 2.4)
    _stroke(painter, colour)
    for radius in (5.6, 9.2):
        box = QRectF(12 - radius, 12 - radius, 2 * radius, 2 * radius)
        painter.drawArc(box, -45 * 16, 90 * 16)
        painter.drawArc(box, 135 * 16, 90 * 16)


def _walker(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(QPointF(12.5, 4.2), 2.3, 2.3)
    _stroke(painter, colour)
    painter.drawPolyline(QPolygonF([QPointF(7.2, 12.2), QPointF(9.2, 8.8), QPointF(12.4, 8), QPointF(16.8, 11.6)]))
    painter.drawLine(QPointF(12.2, 8.4), QPointF(11.6, 14))
    painter.drawPolyline(QPolygonF([QPointF(7.4, 21), QPointF(9.6, 17), QPointF(11.6, 14)]))
    painter.drawPolyline(QPolygonF([QPointF(16.4, 21), QPointF(14.8, 16.8), QPointF(11.6, 14)]))


def _full_screen(painter: QPainter, colour: QColor) -> None:
    _stroke(painter, colour)
    for x, y, dx, dy in ((4.5, 4.5, 5, 5), (19.5, 4.5, -5, 5), (4.5, 19.5, 5, -5), (19.5, 19.5, -5, -5)):
        painter.drawPolyline(QPolygonF([QPointF(x + dx, y), QPointF(x, y), QPointF(x, y + dy)]))


def _theme(painter: QPainter, colour: QColor) -> None:
    _stroke(painter, colour, 1.8)
    painter.drawEllipse(QPointF(12, 12), 7.6, 7.6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPie(QRectF(4.4, 4.4, 15.2, 15.2), 90 * 16, 180 * 16)


def _analyse(painter: QPainter, colour: QColor) -> None:
    _stroke(painter, colour)
    points = [QPointF(3.5, 15), QPointF(8, 9), QPointF(12, 13), QPointF(16, 5.5), QPointF(20.5, 11)]
    painter.drawPolyline(QPolygonF(points))
    painter.drawLine(QPointF(3.5, 20), QPointF(20.5, 20))


DRAWINGS: dict[str, Draw] = {
    "play": _play,
    "pause": _pause,
    "step_on": _step_on,
    "step_back": _step_back,
    "loop": _loop,
    "refresh": _refresh,
    "record": _record,
    "stop": _stop,
    "snapshot": _snapshot,
    "export": _export,
    "video": _video,
    "pictures": _pictures,
    "camera": _camera,
    "stream": _stream,
    "demo": _walker,
    "full_screen": _full_screen,
    "theme": _theme,
    "analyse": _analyse,
}
"""Name -> what draws it, on a field of 24 by 24."""
