"""What of a result is shown, and how; nothing of it changes what is measured."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_THRESHOLD = 0.3


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """Switches of a view.

    Attributes:
        skeleton: lines between joints.
        joints: dots at joints.
        names: joints' names beside them.
        boxes: boxes that the crops were made from.
        ids: people's numbers and scores.
        trails: where each person was in the last two seconds.
        heatmap_joint: joint whose heatmap lies over the picture; None for none.
        ellipses: one standard deviation around each joint.
        threshold: joints that score lower are left out, in [0, 1].
        mirror: show left and right exchanged, as a mirror does; writing stays readable.
        blur: hide faces.
    """

    skeleton: bool = True
    joints: bool = True
    names: bool = False
    boxes: bool = False
    ids: bool = True
    trails: bool = False
    heatmap_joint: str | None = None
    ellipses: bool = False
    threshold: float = DEFAULT_THRESHOLD
    mirror: bool = False
    blur: bool = False
