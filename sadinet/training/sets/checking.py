"""Look through a set before days are spent on it: what is there, what is missing, what is damaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.training.datasets import read_picture
from sadinet.training.sets.crops import Progress, outside_picture
from sadinet.training.sets.people import MOST_FAULTY, Fault, LabelledPerson, LabelledSet, lost


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What a set holds.

    Attributes:
        labelled: the set.
        labels: (K,) how often each joint is labelled.
        hidden: (K,) how often it is labelled as occluded.
        outside: labels outside of their picture.
        faults: labels and pictures that cannot be used, by name.
        pictures_read: pictures that were decoded; 0 if they were not looked at.
    """

    labelled: LabelledSet
    labels: NDArray[np.int64]
    hidden: NDArray[np.int64]
    outside: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    pictures_read: int

    @property
    def is_usable(self) -> bool:
        """Somebody is in it, and at most 1% of the people are lost with the faults."""
        return len(self.labelled) > 0 and lost(self.faults) <= MOST_FAULTY * self.labelled.total


def examine(labelled: LabelledSet, *, read_pictures: bool = True, progress: Progress | None = None) -> Findings:
    """Look through all labels and, if `read_pictures`, decode every picture.

    Args:
        labelled: the set.
        read_pictures: without it damaged pictures and labels outside of their picture are not found.
        progress: called with pictures done and to do.
    """
    weight = np.array([person.weight > 0 for person in labelled.people]).reshape(-1, len(labelled.skeleton))
    hidden = np.array([person.hidden for person in labelled.people]).reshape(weight.shape)
    faults, outside = list(labelled.faults), []
    by_picture: dict[str, list[LabelledPerson]] = {}
    for person in labelled.people:
        by_picture.setdefault(str(person.path), []).append(person)
    for done, people in enumerate(by_picture.values() if read_pictures else (), start=1):
        try:
            height, width = read_picture(people[0].path, upright=labelled.upright).shape[:2]
        except SourceError as error:
            faults.append(Fault(str(people[0].path), error.message, people=len(people)))
        else:
            outside += [fault for person in people for fault in _outside(person, labelled, (width, height))]
        if progress is not None:
            progress(done, len(by_picture))
    read = len(by_picture) if read_pictures else 0
    return Findings(labelled, weight.sum(axis=0), hidden.sum(axis=0), tuple(outside), tuple(faults), read)


def _outside(person: LabelledPerson, labelled: LabelledSet, size_wh: tuple[int, int]) -> list[Fault]:
    beyond = np.flatnonzero((person.weight > 0) & outside_picture(person.joints, size_wh))
    return [
        Fault(
            person.key,
            f"{labelled.skeleton.joints[k]} at {person.joints[k][0]:.0f}, {person.joints[k][1]:.0f} lies outside of "
            f"{size_wh[0]} x {size_wh[1]} pixels",
        )
        for k in beyond
    ]
