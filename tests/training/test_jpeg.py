"""JPEGs that are damaged inside, and sound ones of every kind."""

from __future__ import annotations

import io
import sys

import cv2
import numpy as np
import pytest

from sadinet.errors import SourceError
from sadinet.training.datasets import read_picture
from sadinet.training.jpeg import is_damaged_inside

SAMPLINGS = {name: getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}") for name in ("411", "420", "422", "440", "444")}


def scenery(size_wh=(320, 240), seed=0):
    """Colours that change slowly, with noise, much as a photograph is."""
    rng = np.random.default_rng(seed)
    slow = cv2.resize(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), size_wh, interpolation=cv2.INTER_CUBIC)
    return np.clip(slow + rng.normal(0, 12, slow.shape), 0, 255).astype(np.uint8)


def jpeg(image=None, **flags):
    settings = [value for name, number in flags.items() for value in (getattr(cv2, f"IMWRITE_JPEG_{name}"), number)]
    return cv2.imencode(".jpg", scenery() if image is None else image, settings)[1].tobytes()


def inside(data):
    """First and last place of what is decoded."""
    return data.find(b"\xff\xda") + 14, len(data) - 2


def half_zero(data):
    first, last = inside(data)
    begin, count = first + (last - first) // 4, (last - first) // 2
    return data[:begin] + bytes(count) + data[begin + count :]


def half_random(data):
    first, last = inside(data)
    begin, count = first + (last - first) // 4, (last - first) // 2
    return data[:begin] + np.random.default_rng(1).bytes(count) + data[begin + count :]


def missing(data):
    begin = (sum(inside(data)) // 2) - 1500
    return data[:begin] + data[begin + 3000 :]


def cut_but_ended(data):
    return data[: sum(inside(data)) // 2] + b"\xff\xd9"


def repeated(data):
    middle = sum(inside(data)) // 2
    return data[:middle] + data[middle - 2000 :]


@pytest.mark.parametrize(
    ("flags", "damage"),
    [
        *((flags, damage) for flags in ({}, {"OPTIMIZE": 1}, {"RST_INTERVAL": 7})
          for damage in (half_zero, half_random, missing, cut_but_ended)),
        *(({"PROGRESSIVE": 1}, damage) for damage in (half_random, missing, cut_but_ended)),
    ],
    ids=str,
)  # fmt: skip
def test_damage_inside_is_seen_and_nothing_else_says_so(tmp_path, capfd, damage, flags):
    path = tmp_path / "x.jpg"
    for seed in range(5):
        path.write_bytes(damage(jpeg(scenery(seed=seed), **flags)))
        with pytest.raises(SourceError, match=r"picture .*x\.jpg is damaged inside .*copy it again"):
            read_picture(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("interval", [0, 1, 7])
def test_bytes_that_no_pixel_needs_are_damage(interval):
    whole = jpeg(RST_INTERVAL=interval)
    assert is_damaged_inside(repeated(whole))
    assert is_damaged_inside(whole[:-2] + b"\x5a" * 40 + whole[-2:])


@pytest.mark.parametrize("size_wh", [(1, 1), (7, 3), (16, 16), (9, 100), (123, 77)], ids=str)
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sound_pictures_of_every_kind_pass(size_wh, sampling):
    rng = np.random.default_rng(0)
    plain = np.full((size_wh[1], size_wh[0], 3), 255, np.uint8)
    for image in (scenery(size_wh), plain, rng.integers(0, 256, plain.shape, dtype=np.uint8)):
        for kind in (image, image[..., 0]):
            for flags in ({}, {"OPTIMIZE": 1}, {"PROGRESSIVE": 1}, {"RST_INTERVAL": 1}, {"RST_INTERVAL": 5}):
                for quality in (5, 75, 100):
                    data = jpeg(kind, SAMPLING_FACTOR=SAMPLINGS[sampling], QUALITY=quality, **flags)
                    assert not is_damaged_inside(data)


@pytest.mark.parametrize("progressive", [False, True])
def test_sound_cmyk_passes(progressive):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    stream = io.BytesIO()
    pillow.fromarray(scenery()).convert("CMYK").save(stream, "JPEG", progressive=progressive)
    assert not is_damaged_inside(stream.getvalue())


def test_what_stands_around_the_picture_does_not_matter():
    whole = jpeg()
    for body in (b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"ICC_PROFILE\0\x05\x02", b"Adobe", jpeg()[:5000]):
        assert not is_damaged_inside(whole[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + whole[2:])
    assert not is_damaged_inside(whole + jpeg(scenery((64, 64))))
    assert not is_damaged_inside(whole + b"\0" * 500)
    for padding in (b"\xff" * 60, b"\0" * 8):
        assert not is_damaged_inside(whole[:-2] + padding + whole[-2:])


def test_the_pixels_stay_those_of_opencv_and_pyav_may_be_missing(tmp_path, monkeypatch):
    path = tmp_path / "x.jpg"
    path.write_bytes(jpeg())
    np.testing.assert_array_equal(read_picture(path), cv2.imread(str(path)))
    monkeypatch.setitem(sys.modules, "av", None)
    np.testing.assert_array_equal(read_picture(path), cv2.imread(str(path)))


def test_kinds_that_pyav_does_not_decode_are_not_judged():
    whole = jpeg()
    at = whole.find(b"\xff\xc0")
    arithmetic = whole[: at + 1] + b"\xc9" + whole[at + 2 :]
    deep = whole[: at + 4] + b"\x0c" + whole[at + 5 :]
    assert not is_damaged_inside(half_random(arithmetic))
    assert not is_damaged_inside(half_random(deep))
