"""Where drawn frames go: a video, a picture, or a folder of pictures."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import OutputError
from sadinet.media.overlay import OverlayWriter
from sadinet.media.pictures import PICTURE_SUFFIXES, write_picture
from sadinet.media.source import Source
from sadinet.results import Frame
from sadinet.tables.scratch import make_scratch, remove, sync, told_as

_KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


class Overlay(Protocol):
    """Takes drawn frames; a context manager that leaves nothing half done."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the source is not in it, one line each; known at the end."""

    def write(self, image: NDArray[np.uint8], frame: Frame) -> None:
        """Add `image`, (H, W, 3) uint8 BGR, which was drawn on `frame`; raises `OutputError` if the disk refuses."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class VideoOverlay:
    """An MP4 with the frames at their own times; a frame without time follows right behind the one before.

    Args:
        path: of the file.
        sound_of: a video whose sound is copied, None for silence.
    """

    def __init__(self, path: Path, sound_of: str | None = None) -> None:
        self._writer = OverlayWriter(path, sound_of=sound_of)
        self._last_s = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """The sound tracks that are not copied."""
        return self._writer.left_out

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

    notes = ()

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


class FolderOverlay:
    """A folder of pictures with the names that they came with; formats of which few are common become PNG.

    It takes its name when the `with` block ends without an error; one of an earlier run makes way.
    """

    notes = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken: set[str] = set()
        _check_pictures(path)
        self._scratch = make_scratch(path)

    def write(self, image: NDArray[np.uint8], frame: Frame) -> None:
        """Write a drawn picture; of two pictures of the same name the second gets a number."""
        original = Path(frame.source)
        suffix = original.suffix if original.suffix.lower() in _KEPT_SUFFIXES else ".png"
        name, number = original.stem + suffix, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{original.stem}-{number}{suffix}"
        self._taken.add(name.casefold())
        write_picture(self._scratch / name, image)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with told_as(self._path):
                    _check_pictures(self._path)
                    if self._path.is_dir():
                        shutil.rmtree(self._path)
                    self._scratch.rename(self._path)
                    sync(self._path.parent)
        finally:
            remove(self._scratch)


def _check_pictures(folder: Path) -> None:
    """Raise `OutputError` if a folder holds what is no picture and would be lost."""
    if not folder.exists():
        return
    with told_as(folder):
        strange = [each.name for each in folder.iterdir() if each.suffix.lower() not in PICTURE_SUFFIXES]
    if strange:
        raise OutputError(
            f"{folder} holds {strange[0]}, which is no result of this program", "choose another folder, or move it away"
        )


def open_overlay(path: str | os.PathLike[str], source: Source) -> Overlay:
    """Return the overlay that suits a source: a video, a picture if `path` has an ending, else a folder.

    Raises:
        OutputError: if it cannot be written there.
    """
    target = Path(path)
    if source.info is not None:
        return VideoOverlay(target, source.name if source.info.has_audio else None)
    if target.suffix.lower() in PICTURE_SUFFIXES:
        return PictureOverlay(target)
    return FolderOverlay(target)
