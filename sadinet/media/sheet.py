"""A contact sheet: many pictures at a glance, each with a line below it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.media.lettering import Colour, put_text, shorten

_PAPER: Colour = (250, 250, 250)
_INK: Colour = (56, 50, 48)
_MAT: Colour = (228, 228, 228)

Image = NDArray[np.uint8]


def contact_sheet(
    pictures: Sequence[Image],
    columns: int,
    captions: Sequence[str] = (),
    *,
    title: str = "",
    cell_width: int = 320,
    gap: int = 14,
) -> Image:
    """Lay pictures out in rows, all in cells of one size; returns (H, W, 3) uint8, BGR.

    Args:
        pictures: (H, W, 3) uint8, BGR, of any sizes; each is scaled to fit its cell. The cells have the
            pictures' median shape, at most twice as high as wide.
        columns: pictures a row.
        captions: a line for each picture, or none at all; too long ones are shortened in the middle.
        title: a line above all.
        cell_width: pixels.
        gap: pixels between cells and around them.

    Raises:
        InputError: if there is no picture, no column, or another number of captions than of pictures.
    """
    if not pictures or columns < 1 or cell_width < 1:
        raise InputError("a contact sheet needs at least one picture and one column")
    if captions and len(captions) != len(pictures):
        raise InputError(f"{len(captions)} captions for {len(pictures)} pictures")
    columns = min(columns, len(pictures))
    shape = float(np.median([picture.shape[0] / picture.shape[1] for picture in pictures]))
    cell_height = max(1, round(cell_width * min(shape, 2.0)))
    letters = max(9, round(cell_width / 22))
    below = 2 * letters if captions else 0
    head = 3 * letters if title else 0
    rows = -(-len(pictures) // columns)
    size_hw = (gap + head + rows * (cell_height + below + gap), gap + columns * (cell_width + gap))
    sheet: Image = np.full((*size_hw, 3), _PAPER, dtype=np.uint8)
    if title:
        big = round(letters * 1.4)
        put_text(sheet, shorten(title, big, size_hw[1] - 2 * gap), gap, gap + big, big, _INK)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        left = gap + column * (cell_width + gap)
        top = gap + head + row * (cell_height + below + gap)
        sheet[top : top + cell_height, left : left + cell_width] = _fit(picture, (cell_width, cell_height))
        if captions:
            text = shorten(captions[number], letters, cell_width)
            put_text(sheet, text, left, top + cell_height + round(1.4 * letters), letters, _INK)
    return sheet


def _fit(picture: Image, cell_wh: tuple[int, int]) -> Image:
    cell: Image = np.full((cell_wh[1], cell_wh[0], 3), _MAT, dtype=np.uint8)
    height, width = picture.shape[:2]
    scale = min(cell_wh[0] / width, cell_wh[1] / height)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (cell_wh[0] - size_wh[0]) // 2, (cell_wh[1] - size_wh[1]) // 2
    cell[top : top + size_wh[1], left : left + size_wh[0]] = small
    return cell
