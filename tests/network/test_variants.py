"""Every switch of the ablations, forward and backward on tiny networks."""

from __future__ import annotations

import copy
import itertools
from typing import get_args

import pytest

torch = pytest.importorskip("torch")

from sadinet.network.config import Block, Distribution, Fusion, NetworkConfig  # noqa: E402
from sadinet.network.model import Deployed, SadiNet  # noqa: E402
from sadinet.training.losses import Criterion, LossWeights  # noqa: E402

JOINTS = 5
BASE = NetworkConfig(joints=JOINTS, size_wh=(64, 64), widths=(24, 48), stacks=2, heatmap_sigma=1.5)


def variant(**switches) -> NetworkConfig:
    return NetworkConfig(**{**BASE.to_dict(), "size_wh": BASE.size_wh, "widths": BASE.widths, **switches})


# What is chained is crossed in full; what lies inside a block is crossed with the blocks.
VARIANTS = [
    variant(block=block, sfm=sfm, dlm=dlm, stacks=stacks, dilations=(1, 2))
    for block, sfm, dlm, stacks in itertools.product(get_args(Block), get_args(Fusion), get_args(Distribution), (1, 2))
] + [
    variant(block=block, se=se, dilations=dilations, stacks=1)
    for block, se, dilations in itertools.product(get_args(Block), (True, False), ((1,), (1, 2), (1, 2, 3)))
]


def name(config: NetworkConfig) -> str:
    dilated = "".join(map(str, config.dilations))
    return f"{config.block}{dilated}-{'se' if config.se else 'plain'}-{config.sfm}-{config.dlm}-{config.stacks}"


def picture(count: int, size: int = 64) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def trained_a_step(config: NetworkConfig) -> tuple[SadiNet, Criterion]:
    """A network and its criterion after one backward pass; the batch norms have seen data."""
    torch.manual_seed(0)
    network, criterion = SadiNet(config), Criterion(LossWeights())
    points = torch.rand(4, JOINTS, 2) * 15
    loss = criterion(network(picture(4)), points, torch.ones(4, JOINTS), config.heatmap_sigma)
    assert torch.isfinite(loss["total"])
    loss["total"].backward()
    return network, criterion


@pytest.mark.parametrize("config", VARIANTS, ids=name)
def test_variant(config):
    network, criterion = trained_a_step(config)
    learners = dict(network.named_parameters())
    if config.dlm != "off":
        learners |= dict(criterion.named_parameters())
    for parameter_name, parameter in learners.items():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name
    network.eval()
    check_batched_equals_single(network)
    check_half_precision_is_finite(network)


@torch.no_grad()
def check_batched_equals_single(network: SadiNet) -> None:
    crops = picture(3)
    batched = network(crops)
    assert len(batched) == network.config.stacks
    for i in range(3):
        for together, alone in zip(batched, network(crops[i : i + 1]), strict=True):
            torch.testing.assert_close(together.heatmaps[i : i + 1], alone.heatmaps, atol=1e-5, rtol=1e-4)
            if network.config.dlm == "off":
                assert alone.mean is None
                assert alone.sigma is None
            else:
                torch.testing.assert_close(together.mean[i : i + 1], alone.mean, atol=1e-4, rtol=1e-4)
                torch.testing.assert_close(together.sigma[i : i + 1], alone.sigma, atol=1e-4, rtol=1e-4)
                assert (alone.sigma > 0).all()


@torch.no_grad()
def check_half_precision_is_finite(network: SadiNet) -> None:
    full = network(picture(1))[-1].heatmaps
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = network(picture(1))[-1]
    half = copy.deepcopy(network).half()(picture(1).half())[-1]
    for answer, tolerance in ((mixed, 0.2), (half, 0.05)):
        for tensor in (answer.heatmaps, answer.raw, answer.mean, answer.sigma):
            assert tensor is None or torch.isfinite(tensor).all()
        torch.testing.assert_close(answer.heatmaps.float(), full, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dlm", get_args(Distribution))
def test_half_precision_stands_heatmaps_far_above_one(dlm):
    """A badly trained network may answer 30: e to the 600th, were the softmax not shifted and kept in fp32."""
    network = SadiNet(variant(dlm=dlm, stacks=1)).eval().half()
    with torch.no_grad():
        network.stacks[0].head.heatmap.bias.fill_(30.0)
        answer = network(picture(2).half())[-1]
    for tensor in (answer.heatmaps, answer.mean, answer.sigma):
        assert tensor is None or torch.isfinite(tensor).all()


def test_spatial_means_of_large_maps_do_not_overflow_in_half():
    """64 x 64 features of 60 sum to 245,760, beyond fp16's 65,504."""
    from sadinet.network.layers import spatial_mean

    features = torch.full((1, 2, 64, 64), 60.0, dtype=torch.float16)
    assert spatial_mean(features).flatten().tolist() == [60.0, 60.0]


def test_fixed_weight_is_no_parameter_and_the_learned_one_starts_there():
    fixed, learned = (SadiNet(variant(dlm=dlm, stacks=1)) for dlm in ("fixed", "learned"))
    head = "stacks.0.head.weight"
    assert head not in dict(fixed.named_parameters())
    assert head in dict(learned.named_parameters())
    torch.testing.assert_close(fixed.state_dict()[head], learned.state_dict()[head])


def test_switches_change_the_network():
    """No two variants of one switch are the same function under another name."""
    counts = {
        block: sum(p.numel() for p in SadiNet(variant(block=block, dilations=(1, 2))).parameters())
        for block in get_args(Block)
    }
    assert len(set(counts.values())) == 3
    shapes = {sfm: frozenset(SadiNet(variant(sfm=sfm)).state_dict()) for sfm in get_args(Fusion)}
    assert len(set(shapes.values())) == 4


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_dilation_reaches_as_far_as_it_says(dilation):
    from sadinet.network.rfm import make_block

    torch.manual_seed(1)  # with unlucky first weights every unit that reaches far is switched off
    block = make_block(8, 8, variant(dilations=(dilation,), se=False, widths=(8, 8)))
    block.eval()
    x = torch.zeros(1, 8, 17, 17, requires_grad=True)
    block(x + 0.1)[0, :, 8, 8].sum().backward()
    rows = x.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten().tolist()
    assert (min(rows), max(rows)) == (8 - dilation, 8 + dilation)


def test_mean_is_in_cells_and_follows_the_picture():
    """Soft-argmax of a clear peak is the peak; the Gaussian that is mixed in stands there."""
    network = SadiNet(variant(dlm="fixed", stacks=1)).eval()
    head = network.stacks[0].head
    maps = torch.zeros(1, JOINTS, 16, 16)
    maps[0, :, 5, 11] = 1.0
    with torch.no_grad():
        head.spread_bias.fill_(0.5)
        answer = head._distribute(maps * 2, torch.zeros(1, 24, 16, 16), maps)
    torch.testing.assert_close(answer.mean[0, 0], torch.tensor([11.0, 5.0]), atol=1e-3, rtol=0)
    assert answer.heatmaps[0, 0].argmax() == 5 * 16 + 11


def test_deployed_takes_raw_crops():
    network = SadiNet(variant(stacks=1)).eval()
    crops = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scale = torch.full((JOINTS, 2), 3.0)
    with torch.no_grad():
        heatmaps, sigma = Deployed(network, scale)(crops)
        rgb = crops.flip(3).permute(0, 3, 1, 2).float()
        mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
        answer = network((rgb - mean.view(3, 1, 1)) / std.view(3, 1, 1))[-1]
    assert heatmaps.shape == (2, JOINTS, 16, 16)
    torch.testing.assert_close(heatmaps, answer.heatmaps, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(sigma, 3 * answer.sigma, atol=1e-5, rtol=1e-4)


def test_deployed_without_distribution_has_no_sigma():
    crops = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    with torch.no_grad():
        assert len(Deployed(SadiNet(variant(dlm="off", stacks=1)).eval())(crops)) == 1
