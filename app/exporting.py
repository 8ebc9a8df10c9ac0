"""Export of an analysed file: what each format will hold, and the files themselves. No Qt in here.

The files come from the parts that the analysis left, by the same pass as those of `sadinet run`: equal settings give
equal bytes.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.batch_state import BatchOptions
from sadinet.atomic import output_error
from sadinet.errors import OutputError, SourceError

if TYPE_CHECKING:
    from app.analysis import Analysed
    from sadinet.batch.describe import BatchSettings
    from sadinet.batch.naming import Job
    from sadinet.batch.runner import Outcome
    from sadinet.recording import Recording
    from sadinet.tables.writer import TableInfo

PREVIEW_FRAMES = 40
_MOST_TEXT = 20_000

Tell = Callable[[int, str], bool]
"""Hears how many more frames of a stage are done; returns whether to go on."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a table.

    Attributes:
        format: of it.
        head: names of columns; empty if there are none.
        rows: cells.
        text: what is shown where there are no columns.
        note: one line about it.
    """

    format: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        files: their names.
    """

    folder: Path
    files: tuple[str, ...]


def preview(analysed: Analysed, format_name: str, options: BatchOptions) -> Preview:
    """Return what a table begins with, written by the format's own writer.

    Raises:
        OutputError: if the format's library is not installed, or the disk refuses.
    """
    part, info = _first_frames(analysed, options), _info(analysed, options)
    if format_name in ("csv", "parquet"):
        head, rows = _rows(part, info)
        return Preview(format_name, head, rows, note=_row_note(analysed, format_name, len(rows)))
    # What a C3D file holds cannot be read; TRC has the same points.
    shown = "trc" if format_name == "c3d" else format_name
    text, count = _text(part, info, shown)
    return Preview(format_name, text=text, note=_file_note(analysed, format_name, count))


def planned(analysed: Analysed, options: BatchOptions) -> Job:
    """Return the files that an export would write.

    Raises:
        SourceError: if the analysed file is gone.
    """
    from sadinet.batch.naming import plan_jobs

    jobs, _ = plan_jobs([analysed.where], Path(options.folder), _settings(analysed, options).wanted)
    job = next((job for job in jobs if job.where == analysed.where), None)
    if job is None:
        raise SourceError(f"{analysed.where} is not there any more", "bring it back, or open it again")
    return job


def export(analysed: Analysed, options: BatchOptions, tell: Tell) -> Exported | None:
    """Write everything that is wished; nothing is computed anew.

    Args:
        analysed: what.
        options: folder and kinds of files.
        tell: hears of drawn frames, if there are any.

    Returns:
        None if `tell` wished an end.

    Raises:
        OutputError: if the folder cannot be written, the disk is full, or a file is in the way that is no earlier
            result of this program.
        SourceError: if the file changed since it was analysed.
    """
    from sadinet.batch.replacing import check_replaceable
    from sadinet.batch.session import run_batch

    folder = Path(options.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    job = planned(analysed, options)
    # The record of the analysis knows files of these names, but not in this folder.
    check_replaceable(job.outputs, ())
    settings = _settings(analysed, options)
    session = run_batch([job], folder, settings, analysed.people, _Listener(tell), record=analysed.record)
    if session.is_interrupted:
        return None
    outcome = session.outcomes[0]
    if outcome.error is not None:
        raise outcome.error
    return Exported(folder, tuple(outcome.summary["files"]))


class _Listener:
    """Passes on how far an export is, and ends it if nobody wants it any more."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def began(self, place: int, job: Job, frames: int | None, done: int) -> None:
        """Begin."""
        self._go_on(0, "poses")

    def advanced(self, place: int, frames: int, stage: str) -> None:
        """Go on."""
        self._go_on(frames, stage)

    def ended(self, place: int, outcome: Outcome) -> None:
        """Hear the end."""

    def _go_on(self, frames: int, stage: str) -> None:
        if not self._tell(frames, stage):
            raise KeyboardInterrupt


def _settings(analysed: Analysed, options: BatchOptions) -> BatchSettings:
    from sadinet.batch.naming import Wanted

    return replace(
        analysed.settings,
        motion=replace(analysed.settings.motion, angles=options.angles),
        wanted=Wanted(options.formats, options.overlay, page=options.page),
        metres_per_pixel=options.metres_per_pixel or None,
    )


def _info(analysed: Analysed, options: BatchOptions) -> TableInfo:
    from sadinet.motion.columns import extra_columns
    from sadinet.tables.writer import TableInfo

    skeleton = analysed.recording.skeleton
    return TableInfo(
        skeleton=skeleton,
        source=Path(analysed.where).name,
        extra=extra_columns(skeleton, _settings(analysed, options).motion),
        is_pictures=analysed.job.kind != "video",
        weights=analysed.models.weights.name,
        metres_per_pixel=options.metres_per_pixel or None,
    )


def _first_frames(analysed: Analysed, options: BatchOptions) -> Recording:
    """Return some frames from the first person on."""
    recording = analysed.recording
    first = int(recording.row_frame[0]) if recording.rows else 0
    part = recording.part(first, first + PREVIEW_FRAMES)
    known = _info(analysed, options).extra
    return replace(part, extra={name: values for name, values in part.extra.items() if name in known})


def _rows(part: Recording, info: TableInfo) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    text, _ = _text(part, info, "csv", most=None)
    lines = [tuple(line) for line in csv.reader(text.splitlines())]
    return lines[0], tuple(lines[1:])


def _text(part: Recording, info: TableInfo, format_name: str, most: int | None = _MOST_TEXT) -> tuple[str, int]:
    """Return the first file that a format makes of some frames, and how many it makes."""
    from sadinet.tables.writer import FORMATS, open_table

    with tempfile.TemporaryDirectory(prefix="sadinet-preview-") as name:
        with open_table(format_name, Path(name) / ("preview" + FORMATS[format_name].suffix), info) as writer:
            writer.write(part)
        files = [each for path in writer.paths for each in (sorted(path.iterdir()) if path.is_dir() else [path])]
        if not files:
            return "", 0
        try:
            return files[0].read_text(encoding="utf-8")[:most], len(files)
        except OSError as error:
            raise OutputError(f"the preview cannot be read: {error.strerror}", "free some space") from error


def _row_note(analysed: Analysed, format_name: str, shown: int) -> str:
    recording = analysed.recording
    empty = recording.frames - len(set(recording.row_frame.tolist()))
    kind = "the same columns with types; " if format_name == "parquet" else ""
    return f"{kind}the first {shown:,} of {recording.rows + empty:,} rows"


def _file_note(analysed: Analysed, format_name: str, files: int) -> str:
    recording = analysed.recording
    people = len(set(recording.track_ids.tolist()))
    each = "one file, for one person" if people == 1 else f"a file for each of {people} people"
    notes = {
        "openpose": f"a file for each of {recording.frames:,} frames; this is the first with somebody in it",
        "coco": f"one file for all {recording.rows:,} poses; this is its beginning",
        "trc": f"{each}; this is the beginning",
        "c3d": f"{each}; C3D is not text, these are its points as TRC has them",
    }
    return notes[format_name] if files else "nobody was found: there will be no file"
