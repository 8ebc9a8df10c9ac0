"""Small videos and pictures made on the spot."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

TICKS = 90_000
_BITS = 8

# Ways in which a frame can be stored: name -> file ending and what `write_clip` takes.
SOUND = {
    "h264_b_frames": (".mp4", {"encoder": {"g": "12", "bf": "3", "b-pyramid": "normal"}}),
    "h264_open_gop": (".mkv", {"encoder": {"g": "12", "bf": "2", "x264-params": "open-gop=1:keyint=12"}}),
    "h264_transport_stream": (".ts", {"encoder": {"g": "12", "bf": "2"}}),
    "h264_one_key_frame": (".mov", {"encoder": {"g": "250", "bf": "2"}}),
    "h264_interlaced": (".mp4", {"encoder": {"g": "12", "bf": "2", "flags": "+ildct+ilme"}}),
    "h264_no_b_avi": (".avi", {"encoder": {"g": "12", "bf": "0"}, "ticks": Fraction(1, 25)}),
    "h264_rotated": (".mp4", {"encoder": {"g": "12", "bf": "2"}, "rotation_deg": 90}),
    "h264_10_bit": (".mp4", {"encoder": {"g": "12", "bf": "2"}, "pixels": "yuv420p10le"}),
    "hevc_10_bit": (
        ".mp4",
        {
            "codec": "libx265",
            "encoder": {"x265-params": "keyint=12:log-level=none:open-gop=1", "preset": "ultrafast"},
            "pixels": "yuv420p10le",
        },
    ),
    "hevc_closed": (
        ".mkv",
        {"codec": "libx265", "encoder": {"x265-params": "keyint=12:log-level=none:open-gop=0", "preset": "ultrafast"}},
    ),
    "mpeg4_avi": (".avi", {"codec": "mpeg4", "encoder": {"g": "12"}}),
    "mpeg2_interlaced": (
        ".ts",
        {"codec": "mpeg2video", "encoder": {"g": "12", "bf": "2", "flags": "+ildct+ilme"}, "ticks": Fraction(1, 25)},
    ),
    "vp9": (".webm", {"codec": "libvpx-vp9", "encoder": {"g": "12", "deadline": "realtime", "cpu-used": "8"}}),
    "vp8": (
        ".webm",
        {"codec": "libvpx", "encoder": {"g": "12", "deadline": "realtime", "cpu-used": "16", "b": "400k"}},
    ),
    "av1": (".mp4", {"codec": "libsvtav1", "encoder": {"g": "12", "preset": "12", "svtav1-params": "lp=1"}}),
    "mjpeg": (".avi", {"codec": "mjpeg", "encoder": {}, "pixels": "yuvj420p", "ticks": Fraction(1, 25)}),
    "prores": (".mov", {"codec": "prores_ks", "encoder": {}, "pixels": "yuv422p10le"}),
    "ffv1": (".mkv", {"codec": "ffv1", "encoder": {"g": "12"}}),
}


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
    pixels: str = "yuv420p",
    ticks: Fraction | None = None,
) -> Path:
    """Write numbered frames at the given times, in units of `ticks` seconds."""
    base = ticks or Fraction(1, 25 if codec == "mpeg4" else TICKS)
    with av.open(str(path), "w", format=container, options=muxer or {}) as output:
        rate = 25 if ticks is None else 1 / ticks
        stream = output.add_stream(codec, rate=rate, options={"g": "10", "bf": "2"} if encoder is None else encoder)
        stream.width, stream.height = size_wh
        stream.pix_fmt = pixels
        stream.codec_context.time_base = base
        if rotation_deg is not None:
            stream.set_display_rotation(rotation_deg, hflip=is_mirrored)
        for number, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(numbered(number, size_wh), format="bgr24")
            frame.pts, frame.time_base = round(time_s / base), base
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


def write_tone(path: Path, codec: str = "aac", seconds: float = 2.0, start_s: float = 0.0) -> Path:
    """Write a rising tone."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        seconds_of = np.arange(round(seconds * 48_000)) / 48_000
        wave = (np.sin(2 * np.pi * (300 + 200 * seconds_of) * seconds_of) * 12_000).astype(np.int16)
        resampler = av.AudioResampler(stream.codec_context.format, "mono", 48_000, stream.codec_context.frame_size)
        for first in range(0, len(wave), 4800):
            frame = av.AudioFrame.from_ndarray(wave[None, first : first + 4800], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, first, Fraction(1, 48_000)
            for piece in resampler.resample(frame):
                piece.pts += round(start_s * 48_000)
                output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return path


def put_together(path: Path, *sources: Path) -> Path:
    """Copy the video or sound of several files into one, each at its own times."""
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as output:
        opened = [av.open(str(source)) for source in sources]
        packets = []
        for source in opened:
            taken = source.streams[0]
            target = output.add_stream_from_template(taken)
            for packet in source.demux(taken):
                if packet.size:
                    packet.stream = target
                    packets.append(packet)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
        for source in opened:
            source.close()
    return path


def with_edit_list(source: Path, path: Path, skipped_s: float, **muxer: str) -> Path:
    """Copy a clip so that its first `skipped_s` seconds are in the file and not shown."""
    with (
        av.open(str(source)) as old,
        av.open(str(path), "w", options={"avoid_negative_ts": "disabled", **muxer}) as new,
    ):
        taken = old.streams.video[0]
        stream = new.add_stream_from_template(taken)
        shift = round(Fraction(str(skipped_s)) / taken.time_base)
        for packet in old.demux(taken):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                new.mux(packet)
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


def copy_packets(source: Path, path: Path, change: Callable[[int, bytearray], None]) -> Path:
    """Copy a clip's video, each packet's bytes changed by its number; times stay."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        taken = old.streams.video[0]
        stream = new.add_stream_from_template(taken)
        for number, packet in enumerate(packet for packet in old.demux(taken) if packet.size):
            data = bytearray(packet)
            change(number, data)
            copy = av.Packet(bytes(data))
            copy.pts, copy.dts, copy.time_base, copy.stream = packet.pts, packet.dts, packet.time_base, stream
            copy.is_keyframe = packet.is_keyframe
            new.mux(copy)
    return path


def spoil(path: Path, is_spoilt: Callable[[int], bool]) -> Path:
    """Overwrite some packets, as `is_spoilt` says by their number, with noise of the same length."""
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(5)
    for number, (position, size) in enumerate(packets):
        if is_spoilt(number):
            data[position : position + size] = noise.integers(0, 256, size, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    return path
