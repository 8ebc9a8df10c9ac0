"""PyTorch: half precision on a GPU, with decoding there too, so that only coordinates leave it.

Run on CPUs, in fp32 and in bf16, where the coarsest levels alone are in bf16 (`sadinet.network.precision`). The paths
for CUDA and MPS follow torch's documentation and have not been run yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sadinet.engines.base import CellJoints, Crops, Maps, check_maps
from sadinet.engines.onnx import Precision
from sadinet.engines.session import Runtime
from sadinet.errors import DeviceError, DeviceMemoryError, InputError, WeightsError
from sadinet.manifest import DecodeSpec
from sadinet.network.config import NetworkConfig
from sadinet.network.decode import decode
from sadinet.network.model import Deployed, SadiNet
from sadinet.network.precision import coarse_levels_in
from sadinet.weights import Weights

_T = TypeVar("_T")

_TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def pick_device(asked: str) -> tuple[torch.device, str]:
    """Return the device and why it is this one; raises `DeviceError` for one that is not there."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        found = next(name for name in ("cuda", "mps", "cpu") if has[name])
        return torch.device(found), "the best that torch found"
    if asked not in has:
        raise DeviceError(f"torch engine has no device {asked!r}", "one of: auto, " + ", ".join(has))
    if not has[asked]:
        there = ", ".join(name for name, there in has.items() if there)
        build = "built without CUDA" if asked == "cuda" and torch.version.cuda is None else "no driver or no card"
        raise DeviceError(f"torch {torch.__version__} finds no {asked}: {build}", f"it has: {there}")
    return torch.device(asked), "asked for"


def load_network(weights: Weights) -> Deployed:
    """Build the network of a manifest and fill it from its safetensors file.

    Raises:
        WeightsError: if the manifest describes no SADI-NET, or the file does not fit it.
    """
    described = weights.pose.network
    if described is None:
        raise WeightsError(f"model {weights.name} is not a SADI-NET", "run it with --engine onnx")
    try:
        config = NetworkConfig.from_dict(described)
        deployed = Deployed(SadiNet(config))
        deployed.load_state_dict(load_file(weights.file("safetensors")))
    except SafetensorError as error:
        raise WeightsError(f"model {weights.name}: its safetensors file is damaged: {error}") from error
    except InputError as error:
        raise WeightsError(f"model {weights.name}: {error}", "its manifest describes no network we know") from error
    except RuntimeError as error:
        first = str(error).splitlines()[0 if "\n" not in str(error) else 1].strip()
        raise WeightsError(f"model {weights.name}: file and manifest are of different networks: {first}") from error
    return deployed.eval()


class TorchEngine:
    """A SADI-NET in PyTorch.

    Raises:
        DeviceError: if the device or precision is not to be had.
        WeightsError: if the file is damaged or is not what the manifest says.
    """

    def __init__(
        self, weights: Weights, *, device: str = "auto", precision: Precision = "auto", threads: int | None = None
    ) -> None:
        self._device, why = pick_device(device)
        if precision == "auto":
            precision = "fp16" if self._device.type == "cuda" else "fp32"
        if self._device.type == "cpu" and precision == "fp16":
            # Far slower than fp32: CPUs convert every value back and forth.
            raise DeviceError("torch on a CPU computes in fp32 or bf16 here, not in fp16", "use --precision fp32")
        if threads is not None:
            torch.set_num_threads(threads)
        self._type = _TYPES[precision]
        self._pose = weights.pose
        self._network = _guarded(lambda: self._placed(load_network(weights)))
        width, height = weights.manifest.input.size_wh
        check_maps(self.maps(np.zeros((1, height, width, 3), np.uint8)), weights.manifest, self._pose)
        there = {value.dtype for value in self._network.network.parameters()}
        name = next(k for k in ("bf16", "fp16", "fp32") if _TYPES[k] in there)
        device_type = next(self._network.network.parameters()).device.type
        self._runtime = Runtime("torch", torch.__version__, device_type, name, why)

    @property
    def runtime(self) -> Runtime:
        """Engine, device and precision really in use."""
        return self._runtime

    def _placed(self, network: Deployed) -> Deployed:
        if self._device.type == "cpu" and self._type == torch.bfloat16:
            coarse_levels_in(network.network, self._type)
        else:
            network.network.to(self._device, self._type)
        placed: Deployed = network.to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return placed

    def _run(self, crops: Crops) -> tuple[Tensor, ...]:
        fed = torch.from_numpy(np.ascontiguousarray(crops)).to(self._device, non_blocking=True)
        result: tuple[Tensor, ...] = self._network(fed)
        return result

    def maps(self, crops: Crops) -> Maps:
        """Run crops (N, H, W, 3) uint8 BGR through the network."""
        with torch.inference_mode():
            output = _guarded(lambda: self._run(crops))
        heatmaps = output[0].cpu().numpy()
        return Maps(heatmaps, output[1].cpu().numpy() if len(output) > 1 else None)

    def joints(self, crops: Crops, how: DecodeSpec) -> CellJoints:
        """Run crops (N, H, W, 3) uint8 BGR and decode the maps on the device."""
        with torch.inference_mode():
            return _guarded(lambda: self._decoded(crops, how))

    def _decoded(self, crops: Crops, how: DecodeSpec) -> CellJoints:
        output = self._run(crops)
        found = decode(output[0], how.sigma(self._pose.heatmap.sigma), how.method, how.modulation)
        cells, scores = found.cells.cpu().numpy(), found.scores.cpu().numpy()
        sigmas = output[1].cpu().numpy() if len(output) > 1 else np.full_like(cells, np.nan)
        return CellJoints(cells, scores, sigmas)


def _guarded(run: Callable[[], _T]) -> _T:
    try:
        return run()
    except torch.OutOfMemoryError as error:
        remedy = "close other programs that use the GPU, or use --device cpu"
        raise DeviceMemoryError("the GPU ran out of memory", remedy) from error
