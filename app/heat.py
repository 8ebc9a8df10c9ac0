"""A joint's heatmap as a translucent layer."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage, QPainter, QTransform

from app.pixels import picture_of
from app.placing import View

_MOST_OPAQUE: Final = 0.85

_NOISE: Final = 0.08
"""Lower than this a map lies below every score that counts: it would only tint the whole person."""

_STOPS: Final = np.array([(0.0, 90, 20, 140), (0.3, 200, 40, 120), (0.65, 250, 130, 40), (1.0, 255, 245, 160)])
"""Height, red, green, blue: rises in brightness all the way, so that it also reads without colour."""


def heat_picture(heatmap: NDArray[np.floating]) -> QImage:
    """Return a picture of a heatmap (h, w), whose values count from 0 to 1; it owns its memory."""
    height = np.clip(np.nan_to_num(np.asarray(heatmap, dtype=np.float64)), 0.0, 1.0)
    alpha = _MOST_OPAQUE * np.sqrt(np.clip((height - _NOISE) / (1 - _NOISE), 0.0, 1.0))
    colours = [np.interp(height, _STOPS[:, 0], _STOPS[:, channel]) * alpha for channel in (3, 2, 1)]
    return picture_of(np.stack([*colours, 255 * alpha], axis=-1).round().astype(np.uint8))


def paint_heat(painter: QPainter, picture: QImage, matrix: NDArray[np.float64], view: View) -> None:
    """Paint a heatmap's picture over the frame.

    Args:
        painter: where to.
        picture: one pixel a cell, from `heat_picture`.
        matrix: 2x3, from frame pixels to heatmap cells.
        view: from frame pixels to where the painter paints.
    """
    # QTransform maps row vectors, and pixels by their edges where ours have their centres at whole numbers.
    a, b, c = (float(value) for value in matrix[0])
    d, e, f = (float(value) for value in matrix[1])
    to_cells = QTransform(a, d, b, e, c + 0.5, f + 0.5)
    from_cells, is_sound = to_cells.inverted()
    if not is_sound:
        return
    side = -view.scale if view.mirror else view.scale
    left = view.rect.right() if view.mirror else view.left
    # From pixel centres to edges, then to the device.
    to_view = QTransform(side, 0, 0, view.scale, left + 0.5 * side, view.top + 0.5 * view.scale)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setClipRect(view.rect)
    painter.setTransform(from_cells * to_view, combine=True)
    painter.drawImage(0, 0, picture)
    painter.restore()
