"""What a figure consists of once it is laid out: strokes, areas and words in pixels, x right, y down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sadinet.media.chart import Values

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """A line through `points` (N, 2)."""

    points: Values
    tone: str
    width: float


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A filled polygon with corners `points` (N, 2)."""

    points: Values
    tone: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A filled upright rectangle, with a note and a link where the medium has such things."""

    left: float
    top: float
    width: float
    height: float
    tone: str
    note: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    tone: str


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `y` is its base line, `size` the type's height."""

    text: str
    x: float
    y: float
    size: float
    tone: str
    anchor: Anchor = "start"
    is_bold: bool = False


Item = Stroke | Area | Mark | Dot | Words


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A laid out figure: its size in pixels and what to draw, from the back to the front."""

    width: float
    height: float
    items: tuple[Item, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the plot area of a chart lies, and the values at its edges.

    Attributes:
        left: of the plot area, pixels; `top`, `width` and `height` as well.
        first: x at the left edge, `last` at the right one.
        bottom: y at the lower edge, `up` at the upper one.
    """

    left: float
    top: float
    width: float
    height: float
    first: float
    last: float
    bottom: float
    up: float

    def x(self, values: Values) -> Values:
        """Pixels of x values."""
        result: Values = self.left + (values - self.first) / (self.last - self.first) * self.width
        return np.clip(result, self.left, self.left + self.width)

    def y(self, values: Values) -> Values:
        """Pixels of y values."""
        result: Values = self.top + (self.up - values) / (self.up - self.bottom) * self.height
        return np.clip(result, self.top, self.top + self.height)


def words_width(text: str, size: float) -> float:
    """Return about how wide `text` becomes; renderers have types of their own, so this leans to the wide side."""
    narrow, wide = "iljtfrI.,:;'|!()[] 1", "mwMW@%—…"
    total = sum(0.34 if char in narrow else 0.9 if char in wide or ord(char) > 0x2E80 else 0.6 for char in text)
    return total * size
