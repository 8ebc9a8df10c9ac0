"""How fast a training goes, and how much of its time it waits for crops instead of computing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sadinet.training.batches import Batch


@dataclass(frozen=True, slots=True)
class Pace:
    """Of an epoch, or of so many steps.

    Attributes:
        people_s: people a second, in all processes together.
        wait: share of the time, 0..1, in which this process waited for crops; on a GPU it is what the processor
            waited, which the GPU may have spent computing.
    """

    people_s: float
    wait: float


@dataclass(slots=True)
class Course:
    """What an epoch adds up to so far; a checkpoint holds it, so that the epoch's row tells of all its legs.

    Attributes:
        sums: of each loss over the steps.
        steps: how many they are.
        seconds: that they took.
        waited: seconds of these in which crops were waited for.
    """

    sums: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    waited: float = 0.0

    def add(self, losses: Mapping[str, float]) -> None:
        """Count a step."""
        self.steps += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def leg(self, batches: Waited) -> Callable[[], None]:
        """Begin to count the time of some batches; to be called, the result brings the seconds up to date."""
        before_s, before_waited, began = self.seconds, self.waited, time.monotonic()

        def count() -> None:
            self.seconds = before_s + time.monotonic() - began
            self.waited = before_waited + batches.seconds

        return count

    def means(self) -> dict[str, float]:
        """Return the mean of each loss."""
        return {name: value / max(self.steps, 1) for name, value in self.sums.items()}

    def pace(self, batch: int) -> Pace:
        """Return how fast steps of `batch` people went."""
        seconds = max(self.seconds, 1e-9)
        return Pace(self.steps * batch / seconds, self.waited / seconds)


class Waited:
    """Batches as they come, and how long they were waited for.

    Attributes:
        seconds: spent waiting so far.
    """

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches, self.seconds = batches, 0.0

    def __iter__(self) -> Iterator[Batch]:
        source, since = iter(self._batches), time.monotonic()
        for batch in source:
            self.seconds += time.monotonic() - since
            yield batch
            since = time.monotonic()
