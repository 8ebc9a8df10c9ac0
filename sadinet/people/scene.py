"""Where a video changes to another scene."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Thumbnail = NDArray[np.float32]

CUT = "scene_cut"
"""Flag of the first frame of a new scene."""

_SIDE = 24
_SAMPLES = 96  # pixels taken from the frame along each side before they are averaged
_ALIKE = 0.6
_DIFFERENT = 14.0


def thumbnail(image: NDArray[np.uint8]) -> Thumbnail:
    """Return a small grey picture (24, 24) of a frame (H, W, 3) uint8 BGR."""
    rows, columns = max(1, image.shape[0] // _SAMPLES), max(1, image.shape[1] // _SAMPLES)
    grey = cv2.cvtColor(np.ascontiguousarray(image[::rows, ::columns]), cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)


def is_cut(before: Thumbnail, now: Thumbnail) -> bool:
    """Say whether two frames that follow each other show different scenes.

    They must differ much in grey levels, and in more than their lightness and contrast, so that a flash or a
    lamp is no cut.
    """
    if float(np.abs(now - before).mean()) < _DIFFERENT:
        return False
    a, b = now - now.mean(), before - before.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return scale == 0 or float((a * b).sum()) / scale < _ALIKE
