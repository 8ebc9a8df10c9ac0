"""Width and height of a picture from its head, as it stands upright, without decoding it."""

from __future__ import annotations

import struct
from pathlib import Path

from sadinet.errors import SourceError
from sadinet.media.orientation import UPRIGHT, Orientation, from_exif
from sadinet.training.datasets import read_picture

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG's markers that carry the size."""

_HEAD_BYTES = 1 << 18


def upright_size(path: Path) -> tuple[int, int]:
    """Return width and height in pixels after the EXIF orientation; raises `SourceError` if it is no picture."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise SourceError(f"cannot read picture {path}: {error.strerror}", "copy it again from its source") from error
    found = _jpeg(head) if head.startswith(b"\xff\xd8") else None
    if found is None:
        height, width = read_picture(path, upright=True).shape[:2]
        return width, height
    size, orientation = found
    return orientation.size_wh(size)


def _jpeg(head: bytes) -> tuple[tuple[int, int], Orientation] | None:
    """Walk a JPEG's segments up to its size; None if that is not in its head."""
    at, orientation = 2, UPRIGHT
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        (length,) = struct.unpack(">H", head[at + 2 : at + 4])
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return (width, height), orientation
        if marker == 0xE1 and head[at + 4 : at + 10] == b"Exif\0\0":
            orientation = from_exif(head[at + 10 : at + 2 + length])
        at += 2 + length
    return None
