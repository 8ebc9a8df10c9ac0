"""Width and height of a picture from its head, as it stands upright, without decoding it."""

from __future__ import annotations

import struct
from pathlib import Path

from sadinet.errors import SourceError
from sadinet.media.orientation import UPRIGHT, Orientation, from_exif
from sadinet.training.datasets import read_picture
from sadinet.training.jpeg import FRAMES, START, segments

_HEAD_BYTES = 1 << 18


def upright_size(path: Path) -> tuple[int, int]:
    """Return width and height in pixels after the EXIF orientation; raises `SourceError` if it is no picture."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise SourceError(f"cannot read picture {path}: {error.strerror}", "copy it again from its source") from error
    found = _jpeg(head) if head.startswith(START) else None
    if found is None:
        height, width = read_picture(path, upright=True).shape[:2]
        return width, height
    size, orientation = found
    return orientation.size_wh(size)


def _jpeg(head: bytes) -> tuple[tuple[int, int], Orientation] | None:
    """Walk a JPEG's segments up to its size; None if that is not in its head."""
    orientation = UPRIGHT
    for marker, place, length in segments(head):
        if marker in FRAMES and place + 7 <= len(head):
            height, width = struct.unpack_from(">HH", head, place + 3)
            return (width, height), orientation
        if marker == 0xE1 and head[place + 2 : place + 8] == b"Exif\0\0":
            orientation = from_exif(head[place + 8 : place + length])
    return None
