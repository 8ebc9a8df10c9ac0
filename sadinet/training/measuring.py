"""What is measured after every epoch on the people who are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.network.model import SadiNet
from sadinet.training.validate import boxed, limb_pck, predict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from sadinet.skeletons import Skeleton
    from sadinet.training.config import Stage, TrainConfig
    from sadinet.training.datasets import PersonSet
    from sadinet.training.machine import Machine


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How well a network does.

    Attributes:
        pck02, pck01: percent of the known limb joints within 0.2 and 0.1 torso.
        sigma_cover: share of the errors of x and y within one sigma; NaN where the network tells none.
        dlm_weight: mean share of the DLM's Gaussian in the heatmaps; 0 where there is none.
        joints: (N, K, 2) as found, picture pixels.
    """

    pck02: float
    pck01: float
    sigma_cover: float
    dlm_weight: float
    joints: NDArray[np.float32]

    def row(self) -> dict[str, float]:
        """Return the columns of log.csv, rounded."""
        return {
            "pck02": round(self.pck02, 2),
            "pck01": round(self.pck01, 2),
            "sigma_cover": round(self.sigma_cover, 3),
            "dlm_w": round(self.dlm_weight, 3),
        }


def measure(
    config: TrainConfig, stage: Stage, values: Mapping[str, Tensor], held_out: PersonSet, machine: Machine
) -> Measured:
    """Measure the network of these `values`, a state of it, on the people who are held out."""
    network = SadiNet(config.network).to(machine.device)
    network.load_state_dict(values)
    joints, spread = predict(
        network, held_out, stage.size_wh, stage.target_sigma, skeleton=config.joint_set, autocast=machine.autocast
    )
    wide, narrow = limb_pck(joints, held_out, skeleton=config.joint_set)
    error = np.abs(joints - held_out.joints)
    known = held_out.known[..., None] & np.isfinite(error) & np.isfinite(spread)
    inside = float((error <= spread)[known].mean()) if known.any() else float("nan")
    logit = values.get(f"stacks.{config.network.stacks - 1}.head.weight")
    share = 0.0 if logit is None else float(torch.sigmoid(logit).mean())
    return Measured(wide, narrow, inside, share, joints)


def check_measurable(held_out: PersonSet, skeleton: Skeleton) -> None:
    """Look whether those who are held out can tell the best weights.

    Raises:
        InputError: if no crop can be laid around one of them, or nobody has a torso, which PCK is measured in.
    """
    blank = np.flatnonzero(~held_out.known[:, boxed(skeleton)].any(axis=1))
    if len(blank):
        who = held_out.full_keys[int(blank[0])]
        raise InputError(f"held-out {who} has no labelled joint ({len(blank)} such people)", "drop them")
    if not all(np.isfinite(limb_pck(held_out.joints, held_out, skeleton=skeleton))):
        raise InputError(
            f"nobody held out from {held_out.name} has a whole torso, which PCK is measured in",
            "hold out people with shoulders and hips",
        )
