"""Which cameras are there, by name and by an identity that lasts.

The number of a camera changes with what else is plugged in; its identity does not, so that a camera that was unplugged
is found again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from sadinet.errors import SourceError

_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that is there.

    Attributes:
        index: OpenCV's number of it, today.
        name: as its maker calls it.
        identity: what stays when other cameras come and go: on Linux the link in /dev/v4l by serial number, or by
            the socket it is plugged in; elsewhere the system's path or unique id.
        backend: OpenCV's number of the system's camera interface.
    """

    index: int
    name: str
    identity: str
    backend: int = cv2.CAP_ANY

    def __str__(self) -> str:
        return f"{self.index} '{self.name}'"


def list_cameras() -> tuple[CameraInfo, ...]:
    """Return the cameras that are there, by index, without opening them.

    Raises:
        SourceError: if this system's cameras cannot be listed.
    """
    prepare_msmf()
    # Late, as it loads the system's camera interface.
    from cv2_enumerate_cameras import enumerate_cameras

    backend = _BACKENDS.get(sys.platform, cv2.CAP_ANY)
    try:
        found = enumerate_cameras(backend)
    except (NotImplementedError, OSError, ImportError) as error:
        raise SourceError(f"this system's cameras cannot be listed: {error}", "give the camera's number") from error
    cameras = [CameraInfo(item.index, item.name or "camera", str(item.path or item.index), backend) for item in found]
    return lasting_identities(sorted(cameras, key=lambda camera: camera.index))


def lasting_identities(cameras: Sequence[CameraInfo], folder: Path = Path("/dev/v4l")) -> tuple[CameraInfo, ...]:
    """Return the cameras with Linux's links by serial number, else by socket, in place of their device's path."""
    links: dict[str, str] = {}
    for kind in ("by-path", "by-id"):  # the latter wins
        for link in sorted((folder / kind).glob("*")):
            links[str(link.resolve())] = str(link)
    return tuple(replace(camera, identity=links.get(camera.identity, camera.identity)) for camera in cameras)


def find_camera(wanted: CameraInfo | int | str, cameras: Sequence[CameraInfo]) -> CameraInfo:
    """Return the camera that is meant.

    Args:
        wanted: a number, an identity, a device's path, a name or a part of one; of a `CameraInfo`, its identity.
        cameras: those that are there.

    Raises:
        SourceError: if none, or more than one, is meant; it names those that are there.
    """
    if isinstance(wanted, CameraInfo):
        found = [camera for camera in cameras if camera.identity == wanted.identity]
    elif isinstance(wanted, int) or wanted.isdecimal():
        found = [camera for camera in cameras if camera.index == int(wanted)]
    else:
        found = _by_text(wanted, cameras)
    if len(found) == 1:
        return found[0]
    there = ", ".join(str(camera) for camera in cameras)
    if found:
        same = ", ".join(f"{camera} is {camera.identity}" for camera in found)
        raise SourceError(f"several cameras are called {wanted!r}", f"name one by number or identity: {same}")
    called = f"'{wanted.name}'" if isinstance(wanted, CameraInfo) else repr(wanted)
    raise SourceError(
        f"there is no camera {called}", f"there is {there}" if there else "no camera was found; plug one in"
    )


def _by_text(wanted: str, cameras: Sequence[CameraInfo]) -> list[CameraInfo]:
    path = str(Path(wanted).resolve()) if wanted.startswith("/") else ""
    tests: tuple[Callable[[CameraInfo], bool], ...] = (
        lambda camera: camera.identity == wanted,
        lambda camera: bool(path) and str(Path(camera.identity).resolve()) == path,
        lambda camera: camera.name == wanted,
        lambda camera: bool(wanted) and wanted.casefold() in camera.name.casefold(),
    )
    for test in tests:
        if found := [camera for camera in cameras if test(camera)]:
            return found
    return []


def prepare_msmf() -> None:
    """Keep Windows' camera interface from its slow way; to be called before OpenCV opens its first camera."""
    # With hardware transforms, opening a camera may take a minute.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
