"""Write all outputs of an input from its parts: tables, the record beside them, page, overlay."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet._version import __version__
from sadinet.batch.contents import Contents
from sadinet.batch.faces import FrameHeads, with_heads
from sadinet.batch.fingerprint import check_unchanged
from sadinet.batch.naming import Job, input_files
from sadinet.batch.overlays import open_overlay
from sadinet.batch.parts import load_part
from sadinet.batch.tasks import Event, Finished, FinishTask, Progress
from sadinet.batch.windows import Window, shown_poses, windows
from sadinet.errors import SourceError
from sadinet.media.blur import cover
from sadinet.media.defects import Defects, add_up
from sadinet.media.draw import draw_poses
from sadinet.media.probe import probe
from sadinet.media.source import open_source
from sadinet.motion.columns import extra_columns
from sadinet.pipeline.prefetch import prefetch
from sadinet.recording import Recording
from sadinet.results import Frame
from sadinet.tables.sidecar import (
    Sidecar,
    SourceRecord,
    describe_file,
    describe_files,
    sha256_of,
    write_sidecar,
)
from sadinet.tables.writer import FORMATS, TableInfo, TableWriter, open_table

_TOLD_EVERY = 10

Tell = Callable[[Event], None]


@dataclass(slots=True)
class Tally:
    """What is counted while the windows pass."""

    frames: int = 0
    rows: int = 0
    most_people: int = 0
    empty_frames: int = 0
    flags: dict[str, int] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)
    people: set[int] = field(default_factory=set)

    def add(self, window: Recording, *, are_pictures: bool) -> None:
        """Count a window."""
        counts = [window.rows_of_frame(place) for place in range(window.frames)]
        sizes = [rows.stop - rows.start for rows in counts]
        self.frames += window.frames
        self.rows += window.rows
        self.most_people = max([self.most_people, *sizes])
        self.empty_frames += sizes.count(0)
        for words in (*window.frame_flags, *window.flags):
            for word in words:
                self.flags[word] = self.flags.get(word, 0) + 1
        if are_pictures:
            self.pictures += window.sources
        else:
            self.people.update(window.track_ids.tolist())


def finish(task: FinishTask, tell: Tell) -> Finished:
    """Write the outputs; each takes its name only when it is whole.

    Raises:
        SourceError: if the input changed since work on it began, or none of its pictures can be read.
        OutputError: if the disk refuses.
    """
    job, outputs = task.job, task.job.outputs
    defects = _defects(task)
    writers: list[TableWriter] = []
    tally = Tally()
    contents = Contents()
    with contextlib.ExitStack() as stack:
        info = _table_info(task)
        for name, path in outputs.tables.items():
            writers.append(stack.enter_context(open_table(name, path, info)))
        for window, heads in _windows(task):
            tally.add(window.recording, are_pictures=job.kind != "video")
            contents.add(window, heads)
            for writer in writers:
                writer.write(window.recording)
            tell(Progress(task.place, 0))  # whoever wants an end says so here
        if not tally.frames:
            raise _nothing(job, defects)
        source = _source_record(job, tally)
        _check_unchanged(task)
    sidecar = _sidecar(task, source, tally, defects, writers)
    write_sidecar(outputs.sidecar, sidecar)
    notes = [note for writer in writers for note in writer.notes]
    if outputs.overlay is not None:
        notes += _draw(task, outputs.overlay, tell)
    if outputs.page is not None:
        contents.write(outputs.page, sidecar, job)
    written = [path for writer in writers for path in writer.paths]
    written += [path for path in (outputs.sidecar, outputs.overlay, outputs.page) if path is not None]
    files = {path.name: describe_output(path) for path in written}
    return Finished(files, {**_summary(tally, sidecar), "notes": notes, "files": list(files)})


def are_outputs(folder: Path, recorded: Mapping[str, tuple[int, str]]) -> bool:
    """Return whether the outputs in a folder are still those that `finish` told of."""
    try:
        return bool(recorded) and all(describe_output(folder / name) == found for name, found in recorded.items())
    except SourceError:
        return False


def describe_output(path: Path) -> tuple[int, str]:
    """Return size and SHA-256 of a file, or of all files in a folder; (0, "") where nothing is.

    Raises:
        SourceError: if it cannot be read.
    """
    if path.is_dir():
        digest, size = hashlib.sha256(), 0
        for each in sorted(path.iterdir()):
            digest.update(f"{sha256_of(each)}  {each.name}\n".encode("utf-8", errors="surrogateescape"))
            size += each.stat().st_size
        return size, digest.hexdigest()
    return (path.stat().st_size, sha256_of(path)) if path.is_file() else (0, "")


def _windows(task: FinishTask) -> Iterator[tuple[Window, tuple[FrameHeads, ...]]]:
    """Yield the finished windows, and the heads to cover in each of their frames."""
    are_pictures = task.job.kind != "video"
    found = windows(task.parts, task.settings, is_pictures=are_pictures)
    return with_heads(found, is_blurred=task.settings.wanted.blur_faces, are_pictures=are_pictures)


def _defects(task: FinishTask) -> Defects:
    return add_up(load_part(path).defects for path in task.parts)


def _table_info(task: FinishTask) -> TableInfo:
    skeleton = load_part(task.parts[0]).recording.skeleton  # which need not be one of ours
    return TableInfo(
        skeleton=skeleton,
        source=Path(task.job.where).name,
        extra=extra_columns(skeleton, task.settings.motion),
        is_pictures=task.job.kind != "video",
        rate_hz=_claimed_rate_hz(task.job),
        weights=task.models.weights.name,
        metres_per_pixel=task.settings.metres_per_pixel,
    )


def _claimed_rate_hz(job: Job) -> float | None:
    """Return what a video says of its rate, if there is a format that asks for it."""
    is_asked = any(FORMATS[name].is_per_person for name in job.outputs.formats)
    return probe(job.where).rate_hz if is_asked and job.kind == "video" else None


def _nothing(job: Job, defects: Defects) -> SourceError:
    if job.kind == "picture" and defects.endings:
        return SourceError(defects.endings[0], "copy or export it again")
    return SourceError(f"none of the pictures in {job.where} can be read", "copy or export them again")


def _check_unchanged(task: FinishTask) -> None:
    check_unchanged(task.job.where, input_files(task.job), task.source)


def _sidecar(
    task: FinishTask, source: SourceRecord, tally: Tally, defects: Defects, writers: list[TableWriter]
) -> Sidecar:
    job, models = task.job, task.models
    settings = {
        **models.facts,
        "motion": asdict(task.settings.motion),
        "metres_per_pixel": task.settings.metres_per_pixel,
    }
    notes = [note for writer in writers for note in writer.notes]
    return Sidecar(
        source=source,
        frames=tally.frames,
        skipped_frames=defects.skipped,
        problems=_problems(job, defects),
        skeleton=models.skeleton,
        weights=models.weights,
        engine=models.engine,
        device=models.device,
        precision=models.precision,
        settings={**settings, "notes": notes} if notes else settings,
        version=__version__,
        detector=models.detector,
    )


def _source_record(job: Job, tally: Tally) -> SourceRecord:
    if job.kind == "video":
        return describe_file(job.where)
    return describe_files(job.where, tally.pictures)


def _problems(job: Job, defects: Defects) -> tuple[str, ...]:
    # A picture that cannot be read has its own line already.
    return defects.lines if job.kind == "video" else defects.endings


def _summary(tally: Tally, sidecar: Sidecar) -> Mapping[str, Any]:
    return {
        "frames": tally.frames,
        "rows": tally.rows,
        "people": len(tally.people),
        "most_people": tally.most_people,
        "empty_frames": tally.empty_frames,
        "skipped_frames": sidecar.skipped_frames,
        "flags": dict(sorted(tally.flags.items())),
        "problems": list(sidecar.problems),
    }


def _draw(task: FinishTask, path: Path, tell: Tell) -> tuple[str, ...]:
    """Read the source once more and draw the finished poses on it; returns what the overlay lacks.

    Drawing and reading have their own threads.
    """
    with (
        open_source(task.job.where) as source,
        closing(prefetch(source)) as frames,
        closing(prefetch(_drawn(task, frames), name="drawing")) as drawn,
        open_overlay(path, source) as overlay,
    ):
        for number, (frame, image) in enumerate(drawn, start=1):
            overlay.write(image, frame)
            if number % _TOLD_EVERY == 0:
                tell(Progress(task.place, _TOLD_EVERY, "drawing"))
        _check_unchanged(task)
    return overlay.notes


def _drawn(task: FinishTask, frames: Iterator[Frame]) -> Iterator[tuple[Frame, NDArray[np.uint8]]]:
    for window, heads in _windows(task):
        for position, covered in enumerate(heads):
            frame = next(frames, None)
            if frame is None or frame.index != window.recording.index[position]:
                raise SourceError(f"{task.job.where} changed while it was read", "wait until it is written; run again")
            image = cover(frame.image, covered) if covered else frame.image
            yield frame, draw_poses(image, shown_poses(window.recording, position))
