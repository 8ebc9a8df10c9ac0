"""How much of a picture is shown, apart from any widget, so that two canvases can show the same part."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.placing import View

MOST = 40.0

Pair = tuple[float, float]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Zoom:
    """A part of a picture.

    Attributes:
        factor: 1 shows the whole picture, letterboxed.
        x, y: what lies in the middle, as shares of the picture's width and height as it is seen.
    """

    factor: float = 1.0
    x: float = 0.5
    y: float = 0.5

    def view(self, frame_wh: Size, widget_wh: Size, *, mirror: bool = False) -> View:
        """Return the map from a frame to a widget's logical pixels."""
        scale = _fit(frame_wh, widget_wh) * self.factor
        left = _edge(self.x, frame_wh[0] * scale, widget_wh[0])
        top = _edge(self.y, frame_wh[1] * scale, widget_wh[1])
        # At its own size a picture is copied, not scaled, if it begins at a whole pixel.
        if scale == 1:
            left, top = float(round(left)), float(round(top))
        return View(frame_wh, scale, left, top, mirror)

    def scaled(self, by: float, at: Pair, view: View, widget_wh: Size) -> Zoom:
        """Come nearer to, or away from, a place in the widget that stays where it is."""
        factor = min(max(self.factor * by, 1.0), MOST)
        if factor == 1:
            return Zoom()
        share = factor / self.factor
        # The widget's middle, seen from the place that stays, comes nearer as the picture grows.
        centre = (widget_wh[0] / 2, widget_wh[1] / 2)
        x, y = (place + (middle - place) / share for place, middle in zip(at, centre, strict=True))
        return replace(self._clamped(x, y, view), factor=factor)

    def moved(self, by: Pair, view: View, widget_wh: Size) -> Zoom:
        """Move the picture by logical pixels."""
        return self._clamped(widget_wh[0] / 2 - by[0], widget_wh[1] / 2 - by[1], view)

    def _clamped(self, x: float, y: float, view: View) -> Zoom:
        rect = view.rect
        across, down = (x - rect.left()) / rect.width(), (y - rect.top()) / rect.height()
        return replace(self, x=min(max(across, 0.0), 1.0), y=min(max(down, 0.0), 1.0))


def _fit(frame_wh: Size, widget_wh: Size) -> float:
    fits = [max(widget, 1) / max(frame, 1) for frame, widget in zip(frame_wh, widget_wh, strict=True)]
    return min(fits)


def _edge(share: float, length: float, room: int) -> float:
    # What is smaller than its room lies in the middle; what is larger fills it.
    if length <= room:
        return (room - length) / 2
    return min(0.0, max(room - length, room / 2 - share * length))
