"""Write a video of drawn frames."""

from __future__ import annotations

import contextlib
import math
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from sadinet.atomic import check_writable, commit, discard, output_error, partial_path
from sadinet.errors import InputError, OutputError
from sadinet.media.sound import Sound

TICKS_A_SECOND = 90_000
"""Times are rounded to this; all common rates fit."""

_TICK = Fraction(1, TICKS_A_SECOND)
_RATE_HINT = 30  # for the encoder's rate control alone; times come with the frames
_THREADS = "4"  # x264's output depends on their number, which it would take from the machine
_AVX_512F = 13  # OpenCV's number of that instruction set
_FIRST_GUESS_TICKS = TICKS_A_SECOND // 25  # how long a video of one frame lasts


class OverlayWriter:
    """An H.264 video in MP4 with each frame at its own time, so that a variable rate stays as it was.

    H.264 in its common form needs even sizes: an odd width (height) is filled up by one column (row) that
    repeats the last, so nothing is cut and pixels keep their places. The first frame sets the size; later
    frames of another size are scaled to it. The video is written as `NAME.part` beside the target and takes
    its name when the `with` block ends without an error; otherwise it is removed. Equal frames make equal bytes.

    Args:
        path: the video to make or replace.
        quality: x264's constant rate factor; lower is better and larger, 18 to 28 make sense.
        preset: x264's speed.
        sound_of: a video whose sound is copied, beside frames whose times count from that video's first frame.

    Raises:
        OutputError: if the folder is missing or cannot be written; later, if the disk is full.
        SourceError: if the video whose sound is wanted cannot be opened.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        quality: int = 20,
        preset: str = "veryfast",
        sound_of: str | os.PathLike[str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.frames = 0
        # With B frames the container's duration counts decoding times, which at a variable rate end too early.
        self._options = {"crf": str(quality), "preset": preset, "bf": "0", "threads": _THREADS, **_sure_instructions()}
        self._sound = None if sound_of is None else Sound(sound_of)
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._waiting: VideoFrame | None = None
        self._last_ticks = 0
        check_writable(self.path)

    @property
    def left_out(self) -> tuple[str, ...]:
        """One line for each sound track that is not copied; known from the first frame on."""
        return () if self._sound is None else tuple(self._sound.left_out)

    def write(self, image: NDArray[np.uint8], time_s: float) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8, BGR.
            time_s: seconds from the video's beginning; a time that does not rise is moved just behind the
                frame before.

        Raises:
            InputError: if the time is not a finite number, as that of pictures.
            OutputError: if the disk is full.
        """
        if not math.isfinite(time_s):
            raise InputError("a video needs frames with a time", "write pictures one by one")
        try:
            stream = self._stream or self._open((image.shape[1], image.shape[0]))
            picture = VideoFrame.from_ndarray(_of_size(image, (stream.width, stream.height)), format="bgr24")
            ticks = max(0, round(time_s * TICKS_A_SECOND))
            if self._waiting is not None:
                ticks = max(ticks, self._last_ticks + 1)
                self._encode(ticks - self._last_ticks)
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error
        picture.pts, picture.time_base = ticks, _TICK
        self._waiting, self._last_ticks = picture, ticks
        self.frames += 1

    def finish(self) -> None:
        """Write what is buffered, sync, rename. A video without frames is not made.

        Raises:
            OutputError: if the disk is full.
        """
        if self._container is None or self._stream is None:
            self._close_sound()
            discard(self.path)
            return
        try:
            mean = self._last_ticks // (self.frames - 1) if self.frames > 1 else _FIRST_GUESS_TICKS
            self._encode(max(1, mean))
            self._container.mux(self._stream.encode(None))
            if self._sound is not None:
                self._sound.copy_until(self._container, math.inf)
            self._container.close()
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error
        self._container = self._stream = None
        self._close_sound()
        commit(self.path)

    def abandon(self) -> None:
        """Close and remove the partial video."""
        if self._container is not None:
            with contextlib.suppress(FFmpegError, OSError):
                self._container.close()
        self._container = self._stream = self._waiting = None
        self._close_sound()
        discard(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abandon()
            return
        try:
            self.finish()
        except OutputError:
            self.abandon()
            raise

    def _open(self, size_wh: tuple[int, int]) -> VideoStream:
        target = str(partial_path(self.path).absolute())
        # The index goes to the front, so that a browser starts playing before all is there.
        self._container = av.open(target, mode="w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream("libx264", rate=_RATE_HINT, options=self._options)
        stream.width, stream.height = (size + size % 2 for size in size_wh)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _TICK
        # Without it the last frame's duration is made up, and players stop before it.
        stream.codec_context.flags |= Flags.frame_duration
        if self._sound is not None:
            self._sound.begin(self._container)
        self._stream = stream
        return stream

    def _encode(self, duration_ticks: int) -> None:
        # One frame waits, as its duration is known only with the next.
        if self._waiting is None or self._stream is None or self._container is None:
            return
        self._waiting.duration = duration_ticks
        if self._sound is not None:
            self._sound.copy_until(self._container, self._last_ticks / TICKS_A_SECOND)
        self._container.mux(self._stream.encode(self._waiting))
        self._waiting = None

    def _close_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()

    def _failed(self, error: Exception) -> OutputError:
        if isinstance(error, OSError):
            return output_error(self.path, error)
        return OutputError(f"cannot encode {self.path}: {error}", "try without the video")


def _sure_instructions() -> dict[str, str]:
    """Return the options that keep x264 from what differs between runs.

    With AVX-512 its look-ahead gives, for pictures of an odd number of macroblock rows (a row is 16 pixels),
    other costs at every run; with AVX2 it does not, and is as fast.
    """
    return {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_AVX_512F) else {}


def _of_size(image: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size_wh
    more_x, more_y = width - image.shape[1], height - image.shape[0]
    if (more_x, more_y) == (0, 0):
        return np.ascontiguousarray(image)
    if more_x in (0, 1) and more_y in (0, 1):
        return np.pad(image, ((0, more_y), (0, more_x), (0, 0)), mode="edge")
    scaled: NDArray[np.uint8] = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return scaled
