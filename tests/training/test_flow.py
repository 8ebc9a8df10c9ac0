"""The flow is a density."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from sadinet.training.flow import RealNVP  # noqa: E402


def bent_flow(seed: int, gain: float = 0.35) -> RealNVP:
    """A flow far from the identity that it starts at."""
    torch.manual_seed(seed)
    flow = RealNVP(hidden=16)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.normal_(0, gain)
    return flow


@torch.no_grad()
def integral(flow: RealNVP, reach: float, step: float) -> tuple[float, torch.Tensor]:
    axis = torch.arange(-reach, reach, step)
    grid = torch.cartesian_prod(axis, axis)
    density = torch.cat([flow.log_prob(part).exp() for part in grid.split(100_000)])
    return float(density.double().sum() * step**2), density


@pytest.mark.parametrize("seed", range(3))
def test_integrates_to_one(seed):
    total, density = integral(bent_flow(seed), reach=25.0, step=0.05)
    assert total == pytest.approx(1, abs=5e-3)
    assert abs(float(density.max()) - 1 / (2 * math.pi)) > 0.01  # it really is bent


def test_keeps_the_leading_shape():
    with torch.no_grad():
        assert RealNVP().log_prob(torch.zeros(4, 19, 2)).shape == (4, 19)
        assert RealNVP().log_prob(torch.zeros(0, 2)).shape == (0,)


def test_learns_a_density_that_no_gaussian_has():
    """A ring of errors: maximum likelihood must beat the best Gaussian by far."""
    torch.manual_seed(0)
    angle = torch.rand(400) * 2 * math.pi
    radius = 2 + 0.1 * torch.randn(400)
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    gaussian = -1 - math.log(2 * math.pi) - 0.5 * float(torch.logdet(torch.cov(x.T)))
    flow = RealNVP(hidden=32)
    optimiser = torch.optim.Adam(flow.parameters(), lr=1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        loss = -flow.log_prob(x).mean()
        loss.backward()
        optimiser.step()
    assert -float(loss.detach()) > gaussian + 0.3
