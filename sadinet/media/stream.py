"""Streams from a network: RTSP, HTTP, UDP and what else FFmpeg reads, through PyAV.

A stream that dies is opened again. One that is a recording (its length is known, as of a video file on a web server)
is played at its own times, not as fast as the line allows, and has an end; HLS is played at its own times too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.error import (
    ConnectionRefusedError,
    ExitError,
    FFmpegError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPUnauthorizedError,
    InvalidDataError,
    TimeoutError,
)
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from sadinet.errors import InputError, SourceError
from sadinet.media.attempt import Grab, Limits
from sadinet.media.orientation import Orientation
from sadinet.media.probe import orientation_of, video_stream
from sadinet.media.reconnecting import Reconnecting
from sadinet.media.source import without_password

SCHEMES = ("rtsp", "rtsps", "http", "https", "udp", "rtp", "srt", "tcp", "rtmp", "rtmps")
"""Beginnings of addresses that are streams."""

_REMEDY = "check that the sender runs and the network is up"
_END_S = 1.0  # a recording that stops this close to its claimed length is at its end
_MOST_DAMAGED = 250  # packets in a row that do not decode

# By UDP, a lost packet is a damaged picture, and home routers drop all of them.
_OPTIONS = {"rtsp_transport": "tcp"}


def is_stream(where: str) -> bool:
    """Return whether this is a stream's address."""
    scheme, separator, rest = where.partition("://")
    return bool(separator and rest) and scheme.lower() in SCHEMES


def open_stream(
    address: str,
    *,
    timeout_s: float = 10.0,
    stall_s: float = 5.0,
    return_s: float = 60.0,
    options: Mapping[str, str] | None = None,
) -> Reconnecting:
    """Open a stream; its first frame is there when this returns.

    `time_s` of its frames are the stream's own stamps from the first frame on, where they are sane, and go on by
    the clock over a gap. A stream that ends or gives no frame for `stall_s` is told by the state "lost" and opened
    again, with growing pauses; after `return_s`, `read` raises.

    Args:
        address: such as `rtsp://user:password@192.168.1.20/stream1` or `http://.../video.ts`.
        timeout_s: how long opening may take, first frame included.
        stall_s: how long a new frame may take.
        return_s: how long a lost stream may be away; 0 gives it up at once.
        options: FFmpeg's options for this protocol, over ours.

    Raises:
        InputError: if this is no address of a stream, or a time is not positive.
        SourceError: if it cannot be opened in time.
    """
    if not is_stream(address):
        raise InputError(f"{address} is not a stream's address", f"it begins with one of {', '.join(SCHEMES)} and ://")
    if not (timeout_s > 0 and stall_s > 0 and return_s >= 0):
        raise InputError("times to wait for a stream must be above 0", "leave them out for the usual ones")
    given = {**_OPTIONS, **(options or {})}

    def connect() -> _StreamConnection:
        return _StreamConnection(address, timeout_s, stall_s, given)

    limits = Limits(open_s=timeout_s + 1.0, stall_s=stall_s, return_s=return_s)
    return Reconnecting(without_password(address), connect, limits, _REMEDY)


class _StreamConnection:
    """An open stream."""

    notes: tuple[str, ...] = ()

    def __init__(self, address: str, open_s: float, read_s: float, options: dict[str, str]) -> None:
        self._name = without_password(address)
        try:
            # The address goes to FFmpeg as it is: whoever gives it may name any protocol in SCHEMES.
            self._container: InputContainer = av.open(address, timeout=(open_s, read_s), options=options)
        except FFmpegError as error:
            raise self._explained(error, "does not open") from error
        try:
            self._stream = video_stream(self._container, self._name)
        except SourceError:
            self._container.close()
            raise
        # Threads by frame would hold back as many frames as there are threads.
        self._stream.thread_type = "SLICE"
        self._packets = self._container.demux(self._stream)
        self._waiting: Iterator[VideoFrame] = iter(())
        # HLS comes in pieces of several seconds, each as fast as the line allows.
        is_ahead = bool(self._container.duration) or "hls" in self._container.format.name
        self._pace = _Pace() if is_ahead else None
        self._last_s: float | None = None
        self._orientation: Orientation | None = None

    def grab(self) -> Grab | None:
        """Wait for the next frame; None at the end of a recording.

        Raises:
            SourceError: if the stream is gone.
        """
        picture = self._next_picture()
        if picture is None:
            return None
        stamp_s = None
        if picture.pts is not None and self._stream.time_base is not None:
            stamp_s = self._last_s = float(picture.pts * self._stream.time_base)
        if self._pace is not None:
            self._pace.wait(stamp_s)
        # Of the first picture alone: PyAV frees pictures whose side data were looked at late.
        orientation = self._orientation = self._orientation or orientation_of(picture)
        return Grab(lambda: orientation.apply(_pixels(picture)), stamp_s, time.monotonic())

    def close(self) -> None:
        """Let go of the stream."""
        self._container.close()

    def _next_picture(self) -> VideoFrame | None:
        damaged = 0
        while True:
            for picture in self._waiting:
                return picture
            try:
                packet = next(self._packets)
            except StopIteration:
                if self._is_at_end():
                    return None
                raise SourceError(f"{self._name} broke off", _REMEDY) from None
            except FFmpegError as error:
                raise self._explained(error, "broke off") from error
            try:
                self._waiting = iter(packet.decode())
                damaged = 0
            except FFmpegError as error:
                damaged += 1
                if damaged > _MOST_DAMAGED:
                    raise self._explained(error, "sends nothing that can be decoded") from error

    def _is_at_end(self) -> bool:
        if not self._container.duration:
            return False  # only recordings have an end
        if self._container.size > 0:
            return True  # of so many bytes; had they not all come, reading would have failed
        start_s = (self._container.start_time or 0) / av.time_base
        end_s = start_s + self._container.duration / av.time_base
        return self._last_s is not None and self._last_s >= end_s - _END_S

    def _explained(self, error: FFmpegError, what: str) -> SourceError:
        if isinstance(error, HTTPUnauthorizedError | HTTPForbiddenError):
            return SourceError(f"{self._name} asks for a password", "write it as ...://user:password@host/...")
        if isinstance(error, HTTPNotFoundError):
            return SourceError(f"{self._name} is not there", "check the address")
        if isinstance(error, ConnectionRefusedError):
            return SourceError(f"{self._name} {what}: nobody answers at this address", _REMEDY)
        if isinstance(error, ExitError | TimeoutError):  # the former: our own time limit
            return SourceError(f"{self._name} {what}: no answer in time", _REMEDY)
        if isinstance(error, InvalidDataError):
            return SourceError(f"{self._name} {what}: what it sends is not a video", "check the address")
        return SourceError(f"{self._name} {what}: {error.strerror or error}", _REMEDY)


class _Pace:
    """Holds frames back until they are due."""

    _LEAP_S = 10.0

    def __init__(self) -> None:
        self._start: tuple[float, float] | None = None  # a stamp, and when it was due

    def wait(self, stamp_s: float | None) -> None:
        """Sleep until the frame of this stamp is due; where stamps leap, they count anew."""
        if stamp_s is None:
            return
        now_s = time.monotonic()
        early_s = 0.0 if self._start is None else self._start[1] + stamp_s - self._start[0] - now_s
        if self._start is None or abs(early_s) > self._LEAP_S:
            self._start = (stamp_s, now_s)
        elif early_s > 0:
            time.sleep(early_s)


def _pixels(picture: VideoFrame) -> NDArray[np.uint8]:
    return cast(NDArray[np.uint8], picture.to_ndarray(format="bgr24"))
