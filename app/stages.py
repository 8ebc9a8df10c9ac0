"""What the time for a frame is spent on: names, order and colours of the stages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

STAGES: Final[dict[str, str]] = {
    "wait": "#8a94a0",
    "read": "#2bb58d",
    "detect": "#b07fe8",
    "pose": "#4ea8e8",
    "track": "#d9a032",
    "smooth": "#d977b0",
    "draw": "#f0705f",
}
"""Stage -> colour, in the order in which a frame passes through them."""

MEANINGS: Final[dict[str, str]] = {
    "wait": "from the capture until work begins",
    "read": "decoding the frame",
    "detect": "looking for people",
    "pose": "joints of everybody",
    "track": "keeping people's numbers",
    "smooth": "smoothing joints",
    "draw": "painting the screen",
}

OTHER_COLOUR: Final = "#c0c6ce"


def split(timings_ms: Mapping[str, float], draw_ms: float = math.nan) -> dict[str, float]:
    """Return what each stage takes, in order; stages that took nothing are left out.

    Args:
        timings_ms: milliseconds by stage.
        draw_ms: of painting, NaN where not known.
    """
    known = dict(timings_ms)
    if math.isfinite(draw_ms):
        known["draw"] = draw_ms
    ordered = [*STAGES, *sorted(known.keys() - STAGES.keys())]
    return {stage: known[stage] for stage in ordered if known.get(stage, 0.0) > 0}


def colour_of(stage: str) -> str:
    """Return a stage's colour as "#rrggbb"."""
    return STAGES.get(stage, OTHER_COLOUR)


def described(stages: Mapping[str, float]) -> str:
    """Return the stages as lines of text."""
    lines = [f"{stage}  {spent:.1f} ms" + _meaning(stage) for stage, spent in stages.items()]
    return "\n".join([*lines, f"together  {sum(stages.values()):.1f} ms"])


def _meaning(stage: str) -> str:
    return f"  ({MEANINGS[stage]})" if stage in MEANINGS else ""
