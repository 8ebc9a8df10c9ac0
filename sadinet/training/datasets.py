"""Pictures read whole, and people cut from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.training.jpeg import END, START, is_damaged_inside
from sadinet.training.person_set import PersonSet, Picture

__all__ = [
    "LONGEST_SIDE",
    "PersonSet",
    "Picture",
    "cut_person",
    "is_cut_off",
    "read_picture",
]

_CONTEXT = 0.6
"""Ground kept around a person's joints, share of their size on each side: what rotation and scaling may need."""

LONGEST_SIDE = 320
"""Pixels; a person's crop that is larger is shrunk to it."""

_COPY_AGAIN = "copy it again from its source, or take it out of the set"


def read_picture(path: Path, *, upright: bool = False) -> Picture:
    """Read a colour picture whole, as it is stored or turned upright by its EXIF orientation.

    A JPEG is decoded twice more, strictly (`sadinet.training.jpeg`); the pixels are OpenCV's.

    Args:
        path: a picture in any format that OpenCV reads.
        upright: what the labels were drawn on. The public sets' labels belong to the stored pixels.

    Returns:
        (H, W, 3) uint8, BGR.

    Raises:
        SourceError: if it is missing, damaged or cut off.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read picture {path}: {error.strerror}", _COPY_AGAIN) from error
    if not data or is_cut_off(data):
        raise SourceError(f"picture {path} is {'cut off' if data else 'empty'}", _COPY_AGAIN)
    if data.startswith(START) and is_damaged_inside(data):
        raise SourceError(f"picture {path} is damaged inside", _COPY_AGAIN)
    flags = cv2.IMREAD_COLOR | (0 if upright else cv2.IMREAD_IGNORE_ORIENTATION)
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    if image is None:
        raise SourceError(f"cannot read picture {path}: it is damaged or no picture", _COPY_AGAIN)
    return np.asarray(image, dtype=np.uint8)


def is_cut_off(data: bytes) -> bool:
    """Say whether a JPEG or PNG lacks its end, which decoders fill with grey without a word."""
    if data.startswith(START):
        # A thumbnail inside has an end of its own; that of the picture comes after the last start of a scan.
        end = data.rfind(END)
        return end < 0 or end < data.rfind(b"\xff\xda")
    return data.startswith(b"\x89PNG") and b"IEND" not in data[-64:]


def cut_person(
    picture: Picture, joints: NDArray[np.float32], weight: NDArray[np.float32], longest_side: int = LONGEST_SIDE
) -> tuple[Picture, NDArray[np.float32]]:
    """Keep the person and some ground around.

    Args:
        picture: (H, W, 3) uint8.
        joints: (K, 2) picture pixels, NaN where unknown.
        weight: (K,), above 0 for the joints that say where the person is; at least one.
        longest_side: pixels; a larger part is shrunk to it.

    Returns:
        The part (h, w, 3) uint8, and the joints (K, 2) float32 in its pixels.
    """
    known = joints[weight > 0]
    low, high = known.min(axis=0), known.max(axis=0)
    margin = np.maximum((high - low).max() * _CONTEXT, 20)
    height, width = picture.shape[:2]
    x0, y0 = np.maximum(np.floor(low - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high + margin), [width, height]).astype(int)
    part = picture[y0:y1, x0:x1]
    shrink = min(1.0, longest_side / max(part.shape[:2]))
    moved = joints - [x0, y0]
    if shrink < 1:
        size = (max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink)))
        ratio = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        moved = (moved + 0.5) * ratio - 0.5
    return np.ascontiguousarray(part, dtype=np.uint8), moved.astype(np.float32)
