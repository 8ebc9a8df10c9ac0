"""The form in which networks are exported: the same numbers, and a layout that ONNX Runtime keeps."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime as ort  # noqa: E402

from sadinet.network.config import NetworkConfig  # noqa: E402
from sadinet.network.model import Deployed, SadiNet  # noqa: E402
from sadinet.network.serving import serving_form  # noqa: E402
from sadinet.training.export import write_onnx  # noqa: E402
from sadinet.weights import find_weights  # noqa: E402

CONFIG = NetworkConfig(joints=5, size_wh=(64, 64), widths=(32, 64), blocks=(1, 2), heatmap_sigma=1.5)


def stirred(**switches) -> SadiNet:
    """A network whose batch norms and fusion have values as after a training, not those of the start."""
    values = {**CONFIG.to_dict(), "size_wh": CONFIG.size_wh, "widths": CONFIG.widths, "blocks": CONFIG.blocks}
    torch.manual_seed(0)
    network = SadiNet(NetworkConfig(**{**values, **switches}))
    for name, value in network.named_parameters():
        if value.dim() == 1:
            value.data += 0.1 * torch.randn_like(value)
        elif "weigh" in name or "gate" in name:
            value.data *= 3
    # Statistics that were drawn instead of seen let features grow from block to block, and rounding with them.
    with torch.no_grad():
        for _ in range(40):
            network.train()(torch.randn(4, 3, 64, 64))
    return calmed(network.eval())


def calmed(network: SadiNet) -> SadiNet:
    """Bring the heatmaps to the size that trained ones have: what rounding leaves is multiplied in the softmax."""
    with torch.no_grad():
        for stack in network.stacks:
            highest = max(float(answer.raw.abs().max()) for answer in network(torch.randn(2, 3, 64, 64)))
            stack.head.heatmap.weight /= highest
            stack.head.heatmap.bias /= highest
    return network


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"stacks": 2},
        {"se": False},
        {"block": "residual"},
        {"block": "aspp"},
        {"dilations": (1, 2, 4, 8)},
        {"sfm": "none"},
        {"sfm": "global"},
        {"sfm": "local"},
        {"dlm": "off"},
        {"widths": (32, 48, 64), "blocks": (1, 1, 1)},
    ],
    ids=str,
)
def test_it_says_what_the_trained_network_says(switches):
    network = stirred(**switches)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    served = serving_form(network)
    crops = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        told, got = network(crops), served(crops)
    for one, other in zip(told, got, strict=True):
        torch.testing.assert_close(other.heatmaps, one.heatmaps, rtol=1e-3, atol=1e-3)
        if one.sigma is not None:
            torch.testing.assert_close(other.sigma, one.sigma, rtol=1e-3, atol=1e-3)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_network_that_is_being_trained_has_no_such_form():
    with pytest.raises(ValueError, match="evaluation"):
        serving_form(stirred().train())


def layout_changes(model: bytes | str, tmp_path) -> dict[str, int]:
    """Count the copies between layouts in the graph that ONNX Runtime makes of a model."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(options.optimized_model_filepath).graph.node
    return {kind: sum(node.op_type == kind for node in nodes) for kind in ("ReorderInput", "ReorderOutput")}


# Of torch's exporter, which announces the end of its own logging.
export_warns = pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning")


def uses_blocks() -> bool:
    """Whether ONNX Runtime computes on blocks of channels here; it does on x86-64."""
    import platform

    return platform.machine().lower() in ("amd64", "x86_64")


@export_warns
@pytest.mark.skipif(not uses_blocks(), reason="ONNX Runtime computes on blocks of channels on x86-64 alone")
def test_the_exported_network_hardly_changes_its_layout(tmp_path):
    path = tmp_path / "small.onnx"
    write_onnx(Deployed(stirred()).eval(), path, "fp32")
    changes = layout_changes(str(path), tmp_path)
    # In: each scale's share of the global fusion. Out: the logits of these shares, the head's maps and its feature.
    assert changes["ReorderInput"] <= 2
    assert 1 <= changes["ReorderOutput"] <= 3


@pytest.mark.skipif(not uses_blocks(), reason="ONNX Runtime computes on blocks of channels on x86-64 alone")
@pytest.mark.parametrize(("kind", "most"), [("pose", 8), ("detector", 12)])
def test_the_shipped_models_hardly_change_their_layout(kind, most, tmp_path):
    changes = layout_changes(str(find_weights("default", kind).file("onnx")), tmp_path)
    assert 1 <= sum(changes.values()) <= most


@export_warns
def test_any_number_of_people_goes_through(tmp_path):
    path = tmp_path / "small.onnx"
    write_onnx(Deployed(stirred()).eval(), path, "fp32")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    crops = np.random.default_rng(0).integers(0, 256, (7, 64, 64, 3), dtype=np.uint8)
    together = session.run(None, {"crops": crops})
    alone = [session.run(None, {"crops": crop[None]}) for crop in crops]
    for place, values in enumerate(together):
        np.testing.assert_allclose(values, np.concatenate([each[place] for each in alone]), atol=1e-4)
