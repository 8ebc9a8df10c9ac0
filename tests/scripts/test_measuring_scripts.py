"""Benchmark, comparison of decodings and calibration, run for real on a few frames of the bundled clip."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

import sadinet
from sadinet.media.video import VideoReader
from sadinet.people.detector import open_detector
from sadinet.people.estimator import PoseEstimator
from sadinet.skeletons import COCO17, LSP14, convert

SCRIPTS = Path(__file__).parents[2] / "scripts"
CLIP = Path(sadinet.__file__).parent / "_demo" / "walk.mp4"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return lambda name: importlib.import_module(name).main


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Frames of the clip in LSPet's layout, labelled by the model itself, half a sigma beside what it says."""
    root = tmp_path_factory.mktemp("walker")
    (root / "images").mkdir()
    estimator, detector = PoseEstimator(device="cpu", skeleton="lsp14"), open_detector("default", "cpu")
    labels = []
    with VideoReader(CLIP) as video:
        for frame in video:
            if len(labels) == 6:
                break
            if frame.index % 15 == 0 and (boxes := detector(frame.image)):
                (pose,) = estimator(frame.image, boxes[:1])
                labels.append(np.column_stack([pose.joints + 0.5 * pose.sigmas, np.ones(14)]))
                cv2.imwrite(str(root / "images" / f"im{len(labels):05d}.png"), frame.image)
    scipy.io.savemat(root / "joints.mat", {"joints": np.stack(labels, axis=2)})
    return root


def test_benchmark_measures_every_stage_and_engine(script, tmp_path, capsys):
    written = tmp_path / "figures.json"
    arguments = ["--frames", "6", "--rounds", "2", "--people", "2", "--device", "cpu", "--json", str(written)]
    assert script("benchmark")(arguments) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    stages = ["read", "detect", "crop", "network", "decode", "draw", "write table", "write overlay"]
    assert list(report["stages_ms"]) == stages
    assert all(0 < stage["median"] <= stage["p90"] for stage in report["stages_ms"].values())
    assert report["frames"] == 6
    assert report["people_per_frame"] == 2
    # A mean is at least half of the median, however unevenly a busy machine works.
    assert 0 < report["fps"] < 2e3 / sum(report["stages_ms"][stage]["median"] for stage in ("detect", "network"))
    assert report["peak_memory_mb"] > 20
    rows = {row["engine"]: row for row in report["engines"]}
    assert set(rows) == {"onnx fp32", "onnx fp16", "torch fp32", "torch fp16", "torch bf16"}
    assert "torch on a CPU computes in fp32 or bf16" in rows["torch fp16"]["why_not"]
    # A sample as small as this one says nothing of its 99th percentile.
    assert rows["torch bf16"]["joints_compared"] >= 10
    for name in ("onnx fp16", "torch fp32"):
        assert rows[name]["agrees"], rows[name]
        assert rows[name]["joints_compared"] >= 10
    printed = capsys.readouterr().out
    assert "crop + network + decode for one person" in printed
    assert "torch fp16 not run" in printed


def test_decodings_are_compared_at_several_sizes(script, labelled, tmp_path, capsys):
    written = tmp_path / "figures.json"
    arguments = [
        "--root",
        str(labelled),
        "--select",
        "1:6",
        "--size",
        "96x128",
        "--smoothing",
        "0.8",
        "--json",
        str(written),
    ]
    assert script("compare_decoding")(arguments) == 0
    tables = json.loads(written.read_text(encoding="utf-8"))
    assert len(tables) == 2
    for table in tables.values():
        plain = ["argmax", "shift", "shift4", "DARK, max", "DARK, minmax", "DARK, none"]
        assert list(table)[:6] == plain
        assert "DARK, max, 0.8 cells" in table
        gap = table["shift"]["mean error"]["to argmax"]
        assert gap["low"] <= gap["difference"] <= gap["high"]
        apart = table["shift"]["mean error"]["value"] - table["argmax"]["mean error"]["value"]
        assert gap["difference"] == pytest.approx(apart, abs=2e-4)
    printed = capsys.readouterr().out
    assert "at 128x96 (h x w), heatmaps 32x24" in printed
    assert printed.count("| argmax |") == 2


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--size", "96x"], "width x height"), (["--size", "100x96"], "multiples of")]
)
def test_sizes_that_cannot_be(script, labelled, capsys, arguments, words):
    assert script("compare_decoding")(["--root", str(labelled), "--select", "1:2", *arguments]) == 1
    assert words in capsys.readouterr().err


def test_calibration_writes_what_the_export_reads(script, labelled, tmp_path, capsys):
    """The labels of this made-up set lie about half a sigma beside the joints: factors below 1."""
    written = tmp_path / "scale.json"
    arguments = ["--root", str(labelled), "--fit", "1:3", "--show", "4:6", "--out", str(written)]
    assert script("calibrate")(arguments) == 0
    scale = np.array(json.loads(written.read_text(encoding="utf-8")))
    own = PoseEstimator(device="cpu")
    assert scale.shape == (len(own.skeleton), 2)
    assert np.isfinite(scale).all()
    assert (scale > 0).all()
    left, right = own.skeleton.index("left_knee"), own.skeleton.index("right_knee")
    np.testing.assert_array_equal(scale[left], scale[right])
    assert "1:3 before" in capsys.readouterr().out


@pytest.fixture(scope="module")
def labelled_as_coco(labelled):
    """The same people in COCO's layout, without the fields that many tools leave out."""
    rows = scipy.io.loadmat(labelled / "joints.mat")["joints"].transpose(2, 0, 1)
    images, annotations = [], []
    for number, row in enumerate(rows, start=1):
        joints = convert(LSP14, COCO17).apply(row[:, :2], axis=0)
        known = np.isfinite(joints).all(axis=1)
        triples = np.column_stack([np.nan_to_num(joints), 2 * known])
        low, high = joints[known].min(axis=0) - 10, joints[known].max(axis=0) + 10
        images.append({"id": number, "file_name": f"im{number:05d}.png"})
        annotations.append(
            {"image_id": number, "keypoints": triples.ravel().tolist(), "bbox": [*low.tolist(), *(high - low).tolist()]}
        )
    path = labelled / "ours.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}), encoding="utf-8")
    return path


def test_calibration_on_peoples_own_labels(script, labelled, labelled_as_coco, tmp_path, capsys):
    """Every second picture is fitted on, and the others show it."""
    written = tmp_path / "scale.json"
    arguments = ["--dataset", "coco", "--root", str(labelled), "--annotations", str(labelled_as_coco)]
    assert script("calibrate")([*arguments, "--out", str(written)]) == 0
    assert np.shape(json.loads(written.read_text(encoding="utf-8"))) == (len(PoseEstimator(device="cpu").skeleton), 2)
    printed = capsys.readouterr().out
    assert "1/2 before" in printed
    assert "2/2 before" in printed
    assert script("calibrate")([*arguments, "--teachers", "lspet.npz", "--out", str(written)]) == 1
    assert "--teachers are of LSPet" in capsys.readouterr().err
    assert script("calibrate")([*arguments, "--fit", "1/3", "--out", str(written)]) == 1
    assert "1 pictures are in both parts, such as number 4" in capsys.readouterr().err


@pytest.fixture
def damaged(labelled, labelled_as_coco, tmp_path):
    """105 copies of two pictures as COCO; one file is damaged, and one is not there."""
    held = json.loads(labelled_as_coco.read_text(encoding="utf-8"))
    images, annotations = [], []
    for number in range(1, 107):
        like = 1 + number % 2
        name = f"{number:03d}.png"
        images.append({"id": number, "file_name": name})
        annotations.append(held["annotations"][like - 1] | {"image_id": number})
        if number < 106:
            (tmp_path / name).write_bytes((labelled / "images" / f"im{like:05d}.png").read_bytes())
    (tmp_path / "077.png").write_bytes(b"no picture")
    (tmp_path / "ours.json").write_text(json.dumps({"images": images, "annotations": annotations}), encoding="utf-8")
    return tmp_path


def test_unreadable_pictures_are_named_and_left_out(script, damaged, capsys):
    arguments = ["--dataset", "coco", "--root", str(damaged), "--weights", "sadinet-t"]
    parts = ["--fit", "2:102", "--show", "103:106", "--out", str(damaged / "scale.json")]
    assert script("calibrate")([*arguments, *parts]) == 0
    told = capsys.readouterr().out
    assert "skipped" in told
    assert "077.png" in told
    assert "103:106: 1 labelled pictures are not there" in told
    # 100 of 101 people have both shoulders.
    row = next(line for line in told.splitlines() if "left_shoulder" in line)
    assert row.split("│")[2].strip() == "200"
    assert script("compare_decoding")([*arguments, "--select", "2:106"]) == 0
    told = capsys.readouterr().out
    assert "077.png" in told
    assert "103 pictures of 104 with a whole torso" in told


def test_decodings_are_compared_on_peoples_own_labels(script, labelled, labelled_as_coco, capsys):
    arguments = ["--dataset", "coco", "--root", str(labelled), "--annotations", str(labelled_as_coco)]
    assert script("compare_decoding")(arguments) == 0
    # Everybody's twelve joints from the shoulders down; the face does not count.
    assert "6 pictures of 6 with a whole torso, 72 joints" in capsys.readouterr().out


def test_a_model_without_uncertainty_cannot_be_calibrated(script, labelled, tmp_path, capsys, markers):
    model = markers.model(tmp_path, PoseEstimator(device="cpu", skeleton="lsp14").skeleton, (160, 192))
    arguments = ["--weights", str(model), "--root", str(labelled), "--out", str(tmp_path / "scale.json")]
    assert script("calibrate")(arguments) == 1
    assert "gives no uncertainty" in capsys.readouterr().err
    assert not (tmp_path / "scale.json").exists()


def test_legs_on_one_another_are_counted(script, capsys):
    from measure_legs import are_legs_together

    from sadinet.geometry import Box
    from sadinet.results import Pose

    def stands(apart, **moved):
        """Somebody 100 px long in the torso, feet and knees `apart` px from each other."""
        points = {"shoulder": (40, 0), "hip": (0, 100), "knee": (apart, 150), "ankle": (apart, 200)}
        joints = np.zeros((14, 2), np.float32)
        for name, (width, y) in points.items():
            joints[LSP14.index(f"left_{name}")] = (width / 2, y)
            joints[LSP14.index(f"right_{name}")] = (-width / 2, y)
        for name, place in moved.items():
            joints[LSP14.index(name)] = place
        ones = np.ones(14, np.float32)
        return Pose(joints, ones, np.ones((14, 2), np.float32), Box(-50, 0, 100, 200), LSP14)

    torso = np.hypot(20, 100)
    assert are_legs_together(stands(0.09 * torso))
    assert not are_legs_together(stands(0.11 * torso))
    assert not are_legs_together(stands(0.0, left_ankle=(30, 190)))  # a knee passes the other, the foot is behind
    assert script("measure_legs")(["nowhere.mp4"]) == 1
    assert "measure_legs: no such file: nowhere.mp4" in capsys.readouterr().err
