"""The evaluation script: what it writes, and one line and exit code 1 for what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from sadinet.people.detector import open_detector
from sadinet.skeletons import COCO17, LSP14, MPII16
from sadinet.weights import find_weights

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


def test_the_folds_of_a_set_share_its_pictures_out(evaluate, lspet, tmp_path, capsys):
    seen = []
    for part in (1, 2, 3):
        saved = tmp_path / f"{part}.npz"
        arguments = [
            "--weights",
            str(lspet / "lsp14.json"),
            "--dataset",
            "lspet",
            "--root",
            str(lspet),
            "--device",
            "cpu",
        ]
        arguments += ["--json", str(tmp_path / f"{part}.json"), "--predictions", str(saved), "--fold", f"{part}/3"]
        done = evaluate(arguments)
        if part == 1:
            assert done == 1  # the pictures are 3 and 5
            assert "none of im00001.jpg .., part 1 of 3" in capsys.readouterr().err
            continue
        assert done == 0
        assert f"all, fold {part}/3: 1 people" in capsys.readouterr().out
        assert json.loads((tmp_path / f"{part}.json").read_text())["fold"] == f"{part}/3"
        with np.load(saved) as file:
            seen.append(file["index"].tolist())
    assert seen == [[5], [3]]


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
        (["--dataset", "coco"], "keypoint JSON"),
        (["--gallery", "worst.xyz"], "end the name with .jpg or .png"),
        (["--gallery-size", "0"], "at least 1"),
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


@pytest.fixture(scope="module")
def mpii(tmp_path_factory, markers):
    """Two people in two pictures; the second one's right wrist is painted 0.3 head sizes off; a model beside them."""
    root = tmp_path_factory.mktemp("mpii")
    (root / "images").mkdir()
    columns, rows = np.meshgrid([60.0, 110, 160, 210], [60.0, 110, 160, 210])
    grid = np.stack([columns.ravel(), rows.ravel()], axis=1)
    entries = []
    for number in (1, 2):
        dots = grid.copy()
        if number == 2:
            dots[MPII16.index("right_wrist")] += (18, 0)  # a head of 100 px counts as 60
        cv2.imwrite(str(root / "images" / f"{number}.png"), markers.paint((270, 270), dots, 6))
        entries.append(
            {
                "image": f"{number}.png", "joints": (grid + 1).tolist(), "joints_vis": [1] * 16,
                "center": [136.0, 136.0 - 15 * 1.1], "scale": 1.1,
            }
        )  # fmt: skip
    (root / "valid.json").write_text(json.dumps(entries), encoding="utf-8")
    heads = np.zeros((2, 2, 2))
    heads[1] = [[60, 60], [80, 80]]
    truth = np.stack([grid + 1, grid + 1], axis=2)
    scipy.io.savemat(root / "gt_valid.mat", {"headboxes_src": heads, "pos_gt_src": truth})
    markers.model(root, MPII16, (160, 160))
    return root


def test_mpii_has_its_table_and_the_worst_are_drawn(evaluate, mpii, tmp_path, capsys):
    written, sheet = tmp_path / "figures.json", tmp_path / "worst.png"
    arguments = ["--weights", str(mpii / "mpii16.json"), "--dataset", "mpii", "--root", str(mpii), "--device", "cpu"]
    assert evaluate([*arguments, "--json", str(written), "--gallery", str(sheet), "--gallery-size", "1"]) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    # 28 joints without pelvis and thorax; one is 18 px off: within 0.5 heads of 60 px, beyond 0.1.
    assert (report["PCKh@0.5"], report["people_with_head"], report["skipped"]) == (100, 2, [])
    assert report["PCKh@0.1"] == pytest.approx(100 * 27 / 28, abs=1e-3)
    table = report["mpii_table"]["PCKh@0.1"]
    assert table["Wrist"] == 75
    assert {table[part] for part in ("Head", "Shoulder", "Elbow", "Hip", "Knee", "Ankle")} == {100}
    assert table["Mean"] == report["PCKh@0.1"]
    assert cv2.imread(str(sheet)) is not None
    printed = capsys.readouterr().out
    assert "PCKh@0.1 Wrist" in printed


def test_a_damaged_picture_is_passed_over_and_named(evaluate, tmp_path, markers, capsys):
    (tmp_path / "images").mkdir()
    grid = np.stack(np.meshgrid([20.0, 40, 60], [15.0, 30, 45, 60, 75]), axis=-1).reshape(-1, 2)[:14]
    labels = np.ones((14, 3, 101))
    labels[:, :2] = grid[:, :, None]
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": labels})
    _, data = cv2.imencode(".jpg", markers.paint((80, 90), grid, 3))
    whole = data.tobytes()
    for number in range(1, 102):
        (tmp_path / "images" / f"im{number:05d}.jpg").write_bytes(whole if number != 50 else whole[: len(whole) // 2])
    markers.model(tmp_path, LSP14, (32, 32))
    written = tmp_path / "figures.json"
    arguments = ["--weights", str(tmp_path / "lsp14.json"), "--dataset", "lspet", "--root", str(tmp_path)]
    arguments += ["--device", "cpu", "--json", str(written), "--predictions", str(tmp_path / "found.npz")]
    assert evaluate(arguments) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    assert report["people"] == report["pictures"] == 100
    assert len(report["skipped"]) == 1
    assert "im00050.jpg is cut off" in report["skipped"][0]
    with np.load(tmp_path / "found.npz") as file:
        assert 50 not in file["index"]
    assert "skipped 1: " in capsys.readouterr().out
    (tmp_path / "images" / "im00060.jpg").write_bytes(b"")
    assert evaluate(arguments) == 1
    told = capsys.readouterr().err
    assert "2 of 101 cannot be used, more than 1%" in told
    assert "im00050.jpg" in told
    assert "im00060.jpg" in told


def test_lsp_is_told_by_its_own_labels(evaluate, tmp_path, markers):
    """(3, 14, N), where 1 is occluded; LSPet's own option is refused."""
    (tmp_path / "images").mkdir()
    grid = np.stack(np.meshgrid([60.0, 120, 180], [50.0, 100, 150, 200, 250]), axis=-1).reshape(-1, 2)[:14]
    labels = np.zeros((2, 14, 3))
    labels[:, :, :2] = grid
    labels[:, 4, 2] = 1
    labels[1, LSP14.index("right_wrist"), :2] += (40, 0)
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": labels.transpose(2, 1, 0)})
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / "images" / f"im{number:04d}.png"), markers.paint((240, 300), grid, 6))
    markers.model(tmp_path, LSP14, (160, 192))
    written = tmp_path / "figures.json"
    arguments = ["--weights", str(tmp_path / "lsp14.json"), "--root", str(tmp_path), "--device", "cpu"]
    assert evaluate([*arguments, "--dataset", "lsp", "--json", str(written)]) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    # One of 24 limb joints is labelled elsewhere; occluded ones count.
    assert (report["dataset"], report["people"], report["joints"]) == ("lsp", 2, 24)
    assert report["PCK@0.1"] == pytest.approx(100 * 23 / 24, abs=1e-3)
    assert evaluate([*arguments, "--dataset", "lspet", "--json", str(written)]) == 1


def write_coco(path, pictures, keypoints):
    """Pictures 1 .. by name; a label in the last of them: keypoints (17, 2) and the box around them."""
    (x, y), (width, height) = keypoints.min(axis=0), np.ptp(keypoints, axis=0)
    label = {
        "id": 7, "image_id": len(pictures), "category_id": 1, "iscrowd": 0, "area": float(width * height / 2),
        "num_keypoints": 17, "bbox": [float(x), float(y), float(width), float(height)],
        "keypoints": np.concatenate([keypoints, np.full((17, 1), 2.0)], axis=1).ravel().tolist(),
    }  # fmt: skip
    held = {
        "images": [{"id": n, "file_name": name, "width": 1, "height": 1} for n, name in enumerate(pictures, start=1)],
        "annotations": [label],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": []}],
    }
    path.write_text(json.dumps(held), encoding="utf-8")


def test_on_coco_the_detectors_boxes_are_measured_on_every_picture(evaluate, tmp_path, walker, capsys):
    """The shipped models find the same walker twice, once in a picture whose people nobody labelled."""
    for name in ("stranger.png", "walker.png"):
        cv2.imwrite(str(tmp_path / name), walker)
    written, saved, labels = (tmp_path / name for name in ("figures.json", "found.npz", "person_keypoints.json"))
    arguments = ["--dataset", "coco", "--root", str(tmp_path), "--json", str(written), "--device", "cpu"]
    # The detector's own box: in one a few pixels wider the network may put an ankle on the other leg.
    found = open_detector("default", "cpu")(walker)[0]
    box = np.array([(found.x, found.y), (found.x + found.width, found.y + found.height)])
    write_coco(labels, ["stranger.png", "walker.png"], np.concatenate([box, np.tile(box.mean(axis=0), (15, 1))]))
    assert evaluate([*arguments, "--predictions", str(saved)]) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    assert (report["boxes"], report["pictures"], report["pictures_without_people"]) == ("labels", 1, 0)
    # What was found in the label's box becomes the label.
    with np.load(saved) as file:
        write_coco(labels, ["stranger.png", "walker.png"], file["joints"][0].astype(float))
    capsys.readouterr()
    assert evaluate([*arguments, "--boxes", "detector"]) == 0
    report = json.loads(written.read_text(encoding="utf-8"))
    assert (report["pictures"], report["pictures_without_people"], report["missed"]) == (1, 1, 0)
    model = find_weights("default", "detector").manifest
    assert (report["detector"], report["detector_model"]["name"]) == ("default", model.name)
    assert report["detector_model"]["sha256"] == {"onnx": model.files["onnx"].sha256}
    # Found in both pictures with the same score: of the first two answers one is right.
    assert report["AP50"] == pytest.approx(50, abs=0.1)
    assert report["pixel_error"]["mean"] < 10
    told = " ".join(capsys.readouterr().out.split())
    assert "1 people in 1 pictures and 1 without labelled people, boxes from detector" in told
    assert evaluate(arguments) == 0
    assert json.loads(written.read_text(encoding="utf-8"))["AP50"] == pytest.approx(100)
