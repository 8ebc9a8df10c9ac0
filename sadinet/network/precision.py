"""Half precision where it costs no accuracy.

bfloat16 has 8 bits of mantissa: in the fine levels of an hourglass one joint in a hundred moves by half a pixel or by
many, as a map with two tops of nearly one height turns over. At the bottom it hardly shows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sadinet.network.hourglass import Hourglass
from sadinet.network.model import SadiNet

FINE_LEVELS = 3
"""Levels of each hourglass that keep fp32, as stem, fusion and head do."""


class InType(nn.Module):
    """A module that computes in another type; takes and returns fp32."""

    def __init__(self, inside: nn.Module, kind: torch.dtype) -> None:
        super().__init__()
        self.inside = inside.to(kind)
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inside(x.to(self.kind))
        return y.float()


def coarse_levels_in(network: SadiNet, kind: torch.dtype) -> SadiNet:
    """Let the levels below the finest three of every hourglass compute in `kind`; changes the network itself."""
    for hourglass in [module for module in network.modules() if isinstance(module, Hourglass)]:
        # The block that leads down lies on the coarser of its two levels.
        for blocks, first in ((hourglass.across, 0), (hourglass.down, 1), (hourglass.narrow, 0), (hourglass.up, 0)):
            for level in range(FINE_LEVELS - first, len(blocks)):
                blocks[level] = InType(blocks[level], kind)
        hourglass.bottom = nn.Sequential(InType(hourglass.bottom, kind))
    return network
