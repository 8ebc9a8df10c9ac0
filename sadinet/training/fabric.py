"""The same few calls on Lightning Fabric; imported only where it is installed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from sadinet.training.machine import PATIENCE

_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


class FabricMachine:
    """Processes by Fabric's DDP, precision by its plug-ins; `sadinet.training.machine.Machine` tells the calls.

    Args:
        package: name that Fabric is imported by.
        device: where the network goes.
        precision: "fp32", "bf16" or "fp16".
    """

    name = "fabric"

    def __init__(self, package: str, device: torch.device, precision: str) -> None:
        fabric = importlib.import_module(package)
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        here = int(os.environ.get("LOCAL_WORLD_SIZE", str(processes)))
        strategy: Any = "auto"
        if processes > 1:
            # A part of a batch may lack the labels that a loss needs, whose parameters then have no gradient.
            kind = importlib.import_module(f"{package}.strategies").DDPStrategy
            strategy = kind(find_unused_parameters=True, timeout=PATIENCE)
        self._fabric = fabric.Fabric(
            accelerator=device.type,
            devices=here,
            num_nodes=max(1, processes // here),
            strategy=strategy,
            precision=_PRECISIONS[precision],
        )
        self._fabric.launch()
        self.device, self.precision = self._fabric.device, precision
        self.rank, self.ranks = self._fabric.global_rank, self._fabric.world_size
        self._module: Any = None
        self._optimiser: Any = None
        self._bare: torch.optim.Optimizer | None = None

    def set_up(self, module: nn.Module, optimiser: torch.optim.Optimizer) -> Callable[..., Any]:
        self._module, self._optimiser = self._fabric.setup(module, optimiser)
        self._bare = optimiser
        called: Callable[..., Any] = self._module
        return called

    def part_of_batch(self, *, is_last: bool) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = self._fabric.no_backward_sync(self._module, enabled=not is_last)
        return context

    def autocast(self) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = self._fabric.autocast()
        return context

    def backward(self, loss: Tensor) -> None:
        self._fabric.backward(loss)

    def step(self, clipped: list[nn.Parameter], limit: float) -> Tensor:
        # Fabric clips a whole optimiser; the parameters of the likelihood's flow are left as they are.
        plugin = self._fabric.strategy.precision
        # The bare optimiser: the scaler of fp16 knows optimisers by identity, and would divide once more in `step`.
        plugin.unscale_gradients(self._bare)
        norm = torch.nn.utils.clip_grad_norm_(clipped, limit)
        self._optimiser.step()
        return norm

    def barrier(self) -> None:
        self._fabric.barrier()

    def state(self) -> dict[str, Any]:
        held: dict[str, Any] = self._fabric.strategy.precision.state_dict()
        return held

    def load_state(self, state: dict[str, Any]) -> None:
        if state:
            self._fabric.strategy.precision.load_state_dict(state)
