"""Recipes, ablations and the sheet of gates: the real scripts on made-up people, tiny."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
RECIPES = sorted((SCRIPTS / "recipes").glob("*.toml"))


@pytest.fixture
def script(monkeypatch):
    """Import a script by name, as if it were started from its folder."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return __import__


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Two folders of packed made-up people, to train on and to choose by."""
    from sadinet.training.sets.crops import Crop
    from sadinet.training.sets.shards import ShardWriter

    sys.path.insert(0, str(SCRIPTS))
    try:
        from made_up_set import made_up_set
    finally:
        sys.path.remove(str(SCRIPTS))
    root = tmp_path_factory.mktemp("packed")
    for name, count, seed in (("train", 8, 1), ("val", 4, 2)):
        people = made_up_set(count, seed)
        writer = ShardWriter(root / name)
        for row in range(count):
            picture, joints = people.pictures[row], people.joints[row]
            writer.add(Crop(people.keys[row], picture, joints, people.weight[row], 0), "made-up")
        writer.finish()
    return root


TINY = ["batch=4", "stages=64x1", "network.widths=[8,16]", "network.blocks=[]", "network.stacks=1"]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_runs_on_packed_people(recipe, shards, script, tmp_path):
    """All of a recipe but its size: skeleton, losses, augmentation, optimiser, schedule, and data from shards."""
    arguments = ["--config", str(recipe), "--out", str(tmp_path), "--device", "cpu", "--workers", "0"]
    arguments += ["--shards", str(shards / "train"), "--choose-shards", str(shards / "val"), "--precision", "fp32"]
    for setting in TINY:
        arguments += ["--set", setting]
    assert script("train").main(arguments) == 0
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    assert np.isfinite(float(rows[0]["total"]))
    assert cv2.imread(str(tmp_path / "pictures" / "epoch-001.jpg")) is not None
    assert (tmp_path / "best.pt").is_file()


def test_recipes_of_all_full_sets_are_there():
    names = {"coco-128x96", "coco-256x192", "coco-384x288", "everyday", "lsp-lspet", "mpii-256x256"}
    assert {path.stem for path in RECIPES} == names


def test_a_recipe_tells_its_size(script, capsys):
    recipe = SCRIPTS / "recipes" / "lsp-lspet.toml"
    assert script("train").main(["--config", str(recipe), "--describe"]) == 0
    assert "256x256 (h x w), body19, 1 x hourglass: 1.66 M parameters" in capsys.readouterr().out


@pytest.mark.slow
def test_the_table_of_recipes_says_what_they_tell_of_themselves(script, capsys):
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([\w-]+)` \| (\d+x\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    assert {name for name, *_ in table} == {path.stem for path in RECIPES}
    for name, size, stacks, parameters, macs in table:
        recipe = SCRIPTS / "recipes" / f"{name}.toml"
        assert script("train").main(["--config", str(recipe), "--describe"]) == 0
        told = re.fullmatch(
            r"(\d+x\d+) \(h x w\), \w+, (\d+) x hourglass: ([\d.]+) M parameters, ([\d.]+) GMACs; .*\n",
            capsys.readouterr().out,
        )
        assert told.groups() == (size, stacks, parameters, macs), name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "rat=1"], "unknown setting rat"),
        (["--set", "losses.kind=cubed"], "setting losses.kind is 'cubed' (one of: squared, wing, hardest)"),
        (["--set", "network.joints=3"], "the network has 3 heatmaps, body19 has 19 joints"),
        (["--stages", "100x1"], "stage 100x100"),
        (["--config", "nowhere.toml"], "cannot read nowhere.toml"),
        ([], "the settings name no data.train"),
        (["--rate", "-1"], "rate is -1.0 (must be a finite number above 0)"),
        (["--rate", "nan"], "rate is nan"),
        (["--seed", "-1"], "seed is -1 (must be from 0 to"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--workers", "-1"], "--workers at least 0"),
        (["--set", "augment.flip=7"], "in augment: flip is 7.0 (must be from 0 to 1)"),
        (["--set", "network.dilations=[]"], "one dilation"),
        (["--set", "losses={heatmap=0,spatial=0,rle=0}"], "no loss is left to minimise"),
        (["--set", "data=5"], "setting data is 5 (must be a table with names)"),
        (["--stanford40", "x", "--stanford40-share", "-1"], "in data.train[0]: share is -1.0"),
        (["--stanford40", "x", "--stanford40-share", "nan"], "in data.train[0]: share is nan"),
        (
            ["--set", 'data.train=[{layout="labels",root="x",sets=["y"]}]'],
            "in data.train[0]: the layout labels does not read sets",
        ),
    ],
)
def test_a_mistake_in_the_settings_is_one_line(arguments, said, script, tmp_path, capsys):
    assert script("train").main(["--out", str(tmp_path / "out"), "--device", "cpu", *arguments]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_data_that_is_no_table_is_one_line(script, tmp_path, capsys):
    path = tmp_path / "recipe.toml"
    path.write_text('preset = "t"\nstages = "64x1"\ndata = 5\n', encoding="utf-8")
    assert script("train").main(["--config", str(path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == "train: setting data is 5 (must be a table with names)\n"


@pytest.fixture
def tiny_line(shards, tmp_path):
    """Arguments of a training that takes a second."""
    line = ["--out", str(tmp_path / "out"), "--shards", str(shards / "train"), "--choose-shards", str(shards / "val")]
    line += ["--device", "cpu", "--precision", "fp32", "--backend", "torch", "--workers", "0"]
    return [*line, *(part for setting in TINY for part in ("--set", setting))]


def test_a_training_that_is_stopped_ends_in_one_line_and_goes_on(tiny_line, script, tmp_path, monkeypatch, capsys):
    from sadinet.training.loop import Trainer

    train, whole_step, left = script("train"), Trainer._step, [0]

    def step(self, *arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return whole_step(self, *arguments)

    monkeypatch.setattr(Trainer, "_step", step)
    assert train.main(tiny_line) == 130
    assert capsys.readouterr().err == "train: stopped; there is no checkpoint yet\n"
    left[0] = 1
    assert train.main([*tiny_line, "--set", "save_minutes=0.0"]) == 130
    path = tmp_path / "out" / "last.pt"
    said = f"train: stopped; the last checkpoint is {path}, and the same line goes on from there\n"
    assert capsys.readouterr().err == said
    left[0] = 1  # the other one of two batches
    assert train.main([*tiny_line, "--set", "save_minutes=0.0"]) == 0
    assert "resumed at epoch 0, batch 1" in capsys.readouterr().out


def test_a_training_that_is_complete_says_so(tiny_line, script, capsys):
    train = script("train")
    assert train.main(tiny_line) == 0
    assert "already complete" not in capsys.readouterr().out
    assert train.main(tiny_line) == 0
    assert "already complete: 1 of 1 epochs" in capsys.readouterr().out


IN_THE_WAY = {"log.csv": Path.mkdir, "pictures": Path.touch, "last.pt": lambda path: path.write_bytes(bytes(5000))}


@pytest.mark.parametrize("name", IN_THE_WAY)
def test_what_lies_in_the_folder_and_is_no_file_of_a_training_is_one_line(name, tiny_line, script, tmp_path, capsys):
    path = tmp_path / "out" / name
    path.parent.mkdir()
    IN_THE_WAY[name](path)
    assert script("train").main(tiny_line) == 1
    told = capsys.readouterr().err
    assert str(path) in told
    assert told.count("\n") == 1


def test_first_weights_are_asked_for_by_a_name_too(tiny_line, script, capsys):
    for name, said in (("nobody", "there is no model 'nobody'"), ("sadinet-s", "sadinet-s is of another network: ")):
        assert script("train").main([*tiny_line, "--init", name]) == 1
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1


def test_who_is_left_out_is_said_before_the_training(script, tmp_path, capsys):
    from sadinet.skeletons import LSP14

    rng = np.random.default_rng(0)
    _, data = cv2.imencode(".jpg", rng.integers(0, 256, (80, 60, 3), dtype=np.uint8))
    (tmp_path / "images").mkdir()
    for number in range(1, 204):
        torn = number in (7, 50)
        (tmp_path / "images" / f"im{number:05d}.jpg").write_bytes(data.tobytes()[: 300 if torn else None])
    labels = np.ones((203, len(LSP14), 3))
    labels[:, :, :2] = rng.uniform(5, 55, (203, len(LSP14), 2))
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": labels.transpose(1, 2, 0)})
    arguments = ["--lspet", str(tmp_path), "--train", "1:201", "--choose", "202:203", "--out", str(tmp_path / "out")]
    arguments += ["--device", "cpu", "--precision", "fp32", "--workers", "0"]
    for setting in (*TINY, "batch=1000"):  # more than there are: it ends before the first step
        arguments += ["--set", setting]
    assert script("train").main(arguments) == 1
    told = capsys.readouterr()
    (line,) = [line for line in told.out.splitlines() if "left out" in line]
    assert line.startswith("lspet: 2 people left out: ")
    assert "im00007.jpg is cut off" in line
    assert "im00050.jpg is cut off" in line
    assert "199 people do not fill one batch" in told.err


ABLATION = ["--made-up", "8", "--budget", "8", "--seeds", "2", "--workers", "0", "--device", "cpu"]
for setting in ("batch=4", "stages=64x1", "network.widths=[8,16]", "network.blocks=[]", "precision=fp32"):
    ABLATION += ["--set", setting]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--made-up", "-3"], "--made-up must be at least 1"),
        (["--made-up", "0"], "--made-up must be at least 1"),
        (["--workers", "-1"], "--workers at least 0"),
        (["--budget", "0"], "--budget and --seeds must be at least 1"),
        (["--set", "losses={heatmap=0,spatial=0,rle=0}"], "no loss is left to minimise"),
    ],
)
def test_a_mistake_in_an_ablation_is_one_line(arguments, said, script, tmp_path, capsys):
    assert script("ablate").main([*ABLATION, *arguments, "--out", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_an_ablation_goes_on_where_it_was_and_ends_alike(script, tmp_path, capsys):
    main = script("ablate").main
    names = ["--variants", "DLM: off", "encoding: biased"]
    assert main([*ABLATION, *names, "--out", str(tmp_path)]) == 0
    table = (tmp_path / "table.md").read_text()
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == [
        "SADI-NET", "DLM: off", "encoding: biased", "decoding: argmax", "decoding: shift",
    ]  # fmt: skip
    cells = sorted((tmp_path / "cells").iterdir())
    assert len(cells) == 6
    kept = {path: path.stat().st_mtime_ns for path in cells}
    lost = tmp_path / "cells" / "dlm-off-2.json"
    before = json.loads(lost.read_text())["figures"]
    lost.unlink()
    capsys.readouterr()
    assert main([*ABLATION, *names, "--out", str(tmp_path)]) == 0
    assert json.loads(lost.read_text())["figures"] == before
    assert all(path.stat().st_mtime_ns == kept[path] for path in cells if path != lost)
    assert (tmp_path / "table.md").read_text() == table
    assert main([*ABLATION, *names, "--out", str(tmp_path), "--set", "rate=1e-4"]) == 1
    assert "was made with other settings" in capsys.readouterr().err


def test_a_cell_that_was_stopped_goes_on_inside(script, tmp_path, monkeypatch):
    from sadinet.training.loop import Trainer

    ablate, whole_step, done = script("ablate"), Trainer._step, []
    line = [*ABLATION, "--variants", "SADI-NET", "--seeds", "1", "--set", "save_minutes=0.0"]

    def step(self, *arguments):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(self.batch_done)
        return whole_step(self, *arguments)

    assert ablate.main([*line, "--out", str(tmp_path / "whole")]) == 0
    monkeypatch.setattr(Trainer, "_step", step)
    with pytest.raises(KeyboardInterrupt):
        ablate.main([*line, "--out", str(tmp_path / "torn")])
    monkeypatch.setattr(Trainer, "_step", lambda self, *given: done.append(self.batch_done) or whole_step(self, *given))
    assert ablate.main([*line, "--out", str(tmp_path / "torn")]) == 0
    assert done == [0, 1]  # of the cell's two batches, the second one only
    whole, torn = (
        json.loads((tmp_path / name / "cells" / "sadi-net-1.json").read_text()) for name in ("whole", "torn")
    )
    assert torn["figures"]["dark"] == pytest.approx(whole["figures"]["dark"], abs=2.0)


def test_every_variant_is_a_network_of_its_own(script, monkeypatch):
    ablate = script("ablate")
    options = ablate.parse([*ABLATION, "--out", "x"])
    made = {variant.name: ablate.settings_of(options, variant, 1, 1) for variant in ablate.VARIANTS}
    assert len({repr(config) for config in made.values()}) == len(ablate.VARIANTS)
    first = made["SADI-NET"].network
    assert (first.block, first.sfm, first.dlm, first.stacks) == ("rfm", "both", "learned", 1)
    assert made["SADI-NET"].encoding == "unbiased"


def test_intervals_by_hand(script):
    mean, half = script("ablate").interval([1.0, 2.0, 3.0])
    # Student's t of two degrees of freedom, 97.5%: 4.303; the deviation is 1.
    assert (mean, half) == pytest.approx((2.0, 4.303 / np.sqrt(3)), abs=1e-3)


def test_the_sheet_shows_every_gate_of_the_shipped_model(script, clip, tmp_path):
    inspect = script("inspect_network")
    network = inspect.open_network("default", None)
    seen = inspect.Seen()
    inspect.watch(network, seen)
    out = tmp_path / "sheet.png"
    assert inspect.main(["--picture", str(clip), "--box", "765,51,163,295", "-o", str(out)]) == 0
    sheet = cv2.imread(str(out))
    assert sheet.shape[0] > 600
    config = network.config
    import torch

    with torch.no_grad():
        network(torch.zeros(1, 3, config.size_wh[1], config.size_wh[0]))
    assert len(seen.gates) == config.stacks * config.depth
    assert all(0 <= gate.min() <= gate.max() <= 1 for gate in seen.gates.values())
    # Over the scales the shares of a channel add up to their number, so that equal ones change nothing.
    for shares in seen.shares.values():
        np.testing.assert_allclose(shares.sum(axis=0), len(config.widths), rtol=1e-5)


def test_a_wrong_box_or_model_is_one_line(script, clip, tmp_path, capsys):
    inspect = script("inspect_network")
    out = ["--picture", str(clip), "-o", str(tmp_path / "sheet.png")]
    assert inspect.main([*out, "--box", "1,2,3"]) == 1
    assert inspect.main([*out, "--box", "5000,2,30,40"]) == 1
    assert inspect.main([*out, "--weights", str(tmp_path / "no.pt")]) == 1
    told = capsys.readouterr().err
    assert "box '1,2,3'" in told
    assert "outside of the picture (it has 960x384 pixels)" in told
    assert "no checkpoint" in told


@pytest.mark.slow
def test_the_training_line_of_the_documents_runs_in_two_processes(shards, tmp_path):
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run += [str(SCRIPTS / "train.py"), "--out", str(tmp_path), "--shards", str(shards / "train"), "--threads", "1"]
    run += ["--choose-shards", str(shards / "val"), "--device", "cpu", "--precision", "fp32", "--workers", "0"]
    for setting in TINY:
        run += ["--set", setting]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "on 2 x cpu in fp32" in done.stdout


def test_the_pace_of_training_is_measured(script, capsys):
    arguments = ["--presets", "t", "--sizes", "64", "--people", "8", "--batch", "4", "--workers", "0"]
    arguments += ["--device", "cpu", "--precision", "fp32", "--backend", "torch"]
    assert script("measure_training").main(arguments) == 0
    cells = [cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].strip("|").split("|")]
    assert cells[:2] == ["t", "64"]
    assert float(cells[3]) > 0
    # Without workers this process cuts the crops itself: it waits for a part of the time, not for all of it.
    assert 0 < float(cells[4].rstrip("%")) < 100
