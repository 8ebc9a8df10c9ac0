"""The detector's scripts: storing halves, and counting who was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))


def test_halves_are_half_as_large_and_compute_alike():
    from detector_graph import store_as_half
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.random.default_rng(0).normal(size=(8, 16)).astype(np.float32)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 16])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [numpy_helper.from_array(kernel, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    half = store_as_half(model)
    assert len(half.graph.initializer[0].raw_data) * 2 == len(model.graph.initializer[0].raw_data)
    assert model.graph.initializer[0].data_type == TensorProto.FLOAT
    fed = {"x": np.ones((1, 8), np.float32)}
    whole, halved = (ort.InferenceSession(m.SerializeToString()).run(None, fed)[0] for m in (model, half))
    np.testing.assert_allclose(halved, whole, atol=0.02)
    assert not np.array_equal(halved, whole)
    onnx.checker.check_model(half)


def test_each_box_covers_one_person_and_as_many_as_possible():
    from measure_detector import covered

    people = np.array([[0, 0, 10, 10], [1, 0, 10, 10]], float)
    assert covered(people, people[:1]).sum() == 1
    # The first box fits both, the second only the first person: both can be served.
    assert covered(people, np.array([[0.5, 0, 10, 10], [-3, 0, 10, 10]])).all()
    assert not covered(people, np.empty((0, 4))).any()
    assert covered(np.empty((0, 4)), people).shape == (0,)


def test_a_folder_without_the_labelled_pictures_is_one_line(tmp_path, capsys):
    from measure_detector import main

    labels = tmp_path / "labels.json"
    labels.write_text('{"images": [{"id": 1, "file_name": "there.jpg"}], "annotations": []}', encoding="utf-8")
    assert main(["--root", str(tmp_path), "--annotations", str(labels)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("measure_detector: ")
    assert "has none of the pictures" in line
