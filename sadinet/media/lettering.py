"""Text on pictures, in the type that OpenCV carries; any script, anti-aliased."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

_WEIGHT = 500


@cache
def _face() -> cv2.FontFace:
    return cv2.FontFace("sans")


def text_width(text: str, height_px: int) -> int:
    """Return how many pixels wide `text` becomes."""
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _face(), height_px, _WEIGHT)
    return int(width)


def put_text(image: NDArray[np.uint8], text: str, left_px: int, base_px: int, height_px: int, colour: Colour) -> None:
    """Write `text` into `image` (H, W, 3), its base line starting at (left, base); outside is cut off."""
    cv2.putText(image, text, (left_px, base_px), colour, _face(), height_px, _WEIGHT)


def shorten(text: str, height_px: int, width_px: int) -> str:
    """Return `text`, with an ellipsis in its middle where it is wider than `width_px`."""
    if text_width(text, height_px) <= width_px:
        return text
    for kept in range(len(text) - 1, 0, -1):
        shorter = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
        if text_width(shorter, height_px) <= width_px:
            return shorter
    return ""
