"""A network so small that a test can train it, on the CPU and in this process."""

from __future__ import annotations

import torch

from sadinet.network.config import NetworkConfig
from sadinet.training.augment import AugmentConfig
from sadinet.training.config import Stage, TrainConfig
from sadinet.training.loop import Trainer
from sadinet.training.machine import TorchMachine

NETWORK = NetworkConfig(size_wh=(64, 64), widths=(16, 24), dilations=(1, 2))


def config(**changes) -> TrainConfig:
    stages = changes.pop("stages", (Stage((64, 64), 1),))
    mild = AugmentConfig(half_body=0, full_turn=0, rotation_deg=5)
    return TrainConfig(NETWORK, stages, **{"batch": 8, "augment": mild, "precision": "fp32", **changes})


def trainer(folder, settings, **how) -> Trainer:
    machine = TorchMachine(torch.device("cpu"), "fp32")
    return Trainer(settings, folder, lambda line: None, machine=machine, workers=0, **how)
