"""How a stored picture is turned and mirrored to stand upright.

Phones store what the sensor saw and say beside it how to turn it: videos by a display matrix, pictures by
the EXIF orientation. Both come down to one of eight cases.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Orientation:
    """What to do to the stored picture: exchange rows and columns first, then flip.

    Attributes:
        is_transposed: rows become columns.
        is_flipped_x: left and right change places, after the transposition.
        is_flipped_y: top and bottom change places, after the transposition.
    """

    is_transposed: bool = False
    is_flipped_x: bool = False
    is_flipped_y: bool = False

    @property
    def is_mirrored(self) -> bool:
        """Whether no rotation alone does it."""
        return self.is_transposed ^ self.is_flipped_x ^ self.is_flipped_y

    @property
    def rotation_deg(self) -> int:
        """Quarter turns counter-clockwise, 0 to 270; of a mirrored one, the turn before left and right flip."""
        flip_x = self.is_flipped_x ^ self.is_mirrored
        if self.is_transposed:
            return 270 if flip_x else 90
        return 180 if flip_x else 0

    def size_wh(self, stored_wh: tuple[int, int]) -> tuple[int, int]:
        """Return the upright width and height."""
        return (stored_wh[1], stored_wh[0]) if self.is_transposed else stored_wh

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the upright picture of (H, W, ...); the same array where nothing is to be done."""
        upright: NDArray[np.uint8] = image
        if self.is_transposed:
            upright = cv2.transpose(upright)  # type: ignore[assignment]
        if self.is_flipped_x or self.is_flipped_y:
            code = -1 if self.is_flipped_x and self.is_flipped_y else int(self.is_flipped_x)
            upright = cv2.flip(upright, code)  # type: ignore[assignment]
        return upright


UPRIGHT = Orientation()

_EXIF = {
    1: UPRIGHT,
    2: Orientation(is_flipped_x=True),
    3: Orientation(is_flipped_x=True, is_flipped_y=True),
    4: Orientation(is_flipped_y=True),
    5: Orientation(is_transposed=True),
    6: Orientation(is_transposed=True, is_flipped_x=True),
    7: Orientation(is_transposed=True, is_flipped_x=True, is_flipped_y=True),
    8: Orientation(is_transposed=True, is_flipped_y=True),
}
_ORIENTATION_TAG = 0x0112


def from_display_matrix(matrix: NDArray[np.int32]) -> Orientation:
    """Return the orientation of a container's display matrix.

    Args:
        matrix: (9,) in the container's order a, b, u, c, d, v, x, y, w: a stored point (x, y) is shown at
            (a x + c y, b x + d y). Angles between the quarter turns go to the nearest one.
    """
    a, b, _, c, d = (int(value) for value in matrix[:5])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(is_flipped_x=a < 0, is_flipped_y=d < 0)
    return Orientation(is_transposed=True, is_flipped_x=c < 0, is_flipped_y=b < 0)


def from_exif(exif: bytes) -> Orientation:
    """Return the orientation that EXIF data tell; upright where they are silent or damaged."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, start + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return _EXIF.get(value, UPRIGHT)
    except struct.error:
        pass
    return UPRIGHT
