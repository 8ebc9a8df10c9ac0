"""Spatial fusion module (arXiv 2311.05323): what each scale of the decoder says, weighed and mixed.

Global fusion asks, a channel at a time, which scale to believe; local fusion asks, a place at a time,
whether the finer or the coarser feature is right.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sadinet.network.config import NetworkConfig
from sadinet.network.layers import ConvNorm, spatial_mean


class GlobalFusion(nn.Module):
    """Reweight each scale's channels by a softmax across scales, from all scales' pooled vectors."""

    def __init__(self, channels: int, scales: int) -> None:
        super().__init__()
        self.channels, self.scales = channels, scales
        hidden = max(16, channels // 2)
        self.squeeze = nn.Linear(channels * scales, hidden)
        self.weigh = nn.Linear(hidden, channels * scales)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        pooled = torch.cat([spatial_mean(f).flatten(1) for f in features], dim=1)
        logits = self.weigh(torch.relu(self.squeeze(pooled)))
        shares = logits.view(-1, self.scales, self.channels).float().softmax(dim=1).to(pooled.dtype)
        # Equal shares leave every scale as it was.
        return [f * (self.scales * shares[:, i, :, None, None]) for i, f in enumerate(features)]


class LocalFusion(nn.Module):
    """Mix a finer feature with the upsampled coarser one by a gate at every place, then 1x1 and residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(2 * channels, 1, 1)
        self.mix = ConvNorm(channels, channels, act=False)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        raised = F.interpolate(coarse, scale_factor=2.0, mode="nearest")
        gate = torch.sigmoid(self.gate(torch.cat([fine, raised], dim=1)))
        mixed = raised + gate * (fine - raised)
        return torch.relu(fine + self.mix(mixed))


class SpatialFusion(nn.Module):
    """Fuse the decoder's features, finest first, into one at the finest scale.

    Args of `forward`: list of (N, widths[i], H / 2**i, W / 2**i); returns (N, widths[0], H, W).
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels, scales = config.widths[0], len(config.widths)
        self.level = nn.ModuleList(
            [nn.Identity()] + [ConvNorm(width, channels, act=False) for width in config.widths[1:]]
        )
        self.globally = GlobalFusion(channels, scales) if config.sfm in ("global", "both") else None
        local = config.sfm in ("local", "both")
        self.locally = nn.ModuleList([LocalFusion(channels) for _ in range(scales - 1)]) if local else None

    def forward(self, features: list[Tensor]) -> Tensor:
        features = [level(f) for level, f in zip(self.level, features, strict=True)]
        if self.globally is not None:
            features = self.globally(features)
        fused = features[-1]
        for i in range(len(features) - 2, -1, -1):
            if self.locally is not None:
                fused = self.locally[i](features[i], fused)
            else:
                fused = features[i] + F.interpolate(fused, scale_factor=2.0, mode="nearest")
        return fused
