"""Frames from a camera, through OpenCV, in a thread that may hang without anybody waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError, SourceError
from sadinet.media.attempt import Grab, Limits
from sadinet.media.camera_list import CameraInfo, find_camera, list_cameras, prepare_msmf
from sadinet.media.live_source import FROZEN
from sadinet.media.reconnecting import Reconnecting

__all__ = ["CameraInfo", "Capture", "list_cameras", "open_camera"]

_REMEDY = "plug it in again, close other programs that use it"
_STEP = 8  # every so many pixels are compared first
_MJPG = cv2.VideoWriter.fourcc(*"MJPG")
_LARGE = 640 * 480  # pixels from which on raw pictures fill a USB 2 line


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool:  # noqa: N802
        """Return whether there is a device."""

    def set(self, prop: int, value: float, /) -> bool:
        """Ask for a property's value."""

    def get(self, prop: int, /) -> float:
        """Return a property's value."""

    def grab(self) -> bool:
        """Wait for the next picture."""

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        """Return whether it is whole, and the picture."""

    def release(self) -> None:
        """Let go of the device."""


def open_camera(
    camera: CameraInfo | int | str = 0,
    *,
    size_wh: tuple[int, int] | None = None,
    rate_hz: float | None = None,
    timeout_s: float = 10.0,
    stall_s: float = 3.0,
    return_s: float = 30.0,
    factory: Callable[[CameraInfo], Capture] | None = None,
    cameras: Callable[[], tuple[CameraInfo, ...]] = list_cameras,
) -> Reconnecting:
    """Open a camera; its first frame is there when this returns.

    Frames are stamped at the grab. A camera that gives no picture for `stall_s`, or is unplugged, is told by the
    state "lost" and opened again by its identity; after `return_s`, `read` raises. A picture that stands still
    for `stall_s`, bit for bit, is flagged "frozen" and told; a camera that is no longer listed then is lost.

    Args:
        camera: a number, a name or part of one, an identity, or what `list_cameras` gave.
        size_wh: width and height to ask for; what the camera gives in their place is told in `notes`.
        rate_hz: rate to ask for.
        timeout_s: how long opening may take, first frame included.
        stall_s: how long a new frame may take.
        return_s: how long a lost camera may be away; 0 gives it up at once.
        factory: makes OpenCV's capture object; for tests.
        cameras: lists what is there.

    Raises:
        SourceError: if there is no such camera (those that are there are named), it does not open in time, or
            is in use.
        InputError: for a size, rate or time that is not positive.
    """
    numbers = [*(size_wh or ()), *([] if rate_hz is None else [rate_hz]), timeout_s, stall_s]
    if not all(number > 0 for number in numbers) or return_s < 0:
        raise InputError("sizes, rates and times of a camera must be above 0", "leave them out for the camera's own")
    chosen = _choose(camera, cameras)
    wish = _Wish(size_wh, rate_hz, stall_s)
    open_capture = _open_capture if factory is None else factory

    def connect() -> _CameraConnection:
        return _CameraConnection(chosen, wish, open_capture, cameras)

    limits = Limits(open_s=timeout_s, stall_s=stall_s, return_s=return_s)
    return Reconnecting(f"camera {chosen.name}", connect, limits, _REMEDY)


@dataclass(frozen=True, slots=True)
class _Wish:
    size_wh: tuple[int, int] | None
    rate_hz: float | None
    stall_s: float


class _CameraConnection:
    """An open camera."""

    def __init__(
        self,
        camera: CameraInfo,
        wish: _Wish,
        open_capture: Callable[[CameraInfo], Capture],
        cameras: Callable[[], tuple[CameraInfo, ...]],
    ) -> None:
        # Its number may have changed since it was chosen.
        self._camera = _choose(camera, cameras)
        self._cameras = cameras
        self._wish = wish
        self._still = _Stillness()
        self._capture = open_capture(self._camera)
        try:
            if not self._capture.isOpened():
                raise SourceError(f"camera {self._camera} does not open", "close other programs that use it")
            self._first: Grab | None = None
            self._set_up()
            self._first = self._read()
            self.notes = self._compare()
        except (SourceError, cv2.error):
            self._capture.release()
            raise

    def grab(self) -> Grab:
        """Wait for the next frame.

        Raises:
            SourceError: if the camera is gone.
        """
        first, self._first = self._first, None
        return first or self._read()

    def close(self) -> None:
        """Let go of the camera."""
        self._capture.release()

    def _set_up(self) -> None:
        size_wh = self._wish.size_wh
        if size_wh is not None:
            if size_wh[0] * size_wh[1] > _LARGE:
                self._capture.set(cv2.CAP_PROP_FOURCC, _MJPG)
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_wh[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_wh[1])
        if self._wish.rate_hz is not None:
            self._capture.set(cv2.CAP_PROP_FPS, self._wish.rate_hz)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # what waits in the driver is old

    def _read(self) -> Grab:
        is_there = self._capture.grab()
        grabbed_s = time.monotonic()
        is_whole, image = self._capture.retrieve() if is_there else (False, None)
        if not is_whole or image is None:
            raise SourceError(f"camera {self._camera} gives no picture any more", _REMEDY)
        flags, message = self._check_stillness(image, grabbed_s)
        return Grab(lambda: _as_bgr(image), grabbed_s, grabbed_s, flags, message)

    def _check_stillness(self, image: NDArray[np.uint8], now_s: float) -> tuple[tuple[str, ...], str]:
        still_s = self._still.since(image, now_s)
        if still_s < self._wish.stall_s:
            return (), ""
        if self._still.is_news(now_s) and not _is_listed(self._camera, self._cameras):
            raise SourceError(f"camera {self._camera} is unplugged", _REMEDY)
        return (FROZEN,), "the picture stands still; the camera may be covered, or gone"

    def _compare(self) -> tuple[str, ...]:
        notes = []
        if self._wish.size_wh is not None and self._first is not None:
            given = self._first.image().shape[1::-1]
            if given != self._wish.size_wh:
                notes.append("the camera gives {}x{} in place of {}x{}".format(*given, *self._wish.size_wh))
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        if self._wish.rate_hz is not None and rate_hz > 0 and abs(rate_hz - self._wish.rate_hz) > 0.5:
            notes.append(f"the camera gives {rate_hz:g} frames a second in place of {self._wish.rate_hz:g}")
        return tuple(notes)


class _Stillness:
    """For how long the picture has been the same, bit for bit; a working sensor's noise never is."""

    _LISTING_S = 1.0

    def __init__(self) -> None:
        self._image: NDArray[np.uint8] | None = None
        self._since_s = 0.0
        self._told_s = float("-inf")

    def since(self, image: NDArray[np.uint8], now_s: float) -> float:
        """Return the seconds since the picture changed last."""
        old = self._image
        if (
            old is None
            or old.shape != image.shape
            or not np.array_equal(old[::_STEP, ::_STEP], image[::_STEP, ::_STEP])
            or not np.array_equal(old, image)
        ):
            self._since_s = now_s
        self._image = image
        return now_s - self._since_s

    def is_news(self, now_s: float) -> bool:
        """Return whether the list of cameras is to be asked, at most once a second."""
        if now_s - self._told_s < self._LISTING_S:
            return False
        self._told_s = now_s
        return True


def _choose(wanted: CameraInfo | int | str, cameras: Callable[[], tuple[CameraInfo, ...]]) -> CameraInfo:
    try:
        there = cameras()
    except SourceError:
        # Where nobody can list cameras, a number can still be tried.
        if isinstance(wanted, CameraInfo):
            return wanted
        if isinstance(wanted, int) or wanted.isdecimal():
            return CameraInfo(int(wanted), f"camera {wanted}", str(wanted))
        raise
    return find_camera(wanted, there)


def _is_listed(camera: CameraInfo, cameras: Callable[[], tuple[CameraInfo, ...]]) -> bool:
    try:
        return any(other.identity == camera.identity for other in cameras())
    except SourceError:
        return True  # nobody knows


def _as_bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.ndim == 3 and image.shape[2] == 3:
        return image
    bgr: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[assignment]
    return bgr


def _open_capture(camera: CameraInfo) -> Capture:
    prepare_msmf()
    capture: Capture = cv2.VideoCapture(camera.index, camera.backend)  # type: ignore[assignment]
    return capture
