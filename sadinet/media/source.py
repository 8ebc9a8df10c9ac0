"""Open whatever the user names: a video, a picture, a folder of pictures, a pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from sadinet.errors import SourceError
from sadinet.media.pictures import PICTURE_SUFFIXES, PictureFolder
from sadinet.media.probe import VideoInfo
from sadinet.media.video import VideoReader
from sadinet.results import Frame


@runtime_checkable
class Source(Protocol):
    """Frames from somewhere, once, in order; a context manager."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def size_wh(self) -> tuple[int, int] | None:
        """Width and height of the frames in pixels, None where they differ."""

    @property
    def expected_frames(self) -> int | None:
        """How many frames to expect, None where nobody knows; for progress bars."""

    @property
    def skipped(self) -> int:
        """Frames so far that could not be read."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the source as far as it was read, one line each."""

    @property
    def info(self) -> VideoInfo | None:
        """What a video claims, None for anything else."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_source(where: str | os.PathLike[str]) -> Source:
    """Open a video file, a picture, a folder of pictures, or a pattern such as `shots/*.png`.

    Raises:
        SourceError: if there is nothing of that name, or nothing in it can be read.
    """
    name = os.fspath(where)
    if is_address(name):
        raise address_error(name)
    path = Path(name)
    if path.is_dir():
        return PictureFolder(name)
    if not path.exists() and glob.has_magic(name):
        return _open_pattern(name)
    return _open_file(name)


def _open_file(name: str) -> Source:
    if Path(name).suffix.lower() in PICTURE_SUFFIXES:
        return PictureFolder([name], name)
    return VideoReader(name)


def _open_pattern(pattern: str) -> Source:
    # Path.glob takes no absolute patterns.
    found = [name for name in glob.glob(pattern, recursive=True) if Path(name).is_file()]  # noqa: PTH207
    if not found:
        raise SourceError(f"nothing matches {pattern}", "check the folder and the ending")
    if len(found) == 1:
        return _open_file(found[0])
    pictures = [name for name in found if Path(name).suffix.lower() in PICTURE_SUFFIXES]
    if len(pictures) < len(found):
        raise SourceError(f"{pattern} matches {len(found)} files that are not all pictures", "give videos one by one")
    return PictureFolder(pictures, pattern)


def is_address(name: str) -> bool:
    """Return whether a name is that of something on a network, such as `rtsp://camera/1`."""
    scheme, separator, _ = name.partition("://")
    return bool(separator) and len(scheme) > 1 and scheme.isalnum()  # one letter is a drive of Windows


def address_error(name: str) -> SourceError:
    """Return the error for an address where a file is wanted."""
    remedy = "save it as a file first; a live stream is watched and recorded with sadinet-app"
    return SourceError(f"{without_password(name)} is an address, not a file", remedy)


def without_password(address: str) -> str:
    """Return an address as it may be shown."""
    scheme, separator, rest = address.partition("://")
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{host}{slash}{path}"
