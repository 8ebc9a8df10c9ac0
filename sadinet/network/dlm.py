"""Distribution learning module (arXiv 2311.05323, with the regression of arXiv 2107.11291).

From heatmaps H it takes the mean mu by soft-argmax, a spread sigma from the features under each map's
weight, and draws the Gaussian of both; heatmap and Gaussian are mixed by a weight per joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sadinet.network.config import NetworkConfig

SIGMA_FLOOR = 0.05
"""Smallest spread, cells: keeps the Gaussian and its gradient finite."""

FIRST_WEIGHT = 0.27
"""The Gaussian's share before training, and for good where `dlm` is "fixed"."""

SHARPNESS = 40.0
"""Factor between a heatmap in [0, 1] and the logits of its softmax.

A joint that is half sure peaks at 0.5; the ground around it, thousands of cells, must not outweigh it: with 20
the mean of a real network was off by cells, and drew the fused maps with it.
"""


@dataclass(frozen=True)
class Distribution:
    """What one stack says.

    Attributes:
        heatmaps: (N, K, h, w) the output: the fused maps, or H where the DLM is off.
        raw: (N, K, h, w) H itself, before fusion.
        mean: (N, K, 2) x, y in heatmap cells; None where the DLM is off.
        sigma: (N, K, 2) standard deviations in x, y, cells; None where the DLM is off.
    """

    heatmaps: Tensor
    raw: Tensor
    mean: Tensor | None = None
    sigma: Tensor | None = None


def cell_axes(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return x (w,) and y (h,) of the cells' centres in fp32."""
    return (
        torch.arange(width, device=like.device, dtype=torch.float32),
        torch.arange(height, device=like.device, dtype=torch.float32),
    )


class DistributionLearning(nn.Module):
    """Heatmap head with distribution learning: feature (N, C, h, w) -> `Distribution`."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = config.widths[0]
        self.mode = config.dlm
        self.heatmap = nn.Conv2d(channels, config.joints, 1)
        self.heatmap.bias = nn.Parameter(torch.zeros(config.joints))
        nn.init.normal_(self.heatmap.weight, std=0.01)
        if self.mode == "off":
            return
        self.spread = nn.Parameter(torch.zeros(config.joints, 2, channels))
        nn.init.normal_(self.spread, std=0.01)
        self.spread_bias = nn.Parameter(torch.zeros(config.joints, 2))
        weight = torch.full((config.joints,), FIRST_WEIGHT).logit()
        if self.mode == "learned":
            self.weight = nn.Parameter(weight)
        else:
            self.register_buffer("weight", weight)

    def forward(self, feature: Tensor) -> Distribution:
        raw = self.heatmap(feature)
        if self.mode == "off":
            return Distribution(raw, raw)
        # All sums over the map run in fp32: 4096 cells times a peak of e^40 overflow half precision.
        with torch.autocast(feature.device.type, enabled=False):
            return self._distribute(raw.float(), feature.float(), raw)

    def _distribute(self, maps: Tensor, feature: Tensor, raw: Tensor) -> Distribution:
        n, k, h, w = maps.shape
        x, y = cell_axes(h, w, maps)
        attention = (SHARPNESS * maps).flatten(2).softmax(dim=2)
        grid = attention.view(n, k, h, w)
        mean = torch.stack([(grid.sum(dim=2) * x).sum(dim=2), (grid.sum(dim=3) * y).sum(dim=2)], dim=2)
        pooled = torch.matmul(attention, feature.flatten(2).transpose(1, 2))
        spread = (pooled[:, :, None, :] * self.spread.float()).sum(dim=3) + self.spread_bias.float()
        sigma = F.softplus(spread) + SIGMA_FLOOR
        along_x = torch.exp(-0.5 * ((x - mean[..., :1]) / sigma[..., :1]) ** 2)
        along_y = torch.exp(-0.5 * ((y - mean[..., 1:]) / sigma[..., 1:]) ** 2)
        gaussian = along_y[..., :, None] * along_x[..., None, :]
        share = torch.sigmoid(self.weight.float())[:, None, None]
        return Distribution(maps + share * (gaussian - maps), raw, mean, sigma)
