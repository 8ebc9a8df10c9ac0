"""The evaluation script: what it writes, and one line and exit code 1 for what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from sadinet.skeletons import LSP14

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def evaluate(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import evaluate

    return evaluate.main


@pytest.fixture(scope="module")
def lspet(tmp_path_factory, markers):
    """Two pictures, 3 and 5, of dots on a grid; beside them a model that finds such dots."""
    root = tmp_path_factory.mktemp("lspet")
    (root / "images").mkdir()
    grid = np.stack(np.meshgrid([60.0, 120, 180], [50.0, 100, 150, 200, 250]), axis=-1).reshape(-1, 2)[:14]
    labels = np.ones((14, 3, 5))
    labels[:, :2] = grid[:, :, None]
    scipy.io.savemat(root / "joints.mat", {"joints": labels})
    for number in (3, 5):
        image = markers.paint((240, 300), grid, 6)
        cv2.imwrite(str(root / "images" / f"im{number:05d}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    markers.model(root, LSP14, (160, 192))
    return root


def test_figures_of_all_decodings_are_written(evaluate, lspet, tmp_path, capsys):
    written, saved = tmp_path / "figures.json", tmp_path / "found.npz"
    arguments = ["--weights", str(lspet / "lsp14.json"), "--dataset", "lspet", "--root", str(lspet)]
    arguments += ["--json", str(written), "--predictions", str(saved), "--device", "cpu", "--select", "1:4"]
    assert evaluate([*arguments, "--decode", "dark", "shift", "--modulation", "max", "none"]) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    assert list(report["decodes"]) == ["dark-max", "dark-none", "shift"]
    assert report["PCK@0.05"] == report["decodes"]["dark-max"]["PCK@0.05"] == 100
    assert (report["decode"], report["pictures"], report["people"]) == ("dark-max", 1, 1)
    assert report["decodes"]["shift"]["modulation"] is None
    assert report["weights"]["name"] == "lsp14"
    assert report["decodes"]["shift"]["pixel_error"]["mean"] > 2 * report["pixel_error"]["mean"]
    with np.load(saved) as file:
        assert file["index"].tolist() == [3]
        assert file["names"].tolist() == list(LSP14.joints)
    printed = capsys.readouterr().out
    assert "PCK@0.05" in printed
    assert "100.00" in printed


def test_without_asking_the_models_own_decoding_is_used(evaluate, lspet, tmp_path):
    written = tmp_path / "figures.json"
    arguments = ["--weights", str(lspet / "lsp14.json"), "--dataset", "lspet", "--root", str(lspet), "--device", "cpu"]
    assert evaluate([*arguments, "--json", str(written)]) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    assert list(report["decodes"]) == ["dark"]
    assert (report["method"], report["modulation"], report["pictures"]) == ("dark", "max", 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--root", "elsewhere"], "no folder elsewhere"),
        (["--select", "70:90"], "none of im00070.jpg to im00090.jpg"),
        (["--select", "x"], "first:last"),
        (["--weights", "nothing-of-this-name"], "nothing-of-this-name"),
        (["--json", "not/there/figures.json"], "cannot write"),
        (["--dataset", "coco"], "person_keypoints.json"),
        (["--device", "cpu", "--engine", "torch"], "is not a SADI-NET"),
    ],
)
def test_bad_input_is_one_line(evaluate, lspet, tmp_path, capsys, monkeypatch, change, words):
    monkeypatch.chdir(tmp_path)
    arguments = ["--weights", str(lspet / "lsp14.json"), "--dataset", "lspet", "--root", str(lspet)]
    assert evaluate([*arguments, "--json", "figures.json", *change]) == 1
    told = capsys.readouterr().err.strip()
    assert told.startswith("evaluate: ")
    assert words in told
    assert "\n" not in told
    assert not list(tmp_path.iterdir())
