"""What lies under the pointer: a joint and its numbers, a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.labels import label_font
from app.painting import RIM, side_colour
from app.placing import View, place
from sadinet.results import Pose

_REACH: Final = 12.0  # how near to a joint the pointer must be, logical pixels


class HoveredJoint(NamedTuple):
    """The joint under the pointer; x, y and sigma (x, y) in frame pixels."""

    track_id: int | None
    joint: str
    x: float
    y: float
    score: float
    sigma: tuple[float, float]


def joint_at(poses: Sequence[Pose], view: View, threshold: float, at: QPointF) -> HoveredJoint | None:
    """Return the nearest of the joints that are shown, if it is near enough."""
    best: tuple[float, Pose, int] | None = None
    for pose in poses:
        placed = place(pose, view, threshold)
        away = np.hypot(*(placed.points - (at.x(), at.y())).T)
        away[~placed.shown] = np.inf
        joint = int(away.argmin())
        if away[joint] <= _REACH and (best is None or away[joint] < best[0]):
            best = float(away[joint]), pose, joint
    if best is None:
        return None
    _, pose, joint = best
    (x, y), (across, down) = pose.joints[joint].tolist(), pose.sigmas[joint].tolist()
    return HoveredJoint(pose.track_id, pose.skeleton.joints[joint], x, y, float(pose.scores[joint]), (across, down))


def person_at(poses: Sequence[Pose], view: View, at: QPointF) -> int | None:
    """Return the number of the person in whose box a place lies."""
    x, y = view.frame_point(at.x(), at.y())
    inside = [
        (pose.box.area, pose.track_id)
        for pose in poses
        if pose.track_id is not None
        and pose.box.x <= x <= pose.box.x + pose.box.width
        and pose.box.y <= y <= pose.box.y + pose.box.height
    ]
    # Of boxes that overlap the smaller one: the other can be clicked beside it.
    return min(inside)[1] if inside else None


def paint_hovered(painter: QPainter, joint: HoveredJoint, view: View, room: QRectF) -> None:
    """Ring a joint, and write its numbers beside it, within `room`."""
    x, y = view.points(np.array([joint.x, joint.y])).tolist()
    painter.setPen(QPen(side_colour(joint.joint), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(x, y), 8, 8)
    painter.setFont(label_font(12))
    lines = hovered_lines(joint)
    metrics = QFontMetricsF(painter.font())
    width = max(metrics.horizontalAdvance(line) for line in lines) + 16
    height = metrics.lineSpacing() * len(lines) + 10
    left = x + 16 if x + 16 + width <= room.right() else x - 16 - width
    top = min(max(y - height / 2, room.top() + 4), max(room.top() + 4, room.bottom() - height - 4))
    card = QRectF(left, top, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(RIM.red(), RIM.green(), RIM.blue(), 225))
    painter.drawRoundedRect(card, 4, 4)
    painter.setPen(QColor("white"))
    painter.drawText(card.adjusted(8, 5, -8, -5), Qt.AlignmentFlag.AlignLeft, "\n".join(lines))


def hovered_lines(joint: HoveredJoint) -> tuple[str, ...]:
    """Return what is written beside a joint under the pointer."""
    who = "" if joint.track_id is None else f"  #{joint.track_id}"
    known = bool(np.isfinite(joint.sigma).all())
    spread = f"± {joint.sigma[0]:.1f}, {joint.sigma[1]:.1f} px" if known else "± not known"
    return (
        f"{joint.joint.replace('_', ' ')}{who}",
        f"{joint.x:.1f}, {joint.y:.1f} px",
        spread,
        f"score {joint.score:.2f}",
    )
