"""Parameters, multiply-accumulates and receptive fields, against sums done by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sadinet.network.config import NetworkConfig
from sadinet.network.layers import SqueezeExcite
from sadinet.network.measure import count_macs, gradient_support, measure, receptive_field
from sadinet.network.model import SadiNet
from sadinet.network.presets import PRESETS, SKELETON_NAMES
from sadinet.skeletons import SKELETONS

TINY = NetworkConfig(joints=3, size_wh=(64, 64), widths=(8, 16))


def test_macs_by_hand():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=4))
    network.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)))
    cells = 16 * 12
    assert count_macs(network, torch.zeros(1, 3, 32, 24)) == cells * 8 * 27 + cells * 8 * 18 + 40


def test_counting_leaves_no_hooks():
    network = nn.Sequential(nn.Conv2d(1, 1, 1))
    count_macs(network, torch.zeros(1, 1, 4, 4))
    assert not network[0]._forward_hooks


def test_macs_agree_with_torchs_own_counter():
    network = SadiNet(TINY).eval()
    planes = torch.zeros(1, 3, 64, 64)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(planes)
    # Theirs are two operations each, and have the distribution module's product too: joints x channels x cells.
    product = TINY.joints * TINY.widths[0] * TINY.heatmap_wh[0] * TINY.heatmap_wh[1]
    assert count_macs(network, planes) == counter.get_total_flops() // 2 - product


def test_parameters_are_those_of_the_network():
    assert measure(TINY).parameters == sum(parameter.numel() for parameter in SadiNet(TINY).parameters())


@pytest.mark.parametrize(
    ("layers", "stride", "expected"),
    [
        ([nn.Conv2d(3, 4, 3, padding=1)], 1, 3),
        ([nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=2, dilation=2)], 1, 7),
        ([nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 2, 3, padding=2, dilation=2)], 2, 11),
        ([nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 2, 3, padding=1)], 2, 8),
        ([nn.Conv2d(3, 8, 1), SqueezeExcite(8), nn.Conv2d(8, 2, 1)], 1, 1),
        ([nn.Conv2d(3, 4, 1), nn.MaxPool2d(4), nn.Upsample(scale_factor=4.0)], 1, 4),
    ],
    ids=["3x3", "dilated", "strided", "pooled", "gated", "raised"],
)
def test_receptive_field_by_hand(layers, stride, expected):
    network = nn.Sequential(*layers)
    assert gradient_support(network, network, width=64, height=16, stride=stride) == expected


def test_receptive_field_of_a_small_hourglass_by_hand():
    # Of one level, plain blocks, no fusion. The stem's two 3x3 (stride 2 each) and its block's 3x3 (on cells of
    # 4 px): 1 + 2 + 4 + 8 = 15. Down: pooling (+4) and the block's 3x3 (on cells of 8 px, +16); the bottom's
    # (+16); up: the block's 3x3 (+8: the middle cell is the left half of a cell of 8 px, so that its neighbour
    # to the left lies in another of these, the one to the right in the same): 59.
    config = NetworkConfig(joints=1, size_wh=(64, 64), widths=(8, 8), block="residual", sfm="none", dlm="off")
    assert receptive_field(config) == 59


def test_stacks_add_the_same_each():
    fields = [receptive_field(replace(TINY, stacks=stacks)) for stacks in (1, 2, 3)]
    assert fields[1] - fields[0] == fields[2] - fields[1] > 0
    direct = SadiNet(replace(TINY, stacks=3, size_wh=(512, 8), dlm="off"))
    found = gradient_support(lambda planes: direct(planes)[-1].raw, direct, width=512, height=8, stride=4)
    assert found == fields[2]


def test_dilation_widens_and_fusion_does_not():
    plain, dilated = (receptive_field(replace(TINY, block=block)) for block in ("residual", "rfm"))
    assert dilated > plain
    assert len({receptive_field(replace(TINY, sfm=sfm)) for sfm in ("none", "global", "local", "both")}) == 1


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_their_skeletons_joints(name):
    assert PRESETS[name].joints == len(SKELETONS[SKELETON_NAMES[name]])
