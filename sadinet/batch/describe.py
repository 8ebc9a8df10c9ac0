"""What a run is made with: the record beside each table, and the keys by which earlier work is found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sadinet._version import __version__
from sadinet.batch.fingerprint import Fingerprint
from sadinet.batch.naming import Job, Wanted
from sadinet.batch.parts import PART_SCHEMA
from sadinet.manifest import FileKind
from sadinet.motion.settings import MotionSettings
from sadinet.people.detector import PersonDetector
from sadinet.pipeline.stages import People, Settings
from sadinet.tables.sidecar import WeightsRecord, sha256_of
from sadinet.weights import Weights

KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Everything that changes what a batch writes.

    Attributes:
        people: models, and how people are followed.
        motion: smoothing, angles and flags.
        wanted: which results each input gives.
        metres_per_pixel: scale for formats in millimetres; None where nobody measured it.
    """

    people: Settings = field(default_factory=Settings)
    motion: MotionSettings = field(default_factory=MotionSettings)
    wanted: Wanted = field(default_factory=Wanted)
    metres_per_pixel: float | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """What the models of a run really are, so that it can be told without loading them again.

    Attributes:
        skeleton: whose joints come out.
        weights, detector: the files that run.
        engine, device, precision: what the pose network really runs on.
        why: how it came to this device, for people.
        facts: settings and runtimes as they really are; all that changes poses.
    """

    skeleton: str
    weights: WeightsRecord
    detector: WeightsRecord
    engine: str
    device: str
    precision: str
    why: str
    facts: Mapping[str, Any]


def describe_models(people: People) -> Models:
    """Return what the models really are."""
    estimator, detector = people.estimator, people.detector
    settings: dict[str, Any] = {
        **people.settings.to_dict(),
        "skeleton": estimator.skeleton.name,
        "decode": asdict(estimator.decode),
        "detector_score": getattr(detector, "score", None),
    }
    if people.settings.lanes is not None:
        # One thread a crop, whatever their number.
        del settings["threads"]
    for name, runtime in (("pose_runtime", estimator.runtime), ("detector_runtime", detector.runtime)):
        settings[name] = {key: value for key, value in asdict(runtime).items() if key != "why"}
    return Models(
        skeleton=estimator.skeleton.name,
        weights=_record(estimator.weights, _file_kind(people)),
        detector=_detector_record(people),
        engine=estimator.runtime.engine,
        device=estimator.runtime.device,
        precision=estimator.runtime.precision,
        why=estimator.runtime.why,
        facts=settings,
    )


def part_key(job: Job, source: Fingerprint, models: Models) -> str:
    """Return the key of a source's chunks: another source, model, setting or version of the program has another one.

    A video keeps its key when its folder moves; pictures do not, as their paths stand in the table.
    """
    name = Path(job.where).name if job.kind == "video" else job.where
    facts = asdict(replace(models, why=""))  # how a device came to be chosen changes no pose
    return _key([PART_SCHEMA, __version__, name, job.kind, asdict(source), facts])


def result_key(part: str, settings: BatchSettings) -> str:
    """Return the key of an input's outputs."""
    return _key([part, asdict(settings.motion), asdict(settings.wanted), settings.metres_per_pixel])


def _key(values: Any) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:KEY_LENGTH]


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
