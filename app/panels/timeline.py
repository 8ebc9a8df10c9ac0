"""The course of an analysed file: how sure the result is, where nobody is in view, and what is doubtful."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QHelpEvent, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app import theme
from app.marks import Mark, columns_of, marks_of, stretches
from app.panels.course_painting import (
    HEIGHT,
    Ruler,
    paint_curve,
    paint_ground,
    paint_mark,
    paint_names,
    paint_position,
    paint_times,
)
from sadinet.motion.quality import Timeline as Course

_REACH: Final = 6  # how near to a mark the pointer must be, logical pixels


class Timeline(QWidget):
    """A click shows a frame; a click on a mark its first one. Ctrl+Left and Ctrl+Right go from mark to mark."""

    frame_chosen = pyqtSignal(int)
    """Number of the frame to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Quality timeline")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._course: Course | None = None
        self._marks: tuple[Mark, ...] = ()
        self._nobody: tuple[tuple[int, int], ...] = ()
        self._times_s: NDArray[np.float64] = np.zeros(0)
        self._frame = 0
        self._current: int | None = None
        self._curve: tuple[int, NDArray[np.float64], NDArray[np.float64]] | None = None
        self.previous_mark = self._action("Previous mark", "Ctrl+Left", -1)
        self.next_mark = self._action("Next mark", "Ctrl+Right", 1)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is pointed out, by rising frame."""
        return self._marks

    def set_timeline(self, course: Course | None, times_s: NDArray[np.float64] | None = None) -> None:
        """Show the course of a file, or nothing.

        Args:
            course: from `sadinet.motion.quality.timeline`.
            times_s: (F,) seconds of its frames; None for its own.
        """
        self._course = course
        self._marks = () if course is None else marks_of(course)
        self._nobody = () if course is None else stretches(course.people == 0)
        self._times_s = np.zeros(0) if course is None else course.time_s if times_s is None else times_s
        self._current, self._curve = None, None
        self.setAccessibleDescription(self._summary())
        for action in (self.previous_mark, self.next_mark):
            action.setEnabled(bool(self._marks))
        self.update()

    def set_position(self, frame: int) -> None:
        """Show where the file stands."""
        if frame != self._frame:
            self._frame = frame
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the height that curve, lanes and times need."""
        return QSize(400, HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return how small it may become."""
        return QSize(160, HEIGHT)

    def go_to_mark(self, step: int) -> None:
        """Show the first frame of the next mark, or of the one before."""
        if not self._marks:
            return
        firsts = np.array([mark.first for mark in self._marks])
        if self._current is not None and self._marks[self._current].first == self._frame:
            place = self._current + step
        else:
            place = int(np.searchsorted(firsts, self._frame, side="right" if step > 0 else "left")) - (step < 0)
        place = min(max(place, 0), len(self._marks) - 1)
        self._choose_mark(place)

    def mark_at(self, at: QPointF) -> int | None:
        """Return the place of the mark at a point, None if there is none."""
        nearest: tuple[float, int] | None = None
        for place, mark in enumerate(self._marks):
            rect = self._ruler.mark_rect(mark)
            if rect.top() - 1 <= at.y() <= rect.bottom() + 1:
                away = max(rect.left() - at.x(), at.x() - rect.right(), 0.0)
                if away <= _REACH and (nearest is None or away < nearest[0]):
                    nearest = away, place
        return None if nearest is None else nearest[1]

    def frame_at(self, x: float) -> int:
        """Return the number of the frame at a horizontal place."""
        return self._ruler.frame_at(x)

    def event(self, event: QEvent | None) -> bool:
        """Tell of frame, time and mark under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._course is not None:
            QToolTip.showText(event.globalPos(), self._tip(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Choose a mark, or a frame."""
        if event is None or event.button() != Qt.MouseButton.LeftButton or self._course is None:
            return
        place = self.mark_at(event.position())
        if place is not None:
            self._choose_mark(place)
        else:
            self._choose(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Go along while the button is held."""
        if event is None or self._course is None:
            return
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(self.frame_at(event.position().x()))
        elif self.mark_at(event.position()) is not None:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Go from mark to mark by the keys of pages, too."""
        steps = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if event is not None and event.key() in steps:
            self.go_to_mark(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        """Paint bands, curve, marks, times and position."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._course is not None and len(self._course.index):
            ruler = self._ruler
            bands = [(int(self._course.index[first]), int(self._course.index[last])) for first, last in self._nobody]
            paint_ground(painter, ruler, bands)
            paint_curve(painter, ruler, *self._columns(self._course))
            for place, mark in enumerate(self._marks):
                paint_mark(painter, ruler, mark, is_current=place == self._current)
            paint_names(painter, ruler)
            paint_times(painter, ruler, self._time_text)
            paint_position(painter, ruler, self._frame)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    @property
    def _ruler(self) -> Ruler:
        frames = int(self._course.index[-1]) + 1 if self._course is not None and len(self._course.index) else 0
        return Ruler(self.width(), frames)

    def _action(self, text: str, key: str, step: int) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(key))
        action.setToolTip(f"{text} ({key})")
        action.setEnabled(False)
        action.triggered.connect(lambda: self.go_to_mark(step))
        self.addAction(action)
        return action

    def _choose(self, frame: int) -> None:
        self.set_position(frame)
        self.frame_chosen.emit(frame)

    def _choose_mark(self, place: int) -> None:
        self._current = place
        self.setAccessibleDescription(f"mark {place + 1} of {len(self._marks)}: {self._marks[place].text}")
        self._choose(self._marks[place].first)
        self.update()

    def _summary(self) -> str:
        if self._course is None:
            return "not analysed"
        return f"{len(self._course.index)} frames, {len(self._marks)} marks, nobody in view {len(self._nobody)} times"

    def _tip(self, at: QPointF) -> str:
        place = self.mark_at(at)
        if place is not None:
            return self._marks[place].text
        assert self._course is not None  # noqa: S101
        frame = self.frame_at(at.x())
        where = int(np.searchsorted(self._course.index, frame))
        lines = [f"frame {frame}"]
        if where < len(self._times_s) and math.isfinite(self._times_s[where]):
            lines[0] += f", {self._times_s[where]:.3f} s"
        if where < len(self._course.index) and self._course.index[where] == frame:
            people = int(self._course.people[where])
            sure = float(self._course.confidence[where])
            lines.append("nobody in view" if not people else f"people: {people}, mean score {sure:.2f}")
        return "\n".join(lines)

    def _columns(self, course: Course) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        columns = max(2, min(self._ruler.length, len(course.index)))
        if self._curve is None or self._curve[0] != columns:
            self._curve = (columns, *columns_of(course.confidence, columns))
        return self._curve[1], self._curve[2]

    def _time_text(self, frame: int) -> str:
        assert self._course is not None  # noqa: S101  painted only then
        where = min(int(np.searchsorted(self._course.index, frame)), len(self._times_s) - 1)
        time_s = float(self._times_s[where])
        if not math.isfinite(time_s):
            return f"#{frame}"
        # Tenths first: 59.97 s are a minute, not 60 s.
        minutes, tenths = divmod(round(time_s * 10), 600)
        return f"{minutes}:{tenths / 10:04.1f}"
