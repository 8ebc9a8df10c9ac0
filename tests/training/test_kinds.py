"""Kinds of people: one body, turned, mirrored, narrowed and cut."""

import numpy as np
import pytest

from sadinet.skeletons import COCO17, LSP14, MPII16
from sadinet.training.kinds import KINDS, kinds_of

# Facing the camera: the right side is on the left of the picture.
FRONT = {
    "right_ankle": (85, 300), "right_knee": (85, 240), "right_hip": (80, 170), "left_hip": (120, 170),
    "left_knee": (115, 240), "left_ankle": (115, 300), "right_wrist": (50, 180), "right_elbow": (55, 135),
    "right_shoulder": (70, 90), "left_shoulder": (130, 90), "left_elbow": (145, 135), "left_wrist": (150, 180),
}  # fmt: skip


def body(skeleton, turn_deg=0.0, across=1.0, lacking=()):
    points = np.array([FRONT.get(name, (100, 60)) for name in skeleton.joints], dtype=float) - (100, 150)
    points[:, 0] *= across
    angle = np.radians(turn_deg)
    points = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).T + (400, 400)
    points[[name.split("_")[-1] in lacking for name in skeleton.joints]] = np.nan
    return points


CASES = [
    ({}, ("upright", "from the front", "whole")),
    ({"across": -1}, ("upright", "from behind", "whole")),
    ({"across": 0.3}, ("upright", "from the side", "whole")),
    ({"turn_deg": 25}, ("upright", "from the front", "whole")),
    ({"turn_deg": -90}, ("tilted", "from the front", "whole")),
    ({"turn_deg": 90, "across": -1}, ("tilted", "from behind", "whole")),
    ({"turn_deg": 170}, ("upside down", "from the front", "whole")),
    ({"turn_deg": 180, "across": -1}, ("upside down", "from behind", "whole")),
    ({"lacking": ("knee", "ankle")}, ("upright", "from the front", "cut off at the hips")),
    ({"lacking": ("ankle",)}, ("upright", "from the front")),
    ({"lacking": ("hip", "knee", "ankle")}, ()),
]


@pytest.mark.parametrize("skeleton", [LSP14, COCO17, MPII16], ids=lambda each: each.name)
@pytest.mark.parametrize(("how", "kinds"), CASES, ids=str)
def test_everybody_is_of_the_kinds_that_can_be_seen(skeleton, how, kinds):
    found = kinds_of(np.stack([body(skeleton, **how), np.full((len(skeleton), 2), np.nan)]), skeleton)
    assert list(found) == list(KINDS)
    assert {kind for kind, who in found.items() if who[0]} == set(kinds)
    assert not any(who[1] for who in found.values())
