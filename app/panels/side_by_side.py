"""Two drawings of one frame, A and B, which always show the same part of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from app.canvas import Canvas
from app.view_options import ViewOptions
from sadinet.results import FrameResult

SIDES: Final = ("A", "B")


class SideBySide(QWidget):
    """Beside each other, or one above the other, whichever leaves them larger.

    Attributes:
        canvases: by side.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvases = {side: Canvas() for side in SIDES}
        self._titles = {side: QLabel(side) for side in SIDES}
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        for side, canvas in self.canvases.items():
            canvas.setAccessibleName(f"Picture {side}")
            self._titles[side].setProperty("role", "heading")
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(self._titles[side])
            column.addWidget(canvas, 1)
            self._layout.addLayout(column, 1)
        self.canvases["A"].zoom_changed.connect(self.canvases["B"].set_zoom)
        self.canvases["B"].zoom_changed.connect(self.canvases["A"].set_zoom)

    @property
    def direction(self) -> QBoxLayout.Direction:
        """How they lie."""
        return self._layout.direction()

    def title(self, side: str) -> str:
        """Return what stands above a side."""
        return self._titles[side].text()

    def set_title(self, side: str, text: str) -> None:
        """Write something above a side."""
        self._titles[side].setText(f"{side}  {text}")

    def set_options(self, options: ViewOptions) -> None:
        """Draw both alike."""
        for canvas in self.canvases.values():
            canvas.set_options(replace(options, heatmap_joint=None))

    def show_results(self, a: FrameResult, b: FrameResult) -> None:
        """Show two results of one frame."""
        self.turn(a.frame.size_wh)
        self.canvases["A"].show_result(a)
        self.canvases["B"].show_result(b)

    def clear(self, hint: str) -> None:
        """Show nothing but a hint, in which {side} stands for the side."""
        for side, canvas in self.canvases.items():
            canvas.set_placeholder(hint.format(side=side))
            canvas.show_result(None)

    def side_at(self, at: QPoint) -> str | None:
        """Return the side at a point of this widget; None beside them."""
        for side, canvas in self.canvases.items():
            if canvas.geometry().contains(at):
                return side
        return None

    def turn(self, size_wh: tuple[int, int]) -> None:
        """Lay pictures of this size so that they are as large as can be."""
        # Wide ones are larger above each other, tall ones beside each other.
        width, height = size_wh
        beside = min(self.width() / 2 / width, self.height() / height)
        above = min(self.width() / width, self.height() / 2 / height)
        directions = QBoxLayout.Direction
        self._layout.setDirection(directions.TopToBottom if above > beside else directions.LeftToRight)
