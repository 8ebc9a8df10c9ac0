"""Named sizes of SADI-NET."""

from __future__ import annotations

from sadinet.errors import InputError
from sadinet.network.config import NetworkConfig

PRESETS: dict[str, NetworkConfig] = {
    # The network of "s" on smaller crops, so that it can begin with its weights: docs/training-diary.md.
    "t": NetworkConfig(size_wh=(160, 160), widths=(64, 128, 192, 256), blocks=(1, 1, 2, 4), heatmap_sigma=1.25),
    "s": NetworkConfig(size_wh=(192, 192), widths=(64, 128, 192, 256), blocks=(1, 1, 2, 4), heatmap_sigma=1.5),
    "m": NetworkConfig(size_wh=(256, 256), widths=(96, 160, 224, 288, 320), heatmap_sigma=2.0),
    "l": NetworkConfig(size_wh=(256, 256), widths=(128, 192, 256, 320, 384), stacks=2, heatmap_sigma=2.0),
    "paper": NetworkConfig(joints=16, size_wh=(256, 256), widths=(256,) * 5, stacks=8, heatmap_sigma=2.0),
}

SKELETON_NAMES: dict[str, str] = {**dict.fromkeys(PRESETS, "body19"), "paper": "mpii16"}
"""Whose joints a preset's heatmaps are."""


def preset(name: str) -> NetworkConfig:
    """Return a preset's configuration; raises `InputError` naming the known ones."""
    try:
        return PRESETS[name]
    except KeyError:
        raise InputError(f"unknown preset {name!r}", "one of: " + ", ".join(PRESETS)) from None
