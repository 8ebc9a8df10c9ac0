"""Read a video file frame by frame."""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator, Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self, cast

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.media.decoding import Decoded, Decoder
from sadinet.media.defects import Defects, SizeAt
from sadinet.media.orientation import Orientation
from sadinet.media.packets import PacketIndex
from sadinet.media.probe import VideoInfo, no_frame, orientation_of
from sadinet.media.seeking import PartDecoder
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

    A part of the file gives the very frames that a reading of the whole gives: same numbers, times, pixels
    and flags. Without an index the frames before it are decoded too. With one, decoding begins near it, as long as the
    file is sound: if not, `UnseekableError` is raised, here or with any frame, and then all parts from the
    first such on must be read without the index, as numbers of frames depend on what is lost before them.

    Args:
        path: the file.
        first: number of the first frame to give.
        count: how many frames to give at most; None for all that follow.
        index: the file's packets, from `scan_packets`.
        threads: how many threads decode; 0 for as many as there are cores. The frames do not depend on it.

    Raises:
        SourceError: if the file is missing, a folder, empty, not a video, without a picture track, or
            without a single frame that decodes; with an index also if it changed since then.
        InputError: if `first` or `count` is negative, or an index knows no such frame.
        UnseekableError: if the index is of a file that must be read from its start.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        first: int = 0,
        count: int | None = None,
        index: PacketIndex | None = None,
        threads: int = 0,
    ) -> None:
        if first < 0 or (count is not None and count < 1):
            raise InputError(f"there is no part of {count} frames from number {first} on")
        self.name = os.fspath(path)
        self.first = first
        self._index = index
        self._stop = None if count is None else first + count
        self._start: Fraction | None = None
        self._last_s = -1.0
        self._orientation: tuple[int, Orientation] | None = None
        self._sizes: list[SizeAt] = []
        self._skips: dict[int, int] = {}
        self._damaged: list[int] = []
        self._timeless: list[int] = []
        self._count = 0
        self._is_at_end = False
        self._decoder: Decoder | PartDecoder
        if index is None:
            self._decoder = Decoder(self.name, threads=threads)
        else:
            self._decoder = PartDecoder(index, first, count, threads=threads)
            self._count = first
            self._start = int(index.stamps[0]) * index.time_base
            self._last_s = float(index.times_s[first - 1]) if first else -1.0
        self._decoded = iter(self._decoder)
        # One frame is decoded now, so that what cannot be read is told at once.
        one = next(self._decoded)
        if self._decoder.info is None:
            raise no_frame(self.name)
        self.info: VideoInfo = self._decoder.info
        self._frames = self._read(itertools.chain([one], self._decoded))

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the first frame that was decoded, upright, in pixels."""
        return self.info.size_wh

    @property
    def expected_frames(self) -> int | None:
        """How many frames the container leads to expect; for progress bars."""
        frames = self.info.expected_frames if self._index is None else self._index.frames
        if frames is None:
            return None if self._stop is None else self._stop - self.first
        return max(0, (frames if self._stop is None else min(self._stop, frames)) - self.first)

    @property
    def decoded(self) -> int:
        """How many frames of the file decoded so far; of a part without an index also those before it."""
        return self._count if self._index is None else self._count - self.first

    @property
    def skipped(self) -> int:
        """Frames so far that did not decode."""
        return self.defects().skipped

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file as far as it was read, one line each."""
        return self.defects().lines

    def defects(self, first: int | None = None, stop: int | None = None) -> Defects:
        """Return what is wrong with the frames that were given so far, or with some of them.

        Args:
            first: number of the first frame to look at, None for the first that was given.
            stop: number of the frame behind the last one to look at, None for all. How the file ends belongs
                to a stretch only if no frame lies behind it.
        """
        low = self.first if first is None else first
        high = self._count if stop is None else min(stop, self._count)
        end = self._decoder.end if self._is_at_end and (stop is None or stop >= self._count) else None
        before = [size for size in self._sizes if size[0] <= low][-1:]
        within = [size for size in self._sizes if low < size[0] < high]
        sizes = [(low, size_wh) for _, size_wh in before if low < high] + within
        return Defects(
            sum(lost for index, lost in self._skips.items() if low <= index < high) + (end.skipped if end else 0),
            sum(low <= index < high for index in self._damaged),
            sum(low <= index < high for index in self._timeless),
            tuple(sizes),
            end.lines if end else (),
        )

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

    def _read(self, decoded: Iterator[Decoded]) -> Generator[Frame, None, None]:
        for item in decoded:
            index, self._count = self._count, self._count + 1
            time_s, flags = self._note(index, item)
            if index >= self.first:
                stored = cast(NDArray[np.uint8], item.picture.to_ndarray(format="bgr24"))
                yield Frame(self._turn(item.picture).apply(stored), index, time_s, self.name, flags)
            # A decoder of a part stops by itself, and looks whether the file is still what it was.
            if self._count == self._stop and isinstance(self._decoder, Decoder):
                return
        self._is_at_end = self._decoder.end is not None

    def _note(self, index: int, item: Decoded) -> tuple[float, tuple[str, ...]]:
        """Keep in mind what is wrong with a frame; returns its time and flags."""
        picture = item.picture
        size_wh = self._turn(picture).size_wh((picture.width, picture.height))
        if not self._sizes or self._sizes[-1][1] != size_wh:
            self._sizes.append((index, size_wh))
        flags: tuple[str, ...] = ()
        if item.skipped:
            self._skips[index] = item.skipped
            flags += (AFTER_SKIPPED,) * (item.skipped > 0)
        if item.is_damaged:
            self._damaged.append(index)
            flags += (DAMAGED,)
        time_s = self._time_s(item)
        if not time_s > self._last_s:
            self._timeless.append(index)
            flags += (NO_TIME,)
        else:
            self._last_s = time_s
        return time_s, flags

    def _time_s(self, item: Decoded) -> float:
        if item.time is None:
            return float("nan")
        if self._start is None:
            self._start = item.time
        return float(item.time - self._start)

    def _turn(self, picture: VideoFrame) -> Orientation:
        """Return how a picture is to be turned."""
        # To look at a picture's side data ties picture and data together until the garbage collector comes by,
        # which knows nothing of the megabytes behind them; its rotation can be asked for free.
        if self._orientation is None or self._orientation[0] != picture.rotation:
            self._orientation = (picture.rotation, orientation_of(picture))
        return self._orientation[1]
