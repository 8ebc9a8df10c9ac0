"""Plots in the colours of the theme. The library that draws them takes its time to load: import this late."""

from __future__ import annotations

from typing import Any, Final

import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor

from app import theme

AXIS_PX: Final = 52
"""Width of the axis at the left, so that plots above each other begin at one line."""
_RIGHT_PX: Final = 8


def make_plot(unit: str, name: str, *, seconds: float) -> Any:
    """Return a plot over the last seconds, without the library's menus, buttons and dragging.

    Args:
        unit: what the axis at the left says.
        name: for screen readers.
        seconds: how far it looks back.
    """
    plot = pg.PlotWidget()
    plot.setAntialiasing(True)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setAccessibleName(name)
    plot.setXRange(-seconds, 0, padding=0.01)
    plot.getAxis("left").setWidth(AXIS_PX)
    # Room for the half of the last number that stands beyond its place.
    plot.getPlotItem().setContentsMargins(0, 0, _RIGHT_PX, 0)
    plot.getAxis("bottom").setStyle(hideOverlappingLabels=False)
    plot.setLabel("left", unit)
    plot.showGrid(x=False, y=True, alpha=0.25)
    dress(plot)
    return plot


def dress(plot: Any) -> None:
    """Give a plot the colours of the theme in use."""
    plot.setBackground(theme.colour("panel"))
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(theme.colour("border"))
        axis.setTextPen(theme.colour("muted"))


def line(plot: Any, colour: QColor, width: float = 1.6, *, dashed: bool = False) -> Any:
    """Add a line to a plot, broken where values are not known."""
    return plot.plot([], [], pen=pen(colour, width, dashed=dashed), connect="finite")


def pen(colour: QColor, width: float = 1.6, *, dashed: bool = False) -> Any:
    """Return how a line is drawn."""
    return pg.mkPen(colour, width=width, style=Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine)


def band(plot: Any, colour: QColor) -> tuple[Any, Any, Any]:
    """Add the area between two lines to a plot; returns its lower line, its upper line and itself."""
    low, high = pg.PlotCurveItem(pen=None), pg.PlotCurveItem(pen=None)
    area = pg.FillBetweenItem(low, high, brush=pg.mkBrush(colour))
    area.setZValue(-10)
    plot.addItem(area)
    return low, high, area


def level(plot: Any, colour: QColor) -> Any:
    """Add a dashed horizontal line to a plot."""
    item = pg.InfiniteLine(angle=0, pen=pen(colour, 1.2, dashed=True))
    plot.addItem(item)
    return item
