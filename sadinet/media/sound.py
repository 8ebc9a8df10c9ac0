"""The sound of a video, copied into another as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from sadinet.media.probe import first_picture, open_container, video_stream

CODECS_OF_MP4 = frozenset({"aac", "mp3", "mp3float", "opus", "libopus", "ac3", "alac", "flac"})
"""What players expect in an MP4; others, such as uncompressed sound, are left out."""


class Sound:
    """Packets of sound in the order of time, relative to the first frame of the video that they come from.

    What begins before that frame is left out. Sound that cannot be read further ends there.

    Args:
        path: the video.

    Attributes:
        left_out: one line for each sound track, or rest of one, that is not copied.

    Raises:
        SourceError: if the video cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.left_out: list[str] = []
        self._origin = _first_time(path)
        self._source = open_container(path)
        self._targets: dict[int, AudioStream] = {}
        self._last: dict[int, int] = {}
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._next: Packet[AudioStream] | None = None

    def begin(self, target: OutputContainer) -> None:
        """Add a track to the target for each that can be copied; its header must not be written yet."""
        taken = []
        for stream in self._source.streams.audio:
            if stream.codec_context.name not in CODECS_OF_MP4:
                self.left_out.append(f"sound as {stream.codec_context.name} is not copied: MP4 does not hold it")
                continue
            self._targets[stream.index] = target.add_stream_from_template(stream)
            taken.append(stream)
        if taken:
            self._packets = cast("Iterator[Packet[AudioStream]]", self._source.demux(taken))
            self._advance()

    def copy_until(self, target: OutputContainer, time_s: float) -> None:
        """Write all packets that begin before `time_s`, seconds from the video's first frame.

        Raises:
            OSError: if the disk refuses.
        """
        while self._next is not None and self._begins_s(self._next) < time_s:
            self._write(target, self._next)
            self._advance()

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()

    def _advance(self) -> None:
        try:
            self._next = next((packet for packet in self._packets if packet.size and packet.pts is not None), None)
        except FFmpegError as error:
            self._next = None
            self.left_out.append(f"the sound ends where it cannot be read: {error.strerror or error}")

    def _begins_s(self, packet: Packet[AudioStream]) -> float:
        return float((packet.pts or 0) * packet.time_base - self._origin)

    def _write(self, target: OutputContainer, packet: Packet[AudioStream]) -> None:
        track = packet.stream.index
        stamp = round((packet.pts or 0) - self._origin / packet.time_base)
        # Times must rise; what comes twice, as where recordings were put together, cannot be written.
        if stamp < 0 or stamp <= self._last.get(track, -1):
            return
        self._last[track] = packet.pts = packet.dts = stamp
        packet.stream = self._targets[track]
        target.mux(packet)


def _first_time(path: str | os.PathLike[str]) -> Fraction:
    with open_container(path) as container:
        stream = video_stream(container, os.fspath(path))
        picture = first_picture(container, stream)
        stamp = None if picture is None else picture.pts
        return Fraction(0) if stamp is None or stream.time_base is None else stamp * stream.time_base
