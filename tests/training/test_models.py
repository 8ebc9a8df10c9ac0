"""First weights and teachers come from a checkpoint, a model's name or manifest, or a file of bare weights."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sadinet.errors import WeightsError
from sadinet.network.model import SadiNet
from sadinet.network.presets import preset
from sadinet.training.checkpoint import save_checkpoint
from sadinet.training.models import fill_network, network_of

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from small_training import NETWORK, config, trainer  # noqa: E402

MANIFEST = ROOT / "weights" / "sadinet-s.json"


def write_checkpoint(path, network):
    held = {"config": {"network": network.config.to_dict()}, "average": {"values": network.state_dict()}}
    save_checkpoint(path, held)


def same(one, other):
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_every_form_of_a_model_gives_the_same_weights_to_a_network_of_another_size(tmp_path):
    whole = network_of("sadinet-s")
    assert not whole.training
    write_checkpoint(tmp_path / "s.pt", whole)
    for source in ("sadinet-s", "default", MANIFEST, MANIFEST.with_suffix(".safetensors"), tmp_path / "s.pt"):
        network = SadiNet(preset("t"))
        fill_network(network, source)
        assert same(network, whole), source
    smaller = network_of("sadinet-s", (128, 128))
    assert smaller.config.size_wh == (128, 128)
    assert same(smaller, whole)


def test_a_training_begins_with_the_averaged_weights_of_another(tmp_path):
    first = SadiNet(NETWORK)
    write_checkpoint(tmp_path / "best.pt", first)
    assert same(trainer(tmp_path / "next", config(), start=tmp_path / "best.pt").network, first)
    assert same(trainer(tmp_path / "taught", config(), teacher=str(tmp_path / "best.pt")).teacher, first)


@pytest.mark.parametrize("source", ["sadinet-s", MANIFEST, "m.pt"], ids=["name", "manifest", "checkpoint"])
def test_a_model_of_another_network_is_one_line_that_says_what_differs(tmp_path, source):
    if source == "m.pt":
        source = tmp_path / source
        write_checkpoint(source, SadiNet(preset("m")))
    there = {"m.pt": r"\[96, 160, "}.get(Path(source).name, r"\[64, 128, ")
    with pytest.raises(WeightsError, match=rf"another network: widths is {there}.*\] there, \[16, 24\]") as caught:
        trainer(tmp_path / "out", config(), start=source)
    assert "\n" not in str(caught.value)


def test_bare_weights_of_another_network_are_one_short_line(tmp_path):
    with pytest.raises(
        WeightsError, match=r"stem\.first\.0\.weight is 32x3x3x3 there, 8x3x3x3 here, and \d+ more"
    ) as caught:
        trainer(tmp_path, config(), start=MANIFEST.with_suffix(".safetensors"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_one_tensor_more_or_less_is_named(tmp_path):
    network = SadiNet(NETWORK)
    values = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    save_file({**values, "network.x": torch.zeros(1)}, tmp_path / "more.safetensors")
    with pytest.raises(WeightsError, match=r"holds another network: x is not known here \("):
        fill_network(network, tmp_path / "more.safetensors")
    values.pop("network.stem.first.0.weight")
    save_file(values, tmp_path / "less.safetensors")
    with pytest.raises(WeightsError, match=r"holds another network: stem\.first\.0\.weight is missing \("):
        fill_network(network, tmp_path / "less.safetensors")


def test_what_is_no_model_is_one_line(tmp_path):
    shutil.copy(ROOT / "weights" / "person-yolo11n.onnx", tmp_path / "foreign.safetensors")
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    for source, said in (
        ("person-yolo11n", "is a detector"),
        ("nobody", "there is no model 'nobody'"),
        (ROOT / "weights" / "sadinet-s.onnx", "is not a manifest"),
        (tmp_path / "foreign.safetensors", "is damaged, or is no safetensors file"),
        (tmp_path / "other.safetensors", "is not a SADI-NET"),
        (tmp_path / "folder.safetensors", "there is no file"),
        (tmp_path / "none.safetensors", "there is no file"),
        (tmp_path / "none.pt", "no checkpoint"),
    ):
        with pytest.raises(WeightsError, match=said) as caught:
            fill_network(SadiNet(NETWORK), source)
        assert "\n" not in str(caught.value)


def test_bare_weights_do_not_tell_their_network():
    with pytest.raises(WeightsError, match="does not tell its network"):
        network_of(MANIFEST.with_suffix(".safetensors"))
