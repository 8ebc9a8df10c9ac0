"""Compute chunks: frames in, part files out.

A chunk is a fixed number of decoded frames. It begins with a detection and nobody known, and also computes the
first frame of the next chunk, by which ids are joined. So a chunk depends on its source and the settings alone,
whoever computes it and whenever.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sadinet.batch.ledger import ChunkRecord
from sadinet.batch.parts import Part, save_part
from sadinet.batch.recorder import Recorder
from sadinet.errors import SourceError
from sadinet.media.defects import Defects
from sadinet.media.pictures import PictureFolder
from sadinet.media.video import VideoReader
from sadinet.people.following import Follower
from sadinet.pipeline.lookahead import Lookahead
from sadinet.pipeline.prefetch import prefetch
from sadinet.results import Frame, FrameResult
from sadinet.skeletons import Skeleton

TOLD_EVERY = 10
"""Frames between two reports of progress."""

Told = Callable[[int], None]

Item = tuple[Frame | None, Defects | None]
"""A frame; and with the first frame behind a chunk, or with no frame behind the source's last, the chunk's defects."""


def items_of(reader: VideoReader, size: int) -> Iterator[Item]:
    """Yield the frames of a reader that begins with a chunk, and at each chunk's end what is wrong with it."""
    first, done = reader.first, 0
    for frame in reader:
        is_behind = done == size
        yield frame, reader.defects(first, first + size) if is_behind else None
        if is_behind:
            first, done = first + size, 0
        done += 1
    yield None, reader.defects(first)


def follow_chunk(
    items: Lookahead[Item], follower: Follower, skeleton: Skeleton, size: int, told: Told
) -> tuple[Part, Recorder, Frame | None]:
    """Follow people through the frames of one chunk and the first frame of the next one, if there is one.

    Args:
        items: from the chunk's first frame on; nothing behind the first frame of the next chunk is taken from it.
        follower: begins anew here.
        skeleton: whose joints it finds.
        size: frames of a chunk.
        told: hears now and then how many more frames are done.

    Returns:
        The chunk's result, what it was collected with, and the next chunk's first frame, None if there is no more.
    """
    follower.reset()
    recorder = Recorder(skeleton, size)
    waiting = 0
    for frame, defects in items:
        if frame is not None:
            recorder.add(follower(frame, [each for each, _ in items.upcoming if each is not None]))
        if defects is not None:
            told(waiting)
            part = Part(recorder.recording(), frame is None, defects, tuple(recorder.previews))
            return part, recorder, frame
        waiting += 1
        if waiting == TOLD_EVERY:
            told(waiting)
            waiting = 0
    raise SourceError("the source ended without a word", "run again")


def store(
    part: Part, recorder: Recorder, path: Path, number: int, began: float, *, from_start: bool = False
) -> ChunkRecord:
    """Write a part file; returns what is recorded of it.

    Args:
        part: the result.
        recorder: what it was collected with.
        path: of the file.
        number: of the chunk.
        began: when work on it began, by `time.perf_counter`.
        from_start: whether its source was read from the start, as its numbers of frames are unsure.
    """
    data = save_part(path, part)
    frames = part.recording.frames - (not part.is_last)
    facts = {
        "frames": frames,
        "people": part.recording.part(0, frames).rows,
        "seconds": round(time.perf_counter() - began, 3),
        "timings_ms": {stage: round(spent, 2) for stage, spent in recorder.timings_ms.items()},
    }
    return ChunkRecord(number, hashlib.sha256(data).hexdigest(), part.is_last, from_start, facts)


def follow_pictures(
    paths: tuple[Path, ...], look: Callable[[Frame], FrameResult], skeleton: Skeleton, *, is_last: bool, told: Told
) -> tuple[Part, Recorder]:
    """Find the people in some pictures, each for itself; those that cannot be read are told in the part."""
    recorder = Recorder(skeleton, len(paths))
    try:
        source = PictureFolder(paths)
    except SourceError as error:
        problems = (error.message,) if len(paths) == 1 else tuple(f"{path} cannot be read" for path in paths)
        return Part(recorder.recording(), is_last, Defects(skipped=len(paths), endings=problems)), recorder
    with source:
        for frame in prefetch(source):
            recorder.add(look(frame))
            told(1)
    defects = Defects(skipped=source.skipped, endings=source.problems)
    return Part(recorder.recording(), is_last, defects, tuple(recorder.previews)), recorder
