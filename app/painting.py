"""The overlay as vectors: skeletons, boxes, names, uncertainty and trails, crisp at any zoom and on any screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainter, QPainterPath, QPen, QPolygonF

from app.labels import paint_labels, paint_names
from app.placing import FAR, Placed, View, place
from app.trails import TRAIL_S, Trail
from app.view_options import ViewOptions
from sadinet.results import Pose

LEFT: Final = QColor(40, 159, 233)
RIGHT: Final = QColor(240, 100, 12)
MIDLINE: Final = QColor(232, 232, 232)
RIM: Final = QColor(22, 24, 28)
"""The colours of `sadinet.media.draw`, so that a screen and a recorded overlay look alike."""

PEOPLE: Final = tuple(QColor(name) for name in ("#f0e442", "#2bc79a", "#e58bc0", "#b9a2ff", "#ffffff", "#a7d46f"))
"""Colours of boxes and trails, by a person's number; none is that of a side."""

_FACE = ("nose", "eye", "ear")


def side_colour(*joints: str) -> QColor:
    """Return the colour of a joint, or of a limb by the names of its two ends."""
    sides = {joint.partition("_")[0] for joint in joints}
    if "left" in sides and "right" not in sides:
        return LEFT
    if "right" in sides and "left" not in sides:
        return RIGHT
    return MIDLINE


def person_colour(track_id: int | None) -> QColor:
    """Return the colour of a person's box and trail."""
    return PEOPLE[0 if track_id is None else track_id % len(PEOPLE)]


def is_of_face(joint: str) -> bool:
    """Say whether a joint belongs to the face, which is small."""
    return joint.rpartition("_")[2] in _FACE


def paint_people(
    painter: QPainter,
    poses: Sequence[Pose],
    view: View,
    options: ViewOptions,
    *,
    room: QRectF | None = None,
    trails: Sequence[Trail] = (),
    selected: int | None = None,
) -> None:
    """Paint what `options` ask for.

    Args:
        painter: on a device whose logical pixels `view` maps to.
        poses: in frame pixels.
        view: from frame to device.
        options: what to show.
        room: what of the device can be seen; None for all of the frame.
        trails: one for each person who has one.
        selected: number of the person to point out.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for trail in trails if options.trails else ():
        _paint_trail(painter, trail, view)
    # Small people first: those in front are mostly larger.
    people = sorted((place(pose, view, options.threshold) for pose in poses), key=lambda each: each.height)
    for each in people:
        is_selected = selected is not None and each.pose.track_id == selected
        if options.boxes or is_selected:
            _paint_box(painter, each.pose, view, is_selected=is_selected)
        if options.ellipses:
            _paint_ellipses(painter, each, view)
        if options.skeleton:
            # Ends that a dot covers need not be round, which takes twice as long to paint.
            _paint_limbs(painter, each, Qt.PenCapStyle.FlatCap if options.joints else Qt.PenCapStyle.RoundCap)
        if options.joints:
            _paint_joints(painter, each)
    area = view.rect if room is None else view.rect.intersected(room)
    taken = paint_labels(painter, people, area) if options.ids else []
    if options.names:
        paint_names(painter, people, area, taken)


def _paint_limbs(painter: QPainter, each: Placed, cap: Qt.PenCapStyle) -> None:
    names = each.pose.skeleton.joints
    lines: dict[tuple[int, bool], list[QLineF]] = {}
    for a, b in each.pose.skeleton.limb_indices:
        if each.shown[a] and each.shown[b]:
            line = QLineF(*each.points[a].tolist(), *each.points[b].tolist())
            is_thin = is_of_face(names[a]) and is_of_face(names[b])
            lines.setdefault((side_colour(names[a], names[b]).rgb(), is_thin), []).append(line)
    for (_, is_thin), some in lines.items():
        painter.setPen(_pen(RIM, _width(each, is_thin) + 1.6, cap=cap))
        painter.drawLines(*some)
    for (colour, is_thin), some in lines.items():
        painter.setPen(_pen(QColor(colour), _width(each, is_thin), cap=cap))
        painter.drawLines(*some)


def _paint_joints(painter: QPainter, each: Placed) -> None:
    dots: dict[tuple[int, bool], list[QPointF]] = {}
    for joint, name in enumerate(each.pose.skeleton.joints):
        if each.shown[joint]:
            key = (side_colour(name).rgb(), is_of_face(name))
            dots.setdefault(key, []).append(QPointF(*each.points[joint].tolist()))
    # A point with a round pen is a disc, and many are drawn in one call.
    for (colour, is_small), some in dots.items():
        size = 1.9 * _width(each, is_small) + 1.2
        painter.setPen(_pen(RIM, size + 2.0))
        painter.drawPoints(QPolygonF(some))
        painter.setPen(_pen(QColor(colour), size))
        painter.drawPoints(QPolygonF(some))


def _paint_ellipses(painter: QPainter, each: Placed, view: View) -> None:
    sigmas = np.minimum(each.pose.sigmas.astype(np.float64) * view.scale, FAR)
    # All of one colour make one path: filling it once is several times faster than one by one.
    paths: dict[int, QPainterPath] = {}
    for joint, name in enumerate(each.pose.skeleton.joints):
        if each.shown[joint] and np.isfinite(sigmas[joint]).all():
            path = paths.setdefault(side_colour(name).rgb(), QPainterPath())
            path.setFillRule(Qt.FillRule.WindingFill)
            path.addEllipse(QPointF(*each.points[joint].tolist()), *sigmas[joint].tolist())
    for rgb, path in paths.items():
        colour = QColor(rgb)
        painter.setPen(_pen(colour, 1.2))
        colour.setAlphaF(0.22)
        painter.fillPath(path, QBrush(colour))
        painter.strokePath(path, painter.pen())


def _paint_box(painter: QPainter, pose: Pose, view: View, *, is_selected: bool) -> None:
    box = pose.box
    corners = np.array([[box.x, box.y], [box.x + box.width, box.y + box.height]])
    if not np.isfinite(corners).all():
        return
    points = np.clip(view.points(corners - 0.5), -FAR, FAR)  # boxes have edges, not pixel centres
    rect = QRectF(QPointF(*points[0].tolist()), QPointF(*points[1].tolist())).normalized()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    width = 2.4 if is_selected else 1.4
    for colour, wide in ((RIM, width + 1.6), (person_colour(pose.track_id), width)):
        painter.setPen(_pen(colour, wide, Qt.PenJoinStyle.MiterJoin))
        painter.drawRect(rect)


def _paint_trail(painter: QPainter, trail: Trail, view: View) -> None:
    points = np.clip(view.points(trail.points), -FAR, FAR)
    ages_s = trail.times_s[-1] - trail.times_s
    colour = QColor(person_colour(trail.track_id))
    steps = np.clip((ages_s / TRAIL_S * _FADES).astype(int), 0, _FADES - 1)
    for step in range(_FADES):
        members = np.flatnonzero(steps == step)
        if not len(members):
            continue
        # From one point before the step's own on, so that the line has no holes.
        first, last = max(int(members[0]) - 1, 0), int(members[-1]) + 1
        if last - first > 1:
            colour.setAlphaF(0.9 * (1 - step / _FADES))
            painter.setPen(_pen(colour, 3.2, cap=Qt.PenCapStyle.FlatCap))
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in points[first:last].tolist()]))


_FADES = 8


def _width(each: Placed, is_thin: bool) -> float:
    return max(1.2, each.stroke / 2) if is_thin else each.stroke


def _pen(
    colour: QColor,
    width: float,
    join: Qt.PenJoinStyle = Qt.PenJoinStyle.RoundJoin,
    cap: Qt.PenCapStyle = Qt.PenCapStyle.RoundCap,
) -> QPen:
    return QPen(QBrush(colour), width, Qt.PenStyle.SolidLine, cap, join)
