"""Writing on the picture: people's numbers and joints' names, none over another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.placing import Placed

_BACK: Final = QColor(22, 24, 28, 185)
_INK: Final = QColor(255, 255, 255)
_PAD = 4.0
_AWAY = 9.0  # from a joint to its name, logical pixels


def label_font(size_px: int = 13) -> QFont:
    """Return the type of writing on pictures."""
    font = QFont()
    font.setPixelSize(size_px)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def paint_labels(painter: QPainter, people: Sequence[Placed], area: QRectF) -> list[QRectF]:
    """Write each person's number and score above the head.

    Args:
        painter: where to.
        people: who, and where they are.
        area: labels stay in here; who is outside has none.

    Returns:
        What they cover.
    """
    painter.setFont(label_font())
    metrics = QFontMetricsF(painter.font())
    taken: list[QRectF] = []
    for each in people:
        if not each.shown.any():
            continue
        points = each.points[each.shown]
        head = points[np.argmin(points[:, 1])]
        if not area.intersects(QRectF(QPointF(*points.min(axis=0).tolist()), QPointF(*points.max(axis=0).tolist()))):
            continue
        score = f"{each.pose.score:.2f}"
        text = score if each.pose.track_id is None else f"#{each.pose.track_id}  {score}"
        width, height = metrics.horizontalAdvance(text) + 2 * _PAD, metrics.height() + 2
        # The box mostly begins above the hair, the joints below it.
        crown = min(float(head[1]) - max(8.0, each.height * 0.05), each.box_top - 3)
        pill = QRectF(float(head[0]) - width / 2, crown - height, width, height)
        _write(painter, text, _free(_inside(pill, area), taken, area))
    return taken


def paint_names(painter: QPainter, people: Sequence[Placed], area: QRectF, taken: Sequence[QRectF] = ()) -> None:
    """Write joints' names beside them; one that would cover another, or what is taken, is left out."""
    painter.setFont(label_font(11))
    metrics = QFontMetricsF(painter.font())
    covered = list(taken)
    for each in people:
        if not each.shown.any():
            continue
        middle = float(np.median(each.points[each.shown][:, 0]))
        for joint in np.flatnonzero(each.shown).tolist():
            x, y = each.points[joint].tolist()
            text = each.pose.skeleton.joints[joint].replace("_", " ")
            width, height = metrics.horizontalAdvance(text) + 2 * _PAD, metrics.height()
            left = x + _AWAY if x >= middle else x - _AWAY - width
            pill = QRectF(left, y - height / 2, width, height)
            if area.contains(pill) and not any(pill.intersects(other) for other in covered):
                covered.append(pill)
                _write(painter, text, pill)


def _inside(pill: QRectF, area: QRectF) -> QRectF:
    left = min(max(pill.left(), area.left()), max(area.left(), area.right() - pill.width()))
    top = min(max(pill.top(), area.top()), max(area.top(), area.bottom() - pill.height()))
    return QRectF(left, top, pill.width(), pill.height())


def _free(pill: QRectF, taken: list[QRectF], area: QRectF) -> QRectF:
    # People stand close: a label that would cover another moves up, or below where there is no room.
    for other in sorted(taken, key=lambda each: -each.top()):
        if pill.intersects(other):
            above = other.top() - pill.height() - 2
            top = above if above >= area.top() else other.bottom() + 2
            pill = QRectF(pill.left(), top, pill.width(), pill.height())
    taken.append(pill)
    return pill


def _write(painter: QPainter, text: str, pill: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BACK)
    painter.drawRoundedRect(pill, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_INK)
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
