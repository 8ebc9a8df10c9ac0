"""Finding people in a frame with a shipped or own ONNX detector, without torch."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sadinet.engines.session import Runtime, open_session, run_session
from sadinet.errors import DeviceMemoryError, InputError, WeightsError
from sadinet.geometry import Box
from sadinet.people.heads import decode_heads, suppress
from sadinet.people.letterbox import Letterbox
from sadinet.people.ultralytics_detector import UltralyticsDetector
from sadinet.weights import Weights, find_weights


class Detector(Protocol):
    """Anything that finds people in a frame."""

    runtime: Runtime

    def __call__(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the people's boxes in frame pixels, sorted by falling score."""
        ...


class PersonDetector:
    """A fully convolutional person detector on ONNX Runtime.

    The frame keeps its shape and is scaled to as many pixels as the manifest's input size has, so that
    wide, square and tall frames cost about the same.

    Attributes:
        weights: the model.
        runtime: device and precision really in use.
        score: least confidence of a box.
    """

    def __init__(
        self, weights: Weights, device: str = "auto", threads: int | None = None, *, score: float | None = None
    ) -> None:
        """Load and try the network.

        Args:
            weights: a model of kind "detector".
            device: "auto", "cpu" or "cuda".
            threads: threads on a CPU; None for the physical cores, at most 8.
            score: least confidence of a box; None for the manifest's.

        Raises:
            WeightsError: if the model is damaged or its manifest does not describe it.
            DeviceError: if the device is not there.
            InputError: if `score` is not in (0, 1].
        """
        self.weights = weights
        self._spec = weights.detector
        self._input = weights.manifest.input
        self.score = self._spec.score if score is None else score
        if not 0 < self.score <= 1:
            raise InputError(f"detector score {self.score}", "above 0 and at most 1")
        if (self._input.layout, self._input.dtype, self._input.channels) != ("nhwc", "uint8", "bgr"):
            raise WeightsError(
                f"detector {weights.name}: input must be nhwc, uint8, bgr", "put the rest into its graph"
            )
        self._session, self.runtime = open_session(weights.file("onnx"), device=device, threads=threads)
        self._check()

    def __call__(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Find people.

        Args:
            image: (H, W, 3) uint8, BGR.

        Returns:
            Boxes in frame pixels, clipped to the frame, sorted by falling score.

        Raises:
            InputError: if the image has another shape or type.
            DeviceMemoryError: if the device has too little memory left.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise InputError(f"image of shape {image.shape} and type {image.dtype}", "must be (H, W, 3) uint8, BGR")
        height, width = image.shape[:2]
        letterbox = Letterbox.fit((width, height), math.prod(self._input.size_wh), max(self._spec.strides))
        corners, scores = decode_heads(
            self._heads(letterbox.apply(image)), self._spec.strides, self._spec.bins, self.score
        )
        edges = letterbox.to_frame(corners.reshape(-1, 2, 2))
        edges = np.clip(edges, -0.5, np.array([width, height]) - 0.5)
        boxes = np.concatenate([edges[:, 0], edges[:, 1] - edges[:, 0]], axis=1)
        there = np.flatnonzero((boxes[:, 2:] > 0).all(axis=1))
        kept = there[suppress(boxes[there], scores[there], self._spec.iou)][: self._spec.max_boxes]
        return tuple(Box(*map(float, (*boxes[i], scores[i]))) for i in kept)

    def _heads(self, canvas: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        feeds = {self._session.get_inputs()[0].name: canvas[None]}
        outputs = run_session(self._session, self._spec.outputs, feeds)
        return [output[0] for output in outputs]

    def _check(self) -> None:
        """Hold the network against its manifest by a run on a small grey picture."""
        name, spec = self.weights.name, self._spec
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(uint8)":
            raise WeightsError(f"detector {name}: its network must have one uint8 input")
        there = [output.name for output in self._session.get_outputs()]
        if missing := [output for output in spec.outputs if output not in there]:
            raise WeightsError(f"detector {name}: its network has no output {missing[0]!r}, only {', '.join(there)}")
        side = 2 * max(spec.strides)
        try:
            heads = self._heads(np.full((side, side, 3), 114, dtype=np.uint8))
        except DeviceMemoryError:
            raise
        except Exception as error:  # onnxruntime's exceptions share no base but Exception
            raise WeightsError(f"detector {name}: its network does not run: {str(error).splitlines()[0]}") from error
        for output, head, stride in zip(spec.outputs, heads, spec.strides, strict=True):
            wanted = (4 * spec.bins + 1, side // stride, side // stride)
            if head.shape != wanted:
                raise WeightsError(f"detector {name}: output {output!r} is {head.shape}, by its manifest {wanted}")


def open_detector(
    name_or_path: str | os.PathLike[str] = "default",
    device: str = "auto",
    threads: int | None = None,
    *,
    score: float | None = None,
) -> Detector:
    """Open a person detector.

    Args:
        name_or_path: "default", a model's name or its manifest's path; or an ultralytics model, whose name
            or path ends in .pt (needs the extra `torch`).
        device: "auto", "cpu" or "cuda".
        threads: threads on a CPU; None for the physical cores, at most 8.
        score: least confidence of a box; None for the model's own.

    Raises:
        WeightsError: if there is no such model, or it is damaged.
        DeviceError: if the device, or the runtime that the model needs, is not there.
    """
    if Path(name_or_path).suffix == ".pt":
        return UltralyticsDetector(name_or_path, device, threads, score=0.4 if score is None else score)
    return PersonDetector(find_weights(name_or_path, "detector"), device, threads, score=score)
