"""A file's frames by number, whatever the file: a video or pictures. Used by one thread, but for what is told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.choice import SourceChoice, SourceKind
from sadinet.errors import SourceError
from sadinet.media.packets import PacketIndex, scan_packets
from sadinet.media.pictures import pictures_in, read_picture
from sadinet.media.seeking import UnseekableError
from sadinet.media.video import VideoReader
from sadinet.results import Frame

_STEP_S = 1 / 30  # between frames, where a file does not tell
_PICTURE_S = 1.0  # for how long a picture is shown when pictures are played


class Clip(Protocol):
    """Frames of a file, by number from 0."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def frames(self) -> int:
        """How many there are, as far as is known."""

    @property
    def is_exact(self) -> bool:
        """Whether this is known for sure."""

    @property
    def duration_s(self) -> float:
        """Time of the last frame, NaN where unknown."""

    @property
    def rate_hz(self) -> float:
        """About how many frames a second."""

    @property
    def times_s(self) -> NDArray[np.float64] | None:
        """Time of each frame, None while unknown."""

    def frames_from(self, number: int) -> Iterator[Frame]:
        """Yield the frames from this number on; close it to let go of the file.

        Raises:
            SourceError: if the file cannot be read any more.
        """

    def look_through(self) -> None:
        """Find out when each frame is shown; may take long. Called by a thread of its own.

        Raises:
            SourceError: if the file cannot be read.
        """


def open_clip(choice: SourceChoice) -> Clip:
    """Open a video file, a picture or a folder of pictures.

    Raises:
        SourceError: if it cannot be read.
    """
    return PictureClip(choice.where) if choice.kind is SourceKind.PICTURES else VideoClip(choice.where)


class VideoClip:
    """A video file; frames, numbers and times are those of the analysis.

    Raises:
        SourceError: if it cannot be read.
    """

    def __init__(self, where: str) -> None:
        self.name = where
        self._first: VideoReader | None = VideoReader(where)
        self._info = self._first.info
        self._index: PacketIndex | None = None
        self._counted: int | None = None
        self._is_seekable = True

    @property
    def frames(self) -> int:
        """How many there are: counted, else by the packets, else as the file claims."""
        if self._counted is not None:
            return self._counted
        return self._index.frames if self._index is not None else self._info.expected_frames or 0

    @property
    def is_exact(self) -> bool:
        """Whether frames or packets were counted."""
        return self._counted is not None or self._index is not None

    @property
    def duration_s(self) -> float:
        """Time of the last frame."""
        if self._index is not None and self.frames:
            return float(self._index.times_s[min(self.frames, self._index.frames) - 1])
        return math.nan if self._info.duration_s is None else self._info.duration_s

    @property
    def rate_hz(self) -> float:
        """As the file claims."""
        return self._info.rate_hz or 1 / _STEP_S

    @property
    def times_s(self) -> NDArray[np.float64] | None:
        """Time of each frame."""
        return None if self._index is None else self._index.times_s

    def look_through(self) -> None:
        """Look at all packets."""
        self._index = scan_packets(self.name)

    def frames_from(self, number: int) -> Iterator[Frame]:
        """Yield the frames from this number on: from the middle of a sound file, else through all before."""
        if self.is_exact and number >= self.frames:
            return
        try:
            for frame in self._sought(number):
                number = frame.index + 1
                yield frame
        except UnseekableError:
            self._is_seekable = False
            with closing(VideoReader(self.name, first=number)) as reader:
                for frame in reader:
                    number = frame.index + 1
                    yield frame
        self._counted = number

    def _sought(self, number: int) -> Iterator[Frame]:
        reader, self._first = self._first, None
        if reader is None or number > 0:
            if reader is not None:
                reader.close()
            index = self._index if self._is_seekable else None
            reader = VideoReader(self.name, first=number, index=index)
        with closing(reader):
            yield from reader


class PictureClip:
    """One picture or a folder of them, one a second; those that cannot be read are left out.

    Raises:
        SourceError: if there is none.
    """

    is_exact = True

    def __init__(self, where: str) -> None:
        self.name = where
        path = Path(where)
        self._paths: tuple[Path, ...] = pictures_in(path, where) if path.is_dir() else (path,)
        if len(self._paths) == 1:
            read_picture(self._paths[0])  # what cannot be read is told at once

    @property
    def frames(self) -> int:
        """How many there are, whether or not they can be read."""
        return len(self._paths)

    @property
    def duration_s(self) -> float:
        """Pictures have no time."""
        return math.nan

    @property
    def rate_hz(self) -> float:
        """One a second."""
        return 1 / _PICTURE_S

    @property
    def times_s(self) -> NDArray[np.float64] | None:
        """Pictures have no times."""
        return None

    def look_through(self) -> None:
        """Do nothing: all is known."""

    def frames_from(self, number: int) -> Iterator[Frame]:
        """Yield the pictures from this one on that can be read."""
        for place in range(number, len(self._paths)):
            try:
                image = read_picture(self._paths[place])
            except SourceError:
                if len(self._paths) == 1:
                    raise
                continue
            yield Frame(image, place, math.nan, str(self._paths[place]))
