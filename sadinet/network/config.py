"""The architecture as data: every switch of the ablations is a field, every preset a value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from sadinet.errors import InputError
from sadinet.network.bounds import ABOVE_0, FINITE, check_bounds

Block = Literal["rfm", "residual", "aspp"]
Fusion = Literal["none", "global", "local", "both"]
Distribution = Literal["off", "fixed", "learned"]

STEM_STRIDE = 4

_BOUNDS = {
    "size_wh": (1, math.inf),
    "widths": (1, math.inf),
    "dilations": (1, math.inf),
    "heatmap_sigma": (ABOVE_0, FINITE),
}


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Sizes and switches of one SADI-NET.

    Attributes:
        joints: number of heatmaps.
        size_wh: input width and height in pixels; multiples of 4 * 2**depth.
        widths: channels at each level of the hourglass, finest first; its length is depth + 1.
        blocks: basic blocks on the way up at each level, finest first, the last at the bottom; none given
            is one at each. Coarse levels are where more of them are cheap.
        stacks: number of hourglasses, each supervised.
        block: basic block: the dilated residual RFM, a plain bottleneck residual, or ASPP.
        dilations: the RFM's (and ASPP's) dilation rates; channels are split over them.
        se: squeeze-and-excitation on the residual.
        sfm: spatial fusion over the decoder's scales.
        dlm: distribution learning: off, with a constant weight, or with a trained weight per joint.
        heatmap_sigma: standard deviation of the training targets, heatmap cells.
    """

    joints: int = 19
    size_wh: tuple[int, int] = (192, 256)
    widths: tuple[int, ...] = (64, 96, 128, 160)
    blocks: tuple[int, ...] = ()
    stacks: int = 1
    block: Block = "rfm"
    dilations: tuple[int, ...] = (1, 2)
    se: bool = True
    sfm: Fusion = "both"
    dlm: Distribution = "learned"
    heatmap_sigma: float = 2.0

    def __post_init__(self) -> None:
        if self.depth < 1 or self.stacks < 1 or self.joints < 1 or not self.dilations:
            raise InputError(f"a network needs two widths, one stack, one joint and one dilation: {self}")
        check_bounds(self, _BOUNDS)
        step = STEM_STRIDE * 2**self.depth
        if any(side % step for side in self.size_wh):
            raise InputError(f"input {self.size_wh} with depth {self.depth}", f"sides must be multiples of {step}")
        if any(width % (4 * len(self.dilations)) for width in self.widths):
            raise InputError(f"widths {self.widths}", f"must be multiples of {4 * len(self.dilations)}")
        if self.blocks and (len(self.blocks) != len(self.widths) or min(self.blocks) < 1):
            raise InputError(f"blocks {self.blocks}", f"must be {len(self.widths)} numbers of at least 1, or none")
        for name, known in (("block", Block), ("sfm", Fusion), ("dlm", Distribution)):
            if getattr(self, name) not in get_args(known):
                raise InputError(f"{name}={getattr(self, name)!r}", "one of: " + ", ".join(get_args(known)))

    @property
    def depth(self) -> int:
        """How often the hourglass halves."""
        return len(self.widths) - 1

    @property
    def blocks_at(self) -> tuple[int, ...]:
        """Blocks on the way up at each level, finest first."""
        return self.blocks or (1,) * len(self.widths)

    @property
    def heatmap_wh(self) -> tuple[int, int]:
        """Width and height of the heatmaps, cells."""
        return self.size_wh[0] // STEM_STRIDE, self.size_wh[1] // STEM_STRIDE

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a manifest."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Build from a manifest's values; raises `InputError` for a field that does not exist."""
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise InputError(f"unknown network setting {unknown[0]!r}", "one of: " + ", ".join(sorted(known)))
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**plain)
