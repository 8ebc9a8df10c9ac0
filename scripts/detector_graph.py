"""Surgery on the detector's ONNX graph: cut, feed with plain pictures, store smaller."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.utils
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, version_converter

from sadinet.people.letterbox import Letterbox

HEADS = ("heads8", "heads16", "heads32")
STRIDES = (8, 16, 32)
HEAD_CHANNELS = 65
OPSET = 17
"""Per-channel quantisation needs 13; 17 is what onnxruntime 1.14 and later run."""

_CUTS = ("/model.23/Concat_1_output_0", "/model.23/Concat_2_output_0", "/model.23/Concat_3_output_0")
_ATTENTION = "/model.10/m/m.0/attn/"
_SILU = {"Conv", "Sigmoid"}
"""What a convolution's SiLU multiplies."""
_QUANTISED = ["Conv", "Mul", "Sigmoid", "Concat", "Add", "MaxPool", "Resize", "Split"]
"""Activations too: between quantised convolutions they would otherwise cost more than is won."""


def cut_to_people(source: onnx.ModelProto) -> onnx.ModelProto:
    """Cut the graph to the raw heads, for any height and width, and give it uint8 NHWC BGR as input."""
    model = onnx.utils.Extractor(source).extract_model([source.graph.input[0].name], list(_CUTS))
    model = version_converter.convert_version(model, OPSET)
    graph = model.graph
    del graph.value_info[:]
    _free_attention(graph)
    _split_weights(graph)
    _rename_outputs(graph)
    _take_pictures(graph)
    _drop_unused(graph)
    del model.metadata_props[:]
    helper.set_model_props(model, {"precision": "fp32", "licence": "AGPL-3.0", "source": "yolo11n-pose, Ultralytics"})
    onnx.checker.check_model(model, full_check=True)
    return model


def store_as_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy that stores large weights as float16; it computes in float32 as before."""
    half = onnx.ModelProto()
    half.CopyFrom(model)
    casts = []
    for value in half.graph.initializer:
        if value.data_type != TensorProto.FLOAT or np.prod(value.dims) < 64:
            continue
        name = value.name
        value.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(value).astype(np.float16), name + "_half"))
        casts.append(helper.make_node("Cast", [value.name], [name], to=TensorProto.FLOAT))
    _prepend(half.graph, casts)
    onnx.checker.check_model(half, full_check=True)
    return half


def quantise(model: onnx.ModelProto, path: Path, pictures: list[Path], area: int) -> None:
    """Write a statically quantised copy: uint8 activations, int8 weights per channel, calibrated on pictures."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds = _feeds(pictures, area)

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            return next(self._feeds, None)

    with tempfile.TemporaryDirectory() as folder:
        plain, ready = Path(folder) / "plain.onnx", Path(folder) / "ready.onnx"
        onnx.save(model, plain)
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        quantize_static(
            str(ready), str(path), Reader(), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=_QUANTISED,
            nodes_to_exclude=[node.name for node in onnx.load(ready).graph.node if _is_delicate(node)],
        )  # fmt: skip


def _feeds(pictures: list[Path], area: int) -> Iterator[dict[str, NDArray[np.uint8]]]:
    for path in pictures:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None:
            letterbox = Letterbox.fit((image.shape[1], image.shape[0]), area, max(STRIDES))
            yield {"image": letterbox.apply(np.asarray(image, dtype=np.uint8))[None]}


def _is_delicate(node: onnx.NodeProto) -> bool:
    """Say whether a node stays in float32: the heads' last layers, and the attention's products."""
    is_last = node.name.startswith("/model.23/") and node.name.endswith(".2/Conv")
    return is_last or (node.name.startswith(_ATTENTION) and node.op_type != "Conv")


def _free_attention(graph: onnx.GraphProto) -> None:
    """The attention reshapes to a fixed map; let it read the map's size from its input."""
    nodes = {node.name: node for node in graph.node}
    first = nodes[_ATTENTION + "Reshape"]
    constants = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    heads, channels = (int(n) for n in constants[first.input[1]][1:3])
    back = [nodes[_ATTENTION + name] for name in ("Reshape_1", "Reshape_2")]
    width = int(constants[back[0].input[1]][1])
    graph.initializer.extend([
        numpy_helper.from_array(np.array([0, heads, channels, -1], np.int64), "tokens"),
        numpy_helper.from_array(np.array([0, width], np.int64), "map_head"),
        numpy_helper.from_array(np.array([2], np.int64), "map_from"),
        numpy_helper.from_array(np.array([4], np.int64), "map_to"),
    ])  # fmt: skip
    sizes = [
        helper.make_node("Shape", [first.input[0]], ["attention_shape"]),
        helper.make_node("Slice", ["attention_shape", "map_from", "map_to"], ["map_tail"]),
        helper.make_node("Concat", ["map_head", "map_tail"], ["map_shape"], axis=0),
    ]
    first.input[1] = "tokens"
    for node in back:
        node.input[1] = "map_shape"
    place = next(i for i, node in enumerate(graph.node) if node.name == first.name)
    nodes_now = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes_now[:place], *sizes, *nodes_now[place:]])


def _split_weights(graph: onnx.GraphProto) -> None:
    """Where the output of a convolution with SiLU is split, compute the parts by a convolution each.

    The numbers are the same. At a split ONNX Runtime copies the whole feature out of the layout in which it computes.
    """
    made_by = {name: node for node in graph.node for name in node.output}
    weights = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    for split in [node for node in graph.node if node.op_type == "Split"]:
        product = made_by.get(split.input[0])
        if product is None or product.op_type != "Mul" or {made_by[name].op_type for name in product.input} != _SILU:
            continue
        gate, conv = sorted((made_by[name] for name in product.input), key=lambda node: node.op_type, reverse=True)
        parts = zip(*(np.split(weights[name], len(split.output)) for name in conv.input[1:3]), strict=True)
        nodes: list[onnx.NodeProto] = []
        for output, values in zip(split.output, parts, strict=True):
            names = [f"{output}_{what}" for what in ("kernel", "bias", "sum", "gate")]
            for name, value in zip(names, values, strict=False):
                graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
            alone = helper.make_node("Conv", [conv.input[0], *names[:2]], [names[2]])
            alone.attribute.extend(conv.attribute)
            gated = helper.make_node("Mul", [names[2], names[3]], [output])
            nodes += [alone, helper.make_node("Sigmoid", [names[2]], [names[3]]), gated]
        at = list(graph.node).index(split)
        for node in reversed(nodes):
            graph.node.insert(at, node)
        for node in (conv, gate, product, split):
            graph.node.remove(node)


def _rename_outputs(graph: onnx.GraphProto) -> None:
    names = dict(zip(_CUTS, HEADS, strict=True))
    for node in graph.node:
        node.output[:] = [names.get(output, output) for output in node.output]
    del graph.output[:]
    graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", HEAD_CHANNELS, f"h{stride}", f"w{stride}"])
        for name, stride in zip(HEADS, STRIDES, strict=True)
    )


def _take_pictures(graph: onnx.GraphProto) -> None:
    """Fold scale and colour order into the first convolution, whose input then is the picture as it is."""
    image = graph.input[0].name
    (first,) = [node for node in graph.node if image in node.input]
    kernel = next(value for value in graph.initializer if value.name == first.input[1])
    values = numpy_helper.to_array(kernel)[:, ::-1] / np.float32(255)
    kernel.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), kernel.name))
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", "h", "w", 3]))
    _prepend(graph, [
        helper.make_node("Cast", ["image"], ["image_float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["image_float"], [image], perm=[0, 3, 1, 2]),
    ])  # fmt: skip


def _prepend(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [value for value in graph.initializer if value.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
