"""What training minimises is least where it should be."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sadinet.dark import encode  # noqa: E402
from sadinet.network.dlm import Distribution  # noqa: E402
from sadinet.training.losses import (  # noqa: E402
    Criterion,
    LossWeights,
    ResidualLikelihood,
    draw_targets,
    heatmap_loss,
    masked_mean,
    spatial_loss,
)

POINTS = torch.tensor([[[3.3, 4.1], [10.0, 2.5], [7.7, 11.2]]])
WEIGHT = torch.ones(1, 3)
TARGETS = draw_targets(POINTS, (16, 20), 1.5)


def test_targets_are_those_of_the_codec():
    points = np.random.default_rng(0).uniform(-3, 20, (4, 5, 2)).astype(np.float32)
    np.testing.assert_allclose(
        draw_targets(torch.from_numpy(points), (16, 20), 2.0).numpy(), encode(points, (16, 20), 2.0), atol=1e-5
    )


def test_heatmap_loss_is_zero_at_the_target_and_only_there():
    assert heatmap_loss(TARGETS, TARGETS, WEIGHT, 4.0) == 0
    assert heatmap_loss(TARGETS + 0.01, TARGETS, WEIGHT, 4.0) > 0
    assert heatmap_loss(0.9 * TARGETS, TARGETS, WEIGHT, 4.0) > 0


def test_heatmap_loss_by_hand():
    targets = torch.zeros(1, 1, 2, 2)
    targets[0, 0, 0, 0] = 1.0
    maps = torch.full((1, 1, 2, 2), 0.5)
    # (0.25 x (1 + 4) + 3 x 0.25) / mass 1
    assert heatmap_loss(maps, targets, torch.ones(1, 1), 4.0).item() == pytest.approx(2.0)


def test_spatial_loss_is_zero_at_the_target_and_only_there():
    assert spatial_loss(TARGETS, TARGETS, WEIGHT).item() == pytest.approx(0, abs=1e-5)
    # A softmax does not see a constant.
    assert spatial_loss(TARGETS + 0.5, TARGETS, WEIGHT).item() == pytest.approx(0, abs=1e-4)
    moved = draw_targets(POINTS + 1.0, (16, 20), 1.5)
    assert spatial_loss(moved, TARGETS, WEIGHT) > 0.5


def test_unlabelled_joints_do_not_count():
    weight = torch.tensor([[1.0, 0.0, 1.0]])
    spoilt = TARGETS.clone()
    spoilt[:, 1] = 5.0
    assert heatmap_loss(spoilt, TARGETS, weight, 4.0) == 0
    assert spatial_loss(spoilt, TARGETS, weight).item() == pytest.approx(0, abs=1e-5)
    likelihood = ResidualLikelihood()
    sigma = torch.ones_like(POINTS)
    far = POINTS.clone()
    far[:, 1] = 1000.0
    with torch.no_grad():
        expected = likelihood(POINTS, sigma, POINTS, weight)
        torch.testing.assert_close(likelihood(far, sigma, POINTS, weight), expected)


def test_masked_mean_by_hand():
    values, weight = torch.tensor([[1.0, 5.0, 9.0]]), torch.tensor([[1.0, 3.0, 0.0]])
    assert masked_mean(values, weight) == 4
    assert masked_mean(values, 0 * weight) == 0


@pytest.mark.parametrize("base", ["laplace", "gaussian"])
def test_likelihood_is_best_at_the_point_and_at_the_true_spread(base):
    torch.manual_seed(0)
    likelihood = ResidualLikelihood(base)
    points = torch.zeros(500, 4, 2)
    means = 3.0 * torch.randn(500, 4, 2)
    weight = torch.ones(500, 4)
    with torch.no_grad():
        at = {shift: likelihood(points + shift, torch.ones_like(points), points, weight).item() for shift in (0, 1, 3)}
        spread = {s: likelihood(means, torch.full_like(points, s), points, weight).item() for s in (1.0, 3.0, 10.0)}
    assert at[0] < at[1] < at[3]
    assert spread[3.0] < spread[1.0]
    assert spread[3.0] < spread[10.0]


def test_likelihood_of_bases_by_hand():
    """At error 0 and sigma 2 with an untrained flow: two axes of log-density each, and the flow's own."""
    for base, constant in (("laplace", math.log(4)), ("gaussian", math.log(2) + 0.5 * math.log(2 * math.pi))):
        torch.manual_seed(0)
        likelihood = ResidualLikelihood(base)
        with torch.no_grad():
            flow = float(likelihood.flow.log_prob(torch.zeros(1, 2)))
            got = likelihood(torch.zeros(1, 1, 2), torch.full((1, 1, 2), 2.0), torch.zeros(1, 1, 2), torch.ones(1, 1))
        assert float(got) == pytest.approx(2 * math.log(2) - flow + 2 * constant, abs=1e-5)


def test_likelihood_of_no_label_is_zero_and_has_a_gradient():
    mean = torch.zeros(1, 2, 2, requires_grad=True)
    value = ResidualLikelihood()(mean, torch.ones(1, 2, 2), mean.detach(), torch.zeros(1, 2))
    value.backward()
    assert value.detach() == 0
    assert mean.grad.abs().max() == 0


def test_criterion_adds_its_parts_over_the_stacks():
    torch.manual_seed(0)
    weights = LossWeights(heatmap=2.0, spatial=3.0, rle=0.5)
    criterion = Criterion(weights)
    answer = Distribution(0.8 * TARGETS, 0.7 * TARGETS, POINTS + 0.3, torch.ones_like(POINTS))
    with torch.no_grad():
        one = criterion([answer], POINTS, WEIGHT, 1.5)
        two = criterion([answer, answer], POINTS, WEIGHT, 1.5)
        expected = 2 * one["heatmap"] + 3 * one["spatial"] + 0.5 * one["rle"]
        assert one["heatmap"] == heatmap_loss(0.8 * TARGETS, TARGETS, WEIGHT, weights.foreground)
        assert one["spatial"] == spatial_loss(0.7 * TARGETS, TARGETS, WEIGHT)
    torch.testing.assert_close(one["total"], expected)
    torch.testing.assert_close(two["total"], 2 * expected)


def test_criterion_leaves_out_what_has_no_weight():
    answer = Distribution(0.8 * TARGETS, 0.7 * TARGETS)
    parts = Criterion(LossWeights(spatial=0.0))([answer], POINTS, WEIGHT, 1.5)
    assert parts["spatial"] == parts["rle"] == 0
    assert parts["total"] == 4 * parts["heatmap"]


def test_biased_targets_lie_on_cells():
    floor = draw_targets(POINTS, (16, 20), 1.5, "floor")
    np.testing.assert_allclose(floor.numpy(), encode(POINTS.numpy(), (16, 20), 1.5, "floor"), atol=1e-5)
    assert floor[0, 0, 4, 3] == 1


def test_the_wing_is_continuous_at_its_bend_and_steep_at_small_errors():
    target = torch.ones(1, 1, 1, 1)

    def loss(apart):
        return heatmap_loss(target - apart, target, torch.ones(1, 1), 0.0, "wing").item()

    assert loss(0.0) == pytest.approx(0, abs=1e-6)
    assert loss(0.5 - 1e-4) == pytest.approx(loss(0.5 + 1e-4), abs=1e-3)
    # Near the target: log(1 + apart^(2.1 - 1)).
    assert loss(0.2) == pytest.approx(math.log1p(0.2**1.1), rel=1e-4)


def test_the_hardest_half_counts_alone():
    maps = TARGETS.clone()
    maps[0, 0] += 0.5
    maps[0, 1] += 0.4
    maps[0, 2] += 0.1
    hardest = heatmap_loss(maps, TARGETS, WEIGHT, 0.0, "hardest")
    expected = heatmap_loss(maps, TARGETS, torch.tensor([[1.0, 1.0, 0.0]]), 0.0)
    torch.testing.assert_close(hardest, expected)


def test_a_teacher_counts_without_labels():
    criterion = Criterion(LossWeights(heatmap=1.0, spatial=0.0, rle=0.0, teacher=2.0))
    answer = Distribution(0.8 * TARGETS, 0.8 * TARGETS)
    with torch.no_grad():
        parts = criterion([answer], POINTS, 0 * WEIGHT, 1.5, TARGETS)
    assert parts["heatmap"] == 0
    assert parts["teacher"] > 0
    torch.testing.assert_close(parts["total"], 2 * parts["teacher"])
