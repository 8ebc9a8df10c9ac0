"""What training minimises: maps near their targets, and errors that the spread foretells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from sadinet.dark import Rounding
from sadinet.network.bounds import FINITE, check_bounds
from sadinet.network.dlm import Distribution
from sadinet.training.flow import RealNVP

SHARPNESS = 20.0
"""Factor between maps and the logits of `spatial_loss`; larger asks for places finer than labels are exact."""

_BOUNDS = dict.fromkeys(("heatmap", "spatial", "rle", "teacher", "foreground"), (0, FINITE))


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Share of each part; 0 leaves the part out.

    Attributes:
        heatmap: masked error of the fused maps, foreground weighted.
        spatial: cross-entropy of the raw maps' softmax against the target's.
        rle: residual log-likelihood of mean and spread.
        teacher: squared error of the fused maps against a larger network's, where one is given.
        foreground: how much more a target's peak counts than empty ground in `heatmap`; 0 for the plain error.
        kind: error of `heatmap`: "squared"; "wing", the adaptive wing loss (arXiv 1904.07399); or "hardest", the
            squared error of each person's worse half of joints (online hard keypoint mining, arXiv 1711.07319).
        base: distribution of the likelihood's errors.
    """

    heatmap: float = 4.0
    spatial: float = 0.25
    rle: float = 0.02
    teacher: float = 1.0
    foreground: float = 4.0
    kind: Literal["squared", "wing", "hardest"] = "squared"
    base: Literal["laplace", "gaussian"] = "laplace"

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS)


_MOVERS: dict[Rounding, Callable[[Tensor], Tensor]] = {
    "unbiased": torch.positive,
    "floor": torch.floor,
    "round": torch.round,
    "ceil": torch.ceil,
}

_WING_ALPHA, _WING_OMEGA, _WING_THETA = 2.1, 14.0, 0.5


def draw_targets(points: Tensor, size_wh: tuple[int, int], sigma: float, rounding: Rounding = "unbiased") -> Tensor:
    """Torch twin of `sadinet.dark.encode`: points (N, K, 2) in cells -> (N, K, h, w)."""
    points = _MOVERS[rounding](points)
    x = torch.arange(size_wh[0], device=points.device, dtype=torch.float32)
    y = torch.arange(size_wh[1], device=points.device, dtype=torch.float32)
    along_x = torch.exp(-0.5 * ((x - points[..., :1]) / sigma) ** 2)
    along_y = torch.exp(-0.5 * ((y - points[..., 1:]) / sigma) ** 2)
    return along_y[..., :, None] * along_x[..., None, :]


def masked_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of values (N, K) under weights (N, K); 0 where all weights are 0."""
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def _squared(maps: Tensor, targets: Tensor) -> Tensor:
    return (maps - targets) ** 2


def _wing(maps: Tensor, targets: Tensor) -> Tensor:
    """Adaptive wing loss (eq. 3 of the paper, epsilon 1) over omega: steep near 0 where the target is high."""
    power = _WING_ALPHA - targets
    edge = _WING_THETA**power
    slope = power * edge / _WING_THETA / (1 + edge)
    apart = (maps - targets).abs()
    near = torch.log1p(apart.clamp(min=1e-8) ** power)
    return torch.where(apart < _WING_THETA, near, slope * (apart - _WING_THETA) + torch.log1p(edge))


def joint_errors(maps: Tensor, targets: Tensor, foreground: float, *, wing: bool = False) -> Tensor:
    """Return each map's foreground-weighted error (N, K), in units of a target's own mass: map size drops out."""
    error = _wing(maps, targets) if wing else _squared(maps, targets)
    mass = targets.sum(dim=(2, 3)).clamp(min=1.0)
    return (error * (1 + foreground * targets)).sum(dim=(2, 3)) / mass


def heatmap_loss(
    maps: Tensor,
    targets: Tensor,
    weight: Tensor,
    foreground: float,
    kind: Literal["squared", "wing", "hardest"] = "squared",
) -> Tensor:
    """Return the error of maps (N, K, h, w) under weight (N, K) by one of the kinds of `LossWeights`."""
    errors = joint_errors(maps, targets, foreground, wing=kind == "wing")
    if kind == "hardest":
        weight = weight * _worse_half(errors.detach() * weight, weight > 0)
    return masked_mean(errors, weight)


def _worse_half(errors: Tensor, known: Tensor) -> Tensor:
    """Mark (N, K) the larger half of each person's known joints."""
    order = torch.where(known, errors, -1.0).argsort(dim=1, descending=True).argsort(dim=1)
    half = (known.sum(dim=1, keepdim=True) + 1) // 2
    return (order < half) & known


def teacher_loss(maps: Tensor, taught: Tensor) -> Tensor:
    """Squared error against a teacher's maps (N, K, h, w), of all joints: it knows those without a label too."""
    taught = taught.clamp(0, 1)
    mass = taught.sum(dim=(2, 3)).clamp(min=1.0)
    return (_squared(maps, taught).sum(dim=(2, 3)) / mass).mean()


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
        """Return the mean over all joints, by their weight, as one number; 0, with a gradient of 0, if none is known.

        Args:
            mean: (N, K, 2) where the joints are said to be, cells.
            sigma: (N, K, 2) how exactly, cells, above 0.
            points: (N, K, 2) where they are, cells.
            weight: (N, K), 0 where unknown.
        """
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
    """The sum over stacks of all parts.

    Args:
        weights: share and kind of each part.
        encoding: where targets are centred.
    """

    def __init__(self, weights: LossWeights, encoding: Rounding = "unbiased") -> None:
        super().__init__()
        self.weights, self.encoding = weights, encoding
        self.likelihood = ResidualLikelihood(weights.base)

    def forward(
        self,
        answers: list[Distribution],
        points: Tensor,
        weight: Tensor,
        sigma: float,
        taught: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compare answers with points (N, K, 2) in cells under weight (N, K), and with a teacher's maps.

        Returns:
            "total", to be minimised, and its parts before weighting, detached.
        """
        h, w = answers[0].raw.shape[2:]
        targets = draw_targets(points, (w, h), sigma, self.encoding)
        shares = self.weights
        zero = points.new_zeros(())
        parts = {"heatmap": zero, "spatial": zero, "rle": zero}
        if taught is not None:
            parts["teacher"] = zero
        for answer in answers:
            maps = answer.heatmaps.float()
            if shares.heatmap:
                loss = heatmap_loss(maps, targets, weight, shares.foreground, shares.kind)
                parts["heatmap"] = parts["heatmap"] + loss
            if shares.spatial:
                parts["spatial"] = parts["spatial"] + spatial_loss(answer.raw.float(), targets, weight)
            if shares.rle and answer.mean is not None and answer.sigma is not None:
                parts["rle"] = parts["rle"] + self.likelihood(answer.mean, answer.sigma, points, weight)
            if taught is not None:
                parts["teacher"] = parts["teacher"] + teacher_loss(maps, taught)
        total = zero
        for name, value in parts.items():
            total = total + getattr(shares, name) * value
        return {"total": total, **{k: v.detach() for k, v in parts.items()}}
