"""Whether a JPEG is sound inside: decoders fill what they cannot read with anything, and hardly say so.

A JPEG has no checksum. What can be seen is data that is no code, that ends too early, or that is left over.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

START = b"\xff\xd8"
END = b"\xff\xd9"

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that carry the size."""

_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_SCAN = 0xDA
_8_BIT = b"\x08"

_PADDING = 16
"""Bytes that may be left over: some cameras and programs fill up the end."""

_NO_CODE = b"\xff\x00" * 16
"""Ones alone, longer than any code with its value; no code consists of ones."""

_MARKER = re.compile(rb"\xff[^\x00\xff]")


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, place and length of each segment up to the first scan; stops where there is no segment.

    The place is that of the length's two bytes, which the length includes.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, at + 2, length
        if marker == _SCAN:
            return
        at += 2 + length


def is_damaged_inside(data: bytes) -> bool:
    """Say whether a JPEG's data do not decode without an error, or not all of them are needed.

    Kinds that PyAV does not decode (lossless, arithmetic, 12 bit) are taken for sound, and so is everything where PyAV
    is missing, as it may be on a machine that only trains. A few changed bytes may decode to another sound picture.

    Args:
        data: of the file, which begins as a JPEG does.
    """
    kind, scan = None, len(data)
    for marker, place, length in segments(data):
        if marker in FRAMES:
            kind = marker if data[place + 2 : place + 3] == _8_BIT else -1
        if marker == _SCAN:
            scan = place + length
    if kind not in (None, *_SEQUENTIAL, _PROGRESSIVE):
        return False
    is_whole = _decodes(data)
    if is_whole and kind in _SEQUENTIAL:  # progressive scans hold bits without codes, in which ones are no error
        return _decodes(_with_bad_end(data, scan)) is True
    return is_whole is False


def _with_bad_end(data: bytes, scan: int) -> bytes:
    """Return the data with codes that do not exist just before their end, which nobody sees who ends earlier."""
    end = data.find(END, scan) if END in data[scan:] else len(data)
    while end > scan and data[end - 1] == 0xFF:  # padding
        end -= 1
    cut = max(scan, end - _PADDING)
    cut += 1 if data[cut - 1] == 0xFF else 0
    # The data begin anew behind a restart marker, which has to stay.
    restarts = list(_MARKER.finditer(data, cut, end))
    cut = restarts[-1].end() if restarts else cut
    return data[:cut] + _NO_CODE + data[end:]


def _decodes(data: bytes) -> bool | None:
    """Say whether PyAV decodes it without an error; None where it cannot tell."""
    try:
        import av
    except ImportError:
        return None
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode"}
    try:
        return bool(decoder.decode(av.Packet(data)))
    except av.error.InvalidDataError:
        return False
    except av.error.FFmpegError:  # odd sampling and the like
        return None
