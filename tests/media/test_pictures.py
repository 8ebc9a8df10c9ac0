from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from sadinet.errors import OutputError, SourceError
from sadinet.media.pictures import PictureFolder, natural_key, read_picture, write_picture

COLOUR = np.zeros((30, 50, 3), np.uint8)
COLOUR[:15] = (10, 120, 240)
COLOUR[15:, :25] = (200, 60, 20)


def save(path, image, exif=None):
    if exif is None:
        _, data = cv2.imencode(path.suffix, image)
    else:
        _, data = cv2.imencodeWithMetadata(
            path.suffix, image, [cv2.IMAGE_METADATA_EXIF], [np.frombuffer(exif, np.uint8)]
        )
    path.write_bytes(np.asarray(data).tobytes())
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp", ".PNG"])
def test_lossless_pictures_come_back_as_they_were(tmp_path, suffix):
    image = read_picture(save(tmp_path / f"a{suffix}", COLOUR))
    np.testing.assert_array_equal(image, COLOUR)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_pictures_come_back_closely(tmp_path, suffix):
    image = read_picture(save(tmp_path / f"a{suffix}", COLOUR))
    assert np.abs(image.astype(int) - COLOUR)[3:12].max() < 12


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp"])
def test_grey_becomes_three_equal_channels(tmp_path, suffix):
    image = read_picture(save(tmp_path / f"a{suffix}", np.full((8, 8), 77, np.uint8)))
    assert image.shape == (8, 8, 3)
    assert np.abs(image.astype(int) - 77).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_is_scaled_to_8(tmp_path, suffix, channels):
    values = np.array([0, 128, 257, 32768, 65535], np.uint16)
    deep = np.repeat(values.reshape(1, -1, 1), channels, axis=2)
    image = read_picture(save(tmp_path / f"a{suffix}", deep))
    assert image[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    assert image.shape == (1, 5, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_see_through_lies_on_grey(tmp_path, dtype):
    image = np.zeros((1, 3, 4), np.uint8)
    image[0, :, :3] = (0, 100, 250)
    image[0, :, 3] = (255, 0, 51)
    full = read_picture(save(tmp_path / "a.png", image.astype(dtype) * (257 if dtype == np.uint16 else 1)))
    assert full[0].tolist() == [[0, 100, 250], [128, 128, 128], [102, 122, 152]]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(tmp_path, clips, suffix, orientation):
    path = save(tmp_path / f"a{suffix}", COLOUR, clips.exif(orientation))
    oracle = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read_picture(path), oracle)
    assert read_picture(path).shape[:2] == ((50, 30) if orientation >= 5 else (30, 50))


def test_exif_turns_pictures_with_alpha_too(tmp_path, clips):
    image = np.dstack([COLOUR, np.full(COLOUR.shape[:2], 255, np.uint8)])
    upright = read_picture(save(tmp_path / "a.png", image, clips.exif(6)))
    np.testing.assert_array_equal(upright, np.rot90(COLOUR, -1))


def test_an_odd_name_is_no_matter(tmp_path):
    for name in ("two words.png", 'it\'s "quoted".png', "läuft 走る 🏃.png"):
        write_picture(tmp_path / name, COLOUR)
        np.testing.assert_array_equal(read_picture(tmp_path / name), COLOUR)
        assert [entry.name for entry in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


def test_a_single_pixel(tmp_path):
    assert read_picture(save(tmp_path / "a.png", COLOUR[:1, :1])).tolist() == [[[10, 120, 240]]]


def test_broken_pictures_are_told_in_one_line_and_nothing_else(tmp_path, capfd):
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)
    for suffix in (".jpg", ".png", ".tif", ".bmp", ".webp"):
        path = save(tmp_path / f"torn{suffix}", noise)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        with pytest.raises(SourceError, match="not a picture, or it is damaged"):
            read_picture(path)
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    save(tmp_path / "float.tif", np.zeros((4, 4, 3), np.float32))
    for name, words in {
        "text.jpg": "not a picture",
        "empty.png": "empty",
        "float.tif": "float32",
        "missing.png": "no such file",
        "": "folder",
    }.items():
        with pytest.raises(SourceError, match=words) as told:
            read_picture(tmp_path / name)
        assert told.value.remedy
    assert capfd.readouterr() == ("", "")


def test_pictures_of_a_folder_come_in_natural_order(tmp_path):
    for name in ("b10.png", "b9.png", "B1.png", "a.jpg", ".hidden.png"):
        save(tmp_path / name, COLOUR)
    (tmp_path / "notes.txt").write_text("no picture")
    with PictureFolder(tmp_path) as folder:
        frames = list(folder)
    assert [frame.source for frame in frames] == [str(tmp_path / n) for n in ("a.jpg", "B1.png", "b9.png", "b10.png")]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert all(math.isnan(frame.time_s) for frame in frames)
    assert (folder.expected_frames, folder.size_wh, folder.skipped, folder.problems) == (4, None, 0, ())


def test_broken_pictures_of_a_folder_are_skipped_and_named(tmp_path):
    for number in range(4):
        save(tmp_path / f"{number}.png", COLOUR)
    for number in (0, 2):
        (tmp_path / f"{number}.png").write_text("broken")
    folder = PictureFolder(tmp_path)
    assert [frame.index for frame in folder] == [0, 1]
    assert folder.skipped == 2
    assert [str(tmp_path / name) in line for name, line in zip(("0.png", "2.png"), folder.problems, strict=True)] == [
        True,
        True,
    ]


def test_many_broken_pictures_do_not_flood_the_report(tmp_path):
    for number in range(30):
        (tmp_path / f"{number}.png").write_text("broken")
    save(tmp_path / "99.png", COLOUR)
    folder = PictureFolder(tmp_path)
    assert len(list(folder)) == 1
    assert folder.skipped == 30
    assert len(folder.problems) == 21
    assert folder.problems[-1] == "and 10 more pictures"


def test_folders_without_a_readable_picture(tmp_path):
    with pytest.raises(SourceError, match="no pictures"):
        PictureFolder(tmp_path)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("broken")
    with pytest.raises(SourceError, match="none of the 2 pictures"):
        PictureFolder(tmp_path)
    with pytest.raises(SourceError, match="no such folder"):
        PictureFolder(tmp_path / "missing")


def test_natural_keys_compare_whatever_names_hold():
    names = ["", "7", "x", "²", "a1b2", "a1", "01", "1", "A1", "a-1", "٣"]
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_pictures_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match=r"\.gif"):
        write_picture(tmp_path / "a.gif", COLOUR)
    with pytest.raises(OutputError, match="no such file"):
        write_picture(tmp_path / "missing" / "a.png", COLOUR)
    assert not list(tmp_path.iterdir())
