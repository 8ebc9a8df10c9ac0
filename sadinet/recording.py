"""Poses of many frames as columns: what tables are written from, and what filters over time work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.geometry import Box
from sadinet.results import FrameResult, Pose
from sadinet.skeletons import Skeleton

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Frames in their order, and one row for each person in each frame.

    F frames, R rows, K joints. A frame with nobody in it has no row. Rows are sorted by frame.

    Attributes:
        skeleton: whose joints the arrays hold, in its order.
        index: (F,) int64, number of each frame, counting decoded frames from 0.
        time_s: (F,) float64, seconds from the source's first frame; NaN for pictures.
        sizes_wh: (F, 2) int64, width and height of each frame, upright.
        frame_flags: F tuples of quality words that hold for a whole frame.
        sources: F names of what each frame came from.
        row_frame: (R,) int64, position of each row's frame in the arrays above.
        track_ids: (R,) int64, the person's number over time.
        boxes: (R, 5) float64, x, y, width, height of the crop's box in frame pixels, and its confidence.
        joints: (R, K, 2) float32, x and y in frame pixels; NaN for joints that the network lacks.
        scores: (R, K) float32 in [0, 1], NaN where `joints` is.
        sigmas: (R, K, 2) float32, one standard deviation in x and y, frame pixels, NaN where unknown.
        flags: R tuples of quality words that hold for one person in one frame.
        extra: further columns by name, each (R,) float64, such as smoothed joints and angles; NaN where unknown.
    """

    skeleton: Skeleton
    index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    sizes_wh: NDArray[np.int64]
    frame_flags: tuple[Words, ...]
    sources: Words
    row_frame: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    joints: NDArray[np.float32]
    scores: NDArray[np.float32]
    sigmas: NDArray[np.float32]
    flags: tuple[Words, ...]
    extra: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Number of frames, F."""
        return len(self.index)

    @property
    def rows(self) -> int:
        """Number of rows, R."""
        return len(self.row_frame)

    @property
    def row_times_s(self) -> NDArray[np.float64]:
        """Time of each row's frame, (R,)."""
        return self.time_s[self.row_frame]

    @property
    def row_scores(self) -> NDArray[np.float64]:
        """Mean score of each row's joints, (R,); NaN where no joint has one."""
        known = np.isfinite(self.scores)
        sums = np.where(known, self.scores, 0).sum(axis=1, dtype=np.float64)
        counts = known.sum(axis=1)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def rows_of_frame(self, position: int) -> slice:
        """Return where the rows of the frame at `position` lie."""
        first, last = np.searchsorted(self.row_frame, [position, position + 1])
        return slice(int(first), int(last))

    def rows_of_track(self, track_id: int) -> NDArray[np.intp]:
        """Return the rows of one person, in the order of frames."""
        return np.flatnonzero(self.track_ids == track_id)

    def part(self, first: int, last: int) -> Recording:
        """Return the frames at positions `first` (included) to `last` (left out), with their rows."""
        first, last = (int(np.clip(place, 0, self.frames)) for place in (first, last))
        low, high = (int(place) for place in np.searchsorted(self.row_frame, [first, last]))
        rows = slice(low, high)
        return replace(
            self,
            index=self.index[first:last],
            time_s=self.time_s[first:last],
            sizes_wh=self.sizes_wh[first:last],
            frame_flags=self.frame_flags[first:last],
            sources=self.sources[first:last],
            row_frame=self.row_frame[rows] - first,
            track_ids=self.track_ids[rows],
            boxes=self.boxes[rows],
            joints=self.joints[rows],
            scores=self.scores[rows],
            sigmas=self.sigmas[rows],
            flags=self.flags[rows],
            extra={name: values[rows] for name, values in self.extra.items()},
        )

    def poses(self, position: int) -> tuple[Pose, ...]:
        """Return the people of the frame at `position`, as drawings take them."""
        rows = self.rows_of_frame(position)
        return tuple(
            Pose(
                joints=self.joints[row],
                scores=self.scores[row],
                sigmas=self.sigmas[row],
                box=Box(*(float(value) for value in self.boxes[row])),
                skeleton=self.skeleton,
                track_id=int(self.track_ids[row]),
                flags=self.flags[row],
            )
            for row in range(rows.start, rows.stop)
        )


def record(results: Iterable[FrameResult], skeleton: Skeleton) -> Recording:
    """Put the results of frames into columns; people without a track get their place in the frame as number.

    Raises:
        InputError: if a pose has another skeleton.
    """
    taken = list(results)
    numbered = [(frame, place, pose) for frame, each in enumerate(taken) for place, pose in enumerate(each.poses)]
    poses = [pose for _, _, pose in numbered]
    for pose in poses:
        if pose.skeleton.joints != skeleton.joints:
            raise InputError(
                f"a pose of skeleton {pose.skeleton.name} does not fit a recording of {skeleton.name}",
                "convert the poses, or record them apart",
            )
    ids = [place if pose.track_id is None else pose.track_id for _, place, pose in numbered]
    boxes = [(p.box.x, p.box.y, p.box.width, p.box.height, p.box.score) for p in poses]
    joints = len(skeleton)
    return Recording(
        skeleton=skeleton,
        index=np.array([each.frame.index for each in taken], dtype=np.int64),
        time_s=np.array([each.frame.time_s for each in taken], dtype=np.float64),
        sizes_wh=np.array([each.frame.size_wh for each in taken], dtype=np.int64).reshape(-1, 2),
        frame_flags=tuple(each.frame.flags for each in taken),
        sources=tuple(each.frame.source for each in taken),
        row_frame=np.array([frame for frame, _, _ in numbered], dtype=np.int64),
        track_ids=np.array(ids, dtype=np.int64),
        boxes=np.array(boxes, dtype=np.float64).reshape(-1, 5),
        joints=_stack([pose.joints for pose in poses], (joints, 2)),
        scores=_stack([pose.scores for pose in poses], (joints,)),
        sigmas=_stack([pose.sigmas for pose in poses], (joints, 2)),
        flags=tuple(pose.flags for pose in poses),
    )


def concatenate(parts: Sequence[Recording]) -> Recording:
    """Put recordings of one skeleton behind each other; extra columns that a part lacks are NaN there.

    Raises:
        InputError: if there is no part, or they have different skeletons.
    """
    if not parts:
        raise InputError("no recording to put together")
    first = parts[0]
    if any(part.skeleton.joints != first.skeleton.joints for part in parts):
        raise InputError("recordings of different skeletons cannot be put together")
    starts = np.cumsum([0, *(part.frames for part in parts[:-1])])
    names = dict.fromkeys(name for part in parts for name in part.extra)

    def joined(arrays: Iterator[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(list(arrays))

    return Recording(
        skeleton=first.skeleton,
        index=joined(part.index for part in parts),
        time_s=joined(part.time_s for part in parts),
        sizes_wh=joined(part.sizes_wh for part in parts),
        frame_flags=tuple(words for part in parts for words in part.frame_flags),
        sources=tuple(name for part in parts for name in part.sources),
        row_frame=joined(part.row_frame + start for part, start in zip(parts, starts, strict=True)),
        track_ids=joined(part.track_ids for part in parts),
        boxes=joined(part.boxes for part in parts),
        joints=joined(part.joints for part in parts),
        scores=joined(part.scores for part in parts),
        sigmas=joined(part.sigmas for part in parts),
        flags=tuple(words for part in parts for words in part.flags),
        extra={name: joined(part.extra.get(name, np.full(part.rows, np.nan)) for part in parts) for name in names},
    )


def _stack(arrays: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.array(arrays, dtype=np.float32).reshape(-1, *shape)
