"""ONNX Runtime: the default engine, and the one that takes any heatmap network with a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from sadinet.engines.base import CellJoints, Crops, Maps, check_maps, joints_of_maps
from sadinet.engines.session import Runtime, open_session, run_session
from sadinet.errors import DeviceError, DeviceMemoryError, WeightsError
from sadinet.manifest import DecodeSpec, InputSpec
from sadinet.weights import Weights

Precision = Literal["auto", "fp32", "fp16", "bf16"]


class OnnxEngine:
    """A pose model in ONNX Runtime.

    Args:
        weights: the model.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "fp32" or "fp16".
        threads: threads that share one layer's work on a CPU; their number shows in the last digits of a result.
        lanes: if given, each crop is run by one thread alone, so many at once; results do not depend on how many.

    Raises:
        DeviceError: if the device or precision is not to be had.
        WeightsError: if the file is damaged or is not what the manifest says.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        device: str = "auto",
        precision: Precision = "auto",
        threads: int | None = None,
        lanes: int | None = None,
    ) -> None:
        if precision == "bf16":
            raise DeviceError("onnxruntime has no bf16 for these models", "use fp32 or fp16, or --engine torch")
        self._input = weights.manifest.input
        self._pose = weights.pose
        kind: Literal["onnx", "onnx_fp16"] = "onnx_fp16" if precision == "fp16" else "onnx"
        self._session, self._runtime = open_session(weights.file(kind), device=device, threads=1 if lanes else threads)
        is_split = lanes is not None and self._runtime.device == "cpu"
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane") if is_split else None
        self._names = _check_names(self._session, weights)
        self._feed = self._session.get_inputs()[0].name
        width, height = self._input.size_wh
        check_maps(self.maps(np.zeros((1, height, width, 3), np.uint8)), weights.manifest, self._pose)

    @property
    def runtime(self) -> Runtime:
        """Engine, device and precision really in use."""
        return self._runtime

    def maps(self, crops: Crops) -> Maps:
        """Run crops (N, H, W, 3) uint8 BGR through the network."""
        if self._pool is None or len(crops) == 1:
            return self._run(crops)
        single = list(self._pool.map(self._run, _each(crops)))
        sigmas = [maps.sigmas for maps in single if maps.sigmas is not None]
        return Maps(np.concatenate([maps.heatmaps for maps in single]), np.concatenate(sigmas) if sigmas else None)

    def _run(self, crops: Crops) -> Maps:
        try:
            output = run_session(self._session, self._names, {self._feed: prepare(crops, self._input)})
        except DeviceMemoryError:
            raise
        except Exception as error:  # onnxruntime's exceptions share no base but Exception
            reason = str(error).splitlines()[0]
            raise WeightsError(
                f"the model cannot run: {reason}", "its manifest may lie about input size, layout or type"
            ) from error
        heatmaps = np.asarray(output[0], dtype=np.float32)
        return Maps(heatmaps, np.asarray(output[1], dtype=np.float32) if len(output) > 1 else None)

    def joints(self, crops: Crops, how: DecodeSpec) -> CellJoints:
        """Run crops (N, H, W, 3) uint8 BGR and decode the maps."""

        def found(part: Crops) -> CellJoints:
            return joints_of_maps(self._run(part), self._pose.heatmap.sigma, how)

        if self._pool is None or len(crops) == 1:
            return found(crops)
        single = list(self._pool.map(found, _each(crops)))
        parts = ([each.cells for each in single], [each.scores for each in single], [each.sigmas for each in single])
        return CellJoints(*(np.concatenate(part) for part in parts))


def _each(crops: Crops) -> Iterator[Crops]:
    return (crops[i : i + 1] for i in range(len(crops)))


def prepare(crops: Crops, spec: InputSpec) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Bring crops (N, H, W, 3) uint8 BGR into the order, type and range that a network wants."""
    fed: NDArray[Any] = crops if spec.channels == "bgr" else crops[..., ::-1]
    if not spec.is_plain:
        fed = (fed.astype(np.float32) - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)
    if spec.layout == "nchw":
        fed = fed.transpose(0, 3, 1, 2)
    plain: NDArray[Any] = np.ascontiguousarray(fed, dtype=np.dtype(spec.dtype))
    return plain


def _check_names(session: ort.InferenceSession, weights: Weights) -> list[str]:
    outputs = weights.pose.outputs
    wanted = [outputs.heatmaps] if outputs.sigma is None else [outputs.heatmaps, outputs.sigma]
    there = [output.name for output in session.get_outputs()]
    if missing := [name for name in wanted if name not in there]:
        raise WeightsError(f"model {weights.name} has no output {missing[0]!r}", f"its outputs are: {', '.join(there)}")
    if len(session.get_inputs()) != 1:
        raise WeightsError(
            f"model {weights.name} wants {len(session.get_inputs())} inputs", "one picture is what we give"
        )
    return wanted
