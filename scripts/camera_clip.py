"""A clip of 1280x720 that can be played again and again as a camera, made of the demo clip.

It is scaled to 1280 wide, its border lines drawn out to 720 high; it runs forwards and then backwards, so that it has
no cut where it begins again.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.opening import demo_clip
from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader

SIZE_WH = (1280, 720)
RATE_HZ = 30.0

Image = NDArray[np.uint8]


def make_clip(path: Path, people: int = 1) -> Path:
    """Write the clip.

    Args:
        path: the video to make, an MP4.
        people: 1, or 2 for two smaller copies above each other, one of them mirrored.

    Returns:
        The same path.
    """
    width, height = SIZE_WH
    with VideoReader(demo_clip()) as video:
        images = [frame.image for frame in video]
    whole: list[Image] = []
    for image in images:
        if people == 1:
            scaled = scaled_to(image, (width, round(width * image.shape[0] / image.shape[1])))
        else:
            half = scaled_to(image, (round(height / 2 * image.shape[1] / image.shape[0]), height // 2))
            scaled = np.concatenate([half, half[:, ::-1]])
        over, beside = height - scaled.shape[0], width - scaled.shape[1]
        edges = (over // 2, over - over // 2, beside // 2, beside - beside // 2)
        whole.append(np.asarray(cv2.copyMakeBorder(scaled, *edges, cv2.BORDER_REPLICATE), dtype=np.uint8))
    with OverlayWriter(path) as writer:
        for number, image in enumerate([*whole, *whole[-2:0:-1]]):
            writer.write(image, number / RATE_HZ)
    return path


def scaled_to(image: Image, size_wh: tuple[int, int]) -> Image:
    """Return a picture at another size."""
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8)
