"""Data for training from the command line: check, clean, pack, and one line for what cannot be done."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from sadinet.skeletons import COCO17, LSP14, convert
from sadinet.training.sets.shards import ShardWriter, load_shards

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import prepare_data

    return prepare_data.main


# A torso of 100 px.
PLACES = {
    "right_ankle": (60, 300), "right_knee": (55, 240), "right_hip": (70, 170), "left_hip": (130, 170),
    "left_knee": (145, 240), "left_ankle": (140, 300), "right_wrist": (20, 180), "right_elbow": (35, 135),
    "right_shoulder": (70, 90), "left_shoulder": (130, 90), "left_elbow": (165, 135), "left_wrist": (180, 180),
    "neck": (100, 75), "head_top": (100, 25),
}  # fmt: skip


@pytest.fixture
def lspet(tmp_path):
    """200 pictures of the size of a stamp, and one that is cut off; labels of picture 2 have a far wrist."""
    root = tmp_path / "lspet"
    (root / "images").mkdir(parents=True)
    truth = np.array([PLACES[name] for name in LSP14.joints], dtype=float) / 4
    labels = np.ones((201, 14, 3))
    labels[:, :, :2] = truth
    labels[1, LSP14.index("left_wrist"), :2] -= (25, 20)
    _, data = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (80, 50, 3), dtype=np.uint8))
    whole = data.tobytes()
    for number in range(1, 202):
        (root / "images" / f"im{number:05d}.jpg").write_bytes(whole if number != 77 else whole[:300])
    scipy.io.savemat(root / "joints.mat", {"joints": labels.transpose(1, 2, 0)})
    told = convert(LSP14, COCO17).apply(np.broadcast_to(truth, (201, 14, 2)), axis=1)
    sure = np.full((201, 17), 0.9)
    np.savez(tmp_path / "teachers.npz", index=np.arange(1, 202), a=told, a_conf=sure, b=told + 0.5, b_conf=sure)
    return root


def test_check_clean_and_pack(prepare, lspet, tmp_path, capsys):
    (lspet / "images" / "im00200.jpg").unlink()
    assert prepare(["check", str(lspet)]) == 0  # one damaged picture of 201 passes
    told = capsys.readouterr().out
    assert "lspet: " in told
    assert "200 pictures with 200 people, joints of lsp14" in told
    assert "im00077.jpg is cut off" in told.replace("\n", " ")
    assert "1 labelled pictures are not there" in told
    assert "lspet.html" in told

    cleaned, shards = tmp_path / "cleaned", tmp_path / "shards"
    assert prepare(["clean", str(lspet), "-o", str(cleaned), "--opinions", str(tmp_path / "teachers.npz")]) == 0
    told = capsys.readouterr().out
    assert "asked: a, b" in told
    assert "1 labelled pictures are not there and are left out, the first is" in told
    with (cleaned / "changes.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["key"], row["joint"], row["reason"]) == ("im00002", "left_wrist", "disagrees")
    assert cv2.imread(str(cleaned / "sheet.png")) is not None

    packed = ["pack", str(lspet), "-o", str(shards), "--labels", str(cleaned / "labels.npz"), "--shard-mb", "0.1"]
    assert prepare(packed) == 0
    told = capsys.readouterr().out
    assert "lspet: 199 of 200 people" in told
    assert "1 labelled pictures are not there and are left out, the first is" in told
    assert "--least-joints" not in told
    assert "skipped" in told
    assert "im00077.jpg" in told
    assert max(path.stat().st_size for path in shards.glob("*.npz")) <= 100_000
    people = load_shards(shards)
    assert len(people) == 199
    wrist = LSP14.index("left_wrist")
    assert np.flatnonzero(people.weight[:, wrist] == 0).tolist() == [people.keys.index("im00002")]
    assert prepare(packed) == 1
    assert "holds shards already" in capsys.readouterr().err


def test_two_sets_and_a_selection(prepare, lspet, tmp_path):
    assert prepare(["pack", str(lspet), "-o", str(tmp_path / "a"), "--select", "1:5", "--format", "png"]) == 0
    assert load_shards(tmp_path / "a").keys == [f"im{n:05d}" for n in range(1, 6)]
    assert prepare(["pack", str(lspet), str(lspet), "-o", str(tmp_path / "b")]) == 0
    index = json.loads((tmp_path / "b" / "shards.json").read_text(encoding="utf-8"))
    assert index["sets"] == {"lspet": 200, "lspet-2": 200}


def test_people_with_few_joints_are_counted(prepare, lspet, tmp_path, capsys):
    held = scipy.io.loadmat(lspet / "joints.mat")["joints"]
    held[:11, 2, :3] = 0  # three people keep three joints each
    scipy.io.savemat(lspet / "joints.mat", {"joints": held})
    assert prepare(["pack", str(lspet), "-o", str(tmp_path / "a")]) == 0
    told = capsys.readouterr().out
    assert "lspet: 197 of 201 people" in told
    assert "3 people with fewer than 4 joints (--least-joints) are left out" in told


def test_every_fold_leaves_out_its_own_pictures(prepare, lspet, tmp_path, capsys):
    whole = {f"im{number:05d}" for number in range(1, 202) if number != 77}  # one is damaged
    left = []
    for part in (1, 2, 3):
        folder = tmp_path / str(part)
        assert prepare(["pack", str(lspet), "-o", str(folder), "--leave-out", f"{part}/3"]) == 0
        left.append(whole - set(load_shards(folder).keys))
    assert set.union(*left) == whole
    assert sum(map(len, left)) == len(whole)
    assert {"im00002", "im00005", "im00200"} <= left[1]
    assert prepare(["pack", str(lspet), "-o", str(tmp_path / "x"), "--leave-out", "4/3"]) == 1
    assert "fold '4/3' (number/of how many, as in 2/5)" in capsys.readouterr().err


def test_opinions_of_the_folds_are_put_together(prepare, lspet, tmp_path, capsys):
    """Each network says something of its own fold only: of the person with a wrong wrist, one of them."""
    with np.load(tmp_path / "teachers.npz") as file:
        index, joints = file["index"], file["a"]
    for part in (1, 2):
        rows = index % 2 == part % 2
        told = {"index": index[rows], "names": np.array(COCO17.joints), "joints": joints[rows].astype(np.float32)}
        np.savez(tmp_path / f"fold-{part}.npz", **told, scores=np.full((rows.sum(), 17), 0.9, np.float32))
    line = ["clean", str(lspet), "-o", str(tmp_path / "c"), "--opinions"]
    assert prepare([*line, *(str(tmp_path / f"fold-{part}.npz") for part in (1, 2))]) == 0
    told = capsys.readouterr().out
    assert "asked: fold-1 and fold-2" in told
    assert "disagrees: 1 joints of 1 people" in told


def test_a_selection_is_not_refused_for_faults_elsewhere(prepare, lspet, tmp_path, capsys):
    labels = scipy.io.loadmat(lspet / "joints.mat")["joints"]
    labels[0, 0, 150:160] = 1e9  # ten people of 201
    scipy.io.savemat(lspet / "joints.mat", {"joints": labels})
    assert prepare(["pack", str(lspet), "-o", str(tmp_path / "a"), "--select", "1:50"]) == 0
    assert "lspet: 50 of 50 people" in capsys.readouterr().out
    assert prepare(["pack", str(lspet), "-o", str(tmp_path / "b"), "--select", "101:201"]) == 1
    assert "10 of 101 cannot be used" in capsys.readouterr().err


def test_people_lost_are_counted_not_pictures(prepare, tmp_path, capsys):
    """One of two pictures is damaged, and with it most of the people are gone."""
    _, data = cv2.imencode(".jpg", np.zeros((80, 50, 3), np.uint8))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(data.tobytes()[:-300])
    (tmp_path / "images" / "2.jpg").write_bytes(data.tobytes())
    triples = [float(v) for k in range(17) for v in (5 + 2 * k, 10 + 3 * k, 2)]
    labels = [
        {"id": n, "image_id": 1 if n < 100 else 2, "bbox": [5, 10, 34, 51], "keypoints": triples} for n in range(1, 150)
    ]
    held = {"images": [{"id": n, "file_name": f"{n}.jpg"} for n in (1, 2)], "annotations": labels}
    (tmp_path / "person_keypoints.json").write_text(json.dumps(held), encoding="utf-8")
    assert prepare(["check", str(tmp_path)]) == 1
    assert "1 labels or pictures cannot be used, with 99 people" in capsys.readouterr().out
    assert prepare(["pack", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "99 of 149 cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("check gone", "no folder gone"),
        ("check empty", "looked for: joints.mat"),
        ("pack empty -o out", "looked for: joints.mat"),
        ("check packed", "packed holds packed people (shards.json)"),
        ("pack packed -o out", "need no more packing"),
        ("pack lspet -o out --select 900:999", "nobody is left"),
        ("pack lspet -o out --split val", "check --select, --split and --leave-out"),
        ("pack lspet lspet -o out --select 1:5", "are for one ROOT"),
        ("pack lspet -o out --shard-mb 0.002", "alone needs"),
        ("pack lspet -o out --shard-mb 0", "--shard-mb above 0"),
        ("pack lspet -o out --labels teachers-of-others.npz", "labels nobody"),
        ("pack lspet -o lspet/joints.mat", "cannot make folder"),
        ("pack lspet -o out --select 70:80", "im00077.jpg"),
        ("clean lspet -o out --opinions teachers-of-others.npz", "says nothing of the people asked for"),
        ("clean lspet -o out --opinions lspet/joints.mat", "cannot read"),
    ],
)
def test_bad_input_is_one_line(prepare, lspet, tmp_path, monkeypatch, capsys, line, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    ShardWriter(tmp_path / "packed").finish()
    np.savez(tmp_path / "teachers-of-others.npz", index=["x"], a=np.zeros((1, 17, 2)), a_conf=np.ones((1, 17)))
    assert prepare(line.split()) == 1
    told = capsys.readouterr().err.strip()
    assert told.startswith("prepare_data: ")
    assert words in told
    assert "\n" not in told


def test_a_set_with_too_much_damage_is_not_usable(prepare, lspet, capsys):
    for number in range(101, 125):
        (lspet / "images" / f"im{number:05d}.jpg").write_bytes(b"")
    assert prepare(["check", str(lspet)]) == 1
    told = capsys.readouterr().out
    assert "NOT USABLE: more than 1% is faulty" in told
    assert "25 labels or pictures cannot be used:" in told
    assert told.count("is empty") == 24  # all of them are named
    assert prepare(["check", str(lspet), "--quick"]) == 0
    assert "pictures were not opened" in capsys.readouterr().out
