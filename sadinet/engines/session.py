"""ONNX Runtime sessions that say what they really run on.

ONNX Runtime falls back to the CPU without an error when a provider cannot start. Here the device is read
back from the session, and one that was asked for and is not there is an error.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import onnxruntime as ort

from sadinet.errors import DeviceError, DeviceMemoryError, WeightsError

Device = Literal["auto", "cpu", "cuda"]

MOST_THREADS = 8
"""More threads than this rarely help networks as small as ours."""

PRECISION_KEY = "precision"
"""Metadata of a model file that names the precision it computes in (storage may be smaller)."""

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_GPU_REMEDY = "install onnxruntime-gpu in place of onnxruntime, with NVIDIA's driver and CUDA, or use --device cpu"
_MEMORY_REMEDY = "close other programs that use the GPU, or use --device cpu"
_MEMORY_WORDS = ("failed to allocate memory", "out of memory", "alloc_failed", "bad_alloc")
_FATAL_ONLY = 4


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a network really runs on, read back from the runtime.

    Attributes:
        engine: name of the runtime.
        version: its version.
        device: "cpu" or "cuda".
        precision: what the model computes in, as its file says.
        why: how it came to this device, one line for people.
    """

    engine: str
    version: str
    device: str
    precision: str
    why: str


def open_session(
    model: Path, *, device: str = "auto", threads: int | None = None
) -> tuple[ort.InferenceSession, Runtime]:
    """Load a model on a device.

    Args:
        model: an ONNX file.
        device: "cpu", "cuda", or "auto" for CUDA where it works and else the CPU.
        threads: threads that share one layer's work on a CPU; None for the physical cores, at most 8.

    Raises:
        DeviceError: if the device is not known, not there, or did not start.
        WeightsError: if the file is missing or is not a model that ONNX Runtime can load.
    """
    if device not in get_args(Device):
        raise DeviceError(f"onnxruntime has no device {device!r}", "one of: " + ", ".join(get_args(Device)))
    if threads is not None and threads < 1:
        raise DeviceError(f"{threads} threads", "at least 1")
    ort.set_default_logger_severity(_FATAL_ONLY)  # what matters comes as an exception
    available = ort.get_available_providers()
    if device == "cuda" and _CUDA not in available:
        raise DeviceError(f"onnxruntime {ort.__version__} has no CUDA here, only: {_names(available)}", _GPU_REMEDY)
    if device == "cpu" or _CUDA not in available:
        why = "asked for" if device == "cpu" else f"onnxruntime has no CUDA here, only: {_names(available)}"
        session = _load(model, [_CPU], threads)
        return session, _runtime(session, why)
    session = _load(model, [_CUDA, _CPU], threads)
    runtime = _runtime(session, "asked for" if device == "cuda" else "CUDA works")
    if runtime.device == "cuda":
        return session, runtime
    failure = "onnxruntime offers CUDA, but its CUDA provider did not start"
    if device == "cuda":
        raise DeviceError(failure, _GPU_REMEDY)
    return session, _runtime(session, failure)


def run_session(session: ort.InferenceSession, outputs: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
    """Run a session once; returns the outputs' arrays.

    Raises:
        DeviceMemoryError: if its device has too little memory left. Whatever else ONNX Runtime raises passes.
    """
    try:
        return list(session.run(list(outputs), dict(feeds)))
    except Exception as error:  # onnxruntime's exceptions share no base but Exception
        if _blames_memory(error):
            raise _memory_error(session.get_providers()[0] == _CUDA) from error
        raise


def physical_cores() -> int:
    """Count the physical cores that this process may use; at least 1."""
    try:
        allowed = os.sched_getaffinity(0)  # Linux
    except AttributeError:
        logical = os.cpu_count() or 1
        doubled = platform.machine().lower() in ("amd64", "x86_64")
        return max(1, logical // 2 if doubled else logical)
    siblings = set()
    for cpu in allowed:
        try:
            listed = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text(encoding="ascii")
        except OSError:
            listed = str(cpu)
        siblings.add(listed.strip())
    return max(1, len(siblings))


def _load(model: Path, providers: list[str], threads: int | None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.intra_op_num_threads = threads or min(physical_cores(), MOST_THREADS)
    options.inter_op_num_threads = 1
    # Within a run threads wait for each other by spinning, which is a third faster on idle cores; between runs they
    # sleep, or they would burn the cores that decoding and the other networks need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if not model.is_file():
        raise WeightsError(f"there is no model file {model}")
    try:
        return ort.InferenceSession(str(model), options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no base but Exception
        if _blames_memory(error):
            raise _memory_error(_CUDA in providers) from error
        if _blames_device(error):
            raise DeviceError(f"cannot load {model.name} on a GPU: {_first_line(error)}", "use --device cpu") from error
        raise WeightsError(f"cannot load the model {model}: {_first_line(error)}") from error


def _runtime(session: ort.InferenceSession, why: str) -> Runtime:
    device = "cuda" if session.get_providers()[0] == _CUDA else "cpu"
    precision = session.get_modelmeta().custom_metadata_map.get(PRECISION_KEY)
    if precision is None:
        halves = any(value.type == "tensor(float16)" for value in [*session.get_inputs(), *session.get_outputs()])
        precision = "fp16" if halves else "fp32"
    return Runtime("onnxruntime", ort.__version__, device, precision, why)


def _names(providers: list[str]) -> str:
    # The one that would ask a server is in every build, never in use here, and worries whoever reads its name.
    named = (provider.removesuffix("ExecutionProvider") for provider in providers)
    return ", ".join(name for name in named if name != "Azure")


def _blames_device(error: Exception) -> bool:
    return any(word in str(error) for word in ("CUDA", "cuDNN", "CUDNN", "cublas"))


def _blames_memory(error: Exception) -> bool:
    # It has no kind of its own for this: a failure to allocate is a "runtime exception" like any other.
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _MEMORY_WORDS)


def _memory_error(is_gpu: bool) -> DeviceMemoryError:
    if is_gpu:
        return DeviceMemoryError("the GPU ran out of memory", _MEMORY_REMEDY)
    return DeviceMemoryError("there is too little memory for the model", "close other programs")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
