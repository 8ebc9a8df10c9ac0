"""Some frames out of the middle of a video: the same as a reading from the start gives, or none at all.

Nothing is taken on trust. Decoding begins at a key packet that is known from the index, and every frame from there
on must have the time that the index foretells. A file in which all stretches can be read like this holds no
damage, so numbers of frames are right too; at the first doubt `UnseekableError` is raised, and the caller reads from
the start.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from sadinet.errors import InputError, SourceError
from sadinet.media.decoding import HELD_BACK, Decoded, FileEnd, set_threads
from sadinet.media.ending import FileState
from sadinet.media.packets import PacketIndex
from sadinet.media.probe import VideoInfo, describe, open_container, video_stream

_ATTEMPTS = 3  # some containers land behind the packet that is looked for


class UnseekableError(Exception):
    """The file must be read from its start; says why."""


class PartDecoder:
    """The frames `first` up to `first + count` of a file, by its index.

    Args:
        index: of the file as it is now.
        first: number of the first frame.
        count: how many frames; None for all to the end.
        threads: how many decode; 0 for as many as the machine has cores.

    Attributes:
        info: what the file claims; known from the first frame on. Size and orientation are those of the first
            frame that was decoded.
        end: how the file ended, if the part reaches its end; None until then.

    Raises:
        InputError: if there is no such frame.
        UnseekableError: if the index has an oddity.
    """

    def __init__(self, index: PacketIndex, first: int, count: int | None, *, threads: int = 0) -> None:
        if index.oddities:
            raise UnseekableError(index.oddities[0])
        if not 0 <= first < index.frames:
            raise InputError(f"{index.path} has {index.frames} frames, none of number {first}")
        self.index = index
        self.info: VideoInfo | None = None
        self.end: FileEnd | None = None
        self._first = first
        self._stop = index.frames if count is None else min(first + count, index.frames)
        self._threads = threads
        self._start_key = 0

    def __iter__(self) -> Iterator[Decoded]:
        """Decode the frames.

        Raises:
            SourceError: if the file cannot be opened, or changed since its index was made.
            UnseekableError: if anything is not as the index says.
        """
        index = self.index
        self._check_state()
        with open_container(index.path) as container:
            stream = video_stream(container, index.path)
            set_threads(stream, self._threads)
            held: deque[Decoded] = deque()
            number = self._first
            # As in a reading from the start, a frame is believed when those decoded together with it are there.
            sure = index.frames if self._stop == index.frames else min(index.frames, self._stop + HELD_BACK)
            for picture in self._pictures(container, stream):
                if self.info is None:
                    self.info = describe(index.path, container, stream, picture)
                if not self._is_wanted(picture, number):
                    continue
                if number < self._stop:
                    held.append(Decoded(picture, int(index.stamps[number]) * index.time_base))
                number += 1
                if len(held) > HELD_BACK:
                    yield held.popleft()
                if number == sure < index.frames:
                    break
            if number < sure:
                raise UnseekableError(f"frame {number} is not in the file")
            yield from held
        self._check_state()
        if self._stop == index.frames:
            self.end = FileEnd()

    def _check_state(self) -> None:
        changed = self.index.state.change_to(FileState.of(self.index.path))
        if changed:
            raise SourceError(f"{self.index.path}: {changed}", "wait until nothing writes to it, then begin anew")

    def _is_wanted(self, picture: VideoFrame, number: int) -> bool:
        stamps, stamp = self.index.stamps, picture.pts
        if stamp == self.index.keys[self._start_key] and picture.pict_type not in (PictureType.I, PictureType.NONE):
            raise UnseekableError("a key frame refers to frames before it")
        if number == self._first and stamp is not None and stamp < stamps[number]:
            return False
        if number >= len(stamps):
            raise UnseekableError("there are more frames than packets")
        if stamp != stamps[number]:
            raise UnseekableError(f"frame {number} has another time than its packet")
        if picture.is_corrupt:
            raise UnseekableError(f"frame {number} is damaged")
        return True

    def _pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        is_warm = False
        try:
            for packet in itertools.chain(self._packets(container, stream), [None]):
                if packet is not None and packet.is_corrupt:
                    raise UnseekableError("a packet is corrupt")
                try:
                    pictures = stream.decode(packet)
                except FFmpegError as error:
                    # Frames that come with the key packet and refer to what lies before it do not matter; if one
                    # that does is missing, its time will be.
                    if is_warm:
                        raise UnseekableError(f"a packet does not decode: {error.strerror}") from error
                    continue
                for picture in pictures:
                    is_warm = is_warm or (picture.pts is not None and picture.pts >= self.index.stamps[self._first])
                    yield picture
        except FFmpegError as error:
            raise UnseekableError(f"reading stops early: {error.strerror}") from error

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
        """Yield the packets from the chosen key packet on."""
        self._start_key = self.index.key_before(self._first)
        for attempt in range(_ATTEMPTS):
            aim = self._start_key - attempt
            if self._start_key > 0:
                place = self.index.key_places[aim] if aim > 0 else self.index.stamps[0]
                container.seek(int(place), stream=stream)
            packets = container.demux(stream)
            found = self._find_start(packets)
            if found is not None:
                yield found
                yield from (packet for packet in packets if packet.size)
                return
        raise UnseekableError("seeking does not find a key frame")

    def _find_start(self, packets: Iterator[Packet[VideoStream]]) -> Packet[VideoStream] | None:
        key, size = self.index.keys[self._start_key], self.index.key_bytes[self._start_key]
        for packet in packets:
            if packet.is_keyframe and packet.pts is not None and packet.size:
                if packet.pts == key and packet.size == size:
                    return packet
                if packet.pts > key:
                    return None
        return None
