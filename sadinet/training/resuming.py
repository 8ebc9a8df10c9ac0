"""Going on with a training: what its checkpoint holds, and which settings may be others by then."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sadinet.errors import InputError, SadinetError, WeightsError
from sadinet.training.checkpoint import check_same_network, fill, load_checkpoint, told_network
from sadinet.training.config import TrainConfig
from sadinet.training.optimiser import restore_optimiser
from sadinet.training.pace import Course, Pace
from sadinet.training.split import Split, random_states, restore_random_states

if TYPE_CHECKING:
    from sadinet.training.loop import Trainer


def state_of(trainer: Trainer) -> dict[str, Any]:
    """Return everything that a resumed training needs."""
    return {
        "config": {**asdict(trainer.config), "network": trainer.config.network.to_dict()},
        "network": trainer.network.state_dict(),
        "criterion": trainer.student.criterion.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
        "average": trainer.average.state_dict(),
        "machine": trainer.machine.state(),
        **random_states(),
        "epoch": trainer.epoch,
        "batch_done": trainer.batch_done,
        "course": asdict(trainer.course),
        "people": trainer.people,
        "best": trainer.best,
        "due": trainer.due,
        "split": trainer.split.to_dict() if trainer.split else {},
    }


def take_over(trainer: Trainer, path: Path) -> list[str]:
    """Bring a new training to where a checkpoint was written; returns the settings that are others from here on.

    Raises:
        WeightsError: if the checkpoint is damaged, of another network, or lacks what is needed.
        InputError: if what was begun cannot be continued with the training's settings.
    """
    state = load_checkpoint(path)
    remedy = "choose its preset, or another folder"
    check_same_network(path, told_network(path, state), trainer.config.network, remedy)
    _take_place(trainer, path, state)
    with _entry(path, "config"):
        changed = changed_settings(path, state, trainer.config)
    with _entry(path, "network"):
        fill(trainer.network, state["network"], path)
    with _entry(path, "criterion"):
        trainer.student.criterion.load_state_dict(state["criterion"])
    with _entry(path, "optimiser"):
        restore_optimiser(trainer.optimiser, state["optimiser"], trainer.config)
    with _entry(path, "average"):
        trainer.average.load_state_dict(state["average"])
    with _entry(path, "random"):
        restore_random_states(state)
    # Those of earlier versions lack it.
    with _entry(path, "machine"):
        trainer.machine.load_state(state.get("machine", {}))
    return changed


def _take_place(trainer: Trainer, path: Path, state: Mapping[str, Any]) -> None:
    """Take over how far the training was, and with whom; earlier versions wrote less of it."""
    with _entry(path, "epoch"):
        trainer.epoch = _count(state["epoch"])
    with _entry(path, "batch_done"):
        trainer.batch_done = _count(state["batch_done"])
    with _entry(path, "best"):
        trainer.best = _number(state["best"])
    with _entry(path, "course"):
        trainer.course = Course(**state.get("course", {}))
        trainer.course.means(), trainer.course.pace(1)  # what cannot be added up fails here, not an epoch later
    with _entry(path, "due"):
        trainer.due = _due(state.get("due"))
    with _entry(path, "people"):
        trainer.people = str(state.get("people", ""))
    with _entry(path, "split"):
        trainer.split = Split.of_checkpoint(state)


@contextmanager
def _entry(path: Path, name: str) -> Iterator[None]:
    """Say in one line that an entry of a checkpoint is not what it must be, whatever error that leads to."""
    try:
        yield
    except SadinetError:
        raise
    except Exception as error:
        raise WeightsError(
            f"{path} cannot be resumed: its entry {name!r} is missing, or does not belong to this training",
            "use another checkpoint of this training, or begin anew in another folder",
        ) from error


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def _number(value: Any) -> float:
    if math.isnan(value):
        raise ValueError(value)
    return float(value)


def _due(value: Any) -> dict[str, dict[str, float]] | None:
    if value is None:
        return None
    means = {name: float(mean) for name, mean in value["means"].items()}
    return {"means": means, "pace": asdict(Pace(**value["pace"]))}


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
