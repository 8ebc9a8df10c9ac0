"""The lines that recipes begin with pack the folders that they read: run on made-up sets in the public layouts."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from sadinet.skeletons import COCO17, LSP14, skeleton_by_name
from sadinet.training.plain import build, read_toml
from sadinet.training.sources import DataConfig, load_data
from sadinet.training.split import Split

SCRIPTS = Path(__file__).parents[3] / "scripts"
PACKED = [path for path in sorted((SCRIPTS / "recipes").glob("*.toml")) if "prepare_data.py pack" in path.read_text()]

BEGIN = "python scripts/prepare_data.py "


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import prepare_data

    return prepare_data.main


def pack_lines(recipe):
    """The arguments of each line in a recipe's head, continued lines joined."""
    head = [line[1:].strip() for line in recipe.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    text = "\n".join(head).replace("\\\n", " ")
    return [shlex.split(line.removeprefix(BEGIN)) for line in text.splitlines() if line.startswith(BEGIN)]


@pytest.fixture
def public_sets(tmp_path, monkeypatch, sets):
    """LSP, LSPET, MPII and COCO as they are unpacked, a few pictures of each, in the folder that lines are run in."""
    monkeypatch.chdir(tmp_path)
    sets.leeds(Path("LSPET"), "lspet", 3)
    labels = np.zeros((2000, 14, 3))
    labels[:, :, :2] = sets.standing(LSP14)
    for number in (1, 1000, 1001, 2000):
        sets.picture(Path("LSP") / "images" / f"im{number:04d}.jpg", number)
    scipy.io.savemat(Path("LSP") / "joints.mat", {"joints": labels.transpose(2, 1, 0)})
    sets.mpii(Path("MPII"), "mpii_human_pose_v1_u12_1.mat")
    sets.mpii_json(Path("MPII"), "annot/train.json", [sets.mpii_row("a.jpg"), sets.mpii_row("a.jpg", (5, 5))])
    sets.mpii_json(Path("MPII"), "annot/valid.json", [sets.mpii_row("b.jpg", (2, 3))])
    a, b = sets.standing(COCO17), sets.standing(COCO17, (3, 5))
    for part, numbers in (("train", (71, 81)), ("val", (171, 181))):
        people = [sets.coco_label(numbers[0], 7, a), sets.coco_label(numbers[1], 8, b)]
        sets.coco(Path("COCO"), people, f"annotations/person_keypoints_{part}2017.json", f"{part}2017")
        boxes = {"images": [], "annotations": [{"id": 1, "image_id": 7, "bbox": [1, 2, 3, 4]}]}
        (Path("COCO") / "annotations" / f"instances_{part}2017.json").write_text(json.dumps(boxes))


# Whom the lines leave in the folders to train on, and in the one to choose by.
FOUND = {
    "coco": (["000000000007_71", "000000000008_81"], ["000000000007_171", "000000000008_181"]),
    "lsp": (["im00001", "im00002", "im00003", "im0001", "im1000"], ["im1001", "im2000"]),
    "mpii": (["a_0", "a_1"], ["b_0"]),
}


@pytest.mark.parametrize("recipe", PACKED, ids=lambda path: path.stem)
def test_a_recipes_lines_pack_the_folders_that_it_reads(recipe, prepare, public_sets):
    for line in pack_lines(recipe):
        assert prepare(line) == 0, line
    values = read_toml(recipe)
    skeleton = skeleton_by_name(values.get("skeleton", "mpii16" if values.get("preset") == "paper" else "body19"))
    mixture, held_out = load_data(build(DataConfig, values["data"], "data"), skeleton)
    train, choose = FOUND[recipe.stem.split("-")[0]]
    assert sorted(key for people in mixture.sets for key in people.keys) == train
    assert sorted(held_out.keys) == choose
    Split.of(mixture, held_out)  # refuses people who are in both


def test_every_recipe_that_reads_shards_says_how_they_are_packed():
    reading = [path for path in sorted((SCRIPTS / "recipes").glob("*.toml")) if 'layout = "shards"' in path.read_text()]
    assert reading == PACKED
    assert len(PACKED) == 5
