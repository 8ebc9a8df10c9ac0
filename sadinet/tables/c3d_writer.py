"""Write C3D files (Intel floats, c3d.org): one for each person.

    block 1      header: 256 words, where numbers of blocks, points and frames and the rate stand
    block 2 ..   parameters: groups (negative number) and their parameters, each with the way to the next one
    then         for each frame and point four floats: x, y, z, and residual; -1 there says that it is unknown

The format is written here, frame by frame, as the libraries for it hold a whole recording in memory.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sadinet.tables.person_files import PersonFiles, Track

_BLOCK = 512
_PARAMETERS_AT = 2
_KEY = 0x50
_INTEL = 84
_WORD_MAX = 0xFFFF

RESIDUAL_STEP_PX = 0.1
"""A residual is a whole number from 0 to 255 of these steps."""


class C3dWriter(PersonFiles):
    """Points in millimetres with their spread as residual; see `PersonFiles` for what the coordinates are."""

    def _write_person(self, path: Path, track: Track) -> None:
        step = RESIDUAL_STEP_PX * self.mm_per_pixel
        head, parameters = self._head(track, step)
        with path.open("wb") as stream:
            stream.write(head + parameters)
            written = 0
            for block in track.blocks():
                known = np.isfinite(block[..., 0])
                points = np.zeros((*known.shape, 4), "<f4")
                points[..., :2] = np.where(known[..., None], block[..., :2], 0)
                steps = np.rint(np.nan_to_num(block[..., 2].astype(np.float64) / step, nan=0.0, posinf=255.0))
                points[..., 3] = np.where(known, np.clip(steps, 0, 255), -1)
                written += stream.write(points.tobytes())
            stream.write(bytes(-written % _BLOCK))

    def _head(self, track: Track, step: float) -> tuple[bytes, bytes]:
        """Return header and parameters; how long these are does not depend on the number they hold of it."""
        frames, first = len(track.index), int(track.index[0]) + 1
        last = first + frames - 1
        blocks = len(self._parameters(track, step, first, last, 0)) // _BLOCK
        data_at = _PARAMETERS_AT + blocks
        words = struct.pack(
            "<BBHHHHHfHHf",
            _PARAMETERS_AT,
            _KEY,
            len(self.info.skeleton),
            0,  # no analog channels
            min(first, _WORD_MAX),
            min(last, _WORD_MAX),
            0,  # nothing was interpolated
            -step,
            data_at,
            0,
            track.rate_hz,
        )
        return words.ljust(_BLOCK, b"\0"), self._parameters(track, step, first, last, data_at)

    def _parameters(self, track: Track, step: float, first: int, last: int, data_at: int) -> bytes:
        joints = self.info.skeleton.joints
        frames = len(track.index)
        groups: dict[str, dict[str, bytes]] = {
            "POINT": {
                "USED": _words(len(joints)),
                "SCALE": _floats(-step),
                "RATE": _floats(track.rate_hz),
                "DATA_START": _words(data_at),
                # More frames than a word counts stand there as a float.
                "FRAMES": _words(frames) if frames <= _WORD_MAX else _floats(frames),
                "UNITS": _texts(["mm"]),
                "LABELS": _texts(joints),
                "DESCRIPTIONS": _texts([""] * len(joints)),
            },
            "ANALOG": {"USED": _words(0), "GEN_SCALE": _floats(1.0), "RATE": _floats(0.0)},
            "TRIAL": {
                "ACTUAL_START_FIELD": _words(first & _WORD_MAX, first >> 16),
                "ACTUAL_END_FIELD": _words(last & _WORD_MAX, last >> 16),
            },
            "SADINET": {
                "SOURCE": _texts([self.info.source]),
                "WEIGHTS": _texts([self.info.weights]),
                "METRES_PER_PIXEL": _floats(self.info.metres_per_pixel or 0.0),
            },
        }
        items = [
            item
            for number, (group, parameters) in enumerate(groups.items(), start=1)
            for item in (
                _item(group, -number, b""),
                *(_item(name, number, value) for name, value in parameters.items()),
            )
        ]
        body = b"".join(items) + bytes(2)
        blocks = -(-(4 + len(body)) // _BLOCK)
        return (struct.pack("<BBBB", 1, _KEY, blocks, _INTEL) + body).ljust(blocks * _BLOCK, b"\0")


def _item(name: str, number: int, value: bytes) -> bytes:
    """Return a group (`number` below 0) or a parameter, with an empty description and the way to the next item."""
    content = value + b"\0"
    return struct.pack("<bb", len(name), number) + name.encode() + struct.pack("<H", 2 + len(content)) + content


def _value(kind: int, sizes: Sequence[int], data: bytes) -> bytes:
    return struct.pack("<bB", kind, len(sizes)) + bytes(sizes) + data


def _words(*values: int) -> bytes:
    return _value(2, (len(values),) if len(values) > 1 else (), struct.pack(f"<{len(values)}H", *values))


def _floats(*values: float) -> bytes:
    return _value(4, (len(values),) if len(values) > 1 else (), struct.pack(f"<{len(values)}f", *values))


def _texts(texts: Sequence[str]) -> bytes:
    coded = [text.encode("utf-8", errors="backslashreplace")[:127] for text in texts]
    width = max(1, *(len(each) for each in coded))
    return _value(-1, (width, len(coded)), b"".join(each.ljust(width) for each in coded))
