"""A network together with what it is trained by: its losses and, as an option, a larger network that teaches it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sadinet.errors import WeightsError
from sadinet.network.config import STEM_STRIDE, NetworkConfig
from sadinet.network.model import SadiNet
from sadinet.training.losses import Criterion
from sadinet.training.models import Source, network_of
from sadinet.training.watch import signs


class Student(nn.Module):
    """Normalised crops and labels in, losses out: one module, so that processes can share all its gradients.

    Args:
        network: what is trained.
        criterion: its losses.
    """

    def __init__(self, network: SadiNet, criterion: Criterion) -> None:
        super().__init__()
        self.network, self.criterion = network, criterion

    def forward(
        self, planes: Tensor, points: Tensor, weight: Tensor, sigma: float, taught: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return "total", to be minimised, its parts, and the signs that `sadinet.training.watch` looks at.

        Args:
            planes: (B, 3, H, W) normalised.
            points: (B, K, 2) in crop pixels.
            weight: (B, K).
            sigma: of the targets, cells.
            taught: (B, K, h, w) of a teacher.
        """
        answers = self.network(planes)
        # Losses are sums over thousands of cells: half precision is not enough.
        with torch.autocast(planes.device.type, enabled=False):
            cells = (points + 0.5) / STEM_STRIDE - 0.5
            parts: dict[str, Tensor] = self.criterion(answers, cells, weight, sigma, taught)
        return parts | signs(answers[-1], self._trained_weight())

    def _trained_weight(self) -> Tensor | None:
        """Return the logits of the last stack's DLM weights, None where they are not trained."""
        name = f"stacks.{self.network.config.stacks - 1}.head.weight"
        return self.network.get_parameter(name) if self.network.config.dlm == "learned" else None


def load_teacher(source: Source, student: NetworkConfig, device: torch.device) -> SadiNet:
    """Load a trained network whose heatmaps a smaller one is to imitate.

    Args:
        source: a checkpoint (.pt), or a model's name or manifest.
        student: must have the same joints.
        device: where it goes.

    Raises:
        WeightsError: if it cannot be read, is not a SADI-NET, or has other joints.
    """
    teacher = network_of(source)
    if teacher.config.joints != student.joints:
        raise WeightsError(
            f"the teacher {source} has {teacher.config.joints} joints, the network {student.joints}",
            "both must have the same skeleton",
        )
    return teacher.to(device).requires_grad_(False)
