"""The page of live pictures and files: sources, the picture with its transport, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFrame, QScrollArea, QSplitter, QTabWidget, QVBoxLayout, QWidget

from app.canvas import Canvas
from app.panels.joints import JointsTable
from app.panels.sources import SourcesPanel
from app.panels.timeline import Timeline
from app.panels.transport import TransportPanel
from app.panels.view import ViewPanel

_LEFT_PX, _RIGHT_PX = 250, 300


class ViewerPage(QWidget):
    """Lays the parts out; they are wired by the window.

    Args:
        actions: of the window.
        make_angles: makes the panel of angles when it is first looked at, as its plots take their time to load.
    """

    def __init__(self, actions: dict[str, QAction], make_angles: Callable[[], QWidget]) -> None:
        super().__init__()
        self.sources = SourcesPanel()
        self.canvas = Canvas()
        self.transport = TransportPanel(actions)
        self.timeline = Timeline()
        self.view = ViewPanel()
        self.joints = JointsTable()
        self._make_angles = make_angles
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("What is known of the picture")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(_scrolled(self.view), "View")
        self.tabs.addTab(self.joints, "Joints")
        self._angles_place = self.tabs.addTab(_holder(), "Angles")
        self.tabs.currentChanged.connect(self._show_tab)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self._left = _scrolled(self.sources)
        self._right = QFrame()
        beside = QVBoxLayout(self._right)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.tabs)
        _on_panel(self.joints)
        for widget in (self._left, self._centre(), self._right):
            self.splitter.addWidget(widget)
        for place, stretch in enumerate((0, 1, 0)):
            self.splitter.setStretchFactor(place, stretch)
        self.splitter.setSizes([_LEFT_PX, 10_000, _RIGHT_PX])
        for side, width in ((self._left, 210), (self._right, 250)):
            _on_panel(side)
            side.setMinimumWidth(width)
            side.setMaximumWidth(460)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def set_file_mode(self, is_file: bool, has_timeline: bool) -> None:
        """Show what belongs to files alone."""
        self.transport.setVisible(is_file)
        self.timeline.setVisible(is_file and has_timeline)

    def set_bare(self, is_bare: bool) -> None:
        """Show the picture alone, or everything."""
        self._left.setVisible(not is_bare)
        self._right.setVisible(not is_bare)

    def show_angles(self) -> None:
        """Turn to the angles."""
        self.tabs.setCurrentIndex(self._angles_place)

    def _show_tab(self, place: int) -> None:
        holder = self.tabs.widget(self._angles_place)
        if place != self._angles_place or holder is None:
            return
        layout = holder.layout()
        if layout is not None and layout.count() == 0:
            layout.addWidget(_scrolled(self._make_angles()))

    def _centre(self) -> QWidget:
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.canvas, 1)
        below = QFrame()
        _on_panel(below)
        rows = QVBoxLayout(below)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.transport)
        rows.addWidget(self.timeline)
        layout.addWidget(below)
        self.set_file_mode(False, False)
        return centre


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    _on_panel(widget)
    area.setWidget(widget)
    return area


def _on_panel(widget: QWidget) -> None:
    """Give a widget the ground of panels."""
    widget.setProperty("role", "panel")
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def _holder() -> QWidget:
    holder = QWidget()
    _on_panel(holder)
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    return holder
