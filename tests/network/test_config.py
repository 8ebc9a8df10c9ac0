"""The architecture as data."""

from __future__ import annotations

import json

import pytest

from sadinet.errors import InputError
from sadinet.network.config import NetworkConfig


@pytest.mark.parametrize(
    "config",
    [
        NetworkConfig(),
        NetworkConfig(joints=16, size_wh=(256, 256), widths=(24, 48), stacks=2, block="aspp", dilations=(1, 2, 3)),
        NetworkConfig(se=False, sfm="none", dlm="off", heatmap_sigma=1.5),
    ],
)
def test_survives_a_manifest(config):
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"size_wh": (190, 256)}, "multiples of 32"),
        ({"widths": (64, 66)}, "multiples of 8"),
        ({"widths": (64, 64), "dilations": (1, 2, 3)}, "multiples of 12"),
        ({"block": "dense"}, "rfm, residual, aspp"),
        ({"sfm": "all"}, "none, global, local, both"),
        ({"dlm": "on"}, "off, fixed, learned"),
        ({"widths": (64,)}, "two widths"),
        ({"stacks": 0}, "one stack"),
        ({"joints": 0}, "one joint"),
        ({"dilations": ()}, "one dilation"),
        ({"dilations": (1, 0)}, r"dilations is \(1, 0\) \(must be a number of at least 1\)"),
        ({"widths": (64, 0)}, r"widths is \(64, 0\) \(must be a number of at least 1\)"),
        ({"size_wh": (0, 256)}, r"size_wh is \(0, 256\) \(must be a number of at least 1\)"),
        ({"heatmap_sigma": 0.0}, r"heatmap_sigma is 0\.0 \(must be a finite number above 0\)"),
        ({"heatmap_sigma": float("nan")}, "heatmap_sigma is nan"),
        ({"heatmap_sigma": float("inf")}, "heatmap_sigma is inf"),
        ({"heatmap_sigma": "wide"}, "heatmap_sigma is 'wide'"),
    ],
)
def test_nonsense_is_refused_with_a_remedy(settings, remedy):
    with pytest.raises(InputError, match=remedy):
        NetworkConfig(**settings)


def test_unknown_settings_are_refused():
    with pytest.raises(InputError, match="'depth'"):
        NetworkConfig.from_dict({"depth": 4})


def test_heatmaps_are_a_quarter():
    assert NetworkConfig(size_wh=(192, 256)).heatmap_wh == (48, 64)
    assert NetworkConfig(widths=(64, 96, 128, 160)).depth == 3
