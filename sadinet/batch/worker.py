"""Does one piece of work after the other: in the process that was started, or in one of several."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from sadinet.batch.chunks import Item, follow_chunk, follow_pictures, items_of, store
from sadinet.batch.finish import finish
from sadinet.batch.ledger import ChunkRecord
from sadinet.batch.naming import input_files
from sadinet.batch.parts import Part
from sadinet.batch.recorder import Recorder
from sadinet.batch.tasks import ChunkDone, ChunkTask, Event, Finished, FinishTask, Progress, RestTask, Task
from sadinet.media.packets import PacketIndex, scan_packets
from sadinet.media.seeking import UnseekableError
from sadinet.media.video import VideoReader
from sadinet.pipeline.lookahead import Lookahead
from sadinet.pipeline.prefetch import prefetch
from sadinet.pipeline.stages import People, Settings
from sadinet.results import Frame

Tell = Callable[[Event], None]
Result = tuple[ChunkRecord, ...] | Finished


class Worker:
    """Holds the models, and what it knows of the source that it last read.

    Args:
        settings: of the models, or the models themselves.

    Raises:
        DeviceError, WeightsError, InputError: for settings that cannot be had.
    """

    def __init__(self, settings: Settings | People) -> None:
        self.people = People(settings) if isinstance(settings, Settings) else settings
        self._follower = self.people.follower()
        self._index: PacketIndex | None = None

    @property
    def size(self) -> int:
        """Frames of a chunk."""
        return self.people.settings.chunk_frames

    def run(self, task: Task, tell: Tell) -> Result:
        """Do a piece of work.

        Args:
            task: what to do.
            tell: hears of frames, and of chunks when more of the same task follow.

        Returns:
            Records of all chunks that were done, or what was written.

        Raises:
            UnseekableError: if a chunk cannot be read from the middle, or a rest does not follow what lies before.
            SourceError, OutputError: if the input cannot be read or a file not be written.
        """
        if isinstance(task, FinishTask):
            return finish(task, tell)
        if isinstance(task, RestTask):
            return self._rest(task, tell)
        if task.job.kind == "video":
            return self._chunk(task, tell)
        return self._pictures(task, tell)

    def remember(self, index: PacketIndex) -> None:
        """Take the packets of a source, so that they need not be looked at again."""
        self._index = index

    def _chunk(self, task: ChunkTask, tell: Tell) -> tuple[ChunkRecord, ...]:
        began = time.perf_counter()
        where, first = task.job.where, task.number * self.size
        index = self._index_of(where)
        with (
            VideoReader(where, first=first, count=self.size + 1, index=index) as reader,
            closing(self._ahead(reader)) as items,
        ):
            part, recorder, _ = self._follow(items, task, tell)
        return (store(part, recorder, task.part, task.number, began),)

    def _pictures(self, task: ChunkTask, tell: Tell) -> tuple[ChunkRecord, ...]:
        began = time.perf_counter()
        files = input_files(task.job)
        first, last = task.number * self.size, (task.number + 1) * self.size
        part, recorder = follow_pictures(
            files[first:last],
            self._follower,
            self.people.estimator.skeleton,
            is_last=last >= len(files),
            told=_frames(task, tell),
        )
        return (store(part, recorder, task.part, task.number, began),)

    def _rest(self, task: RestTask, tell: Tell) -> tuple[ChunkRecord, ...]:
        began, number = time.perf_counter(), task.first
        records: list[ChunkRecord] = []
        with (
            VideoReader(task.job.where, first=number * self.size) as reader,
            closing(self._ahead(reader)) as items,
        ):
            while True:
                part, recorder, shared = self._follow(items, task, tell)
                if number == task.first > 0 and not part.recording.frames:
                    raise UnseekableError("read from its start, the file ends earlier than its chunks say")
                path = task.folder / f"{number:06}.npz"
                records.append(store(part, recorder, path, number, began, from_start=True))
                tell(ChunkDone(task.place, records[-1]))
                if shared is None:
                    return tuple(records)
                began, number = time.perf_counter(), number + 1
                items.push_back((shared, None))

    def _ahead(self, reader: VideoReader) -> Lookahead[Item]:
        return Lookahead(prefetch(items_of(reader, self.size)), self.people.settings.following.interval)

    def _follow(
        self, items: Lookahead[Item], task: ChunkTask | RestTask, tell: Tell
    ) -> tuple[Part, Recorder, Frame | None]:
        return follow_chunk(items, self._follower, self.people.estimator.skeleton, self.size, _frames(task, tell))

    def _index_of(self, where: str) -> PacketIndex:
        if self._index is None or self._index.path != where:
            self._index = scan_packets(where)
        return self._index


def _frames(task: ChunkTask | RestTask, tell: Tell) -> Callable[[int], None]:
    return lambda frames: tell(Progress(task.place, frames))
