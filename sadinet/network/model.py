"""The whole network (arXiv 2311.05323): stem, stacked hourglasses with RFM, SFM after each, DLM at its head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sadinet.network.config import NetworkConfig
from sadinet.network.dlm import Distribution, DistributionLearning
from sadinet.network.hourglass import Hourglass
from sadinet.network.layers import ConvNorm
from sadinet.network.rfm import make_block
from sadinet.network.sfm import SpatialFusion


class Stem(nn.Module):
    """Normalised picture (N, 3, H, W) -> (N, widths[0], H/4, W/4)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.widths[0]
        self.first = ConvNorm(3, width // 2, 3, stride=2)
        self.second = ConvNorm(width // 2, width, 3, stride=2)
        self.block = make_block(width, width, config)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block(self.second(self.first(x)))
        return y


class Stack(nn.Module):
    """One hourglass with fusion and head: feature -> (fused feature, what it says)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.hourglass = Hourglass(config)
        self.fusion = SpatialFusion(config) if config.sfm != "none" else None
        self.head = DistributionLearning(config)

    def forward(self, x: Tensor) -> tuple[Tensor, Distribution]:
        features = self.hourglass(x)
        fused = features[0] if self.fusion is None else self.fusion(features)
        return fused, self.head(fused)


class Remap(nn.Module):
    """Feed a stack's feature and heatmaps back into the stream that the next stack reads."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.widths[0]
        self.feature = ConvNorm(width, width, act=False)
        self.heatmaps = nn.Conv2d(config.joints, width, 1)

    def forward(self, x: Tensor, fused: Tensor, heatmaps: Tensor) -> Tensor:
        return F.relu(x + self.feature(fused) + self.heatmaps(heatmaps.to(x.dtype)))


class SadiNet(nn.Module):
    """Normalised crops (N, 3, H, W) -> one `Distribution` a stack, the last is the answer."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = Stem(config)
        self.stacks = nn.ModuleList([Stack(config) for _ in range(config.stacks)])
        self.remaps = nn.ModuleList([Remap(config) for _ in range(config.stacks - 1)])

    def forward(self, x: Tensor) -> list[Distribution]:
        x = self.stem(x)
        answers: list[Distribution] = []
        for i, stack in enumerate(self.stacks):
            fused, answer = stack(x)
            answers.append(answer)
            if i < len(self.remaps):
                x = self.remaps[i](x, fused, answer.heatmaps)
        return answers


# Statistics of ImageNet, as customary; RGB in 0..255.
MEAN_RGB = (123.675, 116.28, 103.53)
STD_RGB = (58.395, 57.12, 57.375)


class Deployed(nn.Module):
    """What is exported: raw crops in, the last stack's heatmaps and spread out, normalisation inside.

    `forward` takes (N, H, W, 3) uint8 BGR and returns heatmaps (N, K, h, w) and, unless the DLM is off,
    sigma (N, K, 2) in cells times `sigma_scale`; both fp32 whatever the network computes in.
    """

    mean: Tensor
    std: Tensor
    sigma_scale: Tensor

    def __init__(self, network: SadiNet, sigma_scale: Tensor | None = None) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN_RGB[::-1]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD_RGB[::-1]).view(1, 3, 1, 1), persistent=False)
        scale = torch.ones(network.config.joints, 2) if sigma_scale is None else sigma_scale
        self.register_buffer("sigma_scale", scale)

    def normalise(self, crops: Tensor) -> Tensor:
        """(N, H, W, 3) uint8 BGR -> (N, 3, H, W) fp32 RGB, mean 0 and deviation 1."""
        planes = (crops.permute(0, 3, 1, 2).float() - self.mean.float()) / self.std.float()
        return planes.flip(1)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        planes = self.normalise(crops).to(next(self.network.parameters()).dtype)
        answer = self.network(planes)[-1]
        heatmaps = answer.heatmaps.float()
        if answer.sigma is None:
            return (heatmaps,)
        return heatmaps, answer.sigma.float() * self.sigma_scale.float()
