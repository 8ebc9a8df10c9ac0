"""Checkpoints that survive a kill at any moment, and the averaged networks in them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import torch
from torch import Tensor, nn

from sadinet.atomic import AtomicBytes
from sadinet.errors import InputError, OutputError, WeightsError
from sadinet.network.config import NetworkConfig
from sadinet.network.model import SadiNet

_FOREIGN = "give a last.pt or best.pt of scripts/train.py"


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` atomically; a full disk leaves the old file as it was and raises `OutputError`."""
    try:
        with AtomicBytes(path) as file:
            torch.save(state, cast("IO[bytes]", file))  # it calls write and flush
    except OutputError as error:
        if not path.is_file():
            raise
        raise OutputError(error.message, f"{error.remedy}; the previous checkpoint is untouched") from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running code from it; raises `WeightsError` if it is missing or damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a foreign file torch tells how to open it in other ways
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"no checkpoint {path}") from None
    except OSError as error:
        reason = (error.strerror or "it is not a file").lower()
        raise WeightsError(f"cannot read checkpoint {path}: {reason}") from error
    except Exception as error:  # torch raises many kinds for a damaged file, and tells of its own insides
        remedy = "use another checkpoint of this training, or begin anew"
        raise WeightsError(f"{path} is damaged, or is no checkpoint", remedy) from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path} is not a checkpoint of a training", _FOREIGN)
    return state


def _table_in(state: Mapping[str, Any], *names: str) -> Mapping[str, Any] | None:
    """Return the table below these names; None where there is none."""
    found: Any = state
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def told_network(path: Path, state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a checkpoint tells of its network; raises `WeightsError` if that is nothing."""
    told = _table_in(state, "config", "network")
    if told is None:
        raise WeightsError(f"{path} is not a checkpoint of a training", _FOREIGN)
    return told


def config_of(path: Path, state: Mapping[str, Any]) -> NetworkConfig:
    """Return the configuration of a checkpoint's network; raises `WeightsError` if it tells none."""
    try:
        return NetworkConfig.from_dict(told_network(path, state))
    except InputError as error:
        raise WeightsError(f"{path} is of a network that is not known here: {error.message}", error.remedy) from error
    except TypeError as error:
        raise WeightsError(f"{path} is of a network that is not known here", _FOREIGN) from error


def averaged_values(path: Path, state: Mapping[str, Any]) -> Mapping[str, Tensor]:
    """Return the moving average of a checkpoint's weights; raises `WeightsError` if it holds none."""
    values = _table_in(state, "average", "values")
    if values is None:
        raise WeightsError(f"{path} holds no averaged weights", _FOREIGN)
    return values


_FREE = ("size_wh", "heatmap_sigma")
"""What weights do not depend on."""


def check_same_network(
    source: str | os.PathLike[str], held: Mapping[str, Any], config: NetworkConfig, remedy: str
) -> None:
    """Raise `WeightsError`, naming what differs, if the configuration that `source` tells is not `config`."""
    wanted = config.to_dict()
    apart = [name for name in wanted if name not in _FREE and held.get(name, wanted[name]) != wanted[name]]
    if apart:
        told = "; ".join(f"{name} is {held[name]} there, {wanted[name]} here" for name in apart)
        raise WeightsError(f"{os.fspath(source)} is of another network: {told}", remedy)


def fill(network: nn.Module, values: Mapping[str, Tensor], source: str | os.PathLike[str]) -> None:
    """Take over the weights that `source` holds; raises `WeightsError` if they are of another network."""
    if apart := differing(network.state_dict(), values):
        more = f", and {len(apart) - 1} more tensors differ" if len(apart) > 1 else ""
        remedy = "choose the preset it was made with"
        raise WeightsError(f"{os.fspath(source)} holds another network: {apart[0]}{more}", remedy)
    network.load_state_dict(values)


def differing(wanted: Mapping[str, Tensor], held: Mapping[str, Any]) -> list[str]:
    """Say of each tensor that is missing, of another shape, or too many, how it differs."""
    told = []
    for name, value in wanted.items():
        shape = getattr(held.get(name), "shape", None)
        if shape is None:
            told.append(f"{name} is missing")
        elif shape != value.shape:
            told.append(f"{name} is {_size(shape)} there, {_size(value.shape)} here")
    return told + [f"{name} is not known here" for name in held if name not in wanted]


def _size(shape: torch.Size) -> str:
    return "x".join(map(str, shape)) or "one number"


def at_size(config: NetworkConfig, size_wh: tuple[int, int] | None) -> NetworkConfig:
    """Return the configuration for another size of crops, None for its own; raises `InputError` for a wrong one."""
    if size_wh is None:
        return config
    # As wide in the picture as the targets that it was trained on.
    return replace(config, size_wh=size_wh, heatmap_sigma=config.heatmap_sigma * size_wh[0] / config.size_wh[0])


def network_of_checkpoint(path: Path, size_wh: tuple[int, int] | None = None) -> SadiNet:
    """Return the averaged network of a checkpoint, in evaluation mode; the weights fit any input size.

    Args:
        path: the checkpoint.
        size_wh: input size to configure; None for the one it was trained for.

    Raises:
        WeightsError: if the checkpoint is damaged or of another network.
        InputError: if the network cannot have that size.
    """
    state = load_checkpoint(path)
    network = SadiNet(at_size(config_of(path, state), size_wh))
    fill(network, averaged_values(path, state), path)
    return network.eval()


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
        means: list[Tensor] = []
        values: list[Tensor] = []
        for name, value in module.state_dict().items():
            mean = self.values[name]
            if mean.dtype.is_floating_point:
                means.append(mean)
                values.append(value)
            else:
                mean.copy_(value)
        # One call for all: a launch for each of hundreds of tensors would keep a GPU waiting.
        torch._foreach_lerp_(means, values, 1 - keep)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {"steps": self.steps, "values": self.values}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what a checkpoint held; raises `ValueError` if that is of another module."""
        if apart := differing(self.values, state["values"]):
            raise ValueError(apart[0])
        self.steps = int(state["steps"])
        for name, value in state["values"].items():
            self.values[name].copy_(value)
