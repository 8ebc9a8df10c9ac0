"""One model out of several of the same network, and how much its distribution learning counts."""

from __future__ import annotations

import math
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
        InputError: if there is no state, or a count is not a number above 0.
        WeightsError: if the states are of different networks.
    """
    total = sum(count for _, count in parts)
    # Nothing that is compared with "not a number" is larger; of infinite shares there is no mean.
    if not parts or not all(count > 0 for _, count in parts) or not math.isfinite(total):
        raise InputError("nothing to average", "give at least one model, each with a finite share above 0")
    first = parts[0][0]
    for other, _ in parts[1:]:
        if {k: v.shape for k, v in other.items()} != {k: v.shape for k, v in first.items()}:
            raise WeightsError("these models are of different networks", "average models of one preset")
    return {
        name: value.clone()
        if not value.is_floating_point()
        else sum((state[name].double() * (count / total) for state, count in parts), torch.zeros(())).to(value.dtype)
        for name, value in first.items()
    }


def shift_dlm_weight(values: dict[str, Tensor], shift: float) -> None:
    """Add `shift` to the logits of the DLM's mixing weights.

    Raises:
        InputError: if the shift is not a number that they can be moved by.
        WeightsError: if the network has no such weights.
    """
    if not torch.isfinite(torch.tensor(shift)):
        raise InputError(f"a shift of {shift}", "must be a finite number, such as -1")
    names = [name for name in values if name.endswith(DLM_WEIGHT) and values[name].ndim == 1]
    if not names:
        raise WeightsError("this network mixes no Gaussian into its heatmaps", "leave the shift at 0")
    for name in names:
        values[name] = values[name] + shift
