"""Engines held against each other: taking turns on the same people, their joints compared in frame pixels."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from sadinet.engines.onnx import Precision
from sadinet.errors import DeviceError, WeightsError
from sadinet.geometry import Box
from sadinet.people.estimator import PoseEstimator
from sadinet.weights import Weights

CANDIDATES: tuple[tuple[str, Precision], ...] = (
    ("onnx", "fp32"),
    ("onnx", "fp16"),
    ("torch", "fp32"),
    ("torch", "fp16"),
    ("torch", "bf16"),
)
SURE = 0.3
"""Joints with a lower score do not count when engines are compared."""

LIMITS_PX = {"fp32": (0.02, 0.1), "fp16": (0.1, 0.5), "bf16": (0.1, 0.5)}
"""Median and 99th percentile by which an engine may differ from ONNX Runtime in fp32."""

REFERENCE = "onnx fp32"

WARM_UP_TURNS = 3

Image = NDArray[np.uint8]
Sample = tuple[Image, tuple[Box, ...]]
Joints = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds by stage."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what is done inside."""
        started = time.perf_counter()
        yield
        self.times[stage].append((time.perf_counter() - started) * 1e3)

    def summary(self) -> dict[str, dict[str, float]]:
        """Return median and 90th percentile of each stage."""
        return {stage: spread(values) for stage, values in self.times.items()}


def compare_engines(
    weights: Weights, samples: Sequence[Sample], *, device: str, threads: int | None, rounds: int
) -> list[dict[str, Any]]:
    """Time the engines in turns on one person at a time, and compare what they say with ONNX Runtime in fp32.

    Args:
        weights: the model.
        samples: pictures and people's boxes.
        device: for all engines; ONNX Runtime, which knows no mps, takes the CPU for it.
        threads: as for `PoseEstimator`.
        rounds: timed turns of each engine.

    Returns:
        A row an engine: milliseconds and agreement, or `why_not`.
    """
    rows: list[dict[str, Any]] = []
    opened: dict[str, PoseEstimator] = {}
    for engine, precision in CANDIDATES:
        name = f"{engine} {precision}"
        where = "cpu" if engine == "onnx" and device == "mps" else device
        try:
            opened[name] = PoseEstimator(weights, engine=engine, device=where, precision=precision, threads=threads)
        except (DeviceError, WeightsError) as error:
            rows.append({"engine": name, "why_not": str(error)})
    times = alternate(opened, [(image, box) for image, boxes in samples for box in boxes], rounds)
    joints = {name: joints_of(estimator, samples) for name, estimator in opened.items()}
    for name, estimator in opened.items():
        row = {"engine": name, "runtime": described(estimator), **times[name].summary()}
        rows.append(row | agreement(joints[name], joints.get(REFERENCE), estimator.runtime.precision))
    return rows


def alternate(
    estimators: Mapping[str, PoseEstimator], people: Sequence[tuple[Image, Box]], rounds: int
) -> dict[str, Stopwatch]:
    """Time "person" (crop, network and decode in one call) and "network" alone, all taking turns on the same people."""
    watches = {name: Stopwatch() for name in estimators}
    names = list(estimators)
    turns = range(-WARM_UP_TURNS, rounds)
    for turn in track(turns, "engines in turns", console=Console(stderr=True), transient=True):
        image, box = people[turn % len(people)]
        # Who follows whom changes, so that nobody always runs after the same neighbour.
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            watch = watches[name] if turn >= 0 else Stopwatch()
            with watch("person"):
                estimators[name](image, [box])
            crops, _ = estimators[name].crop(image, [box])
            with watch("network"):
                estimators[name].engine.maps(crops)
    return watches


def joints_of(estimator: PoseEstimator, samples: Sequence[Sample]) -> Joints:
    """Return joints (P, K, 2) in frame pixels and scores (P, K) of all people."""
    poses = [pose for image, boxes in samples for pose in estimator(image, boxes)]
    return np.stack([pose.joints for pose in poses]), np.stack([pose.scores for pose in poses])


def agreement(found: Joints, reference: Joints | None, precision: str) -> dict[str, Any]:
    """Return by how many pixels sure joints differ from the reference's, and whether that is within the limits."""
    if reference is None or not (sure := reference[1] > SURE).any():
        return {"joints_compared": 0}
    apart = np.linalg.norm(found[0] - reference[0], axis=2)[sure]
    median, most = float(np.median(apart)), float(np.quantile(apart, 0.99))
    limits = LIMITS_PX[precision]
    return {
        "joints_compared": int(sure.sum()),
        "median_px": median,
        "p99_px": most,
        "limits_px": list(limits),
        "agrees": median <= limits[0] and most <= limits[1],
    }


def described(estimator: PoseEstimator) -> str:
    """Return the runtime really in use, one line."""
    runtime = estimator.runtime
    return f"{runtime.engine} {runtime.version} {runtime.device} {runtime.precision}"


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median and 90th percentile."""
    return {"median": float(np.median(values)), "p90": float(np.quantile(values, 0.9))}
