"""One model out of several of the same network, and how much its distribution learning counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sadinet.errors import InputError, WeightsError

DLM_WEIGHT = "head.weight"
"""End of the name of the logit by which a stack mixes its Gaussian into its heatmaps."""


def weighted_mean(parts: Sequence[tuple[Mapping[str, Tensor], float]]) -> dict[str, Tensor]:
    """Return the mean of several states of one network, as of runs that went on from each other (arXiv 2203.05482).

    Args:
        parts: states of the same names and shapes, and how much each counts; counts need not add up to 1.

    Raises:
        InputError: if there is no state, or a count is not above 0.
        WeightsError: if the states are of different networks.
    """
    if not parts or any(count <= 0 for _, count in parts):
        raise InputError("nothing to average", "give at least one model, each with a share above 0")
    first = parts[0][0]
    for other, _ in parts[1:]:
        if {k: v.shape for k, v in other.items()} != {k: v.shape for k, v in first.items()}:
            raise WeightsError("these models are of different networks", "average models of one preset")
    total = sum(count for _, count in parts)
    return {
        name: value.clone()
        if not value.is_floating_point()
        else sum((state[name].double() * (count / total) for state, count in parts), torch.zeros(())).to(value.dtype)
        for name, value in first.items()
    }


def shift_dlm_weight(values: dict[str, Tensor], shift: float) -> None:
    """Add `shift` to the logits of the DLM's mixing weights; raises `WeightsError` if the network has none."""
    names = [name for name in values if name.endswith(DLM_WEIGHT) and values[name].ndim == 1]
    if not names:
        raise WeightsError("this network mixes no Gaussian into its heatmaps", "leave the shift at 0")
    for name in names:
        values[name] = values[name] + shift
