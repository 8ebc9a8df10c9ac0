"""Arrays as Qt's pictures."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage


def picture_of(pixels: NDArray[np.uint8]) -> QImage:
    """Return a picture that owns its memory.

    Args:
        pixels: (H, W, 3) BGR, or (H, W, 4) BGRA with the colours multiplied by alpha already.
    """
    whole = np.ascontiguousarray(pixels)
    height, width, channels = whole.shape
    form = QImage.Format.Format_BGR888 if channels == 3 else QImage.Format.Format_ARGB32_Premultiplied
    # Any buffer is taken, without a copy, though the types only know of bytes.
    borrowed = QImage(cast(bytes, whole.data), width, height, channels * width, form)
    # Rows of 32 bits a pixel are scaled several times faster than those of 24; the conversion is the copy.
    return borrowed.convertToFormat(QImage.Format.Format_RGB32) if channels == 3 else borrowed.copy()
