"""What is compared: two tables and their video, each with the button that chooses another."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QPushButton, QWidget

from app.panels.side_by_side import SIDES
from app.panels.status import Elided


class CompareHead(QWidget):
    """Buttons and names; the page asks for files."""

    table_wished = pyqtSignal(str)
    """The side for which another table is to be chosen."""
    source_wished = pyqtSignal()
    worst_wished = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = {side: Elided() for side in SIDES}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        for row, side in enumerate(SIDES):
            button = QPushButton(f"Table {side} …")
            button.setToolTip(f"Choose table {side}: CSV or Parquet (Alt+{side})")
            button.setShortcut(f"Alt+{side}")
            button.setAccessibleName(f"Choose table {side}")
            button.clicked.connect(lambda _, side=side: self.table_wished.emit(side))
            self._names[side].setProperty("role", "muted")
            grid.addWidget(button, row, 0)
            grid.addWidget(self._names[side], row, 1)
        source = QPushButton("Video …")
        source.setToolTip("Choose the video that both tables are of; it is found by itself where it has not moved")
        source.setAccessibleName("Choose the video")
        source.clicked.connect(self.source_wished)
        self.worst = QPushButton("Furthest apart")
        self.worst.setToolTip("Go to the frame whose joints lie furthest apart (Alt+W)")
        self.worst.setShortcut("Alt+W")
        self.worst.clicked.connect(self.worst_wished)
        grid.addWidget(source, 0, 2)
        grid.addWidget(self.worst, 1, 2)
        grid.setColumnStretch(1, 1)

    def name(self, side: str) -> str:
        """Return the whole name of a side's table."""
        return self._names[side].whole

    def set_name(self, side: str, name: str) -> None:
        """Say which table a side shows."""
        self._names[side].setText(name)
