"""What a video file says about itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.sidedata.sidedata import SideDataContainer, Type
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sadinet.errors import SourceError
from sadinet.media.orientation import UPRIGHT, Orientation, from_display_matrix


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file claims; only size and orientation were checked, on the first frame.

    Attributes:
        path: as the user named it.
        size_wh: width and height in pixels, upright.
        rotation_deg: counter-clockwise quarter turns that the stored frames need: 0, 90, 180 or 270.
        is_mirrored: whether left and right also change places.
        codec: the decoder's name, such as "h264".
        container: the format's names, such as "mov,mp4,m4a,3gp,3g2,mj2".
        duration_s: claimed by the container, None where it is silent.
        rate_hz: average rate claimed by the container. For display only: times come from the frames.
        frames: number of frames that the container claims, None where it is silent.
        has_audio: whether there is sound.
        pixel_aspect: width of a pixel over its height; frames are not stretched.
        file_bytes: size of the file.
    """

    path: str
    size_wh: tuple[int, int]
    rotation_deg: int
    is_mirrored: bool
    codec: str
    container: str
    duration_s: float | None
    rate_hz: float | None
    frames: int | None
    has_audio: bool
    pixel_aspect: float
    file_bytes: int

    @property
    def expected_frames(self) -> int | None:
        """Number of frames to expect: as claimed, else guessed from duration and rate; for progress bars."""
        if self.frames is not None:
            return self.frames
        if self.duration_s is None or self.rate_hz is None:
            return None
        return max(1, round(self.duration_s * self.rate_hz))


def open_container(path: str | os.PathLike[str]) -> InputContainer:
    """Open a file for reading.

    Raises:
        SourceError: if there is no such file, it is a folder, empty, not readable, or not a video.
    """
    name, file = os.fspath(path), Path(path)
    if not file.exists():
        raise SourceError(f"no such file: {name}", "check the name and the folder")
    if file.is_dir():
        raise SourceError(f"{name} is a folder, not a video", "name a video file inside it")
    try:
        if file.stat().st_size == 0:
            raise SourceError(f"{name} is empty", "copy or record it again")
        # An absolute path, so that a colon in a name is not taken for a protocol.
        return av.open(str(file.absolute()), mode="r", metadata_errors="replace")
    except PermissionError as error:
        raise SourceError(f"{name} may not be read", "ask for the right to read it") from error
    except (FFmpegError, OSError) as error:
        raise SourceError(
            f"{name} is not a video, or it is damaged", "see whether a video player opens it; copy or export it again"
        ) from error


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """Return the video stream to read: the first that is not a cover picture.

    Raises:
        SourceError: if there is none, as in a sound file.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    what = "holds sound but no video" if container.streams.audio else "holds no video"
    raise SourceError(f"{name} {what}", "choose a file with a picture")


def orientation_of(picture: VideoFrame) -> Orientation:
    """Return how a decoded frame is to be turned."""
    # A picture whose side data was looked at stays until the garbage collector comes by: so let it be a tiny one.
    tiny = picture.reformat(width=16, height=16)
    side_data = cast(SideDataContainer, tiny.side_data)  # the stub says a dict of strings
    for data in side_data:
        if data.type == Type.DISPLAYMATRIX:
            return from_display_matrix(np.frombuffer(bytes(data), dtype=np.int32))
    return UPRIGHT


def describe(name: str, container: InputContainer, stream: VideoStream, first: VideoFrame) -> VideoInfo:
    """Return what an open file claims, `first` being its first decoded frame."""
    orientation = orientation_of(first)
    seconds = container.duration / av.time_base if container.duration else None
    aspect = stream.sample_aspect_ratio
    return VideoInfo(
        path=name,
        size_wh=orientation.size_wh((first.width, first.height)),
        rotation_deg=orientation.rotation_deg,
        is_mirrored=orientation.is_mirrored,
        codec=stream.codec_context.name,
        container=container.format.name,
        duration_s=seconds,
        rate_hz=float(stream.average_rate) if stream.average_rate else None,
        frames=stream.frames or None,
        has_audio=bool(container.streams.audio),
        pixel_aspect=float(aspect) if aspect else 1.0,
        file_bytes=Path(name).stat().st_size,
    )


def no_frame(name: str) -> SourceError:
    """Return the error of a file without a single frame that decodes."""
    return SourceError(f"{name} has no frame that can be decoded", "copy or export it again, best as H.264 in .mp4")


def probe(path: str | os.PathLike[str]) -> VideoInfo:
    """Open a video, decode its first frame and tell what the file claims.

    Raises:
        SourceError: if the file cannot be opened or holds no frame that decodes.
    """
    name = os.fspath(path)
    with open_container(path) as container:
        stream = video_stream(container, name)
        first = first_picture(container, stream)
        if first is None:
            raise no_frame(name)
        return describe(name, container, stream, first)


def first_picture(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    """Decode the first frame that decodes; None if there is none."""
    packets = container.demux(stream)
    while True:
        try:
            pictures = next(packets).decode()
        except StopIteration:
            return None
        except FFmpegError:
            continue  # a generator that raised is at its end: the next round stops
        if pictures:
            return pictures[0]
