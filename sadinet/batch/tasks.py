"""The pieces of work that a batch consists of, as they travel to a process, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sadinet.batch.describe import BatchSettings, Models
from sadinet.batch.fingerprint import Fingerprint
from sadinet.batch.ledger import ChunkRecord
from sadinet.batch.naming import Job


@dataclass(frozen=True, slots=True)
class ChunkTask:
    """Find the people in one chunk, read from the middle of its source.

    Attributes:
        place: of the input among all.
        job: the input.
        number: of the chunk, from 0.
        part: where its result goes.
    """

    place: int
    job: Job
    number: int
    part: Path


@dataclass(frozen=True, slots=True)
class RestTask:
    """Find the people from one chunk on to the end, read from the start: for files with defects.

    Attributes:
        place: of the input among all.
        job: the input.
        first: number of the first chunk that is missing.
        folder: where the parts go.
    """

    place: int
    job: Job
    first: int
    folder: Path


@dataclass(frozen=True, slots=True)
class FinishTask:
    """Write all outputs of an input whose parts are there.

    Attributes:
        place: of the input among all.
        job: the input.
        parts: all of them, in order.
        settings: of the batch.
        models: what the parts were made with.
        source: what the input was when work on it began.
    """

    place: int
    job: Job
    parts: tuple[Path, ...]
    settings: BatchSettings
    models: Models
    source: Fingerprint


Task = ChunkTask | RestTask | FinishTask


@dataclass(frozen=True, slots=True)
class Progress:
    """Some frames of an input are done: looked at, or drawn."""

    place: int
    frames: int
    stage: str = "poses"


@dataclass(frozen=True, slots=True)
class ChunkDone:
    """A part file is in its place."""

    place: int
    record: ChunkRecord


@dataclass(frozen=True, slots=True)
class Finished:
    """All outputs of an input are in their places.

    Attributes:
        files: size and SHA-256 of each, by its name in the folder of results.
        summary: what the report tells.
    """

    files: Mapping[str, tuple[int, str]]
    summary: Mapping[str, Any]


Event = Progress | ChunkDone
