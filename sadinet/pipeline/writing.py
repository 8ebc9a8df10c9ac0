"""A source in, its table, sidecar and overlay out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sadinet._version import __version__
from sadinet.errors import OutputError, SourceError
from sadinet.manifest import FileKind
from sadinet.media.draw import draw_poses
from sadinet.media.source import Source
from sadinet.people.detector import PersonDetector
from sadinet.pipeline.naming import Outputs
from sadinet.pipeline.offline import Pipeline
from sadinet.pipeline.overlays import Overlay, open_overlay
from sadinet.pipeline.stages import People
from sadinet.results import FrameResult
from sadinet.tables.csv_table import CsvTable
from sadinet.tables.schema import FRAME_COLUMNS, PERSON_COLUMNS
from sadinet.tables.sidecar import (
    Sidecar,
    SourceRecord,
    WeightsRecord,
    describe_file,
    describe_files,
    local_time,
    read_sidecar,
    sha256_of,
    write_sidecar,
)
from sadinet.weights import Weights

_HEAD = ",".join((*FRAME_COLUMNS, *PERSON_COLUMNS))


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of one source.

    Attributes:
        outputs: the files that were written.
        sidecar: what stands beside the table.
        poses: rows with a person.
        most_people: most people in one frame.
        empty_frames: frames with nobody in them.
        timings_ms: mean milliseconds a frame of each stage: read, detect, pose, draw, write.
    """

    outputs: Outputs
    sidecar: Sidecar
    poses: int
    most_people: int
    empty_frames: int
    timings_ms: Mapping[str, float]

    @property
    def frames(self) -> int:
        """Frames in the table."""
        return self.sidecar.frames

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong with the source; empty where nothing was lost or doubtful."""
        return self.sidecar.problems

    @property
    def fps(self) -> float:
        """Frames a second from end to end."""
        return self.frames / max(self.sidecar.seconds, 1e-9)


@dataclass(slots=True)
class _Tally:
    """What is counted while frames pass."""

    frames: int = 0
    poses: int = 0
    most_people: int = 0
    empty_frames: int = 0
    sums_ms: dict[str, float] = field(default_factory=dict)
    pictures: list[str] = field(default_factory=list)

    def add(self, result: FrameResult, *, is_picture: bool) -> None:
        people = len(result.poses)
        self.frames += 1
        self.poses += people
        self.most_people = max(self.most_people, people)
        self.empty_frames += not people
        for stage, spent_ms in result.timings_ms.items():
            self.sums_ms[stage] = self.sums_ms.get(stage, 0.0) + spent_ms
        if is_picture:
            self.pictures.append(result.frame.source)


def analyse(
    source: Source, people: People, outputs: Outputs, on_frame: Callable[[FrameResult], None] | None = None
) -> Summary:
    """Run every frame of a source through the models and write table, sidecar and, if wanted, overlay.

    Each file takes its name only when it is whole. Earlier results of the same names are replaced; anything else
    is not. If the source ends early or the user interrupts, `CsvTable` says what stays.

    Args:
        source: the frames; it is closed at the end.
        people: the models.
        outputs: where to write; the folder must be there.
        on_frame: called after each frame, in order; the result's `timings_ms` has read, detect, pose, draw, write.

    Raises:
        SourceError: if the source cannot be read.
        OutputError: if a file cannot be written, or one that is no earlier result stands in its place.
    """
    started, began = local_time(), time.perf_counter()
    tally = _Tally()
    with contextlib.ExitStack() as stack:
        pipeline = stack.enter_context(Pipeline(source, people))
        check_replaceable(outputs)
        # Before the long part, so that a file that cannot be read whole is told at once.
        video = None if source.info is None else describe_file(source.info.path)
        overlay = None
        if outputs.overlay is not None:
            overlay = stack.enter_context(open_overlay(outputs.overlay, source))
        with CsvTable(outputs.table, people.estimator.skeleton, with_source=video is None) as table:
            for found in pipeline:
                result = _written(found, table, overlay)
                tally.add(result, is_picture=video is None)
                if on_frame is not None:
                    on_frame(result)
        sidecar = replace(
            describe_run(people, video or describe_files(source.name, tally.pictures)),
            frames=tally.frames,
            skipped_frames=source.skipped,
            problems=source.problems,
            started=started,
            seconds=round(time.perf_counter() - began, 3),
        )
        write_sidecar(outputs.sidecar, sidecar)
    means_ms = {stage: total / tally.frames for stage, total in tally.sums_ms.items()}
    return Summary(outputs, sidecar, tally.poses, tally.most_people, tally.empty_frames, means_ms)


def check_replaceable(outputs: Outputs) -> None:
    """Raise `OutputError` if one of the files is there already and is no earlier result of this program."""
    is_ours = {path: _is_ours(path) for path in (outputs.table, outputs.sidecar)}
    strange = [path for path, ours in is_ours.items() if ours is False]
    overlay = outputs.overlay
    if overlay is not None and _has_content(overlay) and not any(is_ours.values()):
        strange.append(overlay)
    if strange:
        raise OutputError(
            f"{strange[0]} is there and is no earlier result of this program", "choose another folder, or move it away"
        )


def describe_run(people: People, source: SourceRecord) -> Sidecar:
    """Return the sidecar of a run that has not begun: the models, and what they really run on."""
    estimator, detector = people.estimator, people.detector
    settings: dict[str, Any] = {
        **people.settings.to_dict(),
        "skeleton": estimator.skeleton.name,
        "decode": asdict(estimator.decode),
        "detector_score": getattr(detector, "score", None),
        "pose_runtime": asdict(estimator.runtime),
        "detector_runtime": asdict(detector.runtime),
    }
    return Sidecar(
        source=source,
        frames=0,
        skipped_frames=0,
        problems=(),
        skeleton=estimator.skeleton.name,
        weights=_record(estimator.weights, _file_kind(people)),
        engine=estimator.runtime.engine,
        device=estimator.runtime.device,
        precision=estimator.runtime.precision,
        settings=settings,
        version=__version__,
        started="",
        seconds=0.0,
        detector=_detector_record(people),
    )


def _written(found: FrameResult, table: CsvTable, overlay: Overlay | None) -> FrameResult:
    """Write a frame's rows and drawing; returns the result with the times that this took."""
    began = time.perf_counter()
    drawn = None if overlay is None else draw_poses(found.frame.image, found.poses)
    done = time.perf_counter()
    table.write(found)
    if overlay is not None and drawn is not None:
        overlay.write(drawn, found.frame)
    times_ms = {"draw": (done - began) * 1e3, "write": (time.perf_counter() - done) * 1e3}
    return replace(found, timings_ms={**found.timings_ms, **times_ms})


def _has_content(path: Path) -> bool:
    try:
        return any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0
    except OSError:
        return False


def _is_ours(path: Path) -> bool | None:
    """Say whether a file is a table or sidecar of ours; None where there is nothing to lose."""
    if not _has_content(path):
        return None
    if path.suffix == ".json":
        try:
            read_sidecar(path)
        except SourceError:
            return False
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(len(_HEAD)) == _HEAD.encode()
    except OSError:
        return None  # writing will say what is wrong


def _file_kind(people: People) -> FileKind:
    if people.estimator.runtime.engine == "torch":
        return "safetensors"
    return "onnx_fp16" if people.settings.precision == "fp16" else "onnx"


def _record(weights: Weights, kind: FileKind) -> WeightsRecord:
    return WeightsRecord(weights.name, weights.manifest.files[kind].sha256)


def _detector_record(people: People) -> WeightsRecord:
    if isinstance(people.detector, PersonDetector):
        return _record(people.detector.weights, "onnx")
    # A detector of another library: known by its file alone.
    path = Path(people.settings.detector)
    return WeightsRecord(people.settings.detector, sha256_of(path) if path.is_file() else "")
