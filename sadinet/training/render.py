"""From draws to pixels: one crop at a time from pictures in memory, or a batch at a time from pictures on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sadinet.geometry import invert
from sadinet.training.augment import CropDraw
from sadinet.training.effects import compress, hide, paste, recolour, soften
from sadinet.training.warp import GROUND_BGR, cut_crop, to_crops, warp

if TYPE_CHECKING:
    from sadinet.training.datasets import PersonSet

Picture = NDArray[np.uint8]

KEPT = 1.5
"""Longest side of a picture on a device, in longer sides of the crops that are cut from it.

A packed person has 0.6 of its length as ground on each side, 2.2 lengths in all; a crop by COCO's own box shows 1.5
lengths: pictures of this size are not enlarged for it.
"""


@dataclass(frozen=True, slots=True, eq=False)
class DrawBatch:
    """B draws, field by field, as tensors of B rows; see `CropDraw`."""

    person: Tensor
    inverse: Tensor
    points: Tensor
    weight: Tensor
    other: Tensor
    other_inverse: Tensor
    other_shape: Tensor
    own_shape: Tensor
    other_in_front: Tensor
    patches: Tensor
    blur: Tensor
    low_res: Tensor
    gain: Tensor
    offset: Tensor
    grey: Tensor
    jpeg: Tensor

    def __len__(self) -> int:
        return len(self.person)


def stack_draws(draws: Sequence[CropDraw]) -> DrawBatch:
    """Bring draws of equally large crops together; numbers become fp32, except the maps, which stay fp64."""
    values = {}
    for name in (field.name for field in fields(DrawBatch)):
        rows = torch.from_numpy(np.stack([np.asarray(getattr(draw, name)) for draw in draws]))
        is_map = name.endswith("inverse")
        values[name] = rows.float() if rows.is_floating_point() and not is_map else rows
    return DrawBatch(**values)


def _rows(chosen: Tensor) -> list[int]:
    return [int(row) for row in chosen.nonzero().flatten()]


def finish(planes: Tensor, others: Tensor, draws: DrawBatch) -> Tensor:
    """Do everything that follows the warp.

    Args:
        planes: (B, 3, h, w) fp32 BGR in 0..255, cut by `draws.inverse`, on any device.
        others: (M, 3, h, w), the same of the M rows with `other` >= 0.
        draws: on the CPU, as which rows are changed is decided there, without waiting for a GPU.

    Returns:
        (B, h, w, 3) uint8 BGR on the planes' device.
    """
    device = planes.device

    def of(name: str, rows: list[int]) -> Tensor:
        values: Tensor = getattr(draws, name)[rows]
        return values.to(device, non_blocking=True)

    if pasted := _rows(draws.other >= 0):
        planes[pasted] = paste(
            planes[pasted], others, of("other_shape", pasted), of("own_shape", pasted), of("other_in_front", pasted)
        )
    if patched := _rows((draws.patches[:, :, 2] > 0).any(dim=1)):
        planes[patched] = hide(planes[patched], of("patches", patched))
    if soft := _rows((draws.blur > 0) | (draws.low_res > 1)):
        planes[soft] = soften(planes[soft], of("blur", soft), of("low_res", soft))
    everyone = slice(None)
    planes = recolour(planes, *(getattr(draws, name)[everyone].to(device) for name in ("gain", "offset", "grey")))
    if noisy := _rows(draws.jpeg > 0):
        planes[noisy] = compress(planes[noisy], of("jpeg", noisy))
    return to_crops(planes)


def _planes(picture: Picture) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def render(people: PersonSet, draw: CropDraw, size_wh: tuple[int, int]) -> Picture:
    """Return the crop (h, w, 3) uint8 BGR of a draw, warped on the CPU."""
    planes = _planes(cut_crop(people.pictures[draw.person], invert(draw.inverse), size_wh))
    others = planes[:0]
    if draw.other >= 0:
        others = _planes(cut_crop(people.pictures[draw.other], invert(draw.other_inverse), size_wh))
    crop: Picture = finish(planes, others, stack_draws([draw]))[0].numpy()
    return crop


class PictureStore:
    """All pictures of some sets in one tensor on a device, from which whole batches are cut.

    They are copied there when the first crops are cut, and again when a later stage has crops for which they are too
    small: larger pictures than `KEPT` times the crop are shrunk to that.

    Args:
        sets: their pictures follow one another, so that person i of the second set has number `len(first) + i`.
        device: where they are kept; they take N x side x side x 3 bytes.

    Attributes:
        pictures: (N, side, side, 3) uint8 BGR, padded on the right and below.
        scale: (N, 2) float64, what their width and height were multiplied by.
    """

    def __init__(self, sets: Sequence[PersonSet], device: torch.device) -> None:
        self.device = device
        self._sets = tuple(sets)
        self._largest_px = max(max(picture.shape[:2]) for people in self._sets for picture in people.pictures)
        self._make_room(0)

    def bytes_for(self, size_wh: tuple[int, int]) -> int:
        """Return the bytes that all pictures take on the device for crops of this size."""
        return 3 * len(self.scale) * self._side_for(size_wh) ** 2

    def _side_for(self, size_wh: tuple[int, int]) -> int:
        return min(round(KEPT * max(size_wh)), int(self._largest_px))

    def _make_room(self, side: int) -> None:
        count = sum(len(people) for people in self._sets)
        self.scale = torch.ones(count, 2, dtype=torch.float64)
        self.pictures = torch.empty(count, side, side, 3, dtype=torch.uint8, device=self.device)

    def _keep(self, side: int) -> None:
        """Copy all pictures to the device, those larger than `side` pixels shrunk to that."""
        self._make_room(0)  # the earlier ones are let go first: both may not fit
        self._make_room(side)
        self.pictures[:] = torch.tensor(GROUND_BGR, device=self.device).to(torch.uint8)
        for row, picture in enumerate(picture for people in self._sets for picture in people.pictures):
            planes = _planes(picture).to(self.device)
            height, width = planes.shape[2:]
            shrink = side / max(height, width)
            if shrink < 1:
                size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
                planes = F.interpolate(planes, size, mode="bilinear", antialias=True, align_corners=False)
                self.scale[row] = torch.tensor([size[1] / width, size[0] / height])
            self.pictures[row, : planes.shape[2], : planes.shape[3]] = to_crops(planes)[0]

    def _fit(self, size_wh: tuple[int, int]) -> None:
        """Make the pictures large enough for crops of this size."""
        side = self._side_for(size_wh)
        if side > self.pictures.shape[1]:
            self._keep(side)

    def cut(self, rows: Tensor, inverse: Tensor, size_wh: tuple[int, int]) -> Tensor:
        """Warp pictures `rows` (B,) by maps (B, 2, 3) from crop to original picture pixels; as `warp` does."""
        self._fit(size_wh)
        scale = self.scale[rows][:, :, None]
        maps = inverse * scale
        maps[:, :, 2:] += 0.5 * scale - 0.5
        return warp(self.pictures[rows.to(self.device)], maps, size_wh)

    def render(self, draws: DrawBatch, size_wh: tuple[int, int]) -> Tensor:
        """Return the crops (B, h, w, 3) uint8 BGR of draws, on the store's device."""
        planes = self.cut(draws.person, draws.inverse, size_wh)
        pasted = draws.other >= 0
        others = self.cut(draws.other[pasted], draws.other_inverse[pasted], size_wh) if pasted.any() else planes[:0]
        return finish(planes, others, draws)
