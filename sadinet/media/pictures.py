"""Read pictures, alone or as a folder, and write them."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import check_writable, write_bytes
from sadinet.errors import OutputError, SourceError
from sadinet.media.orientation import UPRIGHT, Orientation, from_exif
from sadinet.results import Frame

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".bmp"})
"""Endings of the files that are taken for pictures."""

BEHIND_ALPHA = 128
"""Grey behind what is see-through: close to the mean colour that crops are filled with outside the frame."""

_MOST_PROBLEMS = 20
_DAMAGED_REMEDY = "copy or export it again"


def read_picture(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read one picture, upright by its EXIF orientation; returns (H, W, 3) uint8, BGR.

    Grey becomes three equal channels, 16 bit are scaled so that 65535 becomes 255, what is see-through is
    laid over mid-grey (`BEHIND_ALPHA`). Of several pages the first is read.

    Raises:
        SourceError: if the file is missing, a folder, empty, not a picture, damaged, or of a depth that
            is neither 8 nor 16 bit.
    """
    name = os.fspath(path)
    data = _bytes_of(name)
    # A torn PNG would be told on the terminal by libpng; the others are refused quietly.
    is_torn_png = data[:4].tobytes() == b"\x89PNG" and b"IEND" not in data[-64:].tobytes()
    decoded = None if is_torn_png else _decode(data)
    if decoded is None:
        raise SourceError(f"{name} is not a picture, or it is damaged", _DAMAGED_REMEDY)
    stored, orientation = decoded
    return np.ascontiguousarray(orientation.apply(_to_bgr(stored, name)))


def check_picture_path(path: str | os.PathLike[str]) -> None:
    """Raise `OutputError` if no picture can be written there: an unknown ending, or a folder that takes nothing."""
    _picture_suffix(path)
    check_writable(Path(path))


def _picture_suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        raise OutputError(f"cannot write {os.fspath(path)}: {suffix or 'no ending'}", "end the name with .jpg or .png")
    return suffix


def write_picture(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) uint8 BGR as the format that the name's ending says, whole or not at all.

    Raises:
        OutputError: if the ending is unknown, the folder cannot be written or the disk is full.
    """
    _, data = cv2.imencode(_picture_suffix(path), image)
    write_bytes(path, data.tobytes())


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Return a sorting key that puts "frame 9" before "frame 10" and does not see upper case."""
    parts = re.split(r"(\d+)", name.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part), name


class PictureFolder:
    """Pictures as frames without time, in natural order of their names.

    A picture that cannot be read is skipped, counted and named in `problems`. A frame's `source` is the
    picture's path; its `time_s` is NaN.

    Args:
        pictures: a folder, of which the pictures right inside are taken (hidden ones are not), or the
            pictures' paths, taken as they are sorted by name.
        name: what the user called it; the folder's path unless given.

    Raises:
        SourceError: if the folder is missing or has no picture, or none of the pictures can be read.
    """

    info = None

    def __init__(self, pictures: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], name: str = "") -> None:
        if isinstance(pictures, str | os.PathLike):
            self.name = name or os.fspath(pictures)
            self.paths = pictures_in(Path(pictures), self.name)
        else:
            self.paths = tuple(sorted((Path(each) for each in pictures), key=lambda path: natural_key(str(path))))
            self.name = name or (str(self.paths[0]) if self.paths else "")
        self.skipped = 0
        self._problems: list[str] = []
        self._frames = self._read()
        # The first one is read now, so that a folder without any readable picture is told at once.
        self._first: Frame | None = next(self._frames, None)
        if self._first is None:
            if len(self.paths) == 1:
                raise SourceError(self._problems[0], _DAMAGED_REMEDY)
            raise SourceError(f"none of the {len(self.paths)} pictures in {self.name} can be read", _DAMAGED_REMEDY)

    @property
    def size_wh(self) -> tuple[int, int] | None:
        """None: each picture may have its own size."""
        return None

    @property
    def expected_frames(self) -> int | None:
        """Number of pictures, the broken ones included."""
        return len(self.paths)

    @property
    def problems(self) -> tuple[str, ...]:
        """The pictures so far that cannot be read, one line each."""
        more = len(self._problems) - _MOST_PROBLEMS
        return (*self._problems[:_MOST_PROBLEMS], *([f"and {more} more pictures"] if more > 0 else []))

    def __iter__(self) -> Iterator[Frame]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        yield from self._frames

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames.close()

    def _read(self) -> Generator[Frame]:
        index = 0
        for path in self.paths:
            try:
                image = read_picture(path)
            except SourceError as error:
                self.skipped += 1
                self._problems.append(error.message)
                continue
            yield Frame(image, index, float("nan"), str(path))
            index += 1


def pictures_in(folder: Path, name: str) -> tuple[Path, ...]:
    """Return the pictures right inside a folder, hidden ones left out, in natural order of their names.

    Raises:
        SourceError: if there is no such folder, or no picture in it; `name` is what the user called it.
    """
    if not folder.is_dir():
        raise SourceError(f"no such folder: {name}", "check the name")
    files = [entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_file()]
    pictures = [entry for entry in files if entry.suffix.lower() in PICTURE_SUFFIXES]
    if not pictures:
        raise SourceError(f"folder {name} has no pictures", "videos inside it are given by name, as in FOLDER/*.mp4")
    return tuple(sorted(pictures, key=lambda path: natural_key(path.name)))


def _bytes_of(name: str) -> NDArray[np.uint8]:
    path = Path(name)
    if path.is_dir():
        raise SourceError(f"{name} is a folder, not a picture", "name a picture inside it")
    try:
        # OpenCV's own reading fails on names outside the system's code page.
        data = np.fromfile(path, dtype=np.uint8)
    except FileNotFoundError as error:
        raise SourceError(f"no such file: {name}", "check the name and the folder") from error
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}", "check the disk and your rights") from error
    if not data.size:
        raise SourceError(f"{name} is empty", "copy or export it again")
    return data


def _decode(data: NDArray[np.uint8]) -> tuple[NDArray[Any], Orientation] | None:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # we tell it ourselves
    try:
        decoded: tuple[Any, ...] = cv2.imdecodeWithMetadata(data, flags=cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)
    stored, kinds, values = decoded
    if stored is None:  # against the stub
        return None
    for kind, value in zip(np.ravel(kinds), values, strict=False):
        if kind == cv2.IMAGE_METADATA_EXIF:
            return stored, from_exif(np.asarray(value).tobytes())
    return stored, UPRIGHT


def _to_bgr(stored: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if stored.dtype == np.uint16:
        stored = np.rint(stored / 257.0).astype(np.uint8)
    elif stored.dtype != np.uint8:
        raise SourceError(f"{name} has pixels of type {stored.dtype}", "export it with 8 or 16 bit")
    if stored.ndim == 2 or stored.shape[2] == 1:
        return np.repeat(stored.reshape(*stored.shape[:2], 1), 3, axis=2)
    if stored.shape[2] == 4:
        alpha = stored[:, :, 3:].astype(np.float32) / 255.0
        laid: NDArray[np.float32] = stored[:, :, :3] * alpha + BEHIND_ALPHA * (1.0 - alpha)
        return np.rint(laid).astype(np.uint8)
    return stored[:, :, :3]
