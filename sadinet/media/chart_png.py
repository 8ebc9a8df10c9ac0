"""Charts as pictures, twice as fine as on the screen."""

from __future__ import annotations

import os

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import write_bytes
from sadinet.media.chart import LIGHT, Figure, Values
from sadinet.media.chart_layout import lay_out
from sadinet.media.chart_scene import Area, Dot, Item, Mark, Stroke, Words
from sadinet.media.lettering import Colour, put_text, text_width

SCALE = 2.0
"""Pixels of the picture for one of the figure."""

Image = NDArray[np.uint8]

_SHIFT = 4  # OpenCV's fixed point: sixteenths of a pixel


def picture(figure: Figure, scale: float = SCALE) -> Image:
    """Return a figure on light paper, (H, W, 3) uint8, BGR."""
    scene = lay_out(figure)
    size_hw = round(scene.height * scale), round(scene.width * scale)
    canvas: Image = np.full((*size_hw, 3), _colour("paper"), dtype=np.uint8)
    for item in scene.items:
        _draw(canvas, item, scale)
    return canvas


def write_png(path: str | os.PathLike[str], figure: Figure, scale: float = SCALE) -> None:
    """Write a figure as a PNG file.

    Raises:
        OutputError: if the folder cannot be written or the disk is full.
    """
    _, data = cv2.imencode(".png", picture(figure, scale))
    write_bytes(path, data.tobytes())


def _draw(canvas: Image, item: Item, scale: float) -> None:
    colour = _colour(item.tone)
    match item:
        case Stroke():
            width = max(1, round(item.width * scale))
            cv2.polylines(canvas, [_fixed(item.points, scale)], False, colour, width, cv2.LINE_AA, _SHIFT)
        case Area():
            _fill(canvas, item, colour, scale)
        case Dot():
            centre = _fixed(np.array([[item.x, item.y]]), scale)[0].tolist()
            radius = round(item.radius * scale * 2**_SHIFT)
            cv2.circle(canvas, centre, radius, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)
        case Mark():
            low = np.rint(np.array([item.left, item.top]) * scale).astype(int)
            high = np.maximum(np.rint(np.array([item.left + item.width, item.top + item.height]) * scale), low + 1)
            canvas[low[1] : int(high[1]), low[0] : int(high[0])] = colour
        case Words():
            _write(canvas, item, colour, scale)


def _fill(canvas: Image, area: Area, colour: Colour, scale: float) -> None:
    """Blend a polygon into the part of the canvas that it touches."""
    points = area.points * scale
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - 1, 0)
    high = np.ceil(points.max(axis=0)).astype(int) + 2
    part = canvas[low[1] : high[1], low[0] : high[0]]
    if not part.size:
        return
    mask = np.zeros(part.shape[:2], dtype=np.uint8)
    cv2.fillPoly(mask, [_fixed(area.points, scale) - low * 2**_SHIFT], 255, cv2.LINE_AA, _SHIFT)
    cover = mask[..., None] * np.float32(area.opacity / 255)
    part[:] = np.rint(part * (1 - cover) + np.array(colour, dtype=np.float32) * cover).astype(np.uint8)


def _write(canvas: Image, words: Words, colour: Colour, scale: float) -> None:
    size = round(words.size * scale)
    width = text_width(words.text, size)
    shift = {"start": 0.0, "middle": width / 2, "end": float(width)}[words.anchor]
    put_text(canvas, words.text, round(words.x * scale - shift), round(words.y * scale), size, colour)


def _colour(tone: str) -> Colour:
    red, green, blue = bytes.fromhex(LIGHT[tone][1:])
    return blue, green, red


def _fixed(points: Values, scale: float) -> NDArray[np.int32]:
    # Whole numbers are pixel centres in OpenCV, and pixel corners in a figure.
    fixed: NDArray[np.int32] = np.rint((points * scale - 0.5) * 2**_SHIFT).astype(np.int32)
    return fixed
