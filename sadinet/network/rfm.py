"""Basic blocks: the receptive field module (arXiv 2311.05323) and what it is compared with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sadinet.network.config import NetworkConfig
from sadinet.network.layers import ConvNorm, SqueezeExcite, make_skip, spatial_mean


class ResidualBlock(nn.Module):
    """Reduce to half by 1x1, `middle`, expand by 1x1, squeeze-excite, add the skip, ReLU."""

    def __init__(self, inside: int, outside: int, middle: nn.Module, hidden: int, se: bool) -> None:
        super().__init__()
        self.reduce = ConvNorm(inside, outside // 2)
        self.middle = middle
        self.expand = ConvNorm(hidden, outside, act=False)
        self.se = SqueezeExcite(outside) if se else nn.Identity()
        self.skip = make_skip(inside, outside)

    def forward(self, x: Tensor) -> Tensor:
        y = self.se(self.expand(self.middle(self.reduce(x))))
        return torch.relu(y + self.skip(x))


class SplitDilation(nn.Module):
    """3x3 convolutions of several dilations, each on its own share of the channels."""

    def __init__(self, channels: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        share = channels // len(dilations)
        self.branches = nn.ModuleList([ConvNorm(share, share, 3, dilation=d) for d in dilations])

    def forward(self, x: Tensor) -> Tensor:
        shares = x.chunk(len(self.branches), dim=1)
        return torch.cat([branch(share) for branch, share in zip(self.branches, shares, strict=True)], dim=1)


class _Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: 1x1, a 3x3 a dilation, and the picture's mean (arXiv 1706.05587)."""

    def __init__(self, channels: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        share = channels // len(dilations)
        self.point = ConvNorm(channels, share)
        self.branches = nn.ModuleList([ConvNorm(channels, share, 3, dilation=d) for d in dilations])
        self.pooled = nn.Conv2d(channels, share, 1)
        self.outside = share * (len(dilations) + 2)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.relu(self.pooled(spatial_mean(x))).expand(-1, -1, *x.shape[2:])
        return torch.cat([self.point(x), *[branch(x) for branch in self.branches], pooled], dim=1)


def make_block(inside: int, outside: int, config: NetworkConfig) -> nn.Module:
    """Build the basic block that the configuration names: (N, inside, H, W) -> (N, outside, H, W)."""
    hidden = outside // 2
    middle: nn.Module
    if config.block == "rfm":
        middle = SplitDilation(hidden, config.dilations)
    elif config.block == "residual":
        middle = ConvNorm(hidden, hidden, 3)
    else:
        middle = _Pyramid(hidden, config.dilations)
        hidden = middle.outside
    return ResidualBlock(inside, outside, middle, hidden, config.se)
