"""What a video file claims and what it holds, compared."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from sadinet.media.defects import Defects
from sadinet.media.packets import PacketIndex, scan_packets
from sadinet.media.probe import VideoInfo, describe, first_picture, no_frame, open_container, video_stream
from sadinet.media.video import VideoReader

CHUNK_FRAMES = 600
"""Frames that are worked on at once, if the settings say nothing else; importing those would load the engines."""

_VARIABLE = 0.1  # a step that differs from the median by more than this share
_FINE = 3  # ticks: from here on, steps that are a tick apart are taken for a constant rate that was rounded
_GAP_S, _GAP_STEPS = 0.2, 4.0  # a gap is longer than both
_FAR = 2**62  # more frames than any file has


@dataclass(frozen=True, slots=True)
class Timing:
    """How frames follow each other in time, by the presentation times of their packets.

    Attributes:
        first_s: the first frame's time as the container has it; rows of tables begin at 0 all the same.
        last_s: the last frame's time, from the first.
        slowest_hz, usual_hz, fastest_hz: frames a second by the longest step, the median and the shortest; None
            where there are fewer than two times.
        is_variable: whether steps differ from the median by more than a tenth, and by more than the container's
            unit of time where that is small against them.
        gaps: time from the first frame, and length in seconds, of each step that is much longer than usual.
    """

    first_s: float
    last_s: float
    slowest_hz: float | None
    usual_hz: float | None
    fastest_hz: float | None
    is_variable: bool
    gaps: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Pixels:
    """How pictures are stored, by the first frame.

    Attributes:
        format: FFmpeg's name of the layout.
        bit_depth: bits of a sample.
        is_interlaced: whether a frame is made of two half pictures taken one after the other.
    """

    format: str
    bit_depth: int
    is_interlaced: bool


@dataclass(frozen=True, slots=True)
class Packets:
    """What the file's packets say.

    Attributes:
        frames: how many frames are to be shown.
        packets: how many packets there are.
        discarded: packets that are not to be shown, as an edit list says.
        hidden: packets of pictures that are never shown by themselves.
        key_frames: how many frames decoding can begin at.
        has_open_gops: whether frames refer over the next key frame.
        oddities: one line each on why the file is read from its start alone.
    """

    frames: int
    packets: int
    discarded: int
    hidden: int
    key_frames: int
    has_open_gops: bool
    oddities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecodedAll:
    """What decoding the whole file gave.

    Attributes:
        frames: how many frames decoded.
        defects: what is wrong with them.
    """

    frames: int
    defects: Defects


@dataclass(frozen=True, slots=True)
class Inspection:
    """The facts about a video file.

    Attributes:
        info: what the file claims.
        sound: one line for each track of sound.
        pixels: how pictures are stored.
        packets: what was counted.
        timing: when frames are shown.
        decoded: what decoding gave; None if it was not asked for.
    """

    info: VideoInfo
    sound: tuple[str, ...]
    pixels: Pixels
    packets: Packets
    timing: Timing
    decoded: DecodedAll | None = None

    @property
    def frames(self) -> int:
        """How many frames to expect, by the best that is known."""
        if self.decoded is not None:
            return self.decoded.frames
        packets = self.packets
        return packets.frames or packets.packets - packets.discarded - packets.hidden

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each thing that a user should know before the file is worked on."""
        info, lines = self.info, []
        if info.rotation_deg or info.is_mirrored:
            mirrored = " and mirrored" if info.is_mirrored else ""
            lines.append(f"stored turned by {info.rotation_deg} degrees{mirrored}; frames are turned upright")
        lines += _warnings_of_times(self.timing, self.packets)
        if self.pixels.is_interlaced:
            lines.append("interlaced: moving edges are combed; two half pictures are taken as one frame")
        if not 0.99 < info.pixel_aspect < 1.01:
            lines.append(f"pixels are {info.pixel_aspect:.2f} times as wide as high; frames are not stretched")
        if self.packets.oddities:
            lines.append(f"read from its start, by one process: {'; '.join(self.packets.oddities)}")
        # What an edit list cuts away is claimed all the same.
        if info.frames is not None and info.frames != self.packets.frames and not self.packets.discarded:
            lines.append(f"the container claims {info.frames} frames, {self.packets.frames} are there")
        if self.decoded is not None:
            lines += self.decoded.defects.lines
        return tuple(lines)

    def chunks(self, chunk_frames: int) -> int:
        """Return how many pieces of `chunk_frames` frames are worked on by themselves."""
        return -(-self.frames // chunk_frames)


def inspect_video(path: str | os.PathLike[str], *, is_decoded: bool = False) -> Inspection:
    """Look at a video: its header, all its packets and its first frame, or all its frames.

    Args:
        path: the file.
        is_decoded: decode everything, and count what is lost.

    Raises:
        SourceError: if the file cannot be opened or holds no frame that decodes.
    """
    name = os.fspath(path)
    with open_container(path) as container:
        stream = video_stream(container, name)
        first = first_picture(container, stream)
        if first is None:
            raise no_frame(name)
        info = describe(name, container, stream, first)
        sound = tuple(_sounds(container))
        pixels = _pixels(stream, first)
    index = scan_packets(path)
    return Inspection(info, sound, pixels, _packets(index), timing_of(index), _decode_all(path) if is_decoded else None)


def timing_of(index: PacketIndex) -> Timing:
    """Return how the frames of a file follow each other in time."""
    times = index.times_s
    if not len(times):
        return Timing(0.0, 0.0, None, None, None, False, ())
    # Differences of whole ticks, so that a constant rate is one to the last digit.
    ticks = np.diff(index.stamps)
    starts = times[:-1][ticks > 0]
    steps = ticks[ticks > 0] * index.time_base.numerator / index.time_base.denominator
    first_s = float(int(index.stamps[0]) * index.time_base)
    if not len(steps):
        return Timing(first_s, float(times[-1]), None, None, None, False, ())
    usual = float(np.median(steps))
    slowest, fastest = float(1 / steps.max()), float(1 / steps.min())
    return Timing(
        first_s=first_s,
        last_s=float(times[-1]),
        slowest_hz=slowest,
        usual_hz=1 / usual,
        fastest_hz=fastest,
        is_variable=_is_variable(steps, usual, float(index.time_base)),
        gaps=_gaps(starts, steps, usual),
    )


def _is_variable(steps: NDArray[np.float64], usual: float, tick_s: float) -> bool:
    # Matroska knows whole milliseconds alone: at 120 frames a second steps are of 8 and 9. In a container that counts
    # frames, however, a step of two ticks is a frame that is missing.
    rounding = 1.01 * tick_s if usual >= _FINE * tick_s else 0.0
    return bool((np.abs(steps - usual) > max(_VARIABLE * usual, rounding)).any())


def _gaps(starts: NDArray[np.float64], steps: NDArray[np.float64], usual: float) -> tuple[tuple[float, float], ...]:
    found = np.flatnonzero(steps > max(_GAP_S, _GAP_STEPS * usual))
    return tuple((float(starts[place]), float(steps[place])) for place in found)


def _warnings_of_times(timing: Timing, packets: Packets) -> list[str]:
    lines = []
    if not packets.frames:
        lines.append("frames have no times: rows get none; put the file into a container that has them, such as MP4")
    if timing.is_variable and timing.slowest_hz is not None and timing.fastest_hz is not None:
        rates = f"{timing.slowest_hz:.2f} to {timing.fastest_hz:.2f} frames a second"
        lines.append(f"variable rate, {rates}; times are the file's own")
    if timing.gaps:
        start_s, length_s = max(timing.gaps, key=lambda gap: gap[1])
        count = "1 gap" if len(timing.gaps) == 1 else f"{len(timing.gaps)} gaps, the longest"
        lines.append(f"{count} of {length_s:.2f} s after {start_s:.2f} s, without a frame")
    return lines


def _packets(index: PacketIndex) -> Packets:
    return Packets(
        index.frames,
        index.packets,
        index.discarded,
        index.hidden,
        len(index.keys),
        index.has_open_gops,
        index.oddities,
    )


def _pixels(stream: VideoStream, first: VideoFrame) -> Pixels:
    layout = first.format
    depth = max((component.bits for component in layout.components), default=8)
    return Pixels(layout.name, depth, bool(first.interlaced_frame))


def _sounds(container: InputContainer) -> list[str]:
    lines = []
    for stream in container.streams.audio:
        context = stream.codec_context
        channels = "1 channel" if context.channels == 1 else f"{context.channels} channels"
        lines.append(f"{context.name}, {context.sample_rate} Hz, {channels}")
    return lines


def _decode_all(path: str | os.PathLike[str]) -> DecodedAll:
    # Frames before the first wanted one are decoded and accounted for, but not converted.
    with VideoReader(path, first=_FAR) as reader:
        for _ in reader:
            pass
        return DecodedAll(reader.decoded, reader.defects(0))


def to_dict(inspection: Inspection, chunk_frames: int) -> dict[str, Any]:
    """Return plain values, as JSON takes them."""
    info, timing, packets, pixels = inspection.info, inspection.timing, inspection.packets, inspection.pixels
    decoded = inspection.decoded
    return {
        "path": info.path,
        "claims": {
            "container": info.container,
            "codec": info.codec,
            "duration_s": info.duration_s,
            "rate_hz": info.rate_hz,
            "frames": info.frames,
            "file_bytes": info.file_bytes,
        },
        "holds": {
            "size_wh": list(info.size_wh),
            "rotation_deg": info.rotation_deg,
            "is_mirrored": info.is_mirrored,
            "pixel_aspect": info.pixel_aspect,
            "pixel_format": pixels.format,
            "bit_depth": pixels.bit_depth,
            "is_interlaced": pixels.is_interlaced,
            "sound": list(inspection.sound),
            "frames": packets.frames,
            "packets": packets.packets,
            "discarded_packets": packets.discarded,
            "hidden_packets": packets.hidden,
            "key_frames": packets.key_frames,
            "has_open_gops": packets.has_open_gops,
            "start_s": timing.first_s,
            "slowest_hz": timing.slowest_hz,
            "usual_hz": timing.usual_hz,
            "fastest_hz": timing.fastest_hz,
            "is_variable": timing.is_variable,
            "gaps": [{"after_s": start_s, "seconds": length_s} for start_s, length_s in timing.gaps],
            "decoded": None if decoded is None else {"frames": decoded.frames, **decoded.defects.to_dict()},
        },
        "would": {
            "frames": inspection.frames,
            "chunks": inspection.chunks(chunk_frames),
            "chunk_frames": chunk_frames,
            "first_time_s": 0.0,
            "last_time_s": timing.last_s,
            "is_cut_into_chunks": not packets.oddities,
        },
        "warnings": list(inspection.warnings),
    }
