"""Every frame of a video that decodes, in the order of presentation, and what is wrong with the file.

Several threads decode until a file shows damage. From there on what threads leave of damaged frames depends
on their timing, and frames that wait behind a damaged one at the end of the file get lost; so the pass is
then repeated with one thread, and equal files give equal frames.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sadinet.media.probe import VideoInfo, describe, no_frame, open_container, video_stream

# Frames that a thread may have finished from a reference that later turns out damaged: the B frames
# presented before it. They are held back until it is known.
_HELD_BACK = 4

# Packets of VP8 may hold pictures that are never shown.
_CODECS_WITH_HIDDEN_FRAMES = {"vp8", "libvpx"}


class DamageFoundError(Exception):
    """A pass with several threads met damage."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded frame and what happened just before it.

    Attributes:
        picture: as stored, not yet turned.
        time: presentation time as the container has it, seconds; None where it has none.
        is_after_skipped: whether frames before it did not decode.
        is_damaged: whether parts of it were guessed by the decoder.
    """

    picture: VideoFrame
    time: Fraction | None
    is_after_skipped: bool
    is_damaged: bool


class DecodingPass:
    """One way through a file, from its first frame to its last.

    Args:
        path: the file.
        is_threaded: decode with as many threads as the machine has cores, and raise `DamageFoundError` at
            the first sign of damage.

    Attributes:
        skipped: frames so far that did not decode.
        damaged: frames so far of which the decoder guessed parts.
        cut: one line when the file turned out to be cut off, else empty.
        stopped: one line when reading ended with an error, else empty.
        info: what the file claims; known from the first frame on.
    """

    def __init__(self, path: str, *, is_threaded: bool) -> None:
        self.path = path
        self.skipped = 0
        self.damaged = 0
        self.cut = ""
        self.stopped = ""
        self.info: VideoInfo | None = None
        self._is_threaded = is_threaded
        self._waiting: list[int] = []  # heap of the presentation times of packets that gave no frame yet
        self._packets = 0
        self._is_tail_torn = False
        self._is_interlaced = False
        self._first: Fraction | None = None
        self._end = Fraction(0)
        self._longest_gap = Fraction(0)

    def __iter__(self) -> Iterator[Decoded]:
        """Decode all frames.

        Raises:
            SourceError: if the file cannot be opened.
            DamageFoundError: at the first sign of damage, in a pass with several threads.
        """
        with open_container(self.path) as container:
            stream = video_stream(container, self.path)
            stream.thread_type = "AUTO" if self._is_threaded else "NONE"
            stream.codec_context.thread_count = 0 if self._is_threaded else 1
            self._file_bytes = Path(self.path).stat().st_size
            held: deque[Decoded] = deque()
            for picture in self._pictures(container, stream):
                if self.info is None:
                    self.info = describe(self.path, container, stream, picture)
                held.append(self._account(picture, stream))
                if len(held) > (_HELD_BACK if self._is_threaded else 0):
                    yield held.popleft()
            self._lose(len(self._waiting) if self._can_count(stream) else 0)
            self.cut = self._find_cut(container, stream)
            yield from held

    def _pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError as error:
                self.stopped = f"reading stopped early: {error.strerror or error}"
                self._damage()
                return
            if self._register(packet):
                yield from self._decode(packet, stream)

    def _register(self, packet: Packet[VideoStream]) -> bool:
        """Note a packet; return whether it is to be decoded."""
        if not packet.size:
            return True  # asks the decoder for what it still holds
        self._packets += 1
        if packet.is_corrupt:
            # The demuxer hands over what is there of the last frame of a file that is cut off.
            if packet.pos is not None and packet.pos + packet.size >= self._file_bytes:
                self._is_tail_torn = True
                return False
            self._damage()
        if packet.pts is not None and not packet.is_discard:
            heapq.heappush(self._waiting, packet.pts)
        return True

    def _decode(self, packet: Packet[VideoStream], stream: VideoStream) -> list[VideoFrame]:
        try:
            return packet.decode()
        except FFmpegError:
            self._damage()
            if packet.pts is None or not self._can_count(stream):
                self.skipped += 1
            return []

    def _account(self, picture: VideoFrame, stream: VideoStream) -> Decoded:
        lost = 0
        stamp = picture.pts if picture.pts is not None else picture.dts
        self._is_interlaced = self._is_interlaced or picture.interlaced_frame
        if stamp is not None:
            while self._waiting and self._waiting[0] <= stamp:
                lost += heapq.heappop(self._waiting) < stamp
        lost = lost if self._can_count(stream) else 0
        self._lose(lost)
        if picture.is_corrupt:
            self.damaged += 1
            self._damage()
        time = None
        if stamp is not None and stream.time_base is not None:
            time = stamp * stream.time_base
            self._note_time(time, (picture.duration or 0) * stream.time_base)
        return Decoded(picture, time, lost > 0, picture.is_corrupt)

    def _can_count(self, stream: VideoStream) -> bool:
        # Two packets make one interlaced frame.
        return not self._is_interlaced and stream.codec_context.name not in _CODECS_WITH_HIDDEN_FRAMES

    def _lose(self, count: int) -> None:
        if count:
            self.skipped += count
            self._damage()

    def _damage(self) -> None:
        if self._is_threaded:
            raise DamageFoundError

    def _note_time(self, time: Fraction, duration: Fraction) -> None:
        if self._first is None:
            self._first = time
        else:
            self._longest_gap = max(self._longest_gap, time - self._first - self._end + duration)
        self._end = max(self._end, time - self._first + duration)

    def _find_cut(self, container: InputContainer, stream: VideoStream) -> str:
        claimed_s, end_s = _claimed_seconds(container, stream), float(self._end)
        is_short = claimed_s is not None and end_s < claimed_s - max(0.1, 0.02 * claimed_s, float(self._longest_gap))
        is_fewer = self._packets < stream.frames
        # Trimmed or repeated frames make a count differ, long sound makes a duration differ: both must agree.
        if not self._is_tail_torn and not (is_short and (is_fewer or not stream.frames)):
            return ""
        frames = f" of {stream.frames}" if is_fewer else ""
        seconds = f" of {claimed_s:.2f} s" if claimed_s is not None and is_short else ""
        whole = self._packets - self._is_tail_torn
        return f"the file is cut off after {end_s:.2f} s{seconds}: {whole}{frames} frames are there"


def _claimed_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """Return how long the video should be; None where only the sound may be that long."""
    tag = stream.metadata.get("DURATION", "")  # Matroska: 00:01:02.034000000
    try:
        hours, minutes, seconds = (float(part) for part in tag.split(":"))
        return hours * 3600 + minutes * 60 + seconds
    except ValueError:
        pass
    if not container.duration or (len(container.streams) > 1 and not stream.frames):
        return None
    return container.duration / 1_000_000


class Decoder:
    """All frames of a file: with several threads, and again with one if it turns out damaged.

    Args:
        path: the file.

    Attributes:
        current: the pass that gave the last frame; it counts what was skipped up to there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.current = DecodingPass(path, is_threaded=True)

    def __iter__(self) -> Iterator[Decoded]:
        """Decode each frame once.

        Raises:
            SourceError: if the file cannot be opened or has no frame that decodes.
        """
        given = 0
        try:
            for item in self.current:
                given += 1
                yield item
        except DamageFoundError:
            self.current = DecodingPass(self.path, is_threaded=False)
            for number, item in enumerate(self.current):
                if number >= given:
                    given += 1
                    yield item
        if not given:
            raise no_frame(self.path)
