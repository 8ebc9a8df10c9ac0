"""The packets of a video file, looked at without decoding: when each frame is shown and where decoding can begin."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.media.ending import End, FileState, find_cut, is_torn_tail
from sadinet.media.probe import open_container, video_stream

CODECS_WITH_HIDDEN_FRAMES = ("vp8", "libvpx")
"""Decoders of which packets may hold a picture that is never shown."""


@dataclass(frozen=True, slots=True, eq=False)
class PacketIndex:
    """When each frame of a file is shown, as its packets say, and where decoding can begin.

    F frames, G packets at which decoding can begin. Times are in ticks of `time_base`.

    Attributes:
        path: as the user named it.
        state: of the file when it was looked at.
        codec: the decoder's name.
        time_base: seconds a tick.
        stamps: (F,) int64, rising: the presentation times.
        durations: (F,) int64, how long the container says that each is shown; 0 where it is silent.
        keys: (G,) int64, rising: presentation times of the key packets.
        key_places: (G,) int64, decoding times of the key packets, by which files are searched.
        key_bytes: (G,) int64, sizes of the key packets.
        key_reach: (G,) int64, the latest presentation time among the packets before each key packet.
        has_open_gops: whether frames that come after a key packet are shown before it.
        packets: number of packets.
        discarded: packets that the container says not to show, as an edit list does.
        hidden: packets of pictures that are never shown by themselves.
        oddities: one line each on what makes a reading from the middle unsure; such a file is read from its start.
    """

    path: str
    state: FileState
    codec: str
    time_base: Fraction
    stamps: NDArray[np.int64]
    durations: NDArray[np.int64]
    keys: NDArray[np.int64]
    key_places: NDArray[np.int64]
    key_bytes: NDArray[np.int64]
    key_reach: NDArray[np.int64]
    has_open_gops: bool
    packets: int
    discarded: int
    hidden: int
    oddities: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Number of frames; what a reading gives if nothing is odd and all of them decode."""
        return len(self.stamps)

    @property
    def is_seekable(self) -> bool:
        """Whether the file may be read from the middle."""
        return not self.oddities

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Seconds from the first presented frame, (F,)."""
        # One float division of exact integers, as the reader's fractions become floats too.
        ticks = (self.stamps - self.stamps[:1]) * self.time_base.numerator
        return np.asarray(ticks / self.time_base.denominator, dtype=np.float64)

    def key_before(self, frame: int) -> int:
        """Return which key packet to begin with, so that `frame` and all after it decode as from the start.

        With open GOPs it is the one before the nearest, as frames near a key packet may refer to what lies
        before it.
        """
        stamp = self.stamps[frame]
        sure = np.flatnonzero((self.keys <= stamp) & (self.key_reach < stamp))
        if not len(sure):
            return 0
        return max(0, int(sure[-1]) - self.has_open_gops)


def scan_packets(path: str | os.PathLike[str]) -> PacketIndex:
    """Look at all packets of a video without decoding one.

    Raises:
        SourceError: if the file cannot be opened or has no video.
    """
    name = os.fspath(path)
    state = FileState.of(path)
    with open_container(path) as container:
        stream = video_stream(container, name)
        found = _Found(is_vp8=stream.codec_context.name in CODECS_WITH_HIDDEN_FRAMES, file_bytes=state.bytes)
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except FFmpegError as error:
                found.add_oddity(f"reading stops early: {error.strerror or error}")
                break
            if packet.size:
                found.add(packet)
        return found.index(name, state, container, stream)


def is_hidden(packet: Packet[VideoStream]) -> bool:
    """Return whether a VP8 packet holds a picture that is never shown: the format's bit 4 of its first byte."""
    return not memoryview(packet)[0] >> 4 & 1


def has_decoding_times(container: InputContainer, stream: VideoStream) -> bool:
    """Return whether packets have the times of decoding where frames are shown in another order.

    AVI knows no other times. Its n-th frame is shown at the n-th of them.
    """
    return container.format.name == "avi" and stream.codec_context.has_b_frames and stream.codec_context.name != "mpeg4"


@dataclass(slots=True)
class _Found:
    """What a scan found so far."""

    is_vp8: bool
    file_bytes: int
    packets: int = 0
    hidden: int = 0
    discarded: int = 0
    corrupt: int = 0
    is_tail_torn: bool = False
    without_time: int = 0
    back: int = 0
    shown: list[tuple[int, int]] = field(default_factory=list)  # stamp, duration
    keys: list[tuple[int, int, int, int]] = field(default_factory=list)  # stamp, place, bytes, reach
    oddities: list[str] = field(default_factory=list)
    has_open_gops: bool = False
    is_keyless_start: bool = False
    reach: int = -(2**62)
    last_dts: int = -(2**62)

    def add_oddity(self, line: str) -> None:
        self.oddities.append(line)

    def add(self, packet: Packet[VideoStream]) -> None:
        self.packets += 1
        if packet.is_corrupt:
            self.corrupt += 1
            self.is_tail_torn = is_torn_tail(packet, self.file_bytes)
        if packet.dts is not None:
            self.back += packet.dts < self.last_dts
            self.last_dts = packet.dts
        if packet.pts is None:
            self.without_time += 1
            return
        if packet.is_keyframe:
            place = packet.dts if packet.dts is not None else packet.pts
            self.keys.append((packet.pts, place, packet.size, self.reach))
        elif not self.keys:
            self.is_keyless_start = True
        elif packet.pts < self.keys[-1][0]:
            self.has_open_gops = True
        self.reach = max(self.reach, packet.pts)
        if packet.is_discard:
            self.discarded += 1
        elif self.is_vp8 and is_hidden(packet):
            self.hidden += 1
        else:
            self.shown.append((packet.pts, packet.duration or 0))

    def index(self, name: str, state: FileState, container: InputContainer, stream: VideoStream) -> PacketIndex:
        self.shown.sort()
        shown = np.array(self.shown, dtype=np.int64).reshape(-1, 2)
        keys = np.array(self.keys, dtype=np.int64).reshape(-1, 4)
        if (np.diff(keys[:, 0]) <= 0).any():
            self.add_oddity("key frames are not in the order of presentation")
        self._judge(shown[:, 0])
        if has_decoding_times(container, stream):
            self.add_oddity("the container has times of decoding alone")
        if stream.time_base is None:
            self.add_oddity("the file has no unit of time")
        base = stream.time_base or Fraction(1)
        cut = find_cut(container, stream, _end(shown, base), self.packets, is_tail_torn=self.is_tail_torn)
        if cut:
            self.add_oddity(cut)
        later = FileState.of(name)
        if later != state:
            raise SourceError(f"{name}: {state.change_to(later)}", "wait until nothing writes to it")
        return PacketIndex(
            path=name,
            state=state,
            codec=stream.codec_context.name,
            time_base=base,
            stamps=shown[:, 0].copy(),
            durations=shown[:, 1].copy(),
            keys=keys[:, 0].copy(),
            key_places=keys[:, 1].copy(),
            key_bytes=keys[:, 2].copy(),
            key_reach=keys[:, 3].copy(),
            has_open_gops=self.has_open_gops,
            packets=self.packets,
            discarded=self.discarded,
            hidden=self.hidden,
            oddities=tuple(self.oddities),
        )

    def _judge(self, stamps: NDArray[np.int64]) -> None:
        same = int((np.diff(stamps) == 0).sum())
        torn = " (the file's end is torn)" if self.is_tail_torn and self.corrupt == 1 else ""
        for count, words in (
            (self.corrupt, f"marked as corrupt by the container{torn}"),
            (self.without_time, "without a time of presentation"),
            (same, "with the same time as another"),
            (self.back, "whose decoding time goes back"),
        ):
            if count:
                self.add_oddity(f"{'1 packet' if count == 1 else f'{count} packets'} {words}")
        if not len(stamps):
            if not self.without_time:
                self.add_oddity("no packet holds a frame that is shown")
        elif self.is_keyless_start or not self.keys:
            self.add_oddity("the first frame is no key frame")
        elif self.keys[0][0] > stamps[0]:
            self.add_oddity("the first frames refer to some that are not in the file")


def _end(shown: NDArray[np.int64], base: Fraction) -> End:
    if not len(shown):
        return End(0.0, 0.0, 0.0)
    stamps = shown[:, 0]
    gap = int(np.diff(stamps).max()) if len(stamps) > 1 else 0
    end = int((stamps + shown[:, 1]).max() - stamps[0])
    return End(float(int(stamps[0]) * base), float(end * base), float(gap * base))
