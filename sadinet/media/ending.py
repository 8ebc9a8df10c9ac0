"""Whether a video file is whole, and whether it is still the file that it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream


@dataclass(frozen=True, slots=True)
class FileState:
    """Size and time of change of a file: by these it is seen to be the same as before."""

    bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileState:
        """Return the state of a file; all 0 for one that is gone."""
        try:
            found = Path(path).stat()
        except OSError:
            return cls(0, 0)
        return cls(found.st_size, found.st_mtime_ns)

    def change_to(self, later: FileState) -> str:
        """Return one line on how the file changed since, empty if it did not."""
        if later == self:
            return ""
        if later == FileState(0, 0):
            return "the file is gone since reading began"
        sizes = f"{self.bytes} bytes became {later.bytes}" if later.bytes != self.bytes else "it was written anew"
        return f"the file changed while it was read: {sizes}"


@dataclass(frozen=True, slots=True)
class End:
    """Where the frames of a file end.

    Attributes:
        first_s: the first frame's time, as the container has it.
        end_s: from there to the end of the last frame.
        longest_gap_s: the longest time from one frame to the next.
    """

    first_s: float
    end_s: float
    longest_gap_s: float


def is_torn_tail(packet: Packet[VideoStream], file_bytes: int) -> bool:
    """Return whether a corrupt packet is what is left of the last frame of a file that is cut off."""
    return packet.pos is not None and packet.pos + packet.size >= file_bytes


def find_cut(container: InputContainer, stream: VideoStream, end: End, packets: int, *, is_tail_torn: bool) -> str:
    """Return one line if the file is cut off, else nothing.

    Args:
        container: the open file, for what it claims.
        stream: its video.
        end: where its frames end.
        packets: how many there are, a torn one included.
        is_tail_torn: whether the last packet is not whole.
    """
    claimed_s = _claimed_seconds(container, stream)
    # Matroska counts from 0, wherever the first frame is.
    end_s = end.end_s + (max(0.0, end.first_s) if "matroska" in container.format.name else 0.0)
    is_short = claimed_s is not None and end_s < claimed_s - max(0.1, 0.02 * claimed_s, end.longest_gap_s)
    is_fewer = packets < stream.frames
    # Trimmed or repeated frames make a count differ, long sound makes a duration differ: both must agree.
    if not is_tail_torn and not (is_short and (is_fewer or not stream.frames)):
        return ""
    frames = f" of {stream.frames}" if is_fewer else ""
    seconds = f" of {claimed_s:.2f} s" if claimed_s is not None and is_short else ""
    return f"the file is cut off after {end.end_s:.2f} s{seconds}: {packets - is_tail_torn}{frames} frames are there"


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
