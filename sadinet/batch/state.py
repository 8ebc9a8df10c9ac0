"""How far one input of a batch is."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from sadinet.batch.fingerprint import Fingerprint
from sadinet.batch.ledger import ChunkRecord
from sadinet.batch.naming import Job
from sadinet.batch.tasks import Task
from sadinet.errors import SadinetError

_log = logging.getLogger(__name__)


class Phase(Enum):
    """What is being done with an input."""

    WAITING = "waiting"
    CHUNKS = "chunks, each read from the middle"
    REST = "chunks, read from the start"
    FINISHING = "outputs"
    OVER = "nothing more"


@dataclass(slots=True)
class InputState:
    """An input and how far it is.

    Attributes:
        place: among all inputs.
        job: the input.
        phase: what is being done.
        source: what it was when work on it began.
        key: of its chunks.
        chunks: those that are done, by number.
        todo: pieces of work that were not yet handed out.
        in_flight: how many were.
        suspected: how many were when a process died, and wait to be tried again alone.
        unseekable_from: number of the first chunk that must be read from the start; None if there is none.
        told: frames that the listener heard of.
        began: when work on it began, by `time.perf_counter`.
        computed: frames that were looked at in this run.
        timings_ms: milliseconds of each stage over these frames.
    """

    place: int
    job: Job
    phase: Phase = Phase.WAITING
    source: Fingerprint | None = None
    key: str = ""
    chunks: dict[int, ChunkRecord] = field(default_factory=dict)
    todo: deque[Task] = field(default_factory=deque)
    in_flight: int = 0
    suspected: int = 0
    unseekable_from: int | None = None
    told: int = 0
    began: float = 0.0
    computed: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def first_missing(self) -> int:
        """Number of the first chunk that is not there."""
        number = 0
        while number in self.chunks:
            number += 1
        return number

    @property
    def is_whole(self) -> bool:
        """Whether all chunks up to the last are there."""
        missing = self.first_missing
        return missing > 0 and self.chunks[missing - 1].is_last

    @property
    def frames(self) -> int:
        """Frames of the chunks that are done."""
        return sum(int(chunk.facts.get("frames", 0)) for chunk in self.chunks.values())

    def add(self, chunk: ChunkRecord) -> None:
        """Take a chunk that was computed in this run."""
        self.chunks[chunk.number] = chunk
        self.computed += int(chunk.facts["frames"])
        for stage, spent in chunk.facts["timings_ms"].items():
            self.timings_ms[stage] = self.timings_ms.get(stage, 0.0) + spent

    def forget_from(self, number: int) -> None:
        """Drop the chunks from `number` on."""
        self.chunks = {each: chunk for each, chunk in self.chunks.items() if each < number}


def told_error(job: Job, error: BaseException) -> SadinetError:
    """Return the error to tell of an input; what nobody foresaw is logged with its traceback."""
    if isinstance(error, SadinetError):
        _log.debug("%s failed", job.where, exc_info=error)
        return error
    if not isinstance(error, Exception):
        raise error
    _log.debug("%s met an unexpected error", job.where, exc_info=error)
    return SadinetError(f"unexpected {type(error).__name__}: {error}", "please report what --debug shows")
