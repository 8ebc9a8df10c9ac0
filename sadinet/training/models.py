"""Trained networks out of any file that holds one: a checkpoint, a model's manifest, or the bare weights of a model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from sadinet.errors import WeightsError
from sadinet.network.model import SadiNet
from sadinet.training.checkpoint import (
    at_size,
    averaged_values,
    check_same_network,
    fill,
    load_checkpoint,
    network_of_checkpoint,
    told_network,
)
from sadinet.weights import Weights, find_weights

Source = str | os.PathLike[str]
"""A checkpoint (.pt), a model's name or manifest, or the .safetensors file of a model."""

_CHECKPOINTS = (".pt", ".pth")

_PREFIX = "network."
"""Of a network's tensors in the file of an exported model."""


def fill_network(network: SadiNet, source: Source) -> None:
    """Take over the weights of `source`, of a checkpoint the averaged ones; the input size may be another.

    Raises:
        WeightsError: if it is missing, damaged or of another network; what differs is named.
    """
    held, values = _read(source)
    if held is not None:
        check_same_network(source, held, network.config, "choose the preset it was made with")
    fill(network, values, source)


def network_of(source: Source, size_wh: tuple[int, int] | None = None) -> SadiNet:
    """Return the network of a checkpoint or of a model's name or manifest, in evaluation mode.

    Args:
        source: bare weights do not tell their network and are refused.
        size_wh: input size to configure; None for the one it was trained for.

    Raises:
        WeightsError: if it is missing, damaged or no SADI-NET.
        InputError: if the network cannot have that size.
    """
    path = Path(source)
    if path.suffix in _CHECKPOINTS:
        return network_of_checkpoint(path, size_wh)
    if path.suffix == ".safetensors":
        raise WeightsError(f"{path} does not tell its network", "give the manifest beside it, or a checkpoint")
    # Only needed here; a machine that trains from nothing may lack safetensors.
    from sadinet.engines.torch import load_network

    found = find_weights(source)
    _described(found)
    network = load_network(found).network
    if size_wh is not None:
        exported, network = network, SadiNet(at_size(network.config, size_wh))
        network.load_state_dict(exported.state_dict())
    return network.eval()


def _read(source: Source) -> tuple[Mapping[str, Any] | None, Mapping[str, Tensor]]:
    """Return the configuration, None where it is not told, and the weights."""
    path = Path(source)
    if path.suffix in _CHECKPOINTS:
        state = load_checkpoint(path)
        return told_network(path, state), averaged_values(path, state)
    if path.suffix == ".safetensors":
        return None, _exported_values(path)
    found = find_weights(source)
    return _described(found), _exported_values(found.file("safetensors"))


def _described(found: Weights) -> Mapping[str, Any]:
    if found.pose.network is None:
        raise WeightsError(f"model {found.name} is not a SADI-NET", "give a checkpoint or a model of this program")
    return found.pose.network


def _exported_values(path: Path) -> dict[str, Tensor]:
    # Only needed here; a machine that trains from nothing may lack it.
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise WeightsError(f"there is no file {path}", "give a checkpoint, a model's name or manifest, or its weights")
    try:
        held = load_file(path)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {(error.strerror or 'no access').lower()}") from error
    except SafetensorError as error:
        raise WeightsError(
            f"{path} is damaged, or is no safetensors file", "install or export the model again"
        ) from error
    values = {name.removeprefix(_PREFIX): value for name, value in held.items() if name.startswith(_PREFIX)}
    if not values:
        raise WeightsError(f"{path} is not a SADI-NET", "give a checkpoint or a model of this program")
    return values
