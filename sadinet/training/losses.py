"""What training minimises: maps near their targets, and errors that the spread foretells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from sadinet.network.dlm import Distribution
from sadinet.training.flow import RealNVP

SHARPNESS = 20.0
"""Factor between maps and the logits of `spatial_loss`; larger asks for places finer than labels are exact."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Share of each part; 0 leaves the part out.

    Attributes:
        heatmap: masked squared error of the fused maps, foreground weighted.
        spatial: cross-entropy of the raw maps' softmax against the target's.
        rle: residual log-likelihood of mean and spread.
        foreground: how much more a target's peak counts than empty ground in `heatmap`.
    """

    heatmap: float = 4.0
    spatial: float = 0.25
    rle: float = 0.02
    foreground: float = 4.0


def draw_targets(points: Tensor, size_wh: tuple[int, int], sigma: float) -> Tensor:
    """Torch twin of `sadinet.dark.encode`, unbiased: points (N, K, 2) in cells -> (N, K, h, w)."""
    x = torch.arange(size_wh[0], device=points.device, dtype=torch.float32)
    y = torch.arange(size_wh[1], device=points.device, dtype=torch.float32)
    along_x = torch.exp(-0.5 * ((x - points[..., :1]) / sigma) ** 2)
    along_y = torch.exp(-0.5 * ((y - points[..., 1:]) / sigma) ** 2)
    return along_y[..., :, None] * along_x[..., None, :]


def masked_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of values (N, K) under weights (N, K); 0 where all weights are 0."""
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def heatmap_loss(maps: Tensor, targets: Tensor, weight: Tensor, foreground: float) -> Tensor:
    """Foreground-weighted squared error, in units of a target's own mass, so that map size drops out."""
    error = ((maps - targets) ** 2 * (1 + foreground * targets)).sum(dim=(2, 3))
    mass = targets.sum(dim=(2, 3)).clamp(min=1.0)
    return masked_mean(error / mass, weight)


def spatial_loss(raw: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy between the softmax of the maps and that of the targets; 0 for equal maps."""
    wanted = (SHARPNESS * targets).flatten(2).softmax(dim=2)
    got = (SHARPNESS * raw).flatten(2).log_softmax(dim=2)
    entropy = -(wanted * wanted.clamp(min=1e-12).log()).sum(dim=2)
    return masked_mean(-(wanted * got).sum(dim=2) - entropy, weight)


class ResidualLikelihood(nn.Module):
    """Negative log-likelihood of the true joint under mean, spread, flow and base (arXiv 2107.11291, eq. 9)."""

    def __init__(self, base: Literal["laplace", "gaussian"] = "laplace") -> None:
        super().__init__()
        self.base = base
        self.flow = RealNVP()

    def forward(self, mean: Tensor, sigma: Tensor, points: Tensor, weight: Tensor) -> Tensor:
        """Mean and sigma and points (N, K, 2) in cells, weight (N, K)."""
        known = weight > 0
        if not known.any():
            return (mean.sum() + sigma.sum()) * 0
        error = ((points - mean) / sigma)[known]
        scale = sigma[known]
        residual = self.flow.log_prob(error)
        if self.base == "laplace":
            base = -(error.abs() + torch.log(2 * scale)).sum(dim=-1)
        else:
            base = -(0.5 * error**2 + torch.log(scale) + 0.9189385).sum(dim=-1)
        nll = torch.log(scale).sum(dim=-1) - residual - base
        picked = weight[known]
        return (nll * picked).sum() / picked.sum()


class Criterion(nn.Module):
    """The sum over stacks of all parts."""

    def __init__(self, weights: LossWeights) -> None:
        super().__init__()
        self.weights = weights
        self.likelihood = ResidualLikelihood()

    def forward(self, answers: list[Distribution], points: Tensor, weight: Tensor, sigma: float) -> dict[str, Tensor]:
        """Compare answers with points (N, K, 2) in cells under weight (N, K); returns "total" and its parts."""
        h, w = answers[0].raw.shape[2:]
        targets = draw_targets(points, (w, h), sigma)
        zero = points.new_zeros(())
        parts = {"heatmap": zero, "spatial": zero, "rle": zero}
        for answer in answers:
            parts["heatmap"] = parts["heatmap"] + heatmap_loss(
                answer.heatmaps.float(), targets, weight, self.weights.foreground
            )
            if self.weights.spatial:
                parts["spatial"] = parts["spatial"] + spatial_loss(answer.raw.float(), targets, weight)
            if self.weights.rle and answer.mean is not None and answer.sigma is not None:
                parts["rle"] = parts["rle"] + self.likelihood(answer.mean, answer.sigma, points, weight)
        total = zero
        for name, value in parts.items():
            total = total + getattr(self.weights, name) * value
        return {"total": total, **{k: v.detach() for k, v in parts.items()}}
