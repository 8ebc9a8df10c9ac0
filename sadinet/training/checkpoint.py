"""Checkpoints that survive a kill at any moment: written beside, flushed, then renamed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from sadinet.errors import OutputError, WeightsError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` atomically; a full disk leaves the old file as it was and raises `OutputError`."""
    beside = path.with_suffix(".partial")
    try:
        with beside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except (OSError, RuntimeError) as error:
        beside.unlink(missing_ok=True)
        raise OutputError(
            f"cannot save {path}: {error}", "free some space; the previous checkpoint is untouched"
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running code from it; raises `WeightsError` if it is missing or damaged."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"no checkpoint {path}") from None
    except Exception as error:  # torch raises many kinds for a damaged file
        raise WeightsError(f"checkpoint {path} is damaged: {error}", "use the previous one or start anew") from error
    return state


def load_network(network: nn.Module, path: Path) -> None:
    """Fill a network from an exported model's safetensors file; raises `WeightsError` if it is not one of its kind."""
    prefix = "network."
    try:
        values = {k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix)}
        network.load_state_dict(values)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    except RuntimeError as error:
        raise WeightsError(f"{path} holds another network: {error}", "choose the preset it was made with") from error


class MovingAverage:
    """Exponential moving average of a module's parameters and buffers."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.values = {k: v.detach().clone() for k, v in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move towards the module's values; faster in the first steps."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in module.state_dict().items():
            mean = self.values[name]
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {"steps": self.steps, "values": self.values}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what a checkpoint held."""
        self.steps = int(state["steps"])
        values: dict[str, Tensor] = state["values"]
        self.values = {k: v.clone() for k, v in values.items()}
