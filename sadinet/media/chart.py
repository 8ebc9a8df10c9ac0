"""Charts as data: what is drawn, without how. `chart_svg` and `chart_png` draw them alike.

Tones are names of colours, so that one chart suits light paper, a dark screen and a picture. Left and right have
the hues of the skeletons in `draw` (Okabe and Ito's blue and vermillion), in the strength that paper needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError

Values = NDArray[np.float64]
XKind = Literal["time", "number"]
Shape = Literal["line", "steps"]

LIGHT: dict[str, str] = {
    "paper": "#ffffff", "ink": "#1f2430", "muted": "#566070", "grid": "#e6e9ed", "axis": "#b4bcc6",
    "ghost": "#c3cad3", "left": "#0072b2", "left_2": "#56a9dc", "left_3": "#00436b",
    "right": "#d55e00", "right_2": "#f0965a", "right_3": "#8a3c00",
    "middle": "#4a4f59", "middle_2": "#868d99", "middle_3": "#1f2430",
    "score": "#00785a", "people": "#6a4fb3", "flag": "#b0246e",
}  # fmt: skip
"""Tones on light paper, as #rrggbb."""

DARK: dict[str, str] = {
    "paper": "#15181d", "ink": "#e8eaed", "muted": "#a9b2bf", "grid": "#2b3038", "axis": "#565f6c",
    "ghost": "#4a525e", "left": "#4db3f0", "left_2": "#9ad6fa", "left_3": "#1f86c4",
    "right": "#ff8a3d", "right_2": "#ffbd92", "right_3": "#d6640f",
    "middle": "#d5d8dd", "middle_2": "#98a0ac", "middle_3": "#ffffff",
    "score": "#38c99a", "people": "#ab96f0", "flag": "#ff7ab8",
}  # fmt: skip
"""The same on a dark screen."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A line through points; it is broken where a value is NaN.

    Attributes:
        name: for the legend; empty for none.
        x: (N,), in the chart's unit.
        y: (N,).
        tone: a name of `LIGHT`.
        width: pixels.
        shape: straight from point to point, or level up to the next point.
        is_trail: mark where it begins and ends, as a path in the plane needs it.
    """

    name: str
    x: Values
    y: Values
    tone: str = "ink"
    width: float = 1.5
    shape: Shape = "line"
    is_trail: bool = False

    def __post_init__(self) -> None:
        _same_length(self.name, self.x, self.y)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """An area between two lines, drawn below all lines; broken where a value is NaN.

    Attributes:
        x: (N,).
        low: (N,).
        high: (N,).
        tone: a name of `LIGHT`; drawn half transparent.
        shape: as in `Series`.
    """

    x: Values
    low: Values
    high: Values
    tone: str
    shape: Shape = "line"

    def __post_init__(self) -> None:
        _same_length(self.tone, self.x, self.low, self.high)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Stretches along the x axis, in a lane of their own below the plot.

    Attributes:
        name: beside the lane.
        starts: (N,), in the chart's unit.
        ends: (N,), not before their starts.
        tone: a name of `LIGHT`.
        notes: a line for each, shown by a browser when one points at it; or none.
        links: where a click leads, for each; or none.
    """

    name: str
    starts: Values
    ends: Values
    tone: str = "flag"
    notes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _same_length(self.name, self.starts, self.ends)
        for lines in (self.notes, self.links):
            if lines and len(lines) != len(self.starts):
                raise InputError(f"marks {self.name!r} have {len(self.starts)} places and {len(lines)} texts")


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """One plot area with its axes.

    Attributes:
        title: above the plot, with the unit of y.
        series: drawn in this order.
        bands: below the series.
        lanes: below the plot; a chart of lanes alone has no plot.
        x_kind: "time" in seconds, told as 0:30 where long; "number" for anything else.
        x_label: below the axis, at its right end.
        x_range: first and last x; None for what the data need.
        y_range: least and greatest y; None for what the data need. What lies outside is drawn at the edge.
        height: of the plot area, pixels.
        is_equal: one unit of x is as long as one of y.
        is_y_down: y grows downwards, as in pictures.
        has_x_labels: numbers below the axis; without them it shares those of a chart below.
        level: a horizontal line to compare with; None for none.
    """

    title: str
    series: tuple[Series, ...] = ()
    bands: tuple[Band, ...] = ()
    lanes: tuple[Marks, ...] = ()
    x_kind: XKind = "number"
    x_label: str = ""
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    height: float = 130.0
    is_equal: bool = False
    is_y_down: bool = False
    has_x_labels: bool = True
    level: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Charts in rows, each row shared equally by its charts.

    Attributes:
        rows: of charts, from the top.
        title: above all; empty for none.
        subtitle: below the title, smaller.
        width: pixels.
        description: what it shows, for those who cannot see it.
    """

    rows: tuple[tuple[Chart, ...], ...]
    title: str = ""
    subtitle: str = ""
    width: float = 1000.0
    description: str = field(default="")


def _same_length(name: str, *arrays: Values) -> None:
    if len({array.shape for array in arrays}) != 1 or arrays[0].ndim != 1:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise InputError(f"{name!r} needs arrays of one length, not of shapes {shapes}")
