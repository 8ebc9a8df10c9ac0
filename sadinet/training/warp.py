"""Cutting a crop out of a picture by an affine map: OpenCV where it is installed, torch elsewhere and in batches."""

from __future__ import annotations

import importlib.util

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sadinet.geometry import Matrix, invert
from sadinet.network.model import MEAN_RGB

Picture = NDArray[np.uint8]

HAS_OPENCV = importlib.util.find_spec("cv2") is not None

GROUND_BGR = tuple(float(round(value)) for value in MEAN_RGB[::-1])
"""Colour of what lies outside of a picture, and of what a picture is padded with."""


def cut_crop(picture: Picture, matrix: Matrix, size_wh: tuple[int, int]) -> Picture:
    """Warp a picture; outside of it lies the mean colour.

    Args:
        picture: (H, W, 3) uint8 BGR.
        matrix: (2, 3) from picture to crop pixels.
        size_wh: of the crop.
    """
    if HAS_OPENCV:
        import cv2

        crop = cv2.warpAffine(picture, matrix, size_wh, flags=cv2.INTER_LINEAR, borderValue=GROUND_BGR)
        return np.asarray(crop, dtype=np.uint8)
    planes = warp(torch.from_numpy(picture)[None], torch.from_numpy(invert(matrix))[None], size_wh)
    return to_crops(planes)[0].numpy()


def warp(pictures: Tensor, inverse: Tensor, size_wh: tuple[int, int]) -> Tensor:
    """Warp a batch bilinearly on its device; the torch twin of OpenCV's warpAffine.

    Args:
        pictures: (B, H, W, 3) uint8 BGR.
        inverse: (B, 2, 3) maps from crop pixels to picture pixels.
        size_wh: of the crops.

    Returns:
        (B, 3, h, w) fp32 BGR in 0..255; `GROUND_BGR` outside of a picture.
    """
    width, height = size_wh
    inverse = inverse.to(pictures.device, torch.float32)
    x = torch.arange(width, device=pictures.device, dtype=torch.float32)
    y = torch.arange(height, device=pictures.device, dtype=torch.float32)
    place = (
        inverse[:, None, None, :, 0] * x[None, None, :, None] + inverse[:, None, None, :, 1] * y[None, :, None, None]
    )
    place = place + inverse[:, None, None, :, 2]
    grid = (2 * place + 1) / place.new_tensor([pictures.shape[2], pictures.shape[1]]) - 1
    ground = torch.tensor(GROUND_BGR, device=pictures.device)[:, None, None]
    planes = pictures.permute(0, 3, 1, 2).float() - ground
    # Zeros outside are the ground's colour again when it is added.
    return F.grid_sample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=False) + ground


def to_crops(planes: Tensor) -> Tensor:
    """Round planes (B, 3, h, w) in 0..255 to crops (B, h, w, 3) uint8."""
    return planes.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
