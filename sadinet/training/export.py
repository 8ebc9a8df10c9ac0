"""From a checkpoint to shipped files: safetensors, ONNX in two precisions, and the manifest's values."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from sadinet.atomic import output_error, write_bytes
from sadinet.engines.session import PRECISION_KEY, open_session
from sadinet.errors import WeightsError
from sadinet.network.model import Deployed
from sadinet.network.serving import serving_form

OPSET = 17
BATCH = "people"
"""Name of the axis that is free."""

_TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Largest differences between torch and ONNX Runtime on the same crops: heatmap values, and sigma in cells."""

    precision: str
    heatmaps: float
    sigma: float


def write_safetensors(deployed: Deployed, path: Path) -> None:
    """Write all tensors in fp32, contiguous; raises `OutputError` if the disk refuses."""
    tensors = {name: value.detach().contiguous() for name, value in deployed.state_dict().items()}
    plain = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    write_bytes(path, save(plain))


def write_onnx(deployed: Deployed, path: Path, precision: str) -> Agreement:
    """Export with a dynamic batch, and hold ONNX Runtime against torch.

    Args:
        deployed: in fp32, in evaluation mode.
        path: the file to write.
        precision: "fp32" or "fp16"; input is uint8 and output fp32 in both.

    Raises:
        WeightsError: if both runtimes disagree.
        OutputError: if the disk refuses.
    """
    try:
        return _write_onnx(deployed, path, precision)
    except OSError as error:
        raise output_error(path, error) from error


def _write_onnx(deployed: Deployed, path: Path, precision: str) -> Agreement:
    width, height = deployed.network.config.size_wh
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    with torch.no_grad():
        told = [value.numpy() for value in deployed(torch.from_numpy(crops))]
    exported = Deployed(serving_form(deployed.network), deployed.sigma_scale).eval()
    if precision == "fp16":
        exported.network.half()
    names = ["heatmaps", "sigma"][: len(told)]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        # A picture's size is a constant of the graph, and is meant to be.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        draft = Path(folder) / path.name
        torch.onnx.export(
            exported, (torch.from_numpy(crops[:2]),), str(draft), dynamo=False, opset_version=OPSET,
            input_names=["crops"], output_names=names, dynamic_axes={name: {0: BATCH} for name in ["crops", *names]},
        )  # fmt: skip
        model = onnx.load(str(draft))
        _tell_batch(model)
        onnx.helper.set_model_props(model, {PRECISION_KEY: precision})
        onnx.checker.check_model(model)
        onnx.save(model, str(draft))
        agreement = _compare(draft, crops, told, precision)
        draft.replace(path)
    return agreement


def _tell_batch(model: onnx.ModelProto) -> None:
    """Write down that every feature has one entry a person.

    ONNX's inference of shapes forgets it at each resize; products of features whose shapes ONNX Runtime cannot prove
    equal are computed in another layout.
    """
    inferred = onnx.shape_inference.infer_shapes(model)
    for value in inferred.graph.value_info:
        sides = value.type.tensor_type.shape.dim
        if len(sides) == 4 and not sides[0].HasField("dim_value"):
            sides[0].dim_param = BATCH
            model.graph.value_info.append(value)


def _compare(path: Path, crops: NDArray[np.uint8], told: list[NDArray[np.float32]], precision: str) -> Agreement:
    session, _ = open_session(path, device="cpu")
    alone, rest = session.run(None, {"crops": crops[:1]}), session.run(None, {"crops": crops[1:]})
    got = [np.concatenate(parts) for parts in zip(alone, rest, strict=True)]
    apart = [float(np.abs(a - b).max()) for a, b in zip(told, got, strict=True)]
    if not apart[0] <= _TOLERANCE[precision]:
        raise WeightsError(
            f"torch and ONNX Runtime differ by {apart[0]:.2g} in {precision}", "the export is not to be used"
        )
    return Agreement(precision, apart[0], apart[1] if len(apart) > 1 else 0.0)
