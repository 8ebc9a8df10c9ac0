"""Sessions say what they run on, and refuse what is not there."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from sadinet.engines.session import open_session, physical_cores
from sadinet.errors import DeviceError, WeightsError
from sadinet.weights import find_weights

has_cuda = "CUDAExecutionProvider" in ort.get_available_providers()


@pytest.fixture
def model(tmp_path):
    return save(tmp_path / "double.onnx", TensorProto.FLOAT)


def save(path, dtype, **metadata):
    x, y = (helper.make_tensor_value_info(name, dtype, ["n"]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", [x], [y])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(made, metadata)
    onnx.save(made, path)
    return path


def test_a_session_runs_and_says_on_what(model):
    session, runtime = open_session(model, device="cpu", threads=1)
    np.testing.assert_array_equal(session.run(None, {"x": np.array([1.5], np.float32)})[0], [3.0])
    assert (runtime.engine, runtime.version, runtime.device) == ("onnxruntime", ort.__version__, "cpu")
    assert (runtime.precision, runtime.why) == ("fp32", "asked for")


def test_precision_is_the_files_own_word_or_its_type(tmp_path):
    told = save(tmp_path / "told.onnx", TensorProto.FLOAT, precision="int8")
    typed = save(tmp_path / "typed.onnx", TensorProto.FLOAT16)
    assert open_session(told, device="cpu")[1].precision == "int8"
    assert open_session(typed, device="cpu")[1].precision == "fp16"


def test_threads_are_the_physical_cores_or_as_told(model):
    assert physical_cores() >= 1
    session, _ = open_session(model, device="cpu")
    assert session.get_session_options().intra_op_num_threads == min(physical_cores(), 8)
    session, _ = open_session(model, device="cpu", threads=3)
    assert session.get_session_options().intra_op_num_threads == 3


@pytest.mark.skipif(has_cuda, reason="CUDA is here")
def test_cuda_that_is_asked_for_and_missing_is_an_error(model):
    with pytest.raises(DeviceError, match=r"no CUDA here, only: .*CPU") as error:
        open_session(model, device="cuda")
    assert "onnxruntime-gpu" in error.value.remedy
    assert "Azure" not in error.value.message


@pytest.mark.skipif(has_cuda, reason="CUDA is here")
def test_auto_takes_the_cpu_and_says_why(model):
    _, runtime = open_session(model)
    assert runtime.device == "cpu"
    assert "no CUDA" in runtime.why


@pytest.mark.skipif(not has_cuda, reason="onnxruntime has no CUDA here")
def test_auto_takes_cuda_where_it_works(model):
    session, runtime = open_session(model)
    assert (runtime.device == "cuda") == (session.get_providers()[0] == "CUDAExecutionProvider")


@pytest.mark.parametrize("change", [{"device": "tpu"}, {"threads": 0}])
def test_nonsense_is_refused(model, change):
    with pytest.raises(DeviceError):
        open_session(model, **change)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "absent"])
def test_a_damaged_model_is_one_line_and_no_noise(tmp_path, damage, capfd):
    path = tmp_path / "model.onnx"
    whole = find_weights("default", "detector").file("onnx").read_bytes()
    if damage != "absent":
        path.write_bytes({"empty": b"", "text": b"no network\n" * 9, "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(WeightsError, match=r"model\.onnx") as error:
        open_session(path, device="cpu")
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_importing_weights_loads_no_runtime():
    code = (
        "import sys, sadinet.weights; print([m for m in ('onnxruntime', 'cv2', 'torch', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
