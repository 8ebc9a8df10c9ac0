"""Where a training runs: device, precision and processes, by Lightning Fabric where it is installed, else by torch.

Both are the same few calls, so that the loop has one shape and runs where only torch is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch import distributed as dist

from sadinet.errors import DeviceError
from sadinet.training.config import Precision

Backend = Literal["auto", "fabric", "torch"]

PATIENCE = timedelta(hours=2)
"""How long processes wait for one another; validating a large set on one of them takes minutes."""

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Machine(Protocol):
    """What the loop needs of the machine.

    Attributes:
        name: "torch" or "fabric", for the log.
        device: where the network is.
        rank, ranks: this process, and how many there are.
        precision: "fp32", "bf16" or "fp16", what autocast really computes in.
    """

    name: str
    device: torch.device
    rank: int
    ranks: int
    precision: str

    def set_up(self, module: nn.Module, optimiser: torch.optim.Optimizer) -> Callable[..., Any]:
        """Take over module and optimiser; returns what is called in place of the module."""

    def part_of_batch(self, *, is_last: bool) -> AbstractContextManager[Any]:
        """Return the context of one part of a batch's forward and backward pass; the last shares the gradients."""

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of the precision, for passes that train nothing."""

    def backward(self, loss: Tensor) -> None:
        """Add the loss' gradients."""

    def step(self, clipped: list[nn.Parameter], limit: float) -> Tensor:
        """Share and clip gradients and move the parameters; returns the norm before clipping."""

    def barrier(self) -> None:
        """Wait for all processes."""

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint has to hold of this: the scaler of fp16."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what a checkpoint held."""


def has_bfloat16() -> bool:
    """Say whether this processor has instructions for bfloat16."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch has no public way to ask
    return bool(known and known())


def pick_device(wanted: str) -> torch.device:
    """Return "cpu", "cuda" (this process' own GPU) or "mps"; "auto" takes a GPU where there is one.

    Raises:
        DeviceError: if the device is not there.
    """
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise DeviceError("there is no CUDA device, or torch was built without it", "use --device cpu")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("there is no Apple GPU, or torch was built without it", "use --device cpu")
    if wanted not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"unknown device {wanted!r}", "one of: auto, cpu, cuda, mps")
    return torch.device(wanted, int(os.environ.get("LOCAL_RANK", "0"))) if wanted == "cuda" else torch.device(wanted)


def pick_precision(wanted: Precision, device: torch.device) -> str:
    """Return "bf16", "fp16" or "fp32"; "auto" is the first of them that the hardware computes in.

    Raises:
        DeviceError: for fp16 without a GPU, whose small gradients would be lost.
    """
    if wanted == "fp16" and device.type != "cuda":
        raise DeviceError(f"fp16 is not trained on {device.type}", "use precision bf16, fp32 or auto")
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if device.type == "cpu" and has_bfloat16() else "fp32"


def open_machine(device: str = "auto", precision: Precision = "auto", backend: Backend = "auto") -> Machine:
    """Return the machine that the variables of torchrun and the arguments name.

    Raises:
        DeviceError: if device, precision or backend is not there.
    """
    place = pick_device(device)
    kind = pick_precision(precision, place)
    # A process group that somebody else has made is used as it is.
    made = dist.is_available() and dist.is_initialized()
    package = None if made else fabric_package()
    if backend == "fabric" and package is None:
        raise DeviceError("Lightning Fabric is not installed", "pip install lightning-fabric, or backend torch")
    if backend != "torch" and package is not None:
        from sadinet.training.fabric import FabricMachine

        return FabricMachine(package, place, kind)
    return TorchMachine(place, kind)


def leave_processes() -> None:
    """Leave the group of processes, if `open_machine` or torchrun made one; to be called before the program ends."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def fabric_package() -> str | None:
    """Return the name that Lightning Fabric is installed by."""
    for name, parent in (("lightning.fabric", "lightning"), ("lightning_fabric", "lightning_fabric")):
        if importlib.util.find_spec(parent) is not None and importlib.util.find_spec(name) is not None:
            return name
    return None


class TorchMachine:
    """Plain torch; processes of torchrun share gradients in one message."""

    name = "torch"

    def __init__(self, device: torch.device, precision: str) -> None:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
        if device.type == "cuda":
            torch.cuda.set_device(device)
        together = dist.is_available() and dist.is_initialized()
        self.rank, self.ranks = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)
        self.device, self.precision = device, precision
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
        self._optimiser: torch.optim.Optimizer | None = None

    def set_up(self, module: nn.Module, optimiser: torch.optim.Optimizer) -> Callable[..., Any]:
        self._optimiser = optimiser
        return module

    def part_of_batch(self, *, is_last: bool) -> AbstractContextManager[Any]:
        # Gradients are shared in `step`, after the last part, whichever it is.
        return self.autocast()

    def autocast(self) -> AbstractContextManager[Any]:
        dtype = _DTYPES.get(self.precision)
        return nullcontext() if dtype is None else torch.autocast(self.device.type, dtype=dtype)

    def backward(self, loss: Tensor) -> None:
        self._scaler.scale(loss).backward()

    def step(self, clipped: list[nn.Parameter], limit: float) -> Tensor:
        assert self._optimiser is not None  # noqa: S101  set_up comes first
        self._share_gradients(self._optimiser)
        self._scaler.unscale_(self._optimiser)
        norm = torch.nn.utils.clip_grad_norm_(clipped, limit)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return norm

    def _share_gradients(self, optimiser: torch.optim.Optimizer) -> None:
        """Average the gradients of all processes, in one message."""
        if self.ranks == 1:
            return
        parameters = [p for group in optimiser.param_groups for p in group["params"] if p.requires_grad]
        for parameter in parameters:
            # A process whose part of the batch lacks a label has no gradient there; the others may.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
        message = torch.cat([grad.reshape(-1) for grad in grads])
        dist.all_reduce(message)
        message /= self.ranks
        for grad, part in zip(grads, message.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(part.view_as(grad))

    def barrier(self) -> None:
        if self.ranks > 1:
            dist.barrier()

    def state(self) -> dict[str, Any]:
        return self._scaler.state_dict()

    def load_state(self, state: dict[str, Any]) -> None:
        if state and self._scaler.is_enabled():
            self._scaler.load_state_dict(state)
