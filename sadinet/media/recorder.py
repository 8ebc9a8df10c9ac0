"""Record what a live source shows as a video that opens whatever becomes of the program."""

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
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from sadinet.atomic import output_error
from sadinet.errors import InputError, OutputError

TICKS_A_SECOND = 1000
"""Matroska counts milliseconds."""

_TICK = Fraction(1, TICKS_A_SECOND)
_RATE_HINT = 30  # for the encoder's rate control alone; times come with the frames
_CLUSTER_MS = 500  # what a crash may cost
_KEY_EVERY = 30  # frames; decoding begins at one of these when a part of the video is read


class VideoRecorder:
    """H.264 in Matroska under its own name from the first frame on, each frame at its own time.

    Every half second what was recorded is handed to the system, so that it opens after the program was killed, the
    disk ran full or the power failed, without repair. An odd width (height) is filled up by one column (row) that
    repeats the last, so that pixels keep their places. No frame waits for a later one.

    Args:
        path: the video to make; must not be there.
        quality: x264's constant rate factor; lower is better and larger.
        preset: x264's speed.

    Attributes:
        path: of the video.
        size_wh: width and height of the frames, None before the first.
        frames: how many were written.

    Raises:
        OutputError: if the file is there already, or cannot be made.
    """

    def __init__(self, path: str | os.PathLike[str], *, quality: int = 18, preset: str = "ultrafast") -> None:
        self.path = Path(path)
        self.size_wh: tuple[int, int] | None = None
        self.frames = 0
        # One thread: it goes on beside the network, which needs the cores.
        self._encoder = {"crf": str(quality), "preset": preset, "tune": "zerolatency", "threads": "1"}
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._first_s = 0.0
        self._last_ticks = -1
        try:
            self.path.open("xb").close()
        except FileExistsError:
            raise OutputError(f"{self.path} is there already", "record into another folder") from None
        except OSError as error:
            raise output_error(self.path, error) from error

    def write(self, image: NDArray[np.uint8], time_s: float) -> float:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8, BGR, as large as the first one.
            time_s: when it was taken, from any moment on; one that does not rise is moved just behind the last.

        Returns:
            Its time in the video: seconds from the first frame, in whole milliseconds.

        Raises:
            InputError: if the time is not a finite number, or the picture has another size.
            OutputError: if the disk is full. What was written before opens.
        """
        if not math.isfinite(time_s):
            raise InputError("a video needs frames with a time", "record a camera, a stream or a video")
        size_wh = (image.shape[1], image.shape[0])
        if self.size_wh is None:
            self.size_wh, self._first_s = size_wh, time_s
        elif self.size_wh != size_wh:
            was, now = ("x".join(map(str, size)) for size in (self.size_wh, size_wh))
            raise InputError(f"the picture's size changed from {was} to {now}", "begin another recording")
        ticks = max(round((time_s - self._first_s) * TICKS_A_SECOND), self._last_ticks + 1)
        try:
            stream = self._stream or self._open(size_wh)
            # OpenCV does this in a third of the time that the encoder's own conversion takes.
            planes: NDArray[np.uint8] = np.asarray(cv2.cvtColor(_even(image), cv2.COLOR_BGR2YUV_I420), np.uint8)
            picture = VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = ticks, _TICK
            self._mux(stream, picture)
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error
        self._last_ticks = ticks
        self.frames += 1
        return ticks / TICKS_A_SECOND

    def close(self) -> None:
        """Write the index and let go of the file; a video without frames is removed.

        Raises:
            OutputError: if the disk is full. What was written before opens.
        """
        container, stream = self._container, self._stream
        self._container = self._stream = None
        if container is None or stream is None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
            return
        try:
            container.mux(stream.encode(None))
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error
        finally:
            failure = _closed(container)
        if failure is not None:
            raise self._failed(failure) from failure
        try:
            with self.path.open("rb+") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise output_error(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except OutputError:
            if kind is None:
                raise

    def _open(self, size_wh: tuple[int, int]) -> VideoStream:
        options = {"cluster_time_limit": str(_CLUSTER_MS), "flush_packets": "1"}
        self._container = av.open(str(self.path.absolute()), mode="w", format="matroska", options=options)
        encoder = {**self._encoder, "g": str(_KEY_EVERY), "bf": "0"}
        stream = self._container.add_stream("libx264", rate=_RATE_HINT, options=encoder)
        stream.width, stream.height = (size + size % 2 for size in size_wh)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _TICK
        self._stream = stream
        return stream

    def _mux(self, stream: VideoStream, picture: VideoFrame) -> None:
        assert self._container is not None  # noqa: S101  opened with the stream
        self._container.mux(stream.encode(picture))

    def _failed(self, error: Exception) -> OutputError:
        if isinstance(error, OSError):
            return output_error(self.path, error)
        return OutputError(f"cannot encode {self.path}: {error}", "choose another folder")


def _closed(container: OutputContainer) -> Exception | None:
    """Close a container; returns what went wrong."""
    try:
        container.close()
    except (FFmpegError, OSError) as error:
        return error
    return None


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture with an even width and height, as the common form of H.264 needs them."""
    height, width = image.shape[:2]
    if width % 2 or height % 2:
        return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
