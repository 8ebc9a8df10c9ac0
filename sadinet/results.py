"""The data that travels between stages: frozen, without handles, missing values are NaN."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import Box
from sadinet.skeletons import Skeleton


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture.

    Attributes:
        image: (H, W, 3) uint8, BGR, upright (a phone's rotation is already undone).
        index: 0-based, counts decoded frames.
        time_s: seconds from the first presented frame, as the container has it; for a camera, seconds
            from its first frame by a monotonic clock. NaN for pictures, which have no time.
        source: what the frame came from, as the user named it.
        flags: quality words that hold for the whole frame.
    """

    image: NDArray[np.uint8]
    index: int
    time_s: float
    source: str = ""
    flags: tuple[str, ...] = ()

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """One person's joints.

    Attributes:
        joints: (K, 2) float32, x and y in frame pixels, pixel centres at whole numbers.
        scores: (K,) float32 in [0, 1]: the heatmap's value at its maximum.
        sigmas: (K, 2) float32, one standard deviation in x and y, frame pixels; NaN where the network
            gives no uncertainty.
        box: the box that the crop was made from.
        skeleton: names and order of the joints.
        track_id: the person's number over time, None before tracking.
        flags: quality words.
    """

    joints: NDArray[np.float32]
    scores: NDArray[np.float32]
    sigmas: NDArray[np.float32]
    box: Box
    skeleton: Skeleton
    track_id: int | None = None
    flags: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """Mean of the joints' scores; joints that the network lacks (NaN) are left out."""
        finite = self.scores[np.isfinite(self.scores)]
        return float(finite.mean()) if finite.size else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """A frame and the people found in it.

    Attributes:
        frame: the frame itself, so that a picture never parts from its result.
        poses: one for each person, in the detector's order.
        timings_ms: milliseconds each stage took, by stage name.
    """

    frame: Frame
    poses: tuple[Pose, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)
