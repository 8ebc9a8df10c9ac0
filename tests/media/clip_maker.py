"""Small videos and pictures made on the spot."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

TICKS = 90_000
_BITS = 8


def numbered(number: int, size_wh: tuple[int, int] = (160, 120)) -> np.ndarray:
    """A picture whose upper half carries the frame's number as a row of black and white fields."""
    width, height = size_wh
    image = np.full((height, width, 3), 90, np.uint8)
    for bit in range(_BITS):
        left, right = width * bit // _BITS, width * (bit + 1) // _BITS
        image[: height // 2, left:right] = 255 if number >> bit & 1 else 0
    image[height // 2 :, : width // 2] = (0, 0, 255)
    cv2.circle(image, (number * 7 % width, height * 3 // 4), height // 12, (0, 255, 0), cv2.FILLED)
    return image


def number_in(image: np.ndarray) -> int:
    """The number that `numbered` burnt in."""
    height, width = image.shape[:2]
    fields = [image[height // 4, width * (2 * bit + 1) // (2 * _BITS)].mean() for bit in range(_BITS)]
    return sum((field > 128) << bit for bit, field in enumerate(fields))


def write_clip(
    path: Path,
    times_s: Sequence[float],
    *,
    size_wh: tuple[int, int] = (160, 120),
    codec: str = "libx264",
    rotation_deg: float | None = None,
    is_mirrored: bool = False,
    muxer: dict[str, str] | None = None,
    encoder: dict[str, str] | None = None,
    container: str | None = None,
) -> Path:
    """Write numbered frames at the given times."""
    rate = 25 if codec == "mpeg4" else TICKS
    with av.open(str(path), "w", format=container, options=muxer or {}) as output:
        stream = output.add_stream(codec, rate=25, options=encoder or {"g": "10", "bf": "2"})
        stream.width, stream.height = size_wh
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        if rotation_deg is not None:
            stream.set_display_rotation(rotation_deg, hflip=is_mirrored)
        for number, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(numbered(number, size_wh), format="bgr24")
            frame.pts, frame.time_base = round(time_s * rate), Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_sound(path: Path, *, cover: bytes | None = None) -> Path:
    """Write half a second of silence, with a cover picture (JPEG) if given."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44_100, layout="mono")
        picture = None
        if cover is not None:
            picture = output.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
        for start in range(0, 22_050, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44_100, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if picture is not None:
            packet = av.Packet(cover)
            packet.stream, packet.pts, packet.dts, packet.time_base = picture, 0, 0, Fraction(1, 1)
            output.mux(packet)
    return path


def even_times(count: int, rate: float = 25.0) -> list[float]:
    return [number / rate for number in range(count)]


def exif(orientation: int) -> bytes:
    """EXIF data with nothing but an orientation."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0\0\0\0"


def display_matrix(path: Path) -> np.ndarray:
    """The matrix of the first track header, read from the file's bytes: a b u c d v x y w."""
    data = path.read_bytes()
    start = data.index(b"tkhd") + 4 + 40
    return np.frombuffer(data[start : start + 36], ">i4").astype(np.int64)
