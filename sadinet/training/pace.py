"""How fast a training goes, and how much of its time it waits for crops instead of computing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
