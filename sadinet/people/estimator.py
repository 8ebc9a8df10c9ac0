"""Frame + boxes -> poses: one batch of crops for all people of a frame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.engines import open_engine
from sadinet.engines.base import CellJoints, Engine, Maps, joints_of_maps
from sadinet.engines.onnx import Precision
from sadinet.engines.session import Runtime
from sadinet.errors import InputError
from sadinet.geometry import Box, Matrix, crop_matrix, heatmap_to_crop, invert, pixel_scale, transform
from sadinet.manifest import DecodeSpec
from sadinet.results import Pose
from sadinet.skeletons import Skeleton, convert, skeleton_by_name
from sadinet.weights import Weights, find_weights

BACKGROUND_BGR = (103.53, 116.28, 123.675)
"""What lies outside the frame: the mean colour of the training pictures."""

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class PeopleMaps:
    """What the network says of the people of one picture.

    Attributes:
        parts: heatmaps and spread, in the batches that they were run in.
        boxes: one for each person.
        matrices: from frame to crop pixels, one for each person.
    """

    parts: tuple[Maps, ...]
    boxes: tuple[Box, ...]
    matrices: tuple[Matrix, ...]


class PoseEstimator:
    """A pose model ready to run.

    Args:
        weights: a name, the path of a manifest, or a model found before; "default" is the shipped one.
        engine: "auto", "onnx" or "torch".
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto", "fp32", "fp16" or "bf16".
        threads: threads of one layer's work on a CPU; None for the physical cores.
        lanes: as for `sadinet.engines.open_engine`.
        decode: how maps are read; None as the model's manifest says.
        skeleton: joints to return, by name; None for the model's own. Joints that the model lacks are NaN.
        flip_test: run each crop mirrored too and average the maps: slower, a little more exact.
        most_crops: crops in one run of the network; more people are run in parts.

    Raises:
        DeviceError, WeightsError, InputError: as `sadinet.engines.open_engine` and `find_weights` do.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | Weights = "default",
        *,
        engine: str = "auto",
        device: str = "auto",
        precision: Precision = "auto",
        threads: int | None = None,
        lanes: int | None = None,
        decode: DecodeSpec | None = None,
        skeleton: str | None = None,
        flip_test: bool = False,
        most_crops: int = 32,
    ) -> None:
        self.weights = weights if isinstance(weights, Weights) else find_weights(weights)
        self._pose = self.weights.pose
        self._engine = open_engine(
            self.weights, engine=engine, device=device, precision=precision, threads=threads, lanes=lanes
        )
        self._how = decode or self._pose.decode
        self._flip_test = flip_test
        self._most_crops = most_crops
        self.skeleton: Skeleton = self._pose.skeleton if skeleton is None else skeleton_by_name(skeleton)
        self._conversion = None if self.skeleton == self._pose.skeleton else convert(self._pose.skeleton, self.skeleton)

    @property
    def runtime(self) -> Runtime:
        """Engine, device and precision really in use."""
        return self._engine.runtime

    @property
    def engine(self) -> Engine:
        """The network in its runtime."""
        return self._engine

    @property
    def decode(self) -> DecodeSpec:
        """How the heatmaps are read."""
        return self._how

    def __call__(self, image: Image, boxes: Sequence[Box] | NDArray[np.floating]) -> tuple[Pose, ...]:
        """Find the joints of the person in each box.

        Args:
            image: (H, W, 3) uint8, BGR.
            boxes: `Box`es, or (N, 4) x, y, width, height in frame pixels.

        Returns:
            One pose a box, in the same order.

        Raises:
            InputError: for another picture, or a box that has NaN, no area, or lies outside of the picture.
        """
        _check_image(image)
        people = [_check_box(box, image) for box in _as_boxes(boxes)]
        poses: list[Pose] = []
        for start in range(0, len(people), self._most_crops):
            poses += self._batch(image, people[start : start + self._most_crops])
        return tuple(poses)

    def maps(self, image: Image, boxes: Sequence[Box] | NDArray[np.floating]) -> PeopleMaps:
        """Run the network alone, so that `read` can decode its maps in more than one way.

        Args and Raises: as for a call.
        """
        _check_image(image)
        people = [_check_box(box, image) for box in _as_boxes(boxes)]
        parts: list[Maps] = []
        matrices: list[Matrix] = []
        for start in range(0, len(people), self._most_crops):
            crops, part = self.crop(image, people[start : start + self._most_crops])
            parts.append(self._maps(crops))
            matrices += part
        return PeopleMaps(tuple(parts), tuple(people), tuple(matrices))

    def read(self, people: PeopleMaps, how: DecodeSpec | None = None) -> tuple[Pose, ...]:
        """Decode what `maps` returned; `how` is the estimator's own way unless given."""
        found = [joints_of_maps(part, self._pose.heatmap.sigma, how or self._how) for part in people.parts]
        rows = [(joints, i) for joints in found for i in range(len(joints.cells))]
        places = zip(rows, people.boxes, people.matrices, strict=True)
        return tuple(self._pose_of(joints, i, box, matrix) for (joints, i), box, matrix in places)

    def crop(self, image: Image, boxes: Sequence[Box]) -> tuple[NDArray[np.uint8], list[Matrix]]:
        """Cut crops (N, h, w, 3) uint8 BGR, and return the maps from frame to crop pixels."""
        size_wh = self.weights.manifest.input.size_wh
        matrices = [crop_matrix(box, size_wh) for box in boxes]
        crops = np.empty((len(boxes), size_wh[1], size_wh[0], 3), np.uint8)
        for matrix, crop in zip(matrices, crops, strict=True):
            crop[:] = cv2.warpAffine(image, matrix, size_wh, flags=cv2.INTER_LINEAR, borderValue=BACKGROUND_BGR)
        return crops, matrices

    def _batch(self, image: Image, boxes: Sequence[Box]) -> list[Pose]:
        crops, matrices = self.crop(image, boxes)
        if self._flip_test:
            found = joints_of_maps(self._maps(crops), self._pose.heatmap.sigma, self._how)
        else:
            found = self._engine.joints(crops, self._how)
        return [self._pose_of(found, i, box, matrices[i]) for i, box in enumerate(boxes)]

    def _maps(self, crops: NDArray[np.uint8]) -> Maps:
        plain = self._engine.maps(crops)
        if not self._flip_test:
            return plain
        mirrored = self._engine.maps(np.ascontiguousarray(crops[:, :, ::-1]))
        order = self._pose.skeleton.flip_order
        half = np.float32(0.5)
        heatmaps = half * (plain.heatmaps + mirrored.heatmaps[:, order, :, ::-1])
        sigmas = None
        if plain.sigmas is not None and mirrored.sigmas is not None:
            sigmas = half * (plain.sigmas + mirrored.sigmas[:, order])
        return Maps(heatmaps, sigmas)

    def _pose_of(self, found: CellJoints, i: int, box: Box, matrix: Matrix) -> Pose:
        stride = self._pose.heatmap.stride
        joints = transform(heatmap_to_crop(found.cells[i], stride), invert(matrix))
        sigmas = found.sigmas[i] * (stride / pixel_scale(matrix))
        scores: NDArray[np.floating] = found.scores[i]
        if self._conversion is not None:
            joints, sigmas = (np.asarray(self._conversion.apply(values, axis=0)) for values in (joints, sigmas))
            scores = self._conversion.apply(scores, axis=0)
        return Pose(joints.astype(np.float32), scores.astype(np.float32), sigmas.astype(np.float32), box, self.skeleton)


def _check_image(image: Image) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        shape = f"{getattr(image, 'dtype', type(image).__name__)} {getattr(image, 'shape', '')}".strip()
        raise InputError(
            f"picture is {shape}, not uint8 (H, W, 3) BGR",
            "sadinet.media.pictures.read_picture converts what files hold",
        )
    if image.size == 0:
        raise InputError(f"picture {image.shape} is empty")


def _as_boxes(boxes: Sequence[Box] | NDArray[np.floating]) -> list[Box]:
    if isinstance(boxes, np.ndarray):
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise InputError(f"boxes have shape {boxes.shape}", "must be (N, 4): x, y, width, height")
        return [Box(*(float(value) for value in row)) for row in boxes]
    return list(boxes)


def _check_box(box: Box, image: Image) -> Box:
    box.checked()
    height, width = image.shape[:2]
    if box.x >= width - 0.5 or box.y >= height - 0.5 or box.x + box.width <= -0.5 or box.y + box.height <= -0.5:
        raise InputError(f"box {box} lies outside of the picture of {width} x {height} pixels")
    return box
