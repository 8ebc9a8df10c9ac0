"""What all layouts of labels come down to: people with joints, each in a picture of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.geometry import Box
from sadinet.skeletons import BODY19, Skeleton, convert

if TYPE_CHECKING:
    from sadinet.training.sets.selection import Selection

MOST_FAULTY = 0.01
"""Share of a set's people who may be unusable before it is refused."""

_FARTHEST_PX = 1e5
_NAMED = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something of a set that cannot be used: which picture or label, and why.

    Attributes:
        name: of the picture or label.
        reason: why it cannot be used.
        people: how many are lost with it; 1 where that is not known.
        index: the label's number, as in `LabelledPerson`; None for a picture, or where it is not known.
        split: as in `LabelledPerson`; empty where it is not known.
        picture_number: as in `LabelledPerson`; None where it is not known.
    """

    name: str
    reason: str
    people: int = 1
    index: int | None = None
    split: str = ""
    picture_number: int | None = None

    def __str__(self) -> str:
        return self.reason if self.name in self.reason else f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Absent:
    """A label whose picture is not there; numbers and split as in `Fault`."""

    path: Path
    index: int | None = None
    split: str = ""
    picture_number: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPerson:
    """One person whom somebody labelled.

    Attributes:
        key: finds the label again; once in a set.
        index: the set's own number of the label: LSP's and LSPet's picture, COCO's annotation id, else its place.
        picture_number: the set's own number of the picture, or its place.
        path: the picture.
        joints: (K, 2) picture pixels, whole numbers are pixel centres; NaN where not labelled.
        weight: (K,) how far to trust each joint, 0 where not labelled.
        hidden: (K,) labelled, but said to be occluded.
        box: what the label gives for a box; None where it gives none.
        head_px: diagonal of MPII's head rectangle, pixels; NaN elsewhere.
        split: "train", "val", "test" where the set says so.
        is_alone: far enough from others for a task with single people (MPII's `single_person`).
    """

    key: str
    index: int
    picture_number: int
    path: Path
    joints: Floats
    weight: Floats
    hidden: NDArray[np.bool_]
    box: Box | None = None
    head_px: float = float("nan")
    split: str = ""
    is_alone: bool = True

    def in_body19(self, skeleton: Skeleton) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return joints (19, 2) and weight (19,); joints that the skeleton lacks are NaN with weight 0."""
        conversion = convert(skeleton, BODY19)
        joints = conversion.apply(self.joints, axis=0).astype(np.float32)
        weight = np.nan_to_num(conversion.apply(self.weight, axis=0)).astype(np.float32)
        return joints, weight


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """All people of one set of labels.

    Attributes:
        layout: "lsp", "lspet", "mpii", "mpii-json", "coco", "yolo" or "taught".
        labels: the file or folder that the labels were read from.
        skeleton: names and order of the joints.
        people: those with at least one labelled joint, in the set's order.
        faults: labels that make no sense.
        missing: labels whose pictures are not there.
        upright: the labels belong to the picture as its EXIF orientation turns it.
    """

    layout: str
    labels: Path
    skeleton: Skeleton
    people: tuple[LabelledPerson, ...]
    faults: tuple[Fault, ...] = ()
    missing: tuple[Absent, ...] = ()
    upright: bool = False

    def __len__(self) -> int:
        return len(self.people)

    @property
    def pictures(self) -> tuple[Path, ...]:
        """Pictures with people, each once, in order."""
        return tuple(dict.fromkeys(person.path for person in self.people))

    @property
    def absent(self) -> tuple[Path, ...]:
        """Labelled pictures that are not there, each once, in order."""
        return tuple(dict.fromkeys(label.path for label in self.missing))

    @property
    def total(self) -> int:
        """People in all: those who can be used, and those who are lost with the faults."""
        return len(self.people) + lost(self.faults)

    def only(
        self,
        selection: Selection | None = None,
        split: str | None = None,
        *,
        pictures: Selection | None = None,
        leave_out: Selection | None = None,
    ) -> LabelledSet:
        """Return the set with a part of its people, without faults and missing pictures known to lie elsewhere.

        Args:
            selection: of the labels' `index`; None for all.
            split: "train", "val" or "test"; None for all.
            pictures, leave_out: of the `picture_number`, so that people of one picture stay together; None for all, and
                for nobody.
        """

        def is_in(index: int | None, number: int | None, part: str) -> bool:
            return (
                (selection is None or index is None or index in selection)
                and (not part or split in (None, part))
                and (pictures is None or number is None or number in pictures)
                and (leave_out is None or number is None or number not in leave_out)
            )

        people = [p for p in self.people if split in (None, p.split) and is_in(p.index, p.picture_number, p.split)]
        faults = [each for each in self.faults if is_in(each.index, each.picture_number, each.split)]
        missing = [each for each in self.missing if is_in(each.index, each.picture_number, each.split)]
        return replace(self, people=tuple(people), faults=tuple(faults), missing=tuple(missing))


@dataclass(slots=True)
class Gathering:
    """A set while it is read: labels that can be used, and why others cannot."""

    layout: str
    labels: Path
    skeleton: Skeleton
    people: list[LabelledPerson] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    missing: list[Absent] = field(default_factory=list)
    upright: bool = False

    def add(self, person: LabelledPerson) -> None:
        """Take a person, or the reason why not; someone without a joint is passed over."""
        known = person.joints[person.weight > 0]
        if not len(known):
            return
        if not np.isfinite(known).all() or np.abs(known).max() > _FARTHEST_PX:
            self._refuse(person, "a joint lies nowhere near a picture")
        elif person.box is not None and not _is_box(person.box):
            self._refuse(person, "its box has no area")
        else:
            self.people.append(person)

    def _refuse(self, person: LabelledPerson, reason: str) -> None:
        number = person.picture_number
        self.faults.append(Fault(person.key, reason, index=person.index, split=person.split, picture_number=number))

    def done(self) -> LabelledSet:
        """Return what was gathered."""
        return LabelledSet(
            self.layout,
            self.labels,
            self.skeleton,
            tuple(self.people),
            tuple(self.faults),
            tuple(self.missing),
            self.upright,
        )


def _is_box(box: Box) -> bool:
    return bool(np.isfinite([box.x, box.y, box.width, box.height]).all()) and box.width > 0 and box.height > 0


def lost(faults: Sequence[Fault]) -> int:
    """Return how many people are lost with these faults."""
    return sum(fault.people for fault in faults)


def first_of(faults: Sequence[Fault]) -> str:
    """Return one line with the first few faults and how many more there are."""
    named = "; ".join(str(fault) for fault in faults[:_NAMED])
    return named + (f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else "")


def refuse_if_faulty(faults: Sequence[Fault], total: int, what: str, most: float = MOST_FAULTY) -> None:
    """Let a few faults pass; people lost who are more than `most` of `total` are an error that names the first.

    Raises:
        SourceError: naming the set `what`, how many are unusable and the first of them.
    """
    if lost(faults) <= most * total:
        return
    raise SourceError(
        f"{what}: {lost(faults)} of {total} cannot be used, more than {100 * most:g}%: {first_of(faults)}",
        "mend or remove them; scripts/prepare_data.py check names all",
    )


def refuse_if_empty(people: Sequence[object], what: str, remedy: str) -> None:
    """Raise `SourceError` if nobody is left."""
    if not people:
        raise SourceError(f"{what}: nobody is left to learn from", remedy)
