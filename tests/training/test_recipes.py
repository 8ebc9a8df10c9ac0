"""What the recipes say, as it is read: sizes, epochs, targets, and that crops are as sharp as their size promises."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sadinet.geometry import pixel_scale
from sadinet.training.augment import random_matrix
from sadinet.training.batches import Mixture, epoch_batches
from sadinet.training.config import learning_rate, train_config
from sadinet.training.datasets import LONGEST_SIDE, cut_person
from sadinet.training.loop import Trainer
from sadinet.training.machine import TorchMachine
from sadinet.training.plain import read_toml
from sadinet.training.render import KEPT

sys.path.insert(0, str(Path(__file__).resolve().parent))

from made_people import people

RECIPES = Path(__file__).parents[2] / "scripts" / "recipes"

# Width and height, epochs, and the targets' sigma of each stage; stacks, and channels and number of the levels.
SAID = {
    "coco-128x96": ([((96, 128), 140, 1.0)], 4, (256,) * 4, "coco17"),
    "coco-256x192": ([((192, 256), 140, 2.0)], 4, (256,) * 5, "coco17"),
    "coco-384x288": ([((288, 384), 140, 3.0)], 4, (256,) * 4, "coco17"),
    "everyday": ([((192, 192), 2, 1.5), ((256, 256), 2, 2.0)], 1, (64, 128, 192, 256), "body19"),
    "lsp-lspet": ([((192, 192), 60, 1.5), ((256, 256), 80, 2.0)], 1, (64, 128, 192, 256), "body19"),
    "mpii-256x256": ([((256, 256), 140, 2.0)], 8, (256,) * 5, "mpii16"),
}
DARK = [name for name in SAID if name.startswith(("coco", "mpii"))]


def config_of(name):
    return train_config({key: value for key, value in read_toml(RECIPES / f"{name}.toml").items() if key != "data"})


def head_of(name):
    """The comment that a recipe begins with."""
    lines = (RECIPES / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    return lines[: next(place for place, line in enumerate(lines) if not line.startswith("#"))]


@pytest.mark.parametrize("name", SAID)
def test_a_recipe_has_the_sizes_epochs_and_targets_of_its_name(name):
    config = config_of(name)
    stages, stacks, widths, skeleton = SAID[name]
    assert [(stage.size_wh, stage.epochs, stage.target_sigma) for stage in config.stages] == stages
    network = config.network
    assert (network.stacks, network.widths, config.skeleton) == (stacks, widths, skeleton)
    # What is shipped is what the last stage trained.
    assert (network.size_wh, network.heatmap_sigma) == (stages[-1][0], stages[-1][2])


@pytest.mark.parametrize(
    "name",
    [name if name in ("coco-128x96", "everyday", "lsp-lspet") else pytest.param(name, marks=pytest.mark.slow)
     for name in SAID],
)  # fmt: skip
def test_a_recipes_own_network_takes_a_step_at_its_own_sizes(name, tmp_path):
    """Forward, backward and the optimiser, once in each stage, with a batch of two people; all else is the recipe's."""
    told = config_of(name)
    config = replace(told, batch=2, stages=tuple(replace(stage, epochs=1) for stage in told.stages))
    machine = TorchMachine(torch.device("cpu"), "fp32")
    trainer = Trainer(config, tmp_path, lambda line: None, machine=machine, workers=0)
    mixture = Mixture((people(2, 1, len(config.joint_set), side=200),), (1.0,))
    before = [parameter.detach().clone() for parameter in trainer.network.parameters()]
    for trainer.epoch, stage in enumerate(config.stages):
        (batch,) = epoch_batches(mixture, trainer._plan(), 0, None)
        assert batch[0].shape == (2, stage.size_wh[1], stage.size_wh[0], 3)
        found = trainer._step(batch, config.rate)
        assert all(bool(torch.isfinite(value)) for value in found.values())
        assert found["gradient"] > 0
    for old, (key, new) in zip(before, trainer.network.named_parameters(), strict=True):
        assert not torch.equal(old, new), key


@pytest.mark.parametrize("name", DARK)
def test_a_recipe_after_dark_has_its_schedule_and_augmentation(name):
    config = config_of(name)
    assert (config.optimiser, config.decay, config.encoding) == ("adam", 0.0, "unbiased")
    rates = [learning_rate(config, epoch / 140) for epoch in (0, 89, 90, 120)]
    assert rates == pytest.approx([2.5e-4, 2.5e-4, 2.5e-5, 2.5e-6])
    augment = config.augment
    turn_and_scale = (30.0, 0.25) if name.startswith("mpii") else (40.0, 0.3)
    assert (augment.rotation_deg, augment.scale, augment.half_body, augment.flip) == (*turn_and_scale, 0.0, 0.5)


def test_crops_of_coco_are_as_close_as_its_boxes():
    """A box of 0.80 times the joints' box gives the crop that the mean zoom gives."""
    zooms = {config_of(name).augment.zoom for name in SAID if name.startswith("coco")}
    assert len(zooms) == 1
    assert np.exp(-zooms.pop()) == pytest.approx(0.80, abs=0.005)


@pytest.mark.parametrize("name", [name for name in SAID if name != "everyday"])
def test_a_person_of_any_size_is_not_enlarged_on_the_way_into_a_recipes_crops(name):
    """Packed at the size of the recipe's lines, and kept on a device: a crop at the mean zoom has its own pixels."""
    config = config_of(name)
    told = re.findall(r"--longest-side (\d+)", " ".join(head_of(name)))
    longest = {int(number) for number in told} or {LONGEST_SIDE}
    assert len(longest) == 1
    size_wh = config.stages[-1].size_wh
    joints = np.random.default_rng(0).uniform((800, 600), (1200, 2600), (19, 2)).astype(np.float32)
    weight = np.ones(19, np.float32)
    packed, points = cut_person(np.zeros((3200, 2000, 3), np.uint8), joints, weight, longest.pop())
    still = replace(config.augment, rotation_deg=0, full_turn=0, scale=0, shift=0, half_body=0, close_up=0)
    matrix, _ = random_matrix(points, weight, size_wh, still, np.random.default_rng(0))
    assert pixel_scale(matrix) <= 1.02
    kept = min(1.0, KEPT * max(size_wh) / max(packed.shape[:2]))
    assert pixel_scale(matrix) / kept <= 1.02
