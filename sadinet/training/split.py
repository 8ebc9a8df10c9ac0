"""What else a checkpoint holds: who is trained on and who is held out, and the states of the random generators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from sadinet.errors import InputError

if TYPE_CHECKING:
    from sadinet.training.batches import Mixture
    from sadinet.training.datasets import PersonSet


@dataclass(frozen=True, slots=True)
class Split:
    """Keys of people, as "set/key".

    Attributes:
        trained: everybody whom the training has seen or may see.
        held_out: those to choose the best weights by.
    """

    trained: tuple[str, ...]
    held_out: tuple[str, ...]

    @classmethod
    def of(cls, mixture: Mixture, held_out: PersonSet) -> Split:
        """Return the split of these sets.

        Raises:
            InputError: if nobody is held out, or somebody is in both.
        """
        trained = [key for people in mixture.sets for key in people.full_keys]
        kept = held_out.full_keys
        if not kept:
            raise InputError("nobody is held out to choose the best weights by", "check the folder and the numbers")
        split = cls(tuple(trained), tuple(kept))
        split._check("is trained on too")
        return split

    def following(self, before: Split | None) -> Split:
        """Return this split with everybody whom an earlier leg was trained on.

        Raises:
            InputError: if somebody is held out now who was trained on then.
        """
        if before is None:
            return self
        known = set(self.trained)
        whole = Split(self.trained + tuple(key for key in before.trained if key not in known), self.held_out)
        whole._check("was trained on before this training was resumed")
        return whole

    def _check(self, what: str) -> None:
        both = sorted(set(self.trained) & set(self.held_out))
        if both:
            remedy = "hold out people whom the network has not seen"
            raise InputError(f"held-out {both[0]} {what} ({len(both)} such people)", remedy)

    def to_dict(self) -> dict[str, list[str]]:
        """Return plain values for a checkpoint."""
        return {"trained": list(self.trained), "held_out": list(self.held_out)}

    @classmethod
    def of_checkpoint(cls, state: Mapping[str, Any]) -> Split | None:
        """Return what a checkpoint held; None for one that was written without."""
        held = state.get("split")
        return cls(tuple(held["trained"]), tuple(held["held_out"])) if held else None


def random_states() -> dict[str, Any]:
    """Return the states of torch's generators; crops and orders have seeds of their own and need none."""
    return {"random": torch.get_rng_state(), "random_cuda": torch.cuda.get_rng_state_all()}


def restore_random_states(state: Mapping[str, Any]) -> None:
    """Take over what `random_states` returned; a machine with other GPUs keeps its own states for them."""
    torch.set_rng_state(state["random"])
    cuda = state.get("random_cuda", [])
    if cuda and len(cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(cuda)
