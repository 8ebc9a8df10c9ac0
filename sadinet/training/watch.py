"""Signs that a training has gone wrong, named while the last good checkpoint is still there."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from statistics import median

import torch
from torch import Tensor

from sadinet.errors import SadinetError
from sadinet.network.dlm import SIGMA_FLOOR, Distribution


class TrainingFailedError(SadinetError):
    """Training cannot go on: the loss is not a number, exploded, or a part of the network collapsed."""


LEAST_SHARE, MOST_SHARE = 0.01, 0.99
"""A weight of the DLM beyond these no longer mixes anything."""

LEAST_SIGMA = 1.1 * SIGMA_FLOOR
"""Mean spread in cells that is as good as its floor."""

EXPLODED = 10.0
"""Times the usual size at which a loss or its gradient has exploded."""

_MEMORY, _FEW, _IN_A_ROW = 200, 50, 20


class Watch:
    """Looks at every step's loss, gradient and spread.

    Args:
        patience: steps in a row whose gradient may be infinite; above 0 for fp16, whose scale finds its level so.
    """

    def __init__(self, patience: int = 0) -> None:
        self.patience = patience
        self._usual: deque[float] = deque(maxlen=_MEMORY)
        self._infinite = self._large = self._narrow = self._fixed = 0

    def look(self, where: str, parts: Mapping[str, float]) -> None:
        """Look at one step.

        Args:
            where: of the training, for the message.
            parts: "total" and the other losses, "gradient", and where there is a DLM "sigma" (mean, cells),
                "map" (the map's longer side, cells) and "w" (mean weight, if it is trained).

        Raises:
            TrainingFailedError: naming the sign, the place and the remedy.
        """
        # The parts first: they say more than their sum, and the sum more than its gradient.
        for name in sorted(parts, key=lambda part: (part == "total", part == "gradient")):
            if name != "gradient" and not math.isfinite(parts[name]):
                raise _failed(f"{_WORDS.get(name, name + ' loss')} is not a number", where, "lower the rate")
        self._gradient(where, parts["gradient"])
        self._explosion(where, parts["total"])
        self._collapse(where, parts)

    def _gradient(self, where: str, norm: float) -> None:
        self._infinite = 0 if math.isfinite(norm) else self._infinite + 1
        if self._infinite > self.patience:
            raise _failed("the gradient is not a number", where, "lower the rate")

    def _explosion(self, where: str, total: float) -> None:
        usual = median(map(abs, self._usual)) if len(self._usual) >= _FEW else math.inf
        self._large = self._large + 1 if abs(total) > EXPLODED * max(usual, 0.1) else 0
        if not self._large:
            self._usual.append(total)
        if self._large >= _IN_A_ROW:
            raise _failed(f"the loss exploded: {total:.3g}, where it was {usual:.3g}", where, "lower the rate")

    def _collapse(self, where: str, parts: Mapping[str, float]) -> None:
        sigma, share = parts.get("sigma"), parts.get("w")
        is_odd = sigma is not None and (sigma < LEAST_SIGMA or sigma > parts["map"])
        self._narrow = self._narrow + 1 if is_odd else 0
        if self._narrow >= _IN_A_ROW:
            raise _failed(f"sigma collapsed: {sigma:.3g} cells on average", where, "lower losses.rle or the rate")
        is_fixed = share is not None and not LEAST_SHARE < share < MOST_SHARE
        self._fixed = self._fixed + 1 if is_fixed else 0
        if self._fixed >= _IN_A_ROW:
            remedy = "raise losses.spatial, or train with network.dlm=fixed"
            raise _failed(f"the DLM's weight w collapsed: {share:.3g} on average", where, remedy)


_WORDS = {"total": "the loss", "sigma": "sigma", "w": "the DLM's weight w"}


def _failed(what: str, where: str, remedy: str) -> TrainingFailedError:
    return TrainingFailedError(f"{what} at {where}", remedy)


def signs(answer: Distribution, weight: Tensor | None) -> dict[str, Tensor]:
    """Return what `Watch` looks at of a network's answer.

    Args:
        answer: of the last stack.
        weight: (K,) logits of the DLM's trained weights; None where they are not trained.
    """
    found: dict[str, Tensor] = {}
    if answer.sigma is not None:
        found["sigma"] = answer.sigma.detach().float().mean()
        found["map"] = answer.sigma.new_tensor(float(max(answer.raw.shape[2:])))
    if weight is not None:
        found["w"] = torch.sigmoid(weight.detach().float()).mean()
    return found
