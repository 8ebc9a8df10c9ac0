"""Models are found by name or path, checked before use, and never stand in for one another."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from sadinet import weights as module
from sadinet.errors import WeightsError
from sadinet.weights import DEFAULTS, file_entry, find_weights, list_weights, load_weights, manifest_paths

CONTENT = b"not a network, but bytes with a hash"


def make(folder, name="toy", kind="pose", changes=None):
    """Write a model whose file and manifest agree, but for `changes` to the file's entry."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(CONTENT)
    entry = {"name": f"{name}.onnx", "sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}
    values = {
        "format": 1, "name": name, "kind": kind, "files": {"onnx": entry | (changes or {})},
        "input": {
            "size_wh": [64, 64], "layout": "nhwc", "dtype": "uint8", "channels": "bgr",
            "mean": [0, 0, 0], "std": [1, 1, 1],
        },
        "data": "none", "figures": {}, "licence": "none", "origin": {"commit": "none", "command": "none"},
    }  # fmt: skip
    if kind == "pose":
        values |= {
            "skeleton": "lsp14", "heatmap": {"stride": 4, "sigma": 2}, "network": None,
            "decode": {"method": "dark", "modulation": "max"}, "outputs": {"heatmaps": "h", "sigma": None},
        }  # fmt: skip
    else:
        values["detector"] = {"score": 0.3, "iou": 0.6, "max_boxes": 9, "outputs": ["a"], "strides": [8], "bins": 4}
    (folder / f"{name}.json").write_text(json.dumps(values), encoding="utf-8")
    return folder / f"{name}.json"


@pytest.fixture
def own(tmp_path, monkeypatch):
    folder = tmp_path / "own models"
    folder.mkdir()
    monkeypatch.setenv("SADINET_WEIGHTS", str(folder))
    return folder


def test_a_sound_file_is_returned(tmp_path):
    weights = load_weights(make(tmp_path))
    assert weights.file("onnx") == tmp_path / "toy.onnx"
    assert weights.file("onnx").read_bytes() == CONTENT
    assert weights.has("onnx")
    assert not weights.has("safetensors")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "00" * 32}, "is not the file of its manifest"),
        ({"bytes": 7}, "its manifest says 7"),
        ({"name": "other.onnx"}, "cannot read"),
    ],
)
def test_a_manifest_that_lies_is_found_out(tmp_path, change, words):
    with pytest.raises(WeightsError, match=words) as error:
        load_weights(make(tmp_path, changes=change)).file("onnx")
    assert error.value.remedy
    assert "\n" not in str(error.value)


def test_a_truncated_file_is_found_out(tmp_path):
    weights = load_weights(make(tmp_path))
    (tmp_path / "toy.onnx").write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=f"has {len(CONTENT) - 1} bytes"):
        weights.file("onnx")


def test_a_file_that_changes_after_the_first_check_is_found_out(tmp_path):
    weights = load_weights(make(tmp_path))
    weights.file("onnx")
    (tmp_path / "toy.onnx").write_bytes(CONTENT[::-1])
    os.utime(tmp_path / "toy.onnx", ns=(1, 1))
    with pytest.raises(WeightsError, match="is not the file of its manifest"):
        weights.file("onnx")


def test_a_hash_is_computed_once(tmp_path, monkeypatch):
    weights = load_weights(make(tmp_path))
    first = weights.file("onnx")
    monkeypatch.setattr(module.hashlib, "file_digest", None)
    assert weights.file("onnx") == first


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    weights = load_weights(make(tmp_path))
    (tmp_path / "toy.onnx").unlink()
    (tmp_path / "toy.onnx").mkdir()
    with pytest.raises(WeightsError, match="is not a file"):
        weights.file("onnx")


def test_a_kind_of_file_that_is_not_listed_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="no safetensors file") as error:
        load_weights(make(tmp_path)).file("safetensors")
    assert "onnx" in error.value.remedy


def test_a_model_answers_only_for_its_kind(tmp_path):
    pose, detector = load_weights(make(tmp_path)), load_weights(make(tmp_path, "found", "detector"))
    assert pose.pose.heatmap.stride == 4
    assert detector.detector.bins == 4
    with pytest.raises(WeightsError, match="a detector was asked for"):
        _ = pose.detector
    with pytest.raises(WeightsError, match="a pose model was asked for"):
        _ = detector.pose


def test_found_by_name_path_and_folder(own):
    path = make(own)
    assert find_weights("toy").path == path
    assert find_weights(path).path == path
    assert find_weights(str(own)).path == path
    assert "toy" in [weights.name for weights in list_weights("pose")]
    assert "toy" not in [weights.name for weights in list_weights("detector")]


def test_a_folder_of_the_working_directory_does_not_hide_a_name(own, monkeypatch):
    make(own)
    (own / "toy").mkdir()
    monkeypatch.chdir(own)
    assert find_weights("toy").path.name == "toy.json"


def test_an_unknown_name_lists_what_is_there(own):
    make(own)
    with pytest.raises(WeightsError, match="no model 'tow'") as error:
        find_weights("tow")
    assert "toy" in error.value.remedy


def test_a_damaged_neighbour_does_not_hide_the_answer(own):
    (own / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(WeightsError, match="no model 'tow'"):
        find_weights("tow")
    assert own / "broken.json" in manifest_paths()


def test_the_other_kind_is_refused(own):
    make(own, "found", "detector")
    with pytest.raises(WeightsError, match="found is a detector model, a pose model was asked for"):
        find_weights("found")


def test_two_models_of_one_name_are_refused(own):
    make(own, DEFAULTS["detector"], "detector")
    with pytest.raises(WeightsError, match="two models"):
        find_weights("default", "detector")


def test_a_name_that_is_not_the_files_is_refused(own):
    make(own).rename(own / "toy2.json")
    with pytest.raises(WeightsError, match="calls its model 'toy'"):
        find_weights("toy2")


def test_a_folder_with_two_models_is_refused(own):
    make(own), make(own, "toy2")
    with pytest.raises(WeightsError, match="must hold one manifest") as error:
        find_weights(own)
    assert "toy2.json" in error.value.remedy


def test_a_network_file_is_no_manifest(own):
    make(own)
    with pytest.raises(WeightsError, match="not a manifest") as error:
        find_weights(own / "toy.onnx")
    assert "toy.json" in error.value.remedy


def test_an_own_folder_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SADINET_WEIGHTS", str(tmp_path / "absent"))
    with pytest.raises(WeightsError, match="SADINET_WEIGHTS names"):
        find_weights("default", "detector")


@pytest.mark.parametrize("path", manifest_paths(), ids=lambda path: path.stem)
def test_every_shipped_model_is_whole(path):
    weights = load_weights(path)
    assert weights.name == path.stem
    assert path.with_suffix(".md").is_file()
    for kind, entry in weights.manifest.files.items():
        assert file_entry(weights.file(kind)) == entry


def test_the_default_detector_is_shipped():
    assert find_weights("default", "detector").name == "person-yolo11n"
