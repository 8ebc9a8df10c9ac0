"""Checkpoints that survive a kill at any moment: written beside, flushed, then renamed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sadinet.atomic import sync_folder
from sadinet.errors import InputError, OutputError, WeightsError
from sadinet.network.config import NetworkConfig
from sadinet.network.model import SadiNet

if TYPE_CHECKING:
    from sadinet.training.config import TrainConfig


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` atomically; a full disk leaves the old file as it was and raises `OutputError`."""
    beside = path.with_suffix(".partial")
    try:
        with beside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
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
    # Only needed here; a machine that trains from nothing may lack it.
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    prefix = "network."
    try:
        values = {k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix)}
        network.load_state_dict(values)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    except RuntimeError as error:
        first = " ".join(str(error).split("\n")[1:2]).strip()
        raise WeightsError(f"{path} holds another network: {first}", "choose the preset it was made with") from error


_FREE = ("size_wh", "heatmap_sigma")
"""What weights do not depend on."""


def check_network(path: Path, state: Mapping[str, Any], config: NetworkConfig) -> None:
    """Raise `WeightsError`, naming what differs, if a checkpoint is of another network than `config`."""
    try:
        held = dict(state["config"]["network"])
    except (KeyError, TypeError):
        raise WeightsError(f"{path} is not a checkpoint of a training") from None
    wanted = config.to_dict()
    apart = [name for name in wanted if name not in _FREE and held.get(name, wanted[name]) != wanted[name]]
    if apart:
        told = "; ".join(f"{name} is {held[name]} there, {wanted[name]} here" for name in apart)
        raise WeightsError(f"{path} is of another network: {told}", "choose its preset, or another folder")


_SAME_WITHIN_EPOCH = ("batch", "seed")
"""Settings that decide which people an epoch has shown so far."""


def changed_settings(path: Path, state: Mapping[str, Any], config: TrainConfig) -> list[str]:
    """Return what a training that goes on does otherwise than its checkpoint, as "rate: 0.002, was 0.001".

    Raises:
        InputError: if the optimiser is another one, or the epoch that was begun could not be gone on with.
    """
    held, wanted = _plain(state["config"]), _plain(asdict(config))
    held.pop("network"), wanted.pop("network")
    # A checkpoint of an earlier version lacks the settings that have come since.
    changed = {name: held[name] for name in wanted if held.get(name, wanted[name]) != wanted[name]}
    if "optimiser" in changed:
        was = changed["optimiser"]
        raise InputError(f"{path} was trained with the optimiser {was}", f"set optimiser={was}, or another folder")
    if state["batch_done"] and (stuck := [name for name in _SAME_WITHIN_EPOCH if name in changed]):
        told = " and ".join(f"{name} {changed[name]}" for name in stuck)
        raise InputError(f"{path} lies within an epoch that was begun with {told}", f"end that epoch with {told}")
    return [f"{name}: {_told(wanted[name])}, was {_told(was)}" for name, was in changed.items()]


def _told(value: Any) -> str:
    """Return a setting in few words; stages as they are given, such as 192x192x4."""
    if isinstance(value, list | tuple) and value and all(isinstance(each, Mapping) for each in value):
        return ",".join(map(_stage_told, value))
    return str(value)


def _plain(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested settings by dotted names; `network` stays as it is."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and name != "network":
            found |= _plain(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found


def _stage_told(stage: Mapping[str, Any]) -> str:
    text = "x".join(map(str, (*stage["size_wh"], stage["epochs"])))
    return f"{text} with sigma {stage['sigma']}" if stage.get("sigma") else text


def network_of_checkpoint(path: Path, size_wh: tuple[int, int] | None = None) -> SadiNet:
    """Return the averaged network of a checkpoint, in evaluation mode; the weights fit any input size.

    Args:
        path: the checkpoint.
        size_wh: input size to configure; None for the one it was trained for.

    Raises:
        WeightsError: if the checkpoint is damaged or of another network.
    """
    state = load_checkpoint(path)
    try:
        config = NetworkConfig.from_dict(state["config"]["network"])
        if size_wh is not None:
            # As wide in the picture as the targets that it was trained on.
            sigma = config.heatmap_sigma * size_wh[0] / config.size_wh[0]
            config = replace(config, size_wh=size_wh, heatmap_sigma=sigma)
        network = SadiNet(config)
        network.load_state_dict(state["average"]["values"])
    except (KeyError, TypeError, RuntimeError, InputError) as error:
        first = " ".join(str(error).split("\n")[:2])
        raise WeightsError(f"{path} is not a checkpoint of this network: {first}") from error
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
        """Take over what a checkpoint held."""
        self.steps = int(state["steps"])
        values: dict[str, Tensor] = state["values"]
        self.values = {k: v.to(self.values[k].device, copy=True) for k, v in values.items()}
