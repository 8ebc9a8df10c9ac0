"""Accuracy of a network during training: labels' box, no flip, DARK."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from sadinet.dark import Method, decode
from sadinet.geometry import box_of_joints, crop_matrix, heatmap_to_crop, invert, pixel_scale, transform
from sadinet.network.config import STEM_STRIDE
from sadinet.network.model import Deployed, SadiNet
from sadinet.skeletons import BODY19, LSP14, Skeleton
from sadinet.training.augment import cut_crop
from sadinet.training.metrics import pck

if TYPE_CHECKING:
    from sadinet.training.datasets import PersonSet


def boxed(skeleton: Skeleton) -> list[int]:
    """Return the joints that a person's crop is laid around: in body19 LSP's 14, as in the evaluations; else all."""
    names = LSP14.joints if skeleton is BODY19 else skeleton.joints
    return [skeleton.index(name) for name in names]


@torch.no_grad()
def predict(
    network: SadiNet,
    people: PersonSet,
    size_wh: tuple[int, int],
    sigma: float,
    batch: int = 32,
    *,
    skeleton: Skeleton = BODY19,
    method: Method = "dark",
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return joints (N, K, 2) and sigma (N, K, 2) in picture pixels; sigma is NaN where the DLM is off.

    Args:
        network: on any device; it is left in training mode.
        people: N of them, with the joints of `skeleton`; at least one of the `boxed` joints of each is known.
        size_wh: of the crops, pixels.
        sigma: standard deviation that DARK smooths with, heatmap cells.
        batch: crops at a time.
        skeleton: whose joints the heatmaps are.
        method: how joints are read from heatmaps.
        autocast: makes the context that the network computes in.
    """
    device = next(network.parameters()).device
    points = np.where(people.known[..., None], people.joints, np.nan)[:, boxed(skeleton)]
    deployed = Deployed(network).to(device).eval()
    joints = np.full((len(people), network.config.joints, 2), np.nan, dtype=np.float32)
    spread = np.full_like(joints, np.nan)
    for start in range(0, len(people), batch):
        rows = range(start, min(start + batch, len(people)))
        matrices = [crop_matrix(box_of_joints(points[i]), size_wh) for i in rows]
        crops = np.stack([cut_crop(people.pictures[i], m, size_wh) for i, m in zip(rows, matrices, strict=True)])
        with autocast():
            output = [values.float().cpu().numpy() for values in deployed(torch.from_numpy(crops).to(device))]
        found = decode(output[0], sigma, method)
        for k, (i, matrix) in enumerate(zip(rows, matrices, strict=True)):
            joints[i] = transform(heatmap_to_crop(found.cells[k], STEM_STRIDE), invert(matrix))
            if len(output) > 1:
                spread[i] = output[1][k] * STEM_STRIDE / pixel_scale(matrix)
    network.train()
    return joints, spread


def limb_pck(
    joints: NDArray[np.float32],
    people: PersonSet,
    shares: tuple[float, ...] = (0.2, 0.1),
    *,
    skeleton: Skeleton = BODY19,
) -> list[float]:
    """Return the percent of known limb joints within each share of the torso; labels that are doubted do not count."""
    found = pck(joints, people.joints, people.known, shares, skeleton=skeleton)
    return [float(value) for value in found.overall]
