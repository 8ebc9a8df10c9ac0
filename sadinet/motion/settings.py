"""What is computed from poses over time, and how: everything that changes smoothed values, angles and flags."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sadinet.errors import InputError


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """From where on a row is doubtful. Sizes are shares of the person's size (see `sadinet.motion.track`).

    Attributes:
        low_confidence: a row is doubtful if a quarter of its joints score lower.
        edge: how near to the frame's border a box or joint may come, as a share of the box's longer side.
        swap: how far apart left and right must be for an exchange to be told, as a share of the size.
        longest_swap_s: an exchange that lasts longer counts as the new normal; only its first row is flagged.
        jump: how far a joint may depart from its smooth path within one frame, as a share of the size.
        longest_jump_s: a joint that returns within this time is flagged until it does, otherwise only its first row.
        bone: growth over the bone's usual greatest length, or change within one frame, as a share of that length.
        id_place: how far all joints together may depart from their smooth path, as a share of the size.
        id_shape: how far the median joint may do so after the shift of all joints is taken away.
        sigmas: how many standard deviations of a joint's own uncertainty are added to the limits above; below 1, as
            errors of neighbouring frames are much alike, and what they have in common cannot be seen as a leap.
    """

    low_confidence: float = 0.45
    edge: float = 0.02
    swap: float = 0.05
    longest_swap_s: float = 1.0
    jump: float = 0.10
    longest_jump_s: float = 0.25
    bone: float = 0.4
    id_place: float = 0.12
    id_shape: float = 0.05
    sigmas: float = 0.35

    def __post_init__(self) -> None:
        for each in fields(self):
            _check_number(each.name, getattr(self, each.name), at_least=0.0)


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """Which columns and flags are added to a recording, and how they are computed.

    Attributes:
        smooth: add smoothed joints.
        cutoff_hz: frequency that the filter halves in power (-3 dB), both passes taken together.
        order: of both passes taken together, an even number.
        fill_gaps: let smoothed joints bridge rows with a bad or missing joint.
        longest_gap_s: two good values further apart than this are never bridged.
        least_score: joints with a lower score are not trusted: not smoothed, and no ground for flags.
        angles: add joint angles and their uncertainty.
        quality: add flags; `filled` and `unfiltered` come with smoothing whether or not.
        limits: from where on a row is flagged.

    Raises:
        InputError: for a value that makes no sense.
    """

    smooth: bool = True
    cutoff_hz: float = 6.0
    order: int = 4
    fill_gaps: bool = True
    longest_gap_s: float = 0.25
    least_score: float = 0.2
    angles: bool = False
    quality: bool = True
    limits: QualityLimits = field(default_factory=QualityLimits)

    def __post_init__(self) -> None:
        _check_number("cutoff_hz", self.cutoff_hz, at_least=1e-3)
        _check_number("longest_gap_s", self.longest_gap_s, at_least=0.0)
        _check_number("least_score", self.least_score, at_least=0.0)
        if self.order not in range(2, 13, 2):
            raise InputError(f"order is {self.order}", "an even number from 2 to 12, as the filter runs twice")

    def to_dict(self) -> Mapping[str, Any]:
        """Return plain values."""
        return asdict(self)


def _check_number(name: str, value: float, at_least: float) -> None:
    if not (math.isfinite(value) and value >= at_least):
        raise InputError(f"{name} is {value}", f"must be a number from {at_least:g} on")
