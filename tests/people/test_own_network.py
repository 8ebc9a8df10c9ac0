"""A network of one's own, with another skeleton, input and normalisation, as docs/own-network.md tells it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sadinet.errors import WeightsError
from sadinet.geometry import Box
from sadinet.manifest import DecodeSpec
from sadinet.people.estimator import PoseEstimator
from sadinet.weights import find_weights

DOC = Path(__file__).resolve().parents[2] / "docs" / "own-network.md"

# Nose, left hand, right hand, left foot, right foot; somebody upside down, off the pixel grid.
DOTS = np.array([(170.3, 262.8), (90.6, 200.2), (262.4, 190.7), (120.1, 60.5), (215.9, 41.4)])
FRAME_WH = (340, 330)
BOX = Box(40, 20, 260, 300)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)


def cell_px(estimator: PoseEstimator, box: Box) -> float:
    """Frame pixels of one heatmap cell."""
    _, (matrix,) = estimator.crop(np.zeros((9, 9, 3), np.uint8), [box])
    return 4 / np.sqrt(np.linalg.det(matrix[:, :2]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, markers):
    """The model and its manifest as the page has them; its first block exports a network that is not here."""
    folder = tmp_path_factory.mktemp("own network")
    (manifest,), (_, fill_in, _) = blocks("json"), blocks("python")
    (folder / "hands-and-feet.json").write_text(manifest, encoding="utf-8")
    markers.write(folder / "hands-and-feet.onnx", 5, (160, 192))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(fill_in, str(DOC), "exec"), {})
    return folder


@pytest.fixture(scope="module")
def estimator(folder):
    return PoseEstimator(folder / "hands-and-feet.json", device="cpu")


def test_the_docs_example_finds_the_dots(folder, markers, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    cv2.imwrite("picture.png", markers.paint(FRAME_WH, DOTS, 7))
    names: dict[str, object] = {}
    exec(compile(blocks("python")[2], str(DOC), "exec"), names)
    (pose,) = names["poses"]
    assert pose.skeleton.joints == ("nose", "left_hand", "right_hand", "left_foot", "right_foot")
    assert np.abs(pose.joints - DOTS).max() < 0.1 * cell_px(names["estimator"], BOX)
    assert capsys.readouterr().out.startswith("[[")


@pytest.mark.parametrize(
    ("scale", "box"),
    [
        (1.0, BOX),
        (1.0, Box(60.3, 25.2, 230.4, 280.9)),
        (1.0, Box(-80, -60, 420, 400)),  # reaches beyond the frame
        (1.0, Box(0, 30, 339, 240)),  # wider than high
        (2.5, Box(100, 50, 650, 750)),  # shrunk to less than a quarter
        (0.5, Box(20, 10, 130, 150)),  # enlarged
    ],
)
def test_dots_are_found_to_a_tenth_of_a_cell_whatever_the_box(estimator, markers, scale, box):
    size_wh = (round(FRAME_WH[0] * scale), round(FRAME_WH[1] * scale))
    (pose,) = estimator(markers.paint(size_wh, DOTS * scale, 7 * max(1, scale)), [box])
    assert np.abs(pose.joints - DOTS * scale).max() < 0.1 * cell_px(estimator, box)
    assert (pose.scores > 0.1).all()
    assert np.isnan(pose.sigmas).all()


def test_sub_pixel_places_need_dark(estimator, markers):
    """The same maps read by their highest cell are off by what a cell is wide: the tests above can fail."""
    maps = estimator.maps(markers.paint(FRAME_WH, DOTS, 7), [BOX])
    errors = {
        method: np.linalg.norm(estimator.read(maps, DecodeSpec(method))[0].joints - DOTS, axis=1).mean()
        for method in ("argmax", "shift4", "dark")
    }
    assert errors["dark"] < 0.2 * errors["shift4"] < 0.2 * errors["argmax"]


def test_wrong_colours_and_normalisation_are_seen(folder, markers):
    """Another order of channels, or none of the normalisation, and the network finds other things."""
    weights = find_weights(folder / "hands-and-feet.json")
    image = markers.paint(FRAME_WH, DOTS, 7)
    for change in ({"channels": "bgr"}, {"mean": (0.0, 0.0, 0.0)}, {"std": (255.0, 255.0, 255.0)}):
        lying = replace(weights, manifest=replace(weights.manifest, input=replace(weights.manifest.input, **change)))
        (pose,) = PoseEstimator(lying, device="cpu")(image, [BOX])
        assert np.abs(pose.joints - DOTS).max() > 20


def test_flip_test_of_joints_without_sides_changes_nothing(folder, estimator, markers):
    """Dots look alike in a mirror, so both runs say the same, once the mirrored maps are turned back."""
    weights = find_weights(folder / "hands-and-feet.json")
    skeleton = replace(weights.pose.skeleton, name="dots", joints=tuple("abcde"), limbs=())
    pose = replace(weights.pose, skeleton=skeleton)
    sideless = replace(weights, manifest=replace(weights.manifest, pose=pose))
    image = markers.paint(FRAME_WH, DOTS, 7)
    (both,) = PoseEstimator(sideless, device="cpu", flip_test=True)(image, [BOX])
    (plain,) = estimator(image, [BOX])
    np.testing.assert_allclose(both.joints, DOTS, atol=0.05 * cell_px(estimator, BOX))
    np.testing.assert_allclose(both.scores, plain.scores, rtol=0.1)


def test_flip_test_exchanges_left_and_right(folder, estimator, markers):
    """In the mirror a left hand must look like a right one, which this network's colours do not: its maps of both
    hands become the mean of one top at each hand, half as high."""
    flipped = PoseEstimator(folder / "hands-and-feet.json", device="cpu", flip_test=True)
    image = markers.paint(FRAME_WH, DOTS, 7)
    (plain,), (both,) = estimator(image, [BOX]), flipped(image, [BOX])
    for pair in ([1, 2], [3, 4]):
        np.testing.assert_allclose(both.scores[pair], plain.scores[pair].max() / 2, rtol=0.1)
    np.testing.assert_allclose(both.scores[0], plain.scores[0], rtol=0.1)
    np.testing.assert_allclose(both.joints[0], DOTS[0], atol=0.05 * cell_px(estimator, BOX))


def test_joints_that_the_network_lacks_are_nan(folder, markers):
    estimator = PoseEstimator(folder / "hands-and-feet.json", device="cpu", skeleton="coco17")
    (pose,) = estimator(markers.paint(FRAME_WH, DOTS, 7), [BOX])
    assert pose.skeleton.name == "coco17"
    assert pose.joints.shape == (17, 2)
    nose = pose.skeleton.index("nose")
    np.testing.assert_allclose(pose.joints[nose], DOTS[0], atol=0.1 * cell_px(estimator, BOX))
    rest = np.arange(17) != nose
    assert np.isnan(pose.joints[rest]).all()
    assert np.isnan(pose.scores[rest]).all()
    assert pose.score == pose.scores[nose]


def test_fifty_people_in_one_go_are_fifty_single_runs(estimator, markers):
    """50 boxes go through in two batches; order and results stay."""
    image = markers.paint(FRAME_WH, DOTS, 7)
    rng = np.random.default_rng(4)
    boxes = [Box(*rng.uniform((-40, -20, 220, 260), (60, 40, 330, 360))) for _ in range(50)]
    together = estimator(image, boxes)
    assert [pose.box for pose in together] == boxes
    for pose, box in zip(together, boxes, strict=True):
        (alone,) = estimator(image, [box])
        np.testing.assert_allclose(pose.joints, alone.joints, atol=1e-3)
        np.testing.assert_allclose(pose.scores, alone.scores, atol=1e-5)


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("heatmap", "stride"), 8, "promises (1, 5, 24, 20)"),
        (("input", "size_wh"), [160, 160], "cannot run"),
        (("input", "layout"), "nhwc", "cannot run"),
        (("outputs", "heatmaps"), "heatmaps", "its outputs are: maps"),
        (("skeleton",), "coco17", "promises (1, 17, 48, 40)"),
        (("oks_sigmas",), [1], "unknown key"),
    ],
)
def test_a_manifest_that_lies_is_refused(folder, tmp_path, keys, value, words):
    manifest = json.loads((folder / "hands-and-feet.json").read_text(encoding="utf-8"))
    part = manifest
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    (tmp_path / "hands-and-feet.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "hands-and-feet.onnx").write_bytes((folder / "hands-and-feet.onnx").read_bytes())
    with pytest.raises(WeightsError, match=re.escape(words)):
        PoseEstimator(tmp_path / "hands-and-feet.json", device="cpu")
