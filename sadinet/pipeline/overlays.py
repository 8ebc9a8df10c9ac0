"""Where drawn frames go: a video, a picture, or a folder of pictures."""

from __future__ import annotations

import math
import os
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import output_error
from sadinet.media.overlay import OverlayWriter
from sadinet.media.pictures import PICTURE_SUFFIXES, write_picture
from sadinet.media.source import Source
from sadinet.results import Frame

_KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


class Overlay(Protocol):
    """Takes drawn frames; a context manager that leaves nothing half done."""

    def write(self, image: NDArray[np.uint8], frame: Frame) -> None:
        """Add `image`, (H, W, 3) uint8 BGR, which was drawn on `frame`; raises `OutputError` if the disk refuses."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class VideoOverlay:
    """An MP4 with the frames at their own times; a frame without time follows right behind the one before."""

    def __init__(self, path: Path) -> None:
        self._writer = OverlayWriter(path)
        self._last_s = 0.0

    def write(self, image: NDArray[np.uint8], frame: Frame) -> None:
        """Add a drawn frame."""
        if math.isfinite(frame.time_s):
            self._last_s = frame.time_s
        self._writer.write(image, self._last_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)


class PictureOverlay:
    """One picture."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, image: NDArray[np.uint8], frame: Frame) -> None:
        """Write the drawn picture."""
        write_picture(self._path, image)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class FolderOverlay(PictureOverlay):
    """A folder of pictures with the names that they came with; formats of which few are common become PNG."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._taken: set[str] = set()
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise output_error(path, error) from error

    def write(self, image: NDArray[np.uint8], frame: Frame) -> None:
        """Write a drawn picture; of two pictures of the same name the second gets a number."""
        original = Path(frame.source)
        suffix = original.suffix if original.suffix.lower() in _KEPT_SUFFIXES else ".png"
        name, number = original.stem + suffix, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{original.stem}-{number}{suffix}"
        self._taken.add(name.casefold())
        write_picture(self._path / name, image)


def open_overlay(path: str | os.PathLike[str], source: Source) -> Overlay:
    """Return the overlay that suits a source: a video, a picture if `path` has an ending, else a folder.

    Raises:
        OutputError: if it cannot be written there.
    """
    target = Path(path)
    if source.info is not None:
        return VideoOverlay(target)
    if target.suffix.lower() in PICTURE_SUFFIXES:
        return PictureOverlay(target)
    return FolderOverlay(target)
