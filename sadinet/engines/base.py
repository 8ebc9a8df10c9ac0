"""What every runtime does: crops in, heatmaps and spread out, or joints where the maps need not leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sadinet.dark import decode
from sadinet.engines.session import Runtime
from sadinet.errors import WeightsError
from sadinet.manifest import DecodeSpec, Manifest, PoseSpec

Array = NDArray[np.float32]
Crops = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What the network says.

    Attributes:
        heatmaps: (N, K, h, w) float32.
        sigmas: (N, K, 2) float32, standard deviations in x and y, heatmap cells; None if it gives none.
    """

    heatmaps: Array
    sigmas: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class CellJoints:
    """Joints in heatmap cells.

    Attributes:
        cells: (N, K, 2) float32, x and y.
        scores: (N, K) float32 in [0, 1].
        sigmas: (N, K, 2) float32, cells; NaN where the network gives none.
    """

    cells: Array
    scores: Array
    sigmas: Array


class Engine(Protocol):
    """A pose network in a runtime."""

    @property
    def runtime(self) -> Runtime:
        """Engine, device and precision really in use."""
        ...

    def maps(self, crops: Crops) -> Maps:
        """Run crops (N, H, W, 3) uint8 BGR through the network."""
        ...

    def joints(self, crops: Crops, how: DecodeSpec) -> CellJoints:
        """Run crops (N, H, W, 3) uint8 BGR and decode the maps."""
        ...


def joints_of_maps(maps: Maps, sigma: float, how: DecodeSpec) -> CellJoints:
    """Decode maps that are already in numpy; `sigma` is that of the training Gaussian, cells."""
    found = decode(maps.heatmaps, how.sigma(sigma), how.method, how.modulation)
    sigmas = np.full_like(found.cells, np.nan) if maps.sigmas is None else maps.sigmas
    return CellJoints(found.cells, found.scores, sigmas)


def check_maps(maps: Maps, manifest: Manifest, pose: PoseSpec) -> None:
    """Hold the output of one crop against the manifest; raises `WeightsError` naming what does not fit."""
    width, height = manifest.input.size_wh
    stride, joints = pose.heatmap.stride, len(pose.skeleton)
    wanted = (1, joints, round(height / stride), round(width / stride))
    if maps.heatmaps.shape != wanted:
        raise WeightsError(
            f"model {manifest.name} gives heatmaps {maps.heatmaps.shape}, its manifest promises {wanted}",
            "correct skeleton, input size or stride in the manifest",
        )
    if maps.sigmas is not None and maps.sigmas.shape != (1, joints, 2):
        raise WeightsError(
            f"model {manifest.name} gives sigma {maps.sigmas.shape}, its manifest promises {(1, joints, 2)}",
            "correct the outputs in the manifest",
        )
    if not np.isfinite(maps.heatmaps).all():
        raise WeightsError(f"model {manifest.name} gives heatmaps that are not numbers", "its weights are damaged")
