"""Small layers that every part of the network shares."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm and, unless told otherwise, ReLU; keeps the picture's size at stride 1."""

    def __init__(
        self, inside: int, outside: int, kernel: int = 1, *, stride: int = 1, dilation: int = 1, act: bool = True
    ) -> None:
        padding = dilation * (kernel - 1) // 2
        layers: list[nn.Module] = [
            nn.Conv2d(inside, outside, kernel, stride, padding, dilation, bias=False),
            nn.BatchNorm2d(outside),
        ]
        if act:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


def spatial_mean(x: Tensor) -> Tensor:
    """Average (N, C, H, W) to (N, C, 1, 1); summed in fp32, as half precision would lose or overflow."""
    return x.mean(dim=(2, 3), keepdim=True, dtype=torch.float32).to(x.dtype)


class SqueezeExcite(nn.Module):
    """Channel attention: pooled, squeezed by four, back, sigmoid (arXiv 1709.01507)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(8, channels // 4)
        self.squeeze = nn.Conv2d(channels, hidden, 1)
        self.excite = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.relu(self.squeeze(spatial_mean(x)))
        return x * torch.sigmoid(self.excite(gate))


def make_skip(inside: int, outside: int) -> nn.Module:
    """Identity where the channels agree, a 1x1 convolution otherwise."""
    return nn.Identity() if inside == outside else ConvNorm(inside, outside, act=False)
