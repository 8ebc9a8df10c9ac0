"""The plain callables that a pipeline strings together, and the settings that build them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sadinet.engines.onnx import Precision
from sadinet.errors import InputError
from sadinet.manifest import DecodeSpec
from sadinet.people.ahead import AheadDetector
from sadinet.people.detector import Detector, open_detector
from sadinet.people.estimator import PoseEstimator
from sadinet.people.following import Follower, Following
from sadinet.results import Frame, FrameResult


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that changes a result; it is written beside each table.

    Attributes:
        weights: pose model, by name or manifest path.
        detector: person detector, by name or path.
        engine, device, precision, threads, lanes: as for `sadinet.engines.open_engine`.
        skeleton: joints to return, None for the model's own.
        decode: how maps are read, None as the model's manifest says.
        flip_test: average each crop with its mirror image.
        detector_score: least confidence of a person's box, None as the detector's manifest says.
        following: how people are followed from frame to frame.
        chunk_frames: how many frames of a video are followed before everything begins anew; see `sadinet.batch`.
    """

    weights: str = "default"
    detector: str = "default"
    engine: str = "auto"
    device: str = "auto"
    precision: Precision = "auto"
    threads: int | None = None
    lanes: int | None = None
    skeleton: str | None = None
    decode: DecodeSpec | None = None
    flip_test: bool = False
    detector_score: float | None = None
    following: Following = field(default_factory=Following)
    chunk_frames: int = 600

    def __post_init__(self) -> None:
        if self.chunk_frames < 2:
            raise InputError(f"chunks of {self.chunk_frames} frames", "at least 2")

    def to_dict(self) -> Mapping[str, Any]:
        """Return plain values of what changes results; how many threads share the work does not belong to it."""
        values = asdict(self)
        del values["lanes"]
        return values


class People:
    """Frame -> who is where, each frame for itself: a detector and an estimator that share a device.

    Attributes:
        settings: what it was built from.
        detector: frame -> boxes.
        estimator: frame and boxes -> poses.

    Raises:
        DeviceError, WeightsError, InputError: for settings that cannot be had.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.estimator = PoseEstimator(
            settings.weights,
            engine=settings.engine,
            device=settings.device,
            precision=settings.precision,
            threads=settings.threads,
            lanes=settings.lanes,
            decode=settings.decode,
            skeleton=settings.skeleton,
            flip_test=settings.flip_test,
        )
        # ONNX Runtime's card need not be torch's: the detector takes the best that it finds, and says so.
        device = "auto" if self.estimator.runtime.engine == "torch" and settings.device != "cpu" else settings.device
        threads = settings.threads if settings.lanes is None else 1
        self.detector: Detector = open_detector(
            settings.detector, device=device, threads=threads, score=settings.detector_score
        )

    def follower(self) -> Follower:
        """Return a callable that follows people from frame to frame, beginning with nobody.

        On a CPU the detector may work on a coming frame beside the poses.
        """
        return Follower(AheadDetector(self.detector), self.estimator, self.settings.following)

    def __call__(self, frame: Frame) -> FrameResult:
        """Find the people in a frame; `timings_ms` has "detect" and "pose"."""
        started = time.perf_counter()
        boxes = self.detector(frame.image)
        found = time.perf_counter()
        poses = self.estimator(frame.image, boxes)
        done = time.perf_counter()
        return FrameResult(frame, poses, {"detect": (found - started) * 1e3, "pose": (done - found) * 1e3})
