"""Count people whose legs are drawn on one another: what networks get wrong from the side, and are sure of.

    python scripts/measure_legs.py [VIDEO ...] --weights sadinet-s sadinet-t

Counted are the rows in which both knees and both ankles lie within a tenth of the torso of each other, in the frame's
pixels. A walker's legs do so for a moment in every step; a model that tells them apart has a share near zero.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from sadinet.errors import SadinetError
from sadinet.media.source import open_source
from sadinet.pipeline import People, Settings
from sadinet.results import Pose
from sadinet.training.metrics import torso_length

CLIP = Path(__file__).resolve().parents[1] / "sadinet" / "_demo" / "walk.mp4"
PAIRS = (("left_knee", "right_knee"), ("left_ankle", "right_ankle"))


def are_legs_together(pose: Pose, share: float = 0.1) -> bool:
    """Return whether knees, and ankles, lie within this share of the torso's length of each other."""
    torso = float(torso_length(pose.joints[None], np.ones((1, len(pose.joints))), pose.skeleton)[0])
    pairs = [[pose.joints[pose.skeleton.index(joint)] for joint in pair] for pair in PAIRS]
    return all(float(np.linalg.norm(left - right)) < share * torso for left, right in pairs)


def count(video: str, weights: str) -> tuple[int, int]:
    """Return in how many rows legs lie on one another, and how many rows there are."""
    people = People(Settings(weights, engine="onnx", device="cpu"))
    with open_source(video) as source:
        rows = [are_legs_together(pose) for frame in source for pose in people(frame).poses]
    return sum(rows), len(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", default=[str(CLIP)], help="files (default: the bundled clip)")
    parser.add_argument("--weights", nargs="+", default=["default"], help="pose models")
    options = parser.parse_args(arguments)
    try:
        for video in options.videos:
            for weights in options.weights:
                together, rows = count(video, weights)
                print(f"{Path(video).name}, {weights}: legs on one another in {together} of {rows} rows")
    except SadinetError as error:
        print(f"measure_legs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
