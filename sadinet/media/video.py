"""Read a video file frame by frame."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from sadinet.media.decoding import Decoded, Decoder
from sadinet.media.probe import VideoInfo, no_frame, orientation_of
from sadinet.results import Frame

AFTER_SKIPPED = "after_skipped"
"""Flag of a frame before which others did not decode."""
DAMAGED = "damaged"
"""Flag of a frame of which the decoder guessed parts."""
NO_TIME = "no_time"
"""Flag of a frame whose presentation time is missing or not after that of the frame before."""


class VideoReader:
    """Every frame of a video file that decodes, upright, in the order of presentation.

    Frames come once; open the file again for a second round. Their `time_s` is the container's presentation
    time minus that of the first frame that decodes; no rate is assumed. A frame that does not decode is
    skipped and counted, the one after it carries the flag "after_skipped". A file that is cut off gives the
    frames it has, and `problems` says so once they are read.

    Args:
        path: the file.

    Raises:
        SourceError: if the file is missing, a folder, empty, not a video, without a picture track, or
            without a single frame that decodes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        self._decoder = Decoder(self.name)
        self._decoded = iter(self._decoder)
        self._start: Fraction | None = None
        self._last_s = -1.0
        self._sizes: list[tuple[int, tuple[int, int]]] = []
        self._timeless = 0
        self._count = 0
        # The first frame is decoded now, so that what cannot be read is told at once.
        first = next(self._decoded)
        if self._decoder.current.info is None:
            raise no_frame(self.name)
        self.info: VideoInfo = self._decoder.current.info
        self._frames = (self._frame(item) for item in itertools.chain([first], self._decoded))

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the first frame, upright, in pixels."""
        return self.info.size_wh

    @property
    def expected_frames(self) -> int | None:
        """How many frames the container leads to expect; for progress bars."""
        return self.info.expected_frames

    @property
    def skipped(self) -> int:
        """Frames so far that did not decode."""
        return self._decoder.current.skipped

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file as far as it was read, one line each."""
        state = self._decoder.current
        lines = []
        if state.skipped:
            lines.append(f"{_frames(state.skipped)} could not be decoded and {_were(state.skipped)} left out")
        if state.damaged:
            lines.append(f"{_frames(state.damaged)} {_were(state.damaged)} damaged and decoded in part")
        if self._timeless:
            lines.append(f"{_frames(self._timeless)} had no time of presentation or one that does not rise")
        lines += [f"the picture's size becomes {w}x{h} at frame {index}" for index, (w, h) in self._sizes[1:]]
        return (*lines, *(line for line in (state.stopped, state.cut) if line))

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; not while another thread is taking a frame from it."""
        self._frames.close()
        self._decoded.close()  # type: ignore[attr-defined]

    def _frame(self, item: Decoded) -> Frame:
        index, self._count = self._count, self._count + 1
        stored = cast(NDArray[np.uint8], item.picture.to_ndarray(format="bgr24"))
        image = orientation_of(item.picture).apply(stored)
        size_wh = (image.shape[1], image.shape[0])
        if not self._sizes or self._sizes[-1][1] != size_wh:
            self._sizes.append((index, size_wh))
        flags = (AFTER_SKIPPED,) * item.is_after_skipped + (DAMAGED,) * item.is_damaged
        time_s = self._time_s(item)
        if not time_s > self._last_s:
            self._timeless += 1
            flags += (NO_TIME,)
        else:
            self._last_s = time_s
        return Frame(image, index, time_s, self.name, flags)

    def _time_s(self, item: Decoded) -> float:
        if item.time is None:
            return float("nan")
        if self._start is None:
            self._start = item.time
        return float(item.time - self._start)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
