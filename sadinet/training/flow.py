"""The normalising flow of residual log-likelihood estimation (arXiv 2107.11291), after RealNVP (arXiv 1605.08803).

It learns the shape of the errors while the network trains, and is thrown away afterwards.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_MASKS = ((0.0, 1.0), (1.0, 0.0)) * 3


def _mlp(hidden: int, *, bounded: bool) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Linear(2, hidden), nn.LeakyReLU(), nn.Linear(hidden, hidden), nn.LeakyReLU(), nn.Linear(hidden, 2),
    ]  # fmt: skip
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight, gain=0.01)
    return nn.Sequential(*layers, nn.Tanh()) if bounded else nn.Sequential(*layers)


class RealNVP(nn.Module):
    """Density of 2-vectors: six coupling layers over a standard normal."""

    masks: Tensor

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.register_buffer("masks", torch.tensor(_MASKS))
        self.scale = nn.ModuleList([_mlp(hidden, bounded=True) for _ in _MASKS])
        self.shift = nn.ModuleList([_mlp(hidden, bounded=False) for _ in _MASKS])

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (..., 2) -> (...)."""
        log_det = torch.zeros_like(x[..., 0])
        z = x
        for i in reversed(range(len(_MASKS))):
            mask = self.masks[i]
            kept = mask * z
            scale = self.scale[i](kept) * (1 - mask)
            shift = self.shift[i](kept) * (1 - mask)
            z = (1 - mask) * (z - shift) * torch.exp(-scale) + kept
            log_det = log_det - scale.sum(dim=-1)
        return -0.5 * (z**2).sum(dim=-1) - math.log(2 * math.pi) + log_det
