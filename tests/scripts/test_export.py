"""A checkpoint becomes a model of the shape, targets and joints that it was trained with."""

from __future__ import annotations

import importlib
import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from sadinet.geometry import Box
from sadinet.network.config import NetworkConfig
from sadinet.network.model import SadiNet
from sadinet.people.estimator import PoseEstimator
from sadinet.weights import find_weights

SCRIPTS = Path(__file__).parents[2] / "scripts"
# torch's own, about its older exporter.
pytestmark = pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning")
TOLD = ["--name", "mine", "--data", "made-up people", "--licence", "none"]


@pytest.fixture
def export(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("export_onnx").main


@pytest.fixture
def checkpoint(tmp_path):
    """Of crops higher than wide, with narrow targets and COCO's joints, as the recipe coco-128x96 makes it."""
    torch.manual_seed(1)
    config = NetworkConfig(joints=17, size_wh=(96, 128), widths=(8, 16), blocks=(), heatmap_sigma=1.0)
    path = tmp_path / "best.pt"
    held = {"config": {"network": config.to_dict(), "skeleton": "coco17"}}
    torch.save({**held, "average": {"steps": 1, "values": SadiNet(config).state_dict()}}, path)
    return path


def test_shape_targets_and_joints_are_the_checkpoints(export, checkpoint, tmp_path):
    assert export([str(checkpoint), *TOLD, "--out", str(tmp_path)]) == 0
    manifest = find_weights(tmp_path / "mine.json").manifest
    assert manifest.input.size_wh == (96, 128)
    assert manifest.pose.heatmap.sigma == 1
    assert manifest.pose.skeleton.name == "coco17"
    assert PoseEstimator(tmp_path / "mine.json", device="cpu").skeleton.name == "coco17"


def test_another_size_keeps_the_targets_width_in_the_picture(export, checkpoint, tmp_path):
    assert export([str(checkpoint), *TOLD, "--out", str(tmp_path), "--size", "192x256"]) == 0
    manifest = find_weights(tmp_path / "mine.json").manifest
    assert (manifest.input.size_wh, manifest.pose.heatmap.sigma) == ((192, 256), 2)


def test_factors_of_the_uncertainty_are_taken_over(export, checkpoint, tmp_path):
    (tmp_path / "scale.json").write_text(json.dumps([[2, 3]] * 17), encoding="utf-8")
    assert export([str(checkpoint), *TOLD, "--out", str(tmp_path)]) == 0
    plain = PoseEstimator(tmp_path / "mine.json", device="cpu")
    image = np.random.default_rng(0).integers(0, 256, (128, 96, 3), dtype=np.uint8)
    before = plain(image, [_whole(image)])[0].sigmas
    assert export([str(checkpoint), *TOLD, "--out", str(tmp_path), "--sigma-scale", str(tmp_path / "scale.json")]) == 0
    after = PoseEstimator(tmp_path / "mine.json", device="cpu")(image, [_whole(image)])[0].sigmas
    np.testing.assert_allclose(after, before * [2, 3], rtol=1e-3)


def _whole(image):
    return Box(0, 0, image.shape[1], image.shape[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--skeleton", "body19"], "has 17 maps, body19 has 19 joints"),
        (["--size", "wide"], "as in 192x256"),
        (["--size", "100"], "multiples of"),
        (["--sigma-scale", "gone.json"], "cannot read gone.json"),
        (["--sigma-scale", "one.json"], "holds 1x2, not 17x2 factors"),
        (["--sigma-scale", "text.json"], "no table of numbers"),
        (["--figures", "one.json"], "no figures by name"),
        (["--out", "one.json"], "one.json"),
    ],
)
def test_what_cannot_be_exported_is_one_line(export, checkpoint, tmp_path, monkeypatch, capsys, change, words):
    monkeypatch.chdir(tmp_path)
    Path("one.json").write_text("[[1, 1]]", encoding="utf-8")
    Path("text.json").write_text('"half"', encoding="utf-8")
    assert export([str(checkpoint), *TOLD, "--out", str(tmp_path / "out"), *change]) == 1
    told = capsys.readouterr().err.strip()
    assert words in told
    assert told.startswith("export: ")
    assert "\n" not in told
    assert not (tmp_path / "out" / "mine.json").exists()


def test_a_full_disk_is_one_line(export, checkpoint, tmp_path, capsys):
    resource = pytest.importorskip("resource", reason="no limits of files on this system")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        assert export([str(checkpoint), *TOLD, "--out", str(tmp_path / "out")]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "mine.safetensors" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("mine*"))
