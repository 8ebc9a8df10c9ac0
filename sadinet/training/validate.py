"""Accuracy of a network during training: labels' box, no flip, DARK."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from sadinet.dark import decode
from sadinet.geometry import box_of_joints, crop_matrix, heatmap_to_crop, invert, transform
from sadinet.network.config import STEM_STRIDE
from sadinet.network.model import Deployed, SadiNet
from sadinet.skeletons import BODY19
from sadinet.training.augment import cut_crop
from sadinet.training.datasets import PersonSet
from sadinet.training.metrics import pck


@torch.no_grad()
def predict(
    network: SadiNet, people: PersonSet, size_wh: tuple[int, int], sigma: float, batch: int = 32
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return joints (N, 19, 2) and sigma (N, 19, 2) in picture pixels; sigma is NaN where the DLM is off."""
    deployed = Deployed(network).eval()
    joints = np.full((len(people), network.config.joints, 2), np.nan, dtype=np.float32)
    spread = np.full_like(joints, np.nan)
    for start in range(0, len(people), batch):
        rows = range(start, min(start + batch, len(people)))
        matrices = [crop_matrix(box_of_joints(people.joints[i, :14]), size_wh) for i in rows]
        crops = np.stack([cut_crop(people.pictures[i], m, size_wh) for i, m in zip(rows, matrices, strict=True)])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = deployed(torch.from_numpy(crops))
        found = decode(output[0].float().numpy(), sigma)
        for k, (i, matrix) in enumerate(zip(rows, matrices, strict=True)):
            joints[i] = transform(heatmap_to_crop(found.cells[k], STEM_STRIDE), invert(matrix))
            if len(output) > 1:
                scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
                spread[i] = output[1][k].numpy() * STEM_STRIDE / scale
    network.train()
    return joints, spread


def limb_pck(joints: NDArray[np.float32], people: PersonSet, shares: tuple[float, ...] = (0.2, 0.1)) -> list[float]:
    """Percent of labelled limb joints within each share of the torso."""
    found = pck(joints, people.joints, np.isfinite(people.joints[..., 0]), shares, skeleton=BODY19)
    return [float(value) for value in found.overall]
