"""The menu of pose models, filled when it is opened: the window comes before any manifest is read."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QActionGroup
from PyQt6.QtWidgets import QMenu, QWidget

from app.loading import pose_model_names


class ModelMenu(QMenu):
    """Shows which pose models are here and which one finds people; does nothing itself."""

    chosen = pyqtSignal(str)
    """Name of another model."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Pose &model", parent)
        self.setObjectName("pose_model")
        self._current = ""
        self._group = QActionGroup(self)
        self.aboutToShow.connect(self._fill)

    def set_current(self, name: str) -> None:
        """Mark this one from now on; empty for none."""
        self._current = name

    def _fill(self) -> None:
        self.clear()
        names = pose_model_names()
        if self._current and self._current not in names:
            # One that was given by its path.
            names = (*names, self._current)
        for name in names:
            action = self.addAction(name)
            assert action is not None  # noqa: S101  it was just made
            action.setCheckable(True)
            action.setChecked(name == self._current)
            self._group.addAction(action)
            action.triggered.connect(lambda _, name=name: self._choose(name))

    def _choose(self, name: str) -> None:
        if name != self._current:
            self.chosen.emit(name)
