"""The picture with what was found in it: letterboxed, zoomed by the wheel, moved by dragging."""

from __future__ import annotations

import statistics
import time
from collections import deque

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.heat import heat_picture, paint_heat
from app.hover import HoveredJoint, joint_at, paint_hovered, person_at
from app.painting import paint_people
from app.pixels import picture_of
from app.placing import View
from app.trails import Trails
from app.view_options import ViewOptions
from app.zoom import Zoom
from sadinet.results import FrameResult, Pose

_CLICK = 4.0  # a press that moves less is a click, not a drag
_SHARP_FROM = 4.0  # from so many screen pixels for one of the picture on, pixels are shown as squares


class Canvas(QWidget):
    """Shows one result at a time.

    Wheel zooms, dragging moves, a double click or 0 shows all again, + and - zoom; F11 fills the screen.
    """

    joint_hovered = pyqtSignal(object)
    """A `HoveredJoint`, or None when the pointer leaves it."""
    pose_clicked = pyqtSignal(int)
    """Number of the person who was clicked on."""
    zoom_changed = pyqtSignal(object)
    """The `Zoom` after the user changed it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Picture")
        self.setToolTip("")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._image: QImage | None = None
        self._poses: tuple[Pose, ...] = ()
        self._options = ViewOptions()
        self._trails = Trails()
        self._heat: tuple[QImage, NDArray[np.float64]] | None = None
        self._zoom = Zoom()
        self._selected: int | None = None
        self._hovered: HoveredJoint | None = None
        self._pointer: QPointF | None = None
        self._pressed: QPointF | None = None
        self._dragged_from: QPointF | None = None
        self._placeholder = "Choose a camera, or drop a video here"
        self._spent_ms: deque[float] = deque(maxlen=60)

    @property
    def paint_ms(self) -> float:
        """Median of what the last 60 paintings took, milliseconds; NaN before the first."""
        return statistics.median(self._spent_ms) if self._spent_ms else float("nan")

    @property
    def options(self) -> ViewOptions:
        """What is shown, and how."""
        return self._options

    @property
    def zoom(self) -> Zoom:
        """How much is shown, and of what."""
        return self._zoom

    @property
    def view(self) -> View | None:
        """From frame to logical pixels; None while there is no picture."""
        if self._image is None:
            return None
        size_wh = self._image.width(), self._image.height()
        return self._zoom.view(size_wh, (self.width(), self.height()), mirror=self._options.mirror)

    def show_result(self, result: FrameResult | None) -> None:
        """Show a frame and its people, or nothing; pixels are copied."""
        if result is None:
            self._image, self._poses, self._heat = None, (), None
            self._trails.clear()
        else:
            self._image = picture_of(result.frame.image)
            self._trails.add(result)
            if len(result.poses) != len(self._poses):
                self.setAccessibleDescription(f"people in the picture: {len(result.poses)}")
            self._poses = result.poses
        self._hover()
        self.update()

    def set_options(self, options: ViewOptions) -> None:
        """Change what is shown, and how."""
        self._options = options
        self.update()

    def set_heatmap(self, heatmap: NDArray[np.floating] | None, matrix: NDArray[np.float64] | None = None) -> None:
        """Lay a heatmap over the picture until the next call, or take it away.

        Args:
            heatmap: (h, w), values from 0 to 1; None for none.
            matrix: 2x3, from frame pixels to heatmap cells.
        """
        self._heat = None if heatmap is None or matrix is None else (heat_picture(heatmap), matrix)
        self.update()

    def set_selected(self, track_id: int | None) -> None:
        """Point a person out by a box."""
        self._selected = track_id
        self.update()

    def set_placeholder(self, text: str) -> None:
        """Change what stands here while there is no picture."""
        self._placeholder = text
        self.update()

    def set_zoom(self, zoom: Zoom) -> None:
        """Show as much, and of the same place, as another canvas."""
        self._zoom = zoom
        self.update()

    def reset_view(self) -> None:
        """Show the whole picture."""
        self._change_zoom(Zoom())

    def zoom_in(self) -> None:
        """Come nearer to the middle."""
        self._zoom_at(1.25, QPointF(self.width() / 2, self.height() / 2))

    def zoom_out(self) -> None:
        """Go away from the middle."""
        self._zoom_at(0.8, QPointF(self.width() / 2, self.height() / 2))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint picture and overlay."""
        began_s = time.perf_counter()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("canvas"))
        view = self.view
        if view is None or self._image is None:
            self._paint_placeholder(painter)
        else:
            self._paint_picture(painter, view, self._image)
            if self._heat is not None and self._options.heatmap_joint is not None:
                paint_heat(painter, *self._heat, view)
            trails = self._trails.current() if self._options.trails else ()
            room = QRectF(self.rect())
            paint_people(painter, self._poses, view, self._options, room=room, trails=trails, selected=self._selected)
            if self._hovered is not None:
                paint_hovered(painter, self._hovered, view, room)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        self._spent_ms.append((time.perf_counter() - began_s) * 1e3)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        """Zoom about the pointer."""
        if event is not None:
            self._zoom_at(1.0015 ** event.angleDelta().y(), event.position())
            event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Begin a click or a drag."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = self._dragged_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Drag, or look for a joint under the pointer."""
        if event is None:
            return
        self._pointer = event.position()
        view = self.view
        if self._dragged_from is not None and self._pressed is not None and view is not None:
            if (event.position() - self._pressed).manhattanLength() >= _CLICK:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
            moved = event.position() - self._dragged_from
            self._dragged_from = event.position()
            self._change_zoom(self._zoom.moved((moved.x(), moved.y()), view, (self.width(), self.height())))
        self._hover()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """End a drag, or choose the person that was clicked on."""
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        pressed, self._pressed, self._dragged_from = self._pressed, None, None
        self.unsetCursor()
        if pressed is not None and (event.position() - pressed).manhattanLength() < _CLICK:
            view = self.view
            track_id = None if view is None else person_at(self._poses, view, event.position())
            if track_id is not None:
                self.pose_clicked.emit(track_id)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Show the whole picture."""
        self.reset_view()

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """No joint is under the pointer any more."""
        self._pointer = None
        self._hover()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Zoom by keys."""
        keys = {
            Qt.Key.Key_Plus: self.zoom_in,
            Qt.Key.Key_Equal: self.zoom_in,
            Qt.Key.Key_Minus: self.zoom_out,
            Qt.Key.Key_0: self.reset_view,
            Qt.Key.Key_F11: self._toggle_full_screen,
        }
        if event is not None and event.key() in keys:
            keys[Qt.Key(event.key())]()
        else:
            super().keyPressEvent(event)

    def _toggle_full_screen(self) -> None:
        window = self.window()
        if window is not None:
            window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _zoom_at(self, factor: float, at: QPointF) -> None:
        view = self.view
        if view is not None:
            self._change_zoom(self._zoom.scaled(factor, (at.x(), at.y()), view, (self.width(), self.height())))

    def _change_zoom(self, zoom: Zoom) -> None:
        if zoom != self._zoom:
            self._zoom = zoom
            self.zoom_changed.emit(zoom)
            self._hover()
            self.update()

    def _paint_placeholder(self, painter: QPainter) -> None:
        font = painter.font()
        font.setPixelSize(16)
        painter.setFont(font)
        painter.setPen(QColor(190, 198, 208))
        painter.drawText(
            self.rect().adjusted(24, 24, -24, -24),
            int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap),
            self._placeholder,
        )

    def _paint_picture(self, painter: QPainter, view: View, image: QImage) -> None:
        is_smooth = view.scale * self.devicePixelRatioF() < _SHARP_FROM
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smooth)
        rect = view.rect
        if view.mirror:
            painter.translate(rect.left() + rect.right(), 0)
            painter.scale(-1, 1)
        if rect.width() == image.width() and rect.topLeft() == rect.topLeft().toPoint().toPointF():
            painter.drawImage(rect.topLeft(), image)
        else:
            painter.drawImage(rect, image)
        painter.restore()

    def _hover(self) -> None:
        view, found = self.view, None
        if self._pointer is not None and self._dragged_from is None and view is not None:
            found = joint_at(self._poses, view, self._options.threshold, self._pointer)
        if found != self._hovered:
            self._hovered = found
            self.joint_hovered.emit(found)
            self.update()
