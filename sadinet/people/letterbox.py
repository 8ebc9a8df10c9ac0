"""Fitting a frame into a network's input without distorting it, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FILL = 114
"""Grey that surrounds the picture, as the detector was trained."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a frame lies in the network's input.

    Attributes:
        frame_wh: the frame's width and height, pixels.
        content_wh: what it is scaled to, pixels.
        canvas_wh: the input's width and height, multiples of the step; the content lies in its middle.
    """

    frame_wh: tuple[int, int]
    content_wh: tuple[int, int]
    canvas_wh: tuple[int, int]

    @classmethod
    def fit(cls, frame_wh: tuple[int, int], area: int, step: int) -> Letterbox:
        """Scale a frame as large as an input of at most `area` pixels holds, whatever the frame's shape.

        Args:
            frame_wh: the frame's width and height, pixels.
            area: most pixels of the input; at least one step squared is taken.
            step: the input's width and height are multiples of it.
        """
        blocks = max(1, area // step**2)
        across = np.arange(1, blocks + 1)
        scales = np.minimum(across * step / frame_wh[0], blocks // across * step / frame_wh[1])
        scale = float(scales.max())
        width, height = (max(1, round(side * scale)) for side in frame_wh)
        return cls(frame_wh, (width, height), (-(-width // step) * step, -(-height // step) * step))

    @property
    def offset_xy(self) -> tuple[int, int]:
        """Left and upper margin, pixels."""
        (canvas_w, canvas_h), (content_w, content_h) = self.canvas_wh, self.content_wh
        return (canvas_w - content_w) // 2, (canvas_h - content_h) // 2

    @property
    def scale_xy(self) -> NDArray[np.float64]:
        """Input pixels per frame pixel; x and y differ by the rounding of the content's size."""
        return np.array(self.content_wh, dtype=np.float64) / self.frame_wh

    def to_canvas(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map frame pixels (..., 2) to input pixels."""
        mapped: NDArray[np.float64] = (points + 0.5) * self.scale_xy - 0.5 + self.offset_xy
        return mapped

    def to_frame(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map input pixels (..., 2) to frame pixels; the inverse of `to_canvas`."""
        mapped: NDArray[np.float64] = (points - self.offset_xy + 0.5) / self.scale_xy - 0.5
        return mapped

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the frame (H, W, 3) uint8 as input (h, w, 3) uint8."""
        width, height = self.content_wh
        canvas = np.full((self.canvas_wh[1], self.canvas_wh[0], 3), FILL, dtype=np.uint8)
        x, y = self.offset_xy
        # Averaging over areas found nobody more in large frames and took up to thirty times as long.
        canvas[y : y + height, x : x + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        return canvas
