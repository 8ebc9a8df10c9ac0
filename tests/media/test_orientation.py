from __future__ import annotations

import cv2
import numpy as np
import pytest

from sadinet.media.orientation import UPRIGHT, Orientation, from_display_matrix, from_exif

ALL = [Orientation(*(bool(code >> bit & 1) for bit in range(3))) for code in range(8)]


@pytest.mark.parametrize("orientation", ALL)
def test_rotation_and_mirror_say_the_same_as_the_flips(orientation):
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    turned = np.rot90(image, orientation.rotation_deg // 90)
    expected = turned[:, ::-1] if orientation.is_mirrored else turned
    upright = orientation.apply(image)
    np.testing.assert_array_equal(upright, expected)
    assert orientation.size_wh((4, 2)) == (upright.shape[1], upright.shape[0])


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("value", range(1, 9))
def test_exif_agrees_with_opencvs_own_reading(clips, value, order):
    image = np.zeros((40, 64, 3), np.uint8)
    image[:16, :40] = (200, 40, 90)
    exif = clips.exif(value)
    if order == "big":
        exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([value]) + b"\0\0\0\0\0\0"
    _, png = cv2.imencodeWithMetadata(".png", image, [cv2.IMAGE_METADATA_EXIF], [np.frombuffer(exif, np.uint8)])
    np.testing.assert_array_equal(from_exif(exif).apply(image), cv2.imdecode(np.array(png), cv2.IMREAD_COLOR))


@pytest.mark.parametrize("exif", [b"", b"II", b"II*\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff", b"nonsense" * 9])
def test_damaged_exif_means_upright(exif):
    assert from_exif(exif) == UPRIGHT


def test_a_matrix_between_quarter_turns_goes_to_the_nearest():
    angle = np.deg2rad(80)
    a, b = np.cos(angle), np.sin(angle)
    matrix = np.array([a, b, 0, -b, a, 0, 0, 0, 16384]) * 65536
    assert from_display_matrix(matrix.astype(np.int32)).rotation_deg == 270
