"""Every frame of a video that decodes, in the order of presentation, and what is wrong with the file.

Several threads decode until a file shows damage. From there on what threads leave of damaged frames depends
on their timing, and frames that wait behind a damaged one at the end of the file get lost; so the pass is
then repeated with one thread, and equal files give equal frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sadinet.media.ending import End, FileState, find_cut, is_torn_tail
from sadinet.media.packets import CODECS_WITH_HIDDEN_FRAMES, has_decoding_times, is_hidden
from sadinet.media.probe import VideoInfo, describe, no_frame, open_container, video_stream
from sadinet.media.waiting import PacketsOnTheWay

HELD_BACK = 4
"""Frames that a thread may have finished from a reference that later turns out damaged: the B frames presented
before it. They are held back until it is known."""


class DamageFoundError(Exception):
    """A pass with several threads met damage."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded frame and what happened just before it.

    Attributes:
        picture: as stored, not yet turned.
        time: presentation time as the container has it, seconds; None where it has none.
        skipped: how many frames before it did not decode; -1 if it was itself taken for one of them, as around
            damage the order may not hold.
        is_damaged: whether parts of it were guessed by the decoder.
    """

    picture: VideoFrame
    time: Fraction | None
    skipped: int = 0
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class FileEnd:
    """How a file ended.

    Attributes:
        skipped: frames that did not decode after the last one that did.
        lines: one line each on what is wrong with the end.
    """

    skipped: int = 0
    lines: tuple[str, ...] = ()


class DecodingPass:
    """One way through a file, from its first frame to its last.

    Args:
        path: the file.
        threads: how many decode; 0 for as many as the machine has cores. With more than one,
            `DamageFoundError` is raised at the first sign of damage.
        state: of the file when reading began; None if it begins with this pass.

    Attributes:
        info: what the file claims; known from the first frame on.
        end: how the file ended; None until then.
    """

    def __init__(self, path: str, *, threads: int = 0, state: FileState | None = None) -> None:
        self.path = path
        self.state = state or FileState.of(path)
        self.info: VideoInfo | None = None
        self.end: FileEnd | None = None
        self._threads = threads
        self._on_the_way = PacketsOnTheWay()
        self._uncounted = 0  # packets that failed and have no place among those on the way
        self._packets = 0
        self._stopped = ""
        self._is_tail_torn = False
        self._is_interlaced = False
        self._has_decoding_times = False
        self._first: Fraction | None = None
        self._end_s = self._longest_gap = Fraction(0)

    def __iter__(self) -> Iterator[Decoded]:
        """Decode all frames.

        Raises:
            SourceError: if the file cannot be opened.
            DamageFoundError: at the first sign of damage, in a pass with several threads.
        """
        self._file_bytes = FileState.of(self.path).bytes
        with open_container(self.path) as container:
            stream = video_stream(container, self.path)
            set_threads(stream, self._threads)
            self._has_decoding_times = has_decoding_times(container, stream)
            held: deque[Decoded] = deque()
            for picture in self._pictures(container, stream):
                if self.info is None:
                    self.info = describe(self.path, container, stream, picture)
                held.append(self._account(picture, stream))
                if len(held) > (0 if self._threads == 1 else HELD_BACK):
                    yield held.popleft()
            lost = self._lose(len(self._on_the_way) if self._can_count else 0)
            end = End(float(self._first or 0), float(self._end_s), float(self._longest_gap))
            cut = find_cut(container, stream, end, self._packets, is_tail_torn=self._is_tail_torn)
            yield from held
        lines = (self._stopped, cut, self.state.change_to(FileState.of(self.path)))
        self.end = FileEnd(lost, tuple(line for line in lines if line))

    def _pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except FFmpegError as error:
                self._stopped = f"reading stopped early: {error.strerror or error}"
                self._damage()
                break
            # Empty packets stand for a repeated frame, or for the end: the decoder would take both for the end.
            if packet.size and self._register(packet, stream):
                yield from self._decode(packet, stream)
        yield from self._decode(None, stream)

    def _register(self, packet: Packet[VideoStream], stream: VideoStream) -> bool:
        """Note a packet; return whether it is to be decoded."""
        self._packets += 1
        if packet.is_corrupt:
            # The demuxer hands over what is there of the last frame of a file that is cut off.
            if is_torn_tail(packet, self._file_bytes):
                self._is_tail_torn = True
                return False
            self._damage()
        is_shown = not packet.is_discard and not (
            stream.codec_context.name in CODECS_WITH_HIDDEN_FRAMES and is_hidden(packet)
        )
        if packet.pts is not None and is_shown:
            self._on_the_way.add(packet.pts)
        return True

    def _decode(self, packet: Packet[VideoStream] | None, stream: VideoStream) -> list[VideoFrame]:
        """Decode a packet; None asks for what the decoder still holds."""
        try:
            return stream.decode(packet)
        except FFmpegError:
            self._damage()
            if packet is not None and self._has_decoding_times and packet.pts is not None:
                self._on_the_way.drop(packet.pts)
                self._uncounted += 1
            elif packet is not None:
                self._uncounted += packet.pts is None or not self._can_count
            return []

    def _account(self, picture: VideoFrame, stream: VideoStream) -> Decoded:
        stamp = picture.pts if picture.pts is not None else picture.dts
        self._is_interlaced = self._is_interlaced or picture.interlaced_frame
        lost = 0
        if self._has_decoding_times:
            stamp = self._on_the_way.take_earliest() or stamp
        elif stamp is not None:
            lost = self._on_the_way.take(stamp)
        lost = self._lose(lost if self._can_count else 0)
        if picture.is_corrupt:
            self._damage()
        time = None
        if stamp is not None and stream.time_base is not None:
            time = stamp * stream.time_base
            self._note_time(time, (picture.duration or 0) * stream.time_base)
        return Decoded(picture, time, lost, picture.is_corrupt)

    @property
    def _can_count(self) -> bool:
        # Two packets may make one interlaced frame.
        return not self._is_interlaced

    def _lose(self, count: int) -> int:
        lost, self._uncounted = count + self._uncounted, 0
        if lost:
            self._damage()
        return lost

    def _damage(self) -> None:
        if self._threads != 1:
            raise DamageFoundError

    def _note_time(self, time: Fraction, duration: Fraction) -> None:
        if self._first is None:
            self._first = time
        else:
            self._longest_gap = max(self._longest_gap, time - self._first - self._end_s + duration)
        self._end_s = max(self._end_s, time - self._first + duration)


def set_threads(stream: VideoStream, threads: int) -> None:
    """Say how many threads decode a stream; 0 for as many as there are cores."""
    stream.thread_type = "NONE" if threads == 1 else "AUTO"
    stream.codec_context.thread_count = threads


class Decoder:
    """All frames of a file: with several threads, and again with one if it turns out damaged.

    Args:
        path: the file.
        threads: how many decode; 0 for as many as the machine has cores.
    """

    def __init__(self, path: str, *, threads: int = 0) -> None:
        self.path = path
        self._current = DecodingPass(path, threads=threads)

    @property
    def info(self) -> VideoInfo | None:
        """What the file claims; known from the first frame on."""
        return self._current.info

    @property
    def end(self) -> FileEnd | None:
        """How the file ended; None until then."""
        return self._current.end

    def __iter__(self) -> Iterator[Decoded]:
        """Decode each frame once.

        Raises:
            SourceError: if the file cannot be opened or has no frame that decodes.
        """
        given = 0
        try:
            for item in self._current:
                given += 1
                yield item
        except DamageFoundError:
            self._current = DecodingPass(self.path, threads=1, state=self._current.state)
            for number, item in enumerate(self._current):
                if number >= given:
                    given += 1
                    yield item
        if not given:
            raise no_frame(self.path)
