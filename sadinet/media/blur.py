"""Make faces unrecognisable, from the joints of the head or, where these are unsure, from what is below it.

Hiding too much costs little, showing a face costs much: a head is covered generously, also one whose joints score
low, and `FaceBlur`, `heads_in_time` and `blurred` go on covering the place of somebody who is not found for a moment.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import tee

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.media.heads import Head, heads_of
from sadinet.results import Frame, Pose

MEMORY_S = 0.5
"""So long somebody's head stays covered before and after being found; people are looked for twice a second."""

_CELLS = 5  # across a head: eyes, nose and mouth share some four of them
_LEAST_CELL_PX = 4
_LEVELS_BITS = 4  # of each colour: what is left of fine shades would help to put cells of several frames together
_GROWTH = 0.5  # of a head that was not found for as long as the memory lasts

Image = NDArray[np.uint8]
Found = tuple[Frame, Sequence[Pose]]


def blur_faces(image: Image, poses: Sequence[Pose]) -> Image:
    """Return a copy of the picture with all heads covered.

    Args:
        image: (H, W, 3) uint8.
        poses: joints in pixels of this picture; low scores do not keep a head from being covered.
    """
    return cover(image, [head for pose in poses for head in heads_of(pose)])


def cover(image: Image, heads: Iterable[Head]) -> Image:
    """Return a copy of the picture in which each circle holds a few large cells of one colour each.

    Nothing but the rounded mean of each cell is left, so the picture below cannot be had back.
    """
    covered = np.array(image, copy=True, order="C")
    for head in heads:
        _cover_one(covered, head)
    return covered


def _cover_one(image: Image, head: Head) -> None:
    height, width = image.shape[:2]
    cell = max(_LEAST_CELL_PX, math.ceil(2 * head.radius / _CELLS))
    left, top = (max(0, math.floor(at - head.radius)) for at in (head.x, head.y))
    right, bottom = (min(size, math.ceil(at + head.radius) + 1) for at, size in ((head.x, width), (head.y, height)))
    if left >= right or top >= bottom:
        return
    patch = image[top:bottom, left:right]
    size_wh = (right - left, bottom - top)
    cells_wh = (-(-size_wh[0] // cell), -(-size_wh[1] // cell))
    small: Image = np.asarray(cv2.resize(patch, cells_wh, interpolation=cv2.INTER_AREA), np.uint8)
    coarse = (small >> (8 - _LEVELS_BITS) << (8 - _LEVELS_BITS)) + (1 << (7 - _LEVELS_BITS))
    cells = cv2.resize(coarse.astype(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST)
    mask = np.zeros(patch.shape[:2], np.uint8)
    centre = (round(head.x) - left, round(head.y) - top)
    cv2.circle(mask, centre, math.ceil(head.radius), 255, cv2.FILLED)
    cv2.copyTo(cells, mask, patch)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where somebody's head was at some time."""

    time_s: float
    heads: tuple[Head, ...]

    def grown(self, time_s: float, memory_s: float) -> tuple[Head, ...]:
        """Return where it may be at another time."""
        factor = 1 + _GROWTH * min(1.0, abs(time_s - self.time_s) / memory_s)
        return tuple(replace(head, radius=head.radius * factor) for head in self.heads)


class FaceBlur:
    """Covers heads frame by frame without delay, also of people who were there a moment ago.

    Args:
        memory_s: how long the place of somebody who is not found any more stays covered.
    """

    def __init__(self, memory_s: float = MEMORY_S) -> None:
        self._memory_s = memory_s
        self._seen: dict[int, _Seen] = {}

    def __call__(self, frame: Frame, poses: Sequence[Pose]) -> Frame:
        """Return the frame with all heads covered."""
        return replace(frame, image=cover(frame.image, self.heads(frame.time_s, poses)))

    def heads(self, time_s: float, poses: Sequence[Pose]) -> tuple[Head, ...]:
        """Return what is to be covered in a frame; frames come in their order, those without a time on their own."""
        found = [(pose.track_id, heads_of(pose)) for pose in poses]
        now = {track_id: _Seen(time_s, heads) for track_id, heads in found if track_id is not None and heads}
        # A time that goes back, as at the beginning of a loop, makes all that was seen belong to the future.
        past = {
            track_id: seen
            for track_id, seen in self._seen.items()
            if track_id not in now and 0 <= time_s - seen.time_s <= self._memory_s
        }
        self._seen = {**past, **now}
        missed = (head for seen in past.values() for head in seen.grown(time_s, self._memory_s))
        return (*(head for _, heads in found for head in heads), *missed)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A moment whose heads are not all known yet."""

    time_s: float
    poses: Sequence[Pose]
    heads: tuple[Head, ...]


def heads_in_time(
    people: Iterable[tuple[float, Sequence[Pose]]], memory_s: float = MEMORY_S
) -> Iterator[tuple[Head, ...]]:
    """Yield what is to be covered in each frame, also the heads of people who are found only a moment later.

    `memory_s` more of the people is taken than heads are given; nothing ahead of frames without a time.

    Args:
        people: time in seconds (NaN for unknown) and the people of each frame, in their order.
        memory_s: how long before and after being found somebody's place stays covered.
    """
    behind = FaceBlur(memory_s)
    waiting: deque[_Waiting] = deque()
    for time_s, poses in people:
        while waiting and not 0 <= time_s - waiting[0].time_s <= memory_s:
            yield _first_of(waiting, memory_s)
        waiting.append(_Waiting(time_s, poses, behind.heads(time_s, poses)))
    while waiting:
        yield _first_of(waiting, memory_s)


def blurred(found: Iterable[Found], memory_s: float = MEMORY_S) -> Iterator[Found]:
    """Yield frames with all heads covered, also of people who are found only a moment later.

    Frames are held back for `memory_s`; frames without a time are not.

    Args:
        found: frames in their order, with their people.
        memory_s: how long before and after being found somebody's place stays covered.
    """
    given, looked_at = tee(found)
    heads = heads_in_time(((frame.time_s, poses) for frame, poses in looked_at), memory_s)
    for (frame, poses), covered in zip(given, heads, strict=True):
        yield replace(frame, image=cover(frame.image, covered)), poses


def _first_of(waiting: deque[_Waiting], memory_s: float) -> tuple[Head, ...]:
    """Take the first of the moments that wait; those behind it tell who was about to come."""
    first = waiting.popleft()
    known = {pose.track_id for pose in first.poses}
    coming: list[Head] = []
    for later in waiting:
        for pose in later.poses:
            if pose.track_id is not None and pose.track_id not in known:
                known.add(pose.track_id)
                coming += _Seen(later.time_s, heads_of(pose)).grown(first.time_s, memory_s)
    return (*first.heads, *coming)
