"""Runtimes for pose networks, one file each, behind one protocol."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING

from sadinet.errors import DeviceError

if TYPE_CHECKING:
    from sadinet.engines.base import Engine
    from sadinet.engines.onnx import Precision
    from sadinet.weights import Weights

ENGINES = ("auto", "onnx", "torch")
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "fp32", "fp16", "bf16")


def open_engine(
    weights: Weights,
    *,
    engine: str = "auto",
    device: str = "auto",
    precision: Precision = "auto",
    threads: int | None = None,
    lanes: int | None = None,
) -> Engine:
    """Load a pose model into a runtime.

    "auto" is ONNX Runtime, unless a GPU is wanted or present and torch is there to drive it. What was chosen
    stands in the engine's `runtime`.

    Args:
        weights: the model.
        engine: one of `ENGINES`.
        device: one of `DEVICES`.
        precision: one of `PRECISIONS`; "auto" is fp16 for torch on CUDA and fp32 elsewhere.
        threads: threads of one layer's work on a CPU; None for the physical cores.
        lanes: ONNX Runtime on a CPU alone: run each crop by one thread, so many crops at once.

    Raises:
        DeviceError: if engine, device or precision is not to be had; nothing else is taken in its place.
        WeightsError: if the model is damaged or not what its manifest says.
    """
    for value, known, what in (
        (engine, ENGINES, "engine"),
        (device, DEVICES, "device"),
        (precision, PRECISIONS, "precision"),
    ):
        if value not in known:
            raise DeviceError(f"unknown {what} {value!r}", "one of: " + ", ".join(known))
    if engine == "auto":
        engine = "torch" if _wants_torch(weights, device) else "onnx"
    if engine == "torch":
        if not _has_torch():
            raise DeviceError("the torch engine needs torch, which is not installed", "pip install 'sadinet[torch]'")
        from sadinet.engines.torch import TorchEngine

        return TorchEngine(weights, device=device, precision=precision, threads=threads)
    if device == "mps":
        raise DeviceError("onnxruntime has no mps", "use --engine torch, or --device cpu")
    from sadinet.engines.onnx import OnnxEngine

    return OnnxEngine(weights, device=device, precision=precision, threads=threads, lanes=lanes)


def _has_torch() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "safetensors"))


def may_take_torch(device: str) -> bool:
    """Return whether the engine "auto" may take torch for this device; nothing is loaded to find out."""
    if device == "cpu" or not _has_torch():
        return False
    # Importing torch takes seconds: only where there is a card for it.
    return device in ("cuda", "mps") or shutil.which("nvidia-smi") is not None


def _wants_torch(weights: Weights, device: str) -> bool:
    return weights.pose.network is not None and may_take_torch(device)
