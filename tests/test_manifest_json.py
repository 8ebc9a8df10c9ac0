"""Manifests are read strictly: what is wrong is refused with one line naming the file and the key."""

from __future__ import annotations

import copy
import json

import pytest

from sadinet.errors import OutputError, WeightsError
from sadinet.manifest_json import load_manifest, write_manifest
from sadinet.skeletons import BODY19

POSE = {
    "format": 1,
    "name": "toy",
    "kind": "pose",
    "files": {"onnx": {"name": "toy.onnx", "sha256": "ab" * 32, "bytes": 3}},
    "input": {
        "size_wh": [192, 256], "layout": "nchw", "dtype": "float32", "channels": "rgb",
        "mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4],
    },
    "skeleton": "body19",
    "heatmap": {"stride": 4, "sigma": 2.0},
    "decode": {"method": "dark", "modulation": "max"},
    "outputs": {"heatmaps": "maps", "sigma": None},
    "network": None,
    "data": "none",
    "figures": {"PCK@0.2": 55.5},
    "licence": "AGPL-3.0-or-later",
    "origin": {"commit": "0" * 40, "command": "made by hand"},
}  # fmt: skip
OWN_SKELETON = {
    "name": "arm3", "joints": ["left_elbow", "right_elbow", "head"],
    "limbs": [["left_elbow", "head"]], "oks_sigmas": [0.07, 0.07, 0.05],
}  # fmt: skip
DETECTOR = {
    **{key: POSE[key] for key in ("format", "name", "files", "data", "figures", "licence", "origin")},
    "kind": "detector",
    "input": POSE["input"] | {"dtype": "uint8", "mean": [0, 0, 0], "std": [1, 1, 1]},
    "detector": {"score": 0.3, "iou": 0.6, "max_boxes": 300, "outputs": ["a"], "strides": [8], "bins": 16},
}


def write(folder, values):
    path = folder / "toy.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return path


def changed(values, keys, value):
    values = copy.deepcopy(values)
    place = values
    for key in keys[:-1]:
        place = place[key]
    if value is KeyError:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return values


def every_key(values, path=()):
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, dict) and key != "figures":
            yield from every_key(value, (*path, key))


def test_pose_manifest_becomes_data(tmp_path):
    manifest = load_manifest(write(tmp_path, POSE))
    assert manifest.kind == "pose"
    assert manifest.detector is None
    assert manifest.pose is not None
    assert manifest.pose.skeleton == BODY19
    assert manifest.pose.outputs.sigma is None
    assert manifest.input.size_wh == (192, 256)
    assert not manifest.input.is_plain
    assert manifest.files["onnx"].bytes == 3


@pytest.mark.parametrize("values", [POSE, POSE | {"skeleton": OWN_SKELETON}, DETECTOR], ids=["pose", "own", "detector"])
def test_writing_and_reading_is_the_identity(tmp_path, values):
    first = load_manifest(write(tmp_path, values))
    write_manifest(tmp_path / "again.json", first)
    assert load_manifest(tmp_path / "again.json") == first
    assert json.loads((tmp_path / "again.json").read_text("utf-8")) == values
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.json", "toy.json"]


@pytest.mark.parametrize("keys", list(every_key(POSE)) + list(every_key(DETECTOR)), ids=".".join)
def test_each_missing_key_is_named(tmp_path, keys):
    values = DETECTOR if keys[0] == "detector" else POSE
    path = write(tmp_path, changed(values, keys, KeyError))
    with pytest.raises(WeightsError) as error:
        load_manifest(path)
    text = str(error.value)
    assert str(path) in text
    assert keys[-1] in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "where", [(), ("files",), ("files", "onnx"), ("input",), ("heatmap",), ("decode",), ("outputs",), ("origin",)]
)
def test_each_unknown_key_is_named(tmp_path, where):
    path = write(tmp_path, changed(POSE, (*where, "surplus"), 1))
    with pytest.raises(WeightsError, match="surplus: unknown key"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("format",), 2),
        (("format",), True),
        (("kind",), "hand"),
        (("name",), ""),
        (("files",), {}),
        (("files", "onnx", "name"), "../toy.onnx"),
        (("files", "onnx", "name"), "..\\toy.onnx"),
        (("files", "onnx", "sha256"), "xyz"),
        (("files", "onnx", "bytes"), 3.5),
        (("files", "onnx", "bytes"), 0),
        (("input", "size_wh"), [192]),
        (("input", "size_wh"), [192, -4]),
        (("input", "size_wh"), 192),
        (("input", "dtype"), "uint8"),  # with a mean and std of its own
        (("input", "channels"), ["bgr"]),
        (("input", "std"), [1, 0, 1]),
        (("input", "mean"), [1, float("nan"), 1]),
        (("skeleton",), "body20"),
        (("skeleton",), 19),
        (("heatmap", "sigma"), 0),
        (("heatmap", "stride"), "4"),
        (("decode", "method"), "darker"),
        (("outputs", "heatmaps"), None),
        (("outputs", "sigma"), 3),
        (("network",), []),
        (("figures",), None),
        (("origin",), "me"),
    ],
)
def test_wrong_values_are_refused_by_key(tmp_path, keys, value):
    path = write(tmp_path, changed(POSE, keys, value))
    with pytest.raises(WeightsError) as error:
        load_manifest(path)
    assert str(error.value).startswith(f"manifest {path}: {keys[0]}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("joints", []),
        ("joints", ["head", "head", "head"]),
        ("joints", ["left_elbow", "head", "neck"]),
        ("limbs", [["left_elbow", "foot"]]),
        ("limbs", [["left_elbow"]]),
        ("oks_sigmas", [0.1]),
        ("name", "body19"),
    ],
)
def test_own_skeletons_must_hold_together(tmp_path, key, value):
    with pytest.raises(WeightsError, match="skeleton"):
        load_manifest(write(tmp_path, POSE | {"skeleton": OWN_SKELETON | {key: value}}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"', "[" * 100_000])
def test_what_is_no_json_object_is_refused(tmp_path, text):
    with pytest.raises(WeightsError, match=r"toy\.json"):
        load_manifest(write(tmp_path, text))


def test_a_missing_or_binary_manifest_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="cannot read the manifest"):
        load_manifest(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match="cannot read the manifest"):
        load_manifest(tmp_path / "binary.json")


def test_a_folder_that_is_not_there_cannot_be_written(tmp_path):
    manifest = load_manifest(write(tmp_path, POSE))
    with pytest.raises(OutputError, match="absent"):
        write_manifest(tmp_path / "absent" / "toy.json", manifest)
