"""Names of joints and angles as people read them."""

from __future__ import annotations

from sadinet.recording import Recording

ANGLE = "angle_"
SIGMA = "_sigma"


def side_of(joint: str) -> str:
    """Return "left", "right" or "middle"."""
    side = joint.partition("_")[0]
    return side if side in ("left", "right") else "middle"


def plain_name(joint: str) -> str:
    """Return a joint's or angle's name without its side, in words."""
    return joint.removeprefix("left_").removeprefix("right_").replace("_", " ")


def angle_names(recording: Recording) -> tuple[str, ...]:
    """Return the names of a recording's angles, without `angle_`."""
    return tuple(
        name.removeprefix(ANGLE) for name in recording.extra if name.startswith(ANGLE) and not name.endswith(SIGMA)
    )
