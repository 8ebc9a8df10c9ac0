"""The shipped detector on real pictures, on strange ones, and models that are not what they say."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from sadinet.errors import DeviceError, InputError, WeightsError
from sadinet.geometry import box_iou
from sadinet.people.detector import PersonDetector, open_detector
from sadinet.weights import Weights, find_weights

CLIP = Path(__file__).parents[2] / "sadinet" / "_demo" / "walk.mp4"
CENTRE = np.array([0.5, 0.5, 0, 0])  # from the first pixel's centre to its edge
COCO = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "coco"


@pytest.fixture(scope="module")
def detector():
    return open_detector(device="cpu", threads=1)


@pytest.fixture(scope="module")
def frame():
    with av.open(str(CLIP)) as container:
        return next(iter(container.decode(video=0))).to_ndarray(format="bgr24")


def as_array(boxes):
    return np.array([[b.x, b.y, b.width, b.height] for b in boxes]).reshape(-1, 4)


def test_it_says_what_it_runs_on(detector):
    assert (detector.runtime.engine, detector.runtime.device, detector.runtime.precision) == (
        "onnxruntime",
        "cpu",
        "fp32",
    )


def test_the_walker_is_found_in_every_tenth_frame(detector):
    with av.open(str(CLIP)) as container:
        frames = [f.to_ndarray(format="bgr24") for i, f in enumerate(container.decode(video=0)) if i % 10 == 0]
    scores = [[box.score for box in detector(image)] for image in frames]
    assert all(found and found[0] > 0.5 for found in scores), scores


def test_boxes_are_sorted_inside_and_repeatable(detector, frame):
    boxes = detector(frame)
    assert boxes == detector(frame)
    assert [b.score for b in boxes] == sorted((b.score for b in boxes), reverse=True)
    for b in boxes:
        assert b.x >= -0.5
        assert b.y >= -0.5
        assert b.x + b.width <= frame.shape[1] - 0.5
        assert b.y + b.height <= frame.shape[0] - 0.5


def test_boxes_follow_the_picture(detector, frame):
    """A mirrored and a shifted frame have mirrored and shifted boxes: no offset hides in the way."""
    width = frame.shape[1]
    plain = as_array(detector(frame)[:1])
    mirrored = as_array(detector(np.ascontiguousarray(frame[:, ::-1]))[:1])
    mirrored[:, 0] = width - 1 - (mirrored[:, 0] + mirrored[:, 2])
    assert box_iou(plain, mirrored)[0, 0] > 0.85
    larger = cv2.copyMakeBorder(frame, 40, 0, 70, 0, cv2.BORDER_REPLICATE)
    shifted = as_array(detector(larger)[:1]) - [70, 40, 0, 0]
    assert box_iou(plain, shifted)[0, 0] > 0.85


def test_recall_on_coco(detector):
    if not COCO.is_dir():
        pytest.skip("shared/data/coco is not here")
    labels = json.loads((COCO / "person_keypoints.json").read_text("utf-8"))
    names = {image["id"]: image["file_name"] for image in labels["images"]}
    alone = [
        a for a in labels["annotations"]
        if a["area"] > 96 * 96 and a["num_keypoints"] >= 12 and not a["iscrowd"]
    ][:24]  # fmt: skip
    hits = 0
    for label in alone:
        found = as_array(detector(cv2.imread(str(COCO / "images" / names[label["image_id"]])))) + CENTRE
        hits += bool((box_iou(found, np.array([label["bbox"]])) >= 0.5).any())
    assert hits >= 0.9 * len(alone)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5), (4320, 7680)])
@pytest.mark.parametrize("value", [0, 255])
def test_empty_pictures_of_any_size_hold_nobody(detector, shape, value):
    assert detector(np.full((*shape, 3), value, np.uint8)) == ()


def test_the_walker_is_found_in_8k(detector, frame):
    scale = 7680 / frame.shape[1]
    large = cv2.resize(frame, (7680, round(frame.shape[0] * scale)))
    plain = as_array(detector(frame)[:1])
    found = (as_array(detector(large)[:1]) + CENTRE) / scale - CENTRE
    assert box_iou(plain, found)[0, 0] > 0.85


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8, 3), np.float32), *(np.zeros(shape, np.uint8) for shape in ((8, 8), (8, 8, 4), (0, 8, 3)))],
)
def test_what_is_no_bgr_picture_is_refused(detector, image):
    with pytest.raises(InputError, match=r"must be \(H, W, 3\) uint8"):
        detector(image)


def test_two_people_are_two_boxes(detector, frame):
    one = as_array(detector(frame)[:1])
    two = as_array(detector(np.vstack([frame, frame]))[:2])
    expected = np.vstack([one, one + np.array([0, frame.shape[0], 0, 0])])
    assert (box_iou(expected, two).max(axis=1) > 0.8).all()


def test_the_score_decides_who_is_kept(frame):
    weights = find_weights("default", "detector")
    (walker,) = PersonDetector(weights, "cpu", 1, score=0.6)(frame)
    assert PersonDetector(weights, "cpu", 1, score=walker.score - 1e-6)(frame) == (walker,)
    assert PersonDetector(weights, "cpu", 1, score=walker.score + 1e-6)(frame) == ()
    with pytest.raises(InputError, match="score"):
        PersonDetector(weights, "cpu", 1, score=0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outputs": ("heads8", "heads16", "heads64")}, "no output 'heads64'"),
        ({"outputs": ("heads16", "heads8", "heads32")}, "by its manifest"),
        ({"bins": 8}, "by its manifest"),
        ({"strides": (8, 16, 64)}, "by its manifest"),
    ],
)
def test_a_manifest_that_lies_about_the_heads_is_refused(change, words):
    weights = find_weights("default", "detector")
    spec = dataclasses.replace(weights.detector, **change)
    with pytest.raises(WeightsError, match=words):
        PersonDetector(Weights(dataclasses.replace(weights.manifest, detector=spec), weights.path), "cpu", 1)


def test_input_of_another_kind_is_refused():
    weights = find_weights("default", "detector")
    spec = dataclasses.replace(weights.manifest.input, channels="rgb")
    with pytest.raises(WeightsError, match="input must be nhwc"):
        PersonDetector(Weights(dataclasses.replace(weights.manifest, input=spec), weights.path), "cpu", 1)


def test_a_damaged_detector_is_refused(tmp_path):
    weights = find_weights("default", "detector")
    whole = weights.file("onnx").read_bytes()
    (tmp_path / "person-yolo11n.json").write_bytes(weights.path.read_bytes())
    (tmp_path / "person-yolo11n.onnx").write_bytes(whole[:-100])
    with pytest.raises(WeightsError, match="bytes, its manifest says"):
        open_detector(tmp_path, "cpu")


def test_unknown_models_and_devices_are_refused():
    with pytest.raises(WeightsError, match="no model 'nobody'") as error:
        open_detector("nobody")
    assert "person-yolo11n" in error.value.remedy
    with pytest.raises(DeviceError):
        open_detector("default", "tpu")
