"""The optimiser of a training, and what of it a checkpoint brings back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sadinet.training.config import TrainConfig
from sadinet.training.student import Student


def make_optimiser(config: TrainConfig, student: Student) -> torch.optim.Optimizer:
    """Return the optimiser that the configuration names; norms, biases and the likelihood's flow do not decay."""
    decayed = [p for p in student.network.parameters() if p.ndim > 1]
    plain = [p for p in student.network.parameters() if p.ndim <= 1] + list(student.criterion.parameters())
    groups: list[dict[str, Any]] = [
        {"params": params, "weight_decay": decay}
        for params, decay in zip((decayed, plain), _decays(config), strict=True)
    ]
    if config.optimiser == "adam":
        return torch.optim.Adam(groups, lr=config.rate)
    if config.optimiser == "rmsprop":
        return torch.optim.RMSprop(groups, lr=config.rate, alpha=0.99)
    return torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.99))


def restore_optimiser(optimiser: torch.optim.Optimizer, state: Mapping[str, Any], config: TrainConfig) -> None:
    """Take over what a checkpoint held, with the weight decay of `config`.

    Raises:
        ValueError: if the state is of other parameters, which torch would find out only at the first step.
    """
    settings = [set(group) for group in optimiser.param_groups]
    optimiser.load_state_dict(dict(state))
    for group, decay, names in zip(optimiser.param_groups, _decays(config), settings, strict=True):
        if names - set(group):
            raise ValueError("the optimiser lacks settings")
        group["weight_decay"] = decay  # the state brought that of its own settings along
    for parameter, held in optimiser.state.items():
        if any(isinstance(value, Tensor) and value.ndim and value.shape != parameter.shape for value in held.values()):
            raise ValueError("the optimiser is of other parameters")


def _decays(config: TrainConfig) -> tuple[float, float]:
    return config.decay, 0.0
