from __future__ import annotations

import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.media.lettering import put_text, shorten, text_width
from sadinet.media.sheet import contact_sheet


def plain(width, height, value):
    return np.full((height, width, 3), value, np.uint8)


def test_pictures_lie_in_rows():
    sheet = contact_sheet([plain(200, 100, value) for value in (10, 60, 110, 160, 210)], 2, cell_width=100, gap=10)
    assert sheet.shape == (10 + 3 * (50 + 10), 10 + 2 * (100 + 10), 3)
    middles = [int(sheet[10 + 25 + row * 60, 10 + 50 + column * 110, 0]) for row in range(3) for column in range(2)]
    assert middles[:5] == [10, 60, 110, 160, 210]
    assert middles[5] == 250  # paper


def test_captions_and_title_take_their_room():
    pictures = [plain(80, 60, 0)] * 2
    bare = contact_sheet(pictures, 2, cell_width=160, gap=10)
    told = contact_sheet(pictures, 2, ["0.00 s", "ünï 走る"], title="Walk", cell_width=160, gap=10)
    assert told.shape[0] > bare.shape[0]
    assert told.shape[1] == bare.shape[1]
    assert told[-30:].min() < 120  # ink below the pictures
    assert told[: told.shape[0] - bare.shape[0] - 14].min() < 120  # and above


def test_other_shapes_are_fitted_whole():
    sheet = contact_sheet([plain(100, 100, 0), plain(100, 100, 0), plain(400, 100, 200)], 3, cell_width=100, gap=10)
    cell = sheet[10:110, 230:330, 0]
    assert (cell == 200).sum() == 100 * 25
    assert contact_sheet([plain(1, 1, 5)], 4, cell_width=50, gap=0).shape == (50, 50, 3)
    assert contact_sheet([plain(1, 500, 5)], 1, cell_width=50, gap=0).shape == (100, 50, 3)


def test_what_makes_no_sheet():
    for pictures, columns, captions in (([], 2, []), ([plain(4, 4, 0)], 0, []), ([plain(4, 4, 0)], 1, ["a", "b"])):
        with pytest.raises(InputError):
            contact_sheet(pictures, columns, captions)


def test_long_text_is_shortened_in_its_middle():
    text = "a very long file name of a camera 0001.mp4"
    short = shorten(text, 12, 120)
    assert text_width(short, 12) <= 120 < text_width(text, 12)
    assert short[0] == "a"
    assert short.endswith("4")
    assert "…" in short
    assert shorten("short", 12, 120) == "short"
    assert shorten(text, 12, 1) == ""


def test_text_outside_the_picture_is_cut_off():
    image = plain(30, 20, 255)
    put_text(image, "wide text", -5, 15, 12, (0, 0, 0))
    assert image.min() < 100
