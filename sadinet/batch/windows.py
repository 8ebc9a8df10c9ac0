"""From the parts of an input to its finished frames, window by window, so that memory stays flat.

A window is one chunk. Ids are joined over all chunks in their order; smoothing, angles and flags look at whole
chunks before and behind, so that the seams do not show.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sadinet.batch.describe import BatchSettings
from sadinet.batch.parts import Part, load_part
from sadinet.motion.columns import smooth_columns
from sadinet.motion.enrich import enrich
from sadinet.pipeline.joining import Joiner
from sadinet.recording import Recording, concatenate
from sadinet.results import Pose

CONTEXT_FRAMES = 600
"""How many frames on each side of a window filters and flags look at, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Some consecutive frames as they go into the results.

    Attributes:
        recording: with the video's ids, and the extra columns.
        previews: position in the recording, and JPEG bytes, of a few frames.
    """

    recording: Recording
    previews: tuple[tuple[int, bytes], ...]


def windows(parts: Sequence[Path], settings: BatchSettings, *, is_pictures: bool) -> Iterator[Window]:
    """Yield an input's windows in order.

    Args:
        parts: the part files of all its chunks, in order.
        settings: what to add.
        is_pictures: whether the frames have no time and nothing connects them.

    Raises:
        SourceError: if a part is missing or damaged.
    """
    loaded = (load_part(path) for path in parts)
    if is_pictures:
        yield from _pictures(loaded, settings)
        return
    each_side = -(-CONTEXT_FRAMES // settings.people.chunk_frames)
    held: deque[Window] = deque()
    current = 0
    for window in _joined(loaded, settings):
        held.append(window)
        if len(held) > current + each_side:
            yield _finished(held, current, settings)
            if current == each_side:
                held.popleft()
            else:
                current += 1
    while current < len(held):
        yield _finished(held, current, settings)
        if current == each_side:
            held.popleft()
        else:
            current += 1


def shown_poses(recording: Recording, position: int) -> tuple[Pose, ...]:
    """Return the people of a frame as they are drawn: with smoothed joints where there are."""
    poses = recording.poses(position)
    names = smooth_columns(recording.skeleton)
    if not poses or names[0] not in recording.extra:
        return poses
    rows = recording.rows_of_frame(position)
    smooth = np.stack([recording.extra[name][rows] for name in names], axis=1).reshape(len(poses), -1, 2)
    return tuple(
        replace(pose, joints=np.where(np.isfinite(joints), joints, pose.joints).astype(np.float32))
        for pose, joints in zip(poses, smooth, strict=True)
    )


def _joined(parts: Iterable[Part], settings: BatchSettings) -> Iterator[Window]:
    joiner = Joiner(settings.people.following.tracking)
    for part in parts:
        recording = joiner.add(part.recording, is_last=part.is_last)
        yield Window(recording, part.previews)


def _pictures(parts: Iterable[Part], settings: BatchSettings) -> Iterator[Window]:
    # A chunk counts its own pictures: those that cannot be read are known only once all were tried.
    count = 0
    for part in parts:
        numbered = replace(part.recording, index=np.arange(count, count + part.recording.frames))
        count += part.recording.frames
        if part.recording.frames:
            yield Window(enrich(numbered, settings.motion), part.previews)


def _finished(held: Sequence[Window], current: int, settings: BatchSettings) -> Window:
    whole = concatenate([window.recording for window in held])
    first = sum(window.recording.frames for window in list(held)[:current])
    window = held[current]
    keep = slice(first, first + window.recording.frames)
    return Window(enrich(whole, settings.motion, keep), window.previews)
