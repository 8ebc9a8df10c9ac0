"""Collects a chunk's results without their pictures, and a few small pictures for the page."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.recording import Recording, record
from sadinet.results import FrameResult
from sadinet.skeletons import Skeleton

PREVIEWS = 16
"""How many frames of a chunk are kept as small pictures, at most."""

PREVIEW_SIDE_PX = 480
_JPEG_QUALITY = 80


class Recorder:
    """Takes a chunk's results one by one.

    Args:
        skeleton: whose joints the results have.
        most: how many frames belong to the chunk, at most; previews are of these alone.
    """

    def __init__(self, skeleton: Skeleton, most: int) -> None:
        self._skeleton = skeleton
        self._most = most
        self._every = 1
        self._results: list[FrameResult] = []
        self.previews: list[tuple[int, bytes]] = []
        self.timings_ms: dict[str, float] = {}

    @property
    def frames(self) -> int:
        """How many came so far."""
        return len(self._results)

    def add(self, result: FrameResult) -> None:
        """Take the next frame's result."""
        self._preview(self.frames, result.frame.image)
        self._results.append(replace(result, frame=replace(result.frame, image=_hollow(result.frame.image))))
        for stage, spent_ms in result.timings_ms.items():
            self.timings_ms[stage] = self.timings_ms.get(stage, 0.0) + spent_ms

    def _preview(self, place: int, image: NDArray[np.uint8]) -> None:
        """Keep a small picture now and then; how many frames will come is not known."""
        if place >= self._most or place % self._every:
            return
        if len(self.previews) == PREVIEWS:
            self._every *= 2
            self.previews = [kept for kept in self.previews if kept[0] % self._every == 0]
            if place % self._every:
                return
        self.previews.append((place, preview(image)))

    def recording(self) -> Recording:
        """Return all of them."""
        return record(self._results, self._skeleton)


def preview(image: NDArray[np.uint8]) -> bytes:
    """Return a small JPEG of (H, W, 3) uint8 BGR, its longer side 480 pixels or what it has."""
    height, width = image.shape[:2]
    scale = min(1.0, PREVIEW_SIDE_PX / max(height, width))
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = image if scale == 1.0 else cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()


def _hollow(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an array of the same shape that takes no memory."""
    return np.broadcast_to(np.zeros((1, 1, 1), dtype=np.uint8), image.shape)
