"""Analyse a file as `sadinet run` does, and keep what comes out in memory for the view."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sadinet.atomic import output_error
from sadinet.batch.describe import BatchSettings, Models, part_key
from sadinet.batch.fingerprint import fingerprint
from sadinet.batch.ledger import Ledger
from sadinet.batch.naming import Job, Wanted, input_files, plan_jobs
from sadinet.batch.runner import Outcome
from sadinet.batch.session import RECORD_FOLDER, batch_people, run_batch
from sadinet.batch.windows import windows
from sadinet.errors import SourceError
from sadinet.motion.quality import Timeline, join_timelines, timeline
from sadinet.motion.settings import MotionSettings
from sadinet.pipeline.stages import People, Settings
from sadinet.recording import Recording, concatenate

_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """A file's finished poses, and where the work on it lies, so that an export need not do it again.

    Attributes:
        where: the file, or folder of pictures.
        job: its place in the record.
        folder: of the results; the ledger and the parts lie in `record`.
        record: as for `sadinet.batch.session.run_batch`.
        settings: what it was made with.
        people: the models, for another run in the same record.
        models: what these really are.
        recording: all frames, with smoothed joints, angles and flags.
        timeline: their course over time.
    """

    where: str
    job: Job
    folder: Path
    record: Path
    settings: BatchSettings
    people: People
    models: Models
    recording: Recording
    timeline: Timeline


def folder_of(where: str, cache: Path) -> Path:
    """Return where the analysis of a file is kept: the same folder for the same path."""
    key = hashlib.sha256(str(Path(where).resolve()).encode("utf-8", errors="surrogateescape")).hexdigest()
    return cache / key[:_KEY_LENGTH]


def analyse(
    where: str, cache: Path, settings: Settings, tell: Callable[[int, int | None], bool], *, angles: bool = True
) -> Analysed | None:
    """Find everybody in a file; what an earlier analysis of it did with the same settings is taken over.

    Args:
        where: a video, a picture or a folder of pictures.
        cache: folder of all analyses.
        settings: models, and how people are followed.
        tell: hears how many frames of how many are done; returns whether to go on.
        angles: whether to add joint angles.

    Returns:
        None if `tell` wished an end.

    Raises:
        SourceError: if the file cannot be read.
        OutputError: if the disk refuses, or another process analyses this file.
        DeviceError, WeightsError, InputError: for settings that cannot be had.
    """
    folder = folder_of(where, cache)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    people = People(batch_people(settings))
    chosen = BatchSettings(people.settings, MotionSettings(angles=angles), Wanted())
    jobs, _ = plan_jobs([where], folder, chosen.wanted)
    job = next((job for job in jobs if job.where == where), None)
    if job is None:
        raise SourceError(f"{where} holds nothing that can be analysed", "open a video, or a folder of pictures")
    record = folder / RECORD_FOLDER
    session = run_batch([job], folder, chosen, people, _Listener(tell), record=record)
    if session.is_interrupted:
        return None
    outcome = session.outcomes[0]
    if outcome.error is not None:
        raise outcome.error
    recording, course = _read(job, record, chosen, session.models)
    return Analysed(where, job, folder, record, chosen, people, session.models, recording, course)


class _Listener:
    """Counts frames, and ends the run if nobody wants it any more."""

    def __init__(self, tell: Callable[[int, int | None], bool]) -> None:
        self._tell = tell
        self._done = 0
        self._frames: int | None = None

    def began(self, place: int, job: Job, frames: int | None, done: int) -> None:
        """Begin."""
        self._frames, self._done = frames, done
        self._go_on()

    def advanced(self, place: int, frames: int, stage: str) -> None:
        """Go on."""
        self._done += frames
        self._go_on()

    def ended(self, place: int, outcome: Outcome) -> None:
        """Hear the end."""

    def _go_on(self) -> None:
        if not self._tell(self._done, self._frames):
            # As the user's interruption on the command line: what is done stays, and the next run goes on from there.
            raise KeyboardInterrupt


def _read(job: Job, record: Path, settings: BatchSettings, models: Models) -> tuple[Recording, Timeline]:
    """Return what the run found, unrounded, from its parts."""
    with Ledger(record) as ledger:
        key = part_key(job, fingerprint(input_files(job)), models)
        paths = [ledger.part_path(key, number) for number in sorted(ledger.chunks(key))]
    parts = [window.recording for window in windows(paths, settings, is_pictures=job.kind != "video")]
    if not parts:
        raise SourceError(f"{job.where} changed while it was analysed", "open it again")
    return concatenate(parts), join_timelines([timeline(part) for part in parts])
