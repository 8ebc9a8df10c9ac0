"""Which people a training sees: data sets named in a settings file, loaded, and brought to the network's joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sadinet.errors import InputError
from sadinet.network.bounds import FINITE, check_bounds
from sadinet.skeletons import BODY19, Skeleton, convert
from sadinet.training.batches import Mixture
from sadinet.training.sets.people import Fault, first_of, lost, refuse_if_empty
from sadinet.training.sets.selection import Selection

if TYPE_CHECKING:
    from sadinet.training.datasets import PersonSet

_READ_BY = {
    "numbers": ("lspet", "labels"),
    "sets": ("shards",),
    "annotations": ("labels",),
    "teachers": ("lspet", "stanford40"),
}
"""Which layouts read a field; for any other it would change nothing, unnoticed."""


@dataclass(frozen=True, slots=True)
class Source:
    """One data set, or a part of it.

    Attributes:
        layout: "shards" made by scripts/prepare_data.py, "lspet", "stanford40", or "labels" for any other layout
            that scripts/prepare_data.py recognises.
        root: folder.
        numbers: "first:last" picture number of "lspet" and "labels", both included; for COCO these are its picture
            ids. "lspet" needs them; of "labels" everybody is taken where there are none.
        sets: names of the sets to take out of shards; none given takes all.
        annotations: label file of "labels", where the folder does not tell.
        teachers: file with two teachers' joints, for "lspet" and "stanford40"; the latter needs it.
        share: how much of it an epoch sees; 1 is everybody once.

    Raises:
        InputError: if a field is given that the layout does not read, or the share is no number of at least 0.
    """

    layout: Literal["shards", "lspet", "stanford40", "labels"]
    root: Path
    numbers: str = ""
    sets: tuple[str, ...] = ()
    annotations: Path | None = None
    teachers: Path | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        check_bounds(self, {"share": (0, FINITE)})
        for name, layouts in _READ_BY.items():
            if getattr(self, name) and self.layout not in layouts:
                reads = f"leave it out; {' and '.join(layouts)} would read it"
                raise InputError(f"the layout {self.layout} does not read {name}", reads)


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Sets to train on, and the set to choose the best weights by, of which everybody is measured."""

    train: tuple[Source, ...] = ()
    choose: Source | None = None

    def __post_init__(self) -> None:
        if self.choose is not None and self.choose.share != 1:
            raise InputError("choose does not read share", "leave it out; everybody in that set is measured")


def parse_numbers(text: str, *, lowest: int = 1) -> range:
    """Read "first:last", both included and not below `lowest`; raises `InputError` for anything else."""
    try:
        first, last = (int(part) for part in text.split(":"))
    except ValueError:
        raise InputError(f"numbers {text!r}", "write first:last, as in 1:8000") from None
    if not lowest <= first <= last:
        raise InputError(f"numbers {text!r}", f"count from {lowest}, the first not above the last")
    return range(first, last + 1)


def load_source(source: Source, skeleton: Skeleton) -> PersonSet:
    """Load one data set; who cannot be used is left out and named in `PersonSet.faults`.

    Raises:
        SourceError: if it is missing, damaged or empty.
        InputError: if a setting that its layout needs is missing.
    """
    # Reading of labels needs OpenCV or SciPy; shards alone are enough on a machine that only trains.
    if source.layout == "shards":
        from sadinet.training.sets.shards import load_shards

        people = load_shards(source.root, source.sets or None)
    elif source.layout == "lspet":
        from sadinet.training.sets.with_teachers import load_lspet

        if not source.numbers:
            raise InputError(f"LSPet in {source.root} has no numbers", 'add numbers = "1:8000"')
        people = load_lspet(source.root, parse_numbers(source.numbers), source.teachers)
    elif source.layout == "stanford40":
        from sadinet.training.sets.with_teachers import load_stanford40

        if source.teachers is None:
            raise InputError(
                f"Stanford 40 in {source.root} has no teachers", "it has no joints of its own; add teachers"
            )
        people = load_stanford40(source.root, source.teachers)
    else:
        from sadinet.training.sets.crops import load_people
        from sadinet.training.sets.recognise import open_labels

        labelled = open_labels(source.root, source.annotations)
        if source.numbers:
            numbers = parse_numbers(source.numbers, lowest=0)
            labelled = labelled.only(pictures=Selection(numbers[0], numbers[-1]))
            refuse_if_empty(labelled.people, f"{labelled.labels}, pictures {source.numbers}", "choose other numbers")
        people = load_people(labelled)
    return in_skeleton(people, skeleton)


def in_skeleton(people: PersonSet, skeleton: Skeleton) -> PersonSet:
    """Return body19 people with another skeleton's joints; those that body19 lacks are unknown, with weight 0.

    Whoever has no joint of it is left out and named in `PersonSet.faults`.
    """
    if skeleton is not BODY19:
        conversion = convert(BODY19, skeleton)
        joints = conversion.apply(people.joints, axis=1).astype(np.float32)
        weight = np.nan_to_num(conversion.apply(people.weight, axis=1)).astype(np.float32)
        people = replace(people, joints=joints, weight=weight)
    is_known = people.known.any(axis=1)
    if is_known.all():
        return people
    reason = f"no joint of {skeleton.name} is known"
    blank = [Fault(people.keys[int(i)], reason) for i in np.flatnonzero(~is_known)]
    kept = people.only([int(i) for i in np.flatnonzero(is_known)])
    return replace(kept, faults=(*people.faults, *blank))


def load_data(
    config: DataConfig, skeleton: Skeleton, say: Callable[[str], None] | None = None
) -> tuple[Mixture, PersonSet]:
    """Load everybody to train on, and those to choose by.

    Args:
        config: the sets.
        skeleton: the network's joints.
        say: is told, a line a set, how many people were left out, with the first of their names, and how many labelled
            pictures are not there.

    Raises:
        InputError: if either is not named.
        SourceError: if a set is missing, damaged or empty.
    """
    if not config.train or config.choose is None:
        what = "data.train" if not config.train else "data.choose"
        raise InputError(f"the settings name no {what}", "give data sets on the command line or in the settings file")
    sets = tuple(load_source(source, skeleton) for source in (*config.train, config.choose))
    for people in sets:
        if people.faults and say is not None:
            say(f"{people.name}: {lost(people.faults)} people left out: {first_of(people.faults)}")
        if people.absent and say is not None:
            say(f"{people.name}: {len(people.absent)} labelled pictures are not there, the first is {people.absent[0]}")
    return Mixture(sets[:-1], tuple(source.share for source in config.train)), sets[-1]
