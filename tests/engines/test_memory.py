"""A device that runs out of memory is told as such, whatever its runtime calls it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from sadinet.engines.onnx import OnnxEngine
from sadinet.engines.session import run_session
from sadinet.engines.torch import TorchEngine
from sadinet.errors import DeviceError, DeviceMemoryError, WeightsError
from sadinet.people.detector import open_detector
from sadinet.weights import find_weights

FROM_ARENA = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv node. Status "
    "Message: bfc_arena.cc:376 AllocateRawInternal Failed to allocate memory for requested buffer of size 939524096"
)
FROM_CUDA = "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 2: out of memory ; GPU=0 ; hostname=here"
FROM_CUBLAS = "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0"


class Full:
    """A session in which there is no room; what it raises is what ONNX Runtime raises."""

    def __init__(self, session, message, provider="CUDAExecutionProvider"):
        self._session, self._message, self._provider = session, message, provider

    def run(self, outputs, feeds):
        raise RuntimeException(self._message)

    def get_inputs(self):
        return self._session.get_inputs()

    def get_providers(self):
        return [self._provider, "CPUExecutionProvider"]


def some_crops(weights):
    width, height = weights.manifest.input.size_wh
    return np.zeros((1, height, width, 3), np.uint8)


@pytest.mark.parametrize("message", [FROM_ARENA, FROM_CUDA, FROM_CUBLAS])
def test_onnx_runtime_out_of_memory(message):
    weights = find_weights("default")
    engine = OnnxEngine(weights, device="cpu")
    engine._session = Full(engine._session, message)
    with pytest.raises(DeviceMemoryError, match="the GPU ran out of memory") as caught:
        engine.maps(some_crops(weights))
    assert "--device cpu" in caught.value.remedy


def test_other_failures_of_onnx_runtime_are_none_of_memory():
    weights = find_weights("default")
    engine = OnnxEngine(weights, device="cpu")
    engine._session = Full(engine._session, "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions")
    with pytest.raises(WeightsError, match="INVALID_ARGUMENT"):
        engine.maps(some_crops(weights))


def test_the_detector_out_of_memory():
    detector = open_detector("default", "cpu")
    detector._session = Full(detector._session, FROM_ARENA)
    with pytest.raises(DeviceMemoryError, match="the GPU"):
        detector(np.zeros((96, 128, 3), np.uint8))


def test_the_computers_own_memory_is_not_called_a_gpus():
    with pytest.raises(DeviceMemoryError, match="too little memory") as caught:
        run_session(Full(None, FROM_ARENA, "CPUExecutionProvider"), ["y"], {})
    assert "GPU" not in str(caught.value)


def test_torch_out_of_memory(monkeypatch):
    weights = find_weights("default")
    engine = TorchEngine(weights, device="cpu")

    def full(fed):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    engine._network = full
    for run in (engine.maps, lambda crops: engine.joints(crops, weights.pose.decode)):
        with pytest.raises(DeviceMemoryError, match="the GPU ran out of memory"):
            run(some_crops(weights))


def test_torch_out_of_memory_while_the_model_is_put_on_the_device(monkeypatch):
    def full(self, network):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(TorchEngine, "_placed", full)
    with pytest.raises(DeviceError, match="the GPU ran out of memory"):
        TorchEngine(find_weights("default"), device="cpu")
