"""People cut out of their pictures, in body19: what training sees of any set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.training.datasets import LONGEST_SIDE, PersonSet, Picture, cut_person, read_picture
from sadinet.training.sets.joint_file import JointFile
from sadinet.training.sets.people import Fault, LabelledPerson, LabelledSet, refuse_if_empty, refuse_if_faulty

LEAST_JOINTS = 4
"""People with fewer body joints than this teach little and are passed over."""

_BODY = 14

Array = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One person.

    Attributes:
        key: finds the label again.
        picture: (h, w, 3) uint8 BGR, the person and some ground around.
        joints: (19, 2) float32, pixels of the crop, NaN where unknown.
        weight: (19,) float32, 0 where unknown.
        outside: joints that were set aside as they lie outside of the original picture.
    """

    key: str
    picture: Picture
    joints: Array
    weight: Array
    outside: int


def outside_picture(joints: NDArray[np.floating], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Say which joints (..., 2) lie outside of a picture of that width and height; NaN does not."""
    high = np.array(size_wh, dtype=float) - 0.5
    return np.asarray(((joints < -0.5) | (joints > high)).any(axis=-1), dtype=bool)


def joints_outside(joints: Array, weight: Array, picture: Picture, name: str) -> NDArray[np.bool_]:
    """Return which known joints (19,) lie outside of the picture; `SourceError` if all of the body do.

    Args:
        joints: (19, 2) picture pixels.
        weight: (19,), 0 where unknown.
        picture: (H, W, 3).
        name: of the picture, for the error.
    """
    outside = (weight > 0) & outside_picture(joints, (picture.shape[1], picture.shape[0]))
    body = weight[:_BODY] > 0
    if body.any() and outside[:_BODY][body].all():
        raise SourceError(f"all its joints lie outside of {name}")
    return np.asarray(outside, dtype=bool)


def labels_in_body19(labelled: LabelledSet, cleaned: JointFile | None = None) -> tuple[Array, Array]:
    """Return all people's joints (N, 19, 2) in picture pixels and weight (N, 19), cleaned ones if given."""
    if cleaned is not None:
        return cleaned.of(labelled.people)
    pairs = [person.in_body19(labelled.skeleton) for person in labelled.people]
    return np.stack([joints for joints, _ in pairs]), np.stack([weight for _, weight in pairs])


def cut_people(
    labelled: LabelledSet,
    cleaned: JointFile | None = None,
    *,
    least_joints: int = LEAST_JOINTS,
    longest_side: int = LONGEST_SIDE,
    progress: Progress | None = None,
) -> Iterator[Crop | Fault]:
    """Cut everybody out, each picture decoded once; what cannot be used comes as a `Fault`.

    Args:
        labelled: the people.
        cleaned: joints and weights to take instead of the set's own.
        least_joints: people with fewer joints from the neck down, the neck and head top included, are passed over.
        longest_side: pixels; larger crops are shrunk to it.
        progress: called with people done and to do.
    """
    if not labelled.people:
        return
    joints, weight = labels_in_body19(labelled, cleaned)
    order = sorted(range(len(labelled)), key=lambda i: (str(labelled.people[i].path), i))
    done = 0
    for path, group in groupby(order, key=lambda i: labelled.people[i].path):
        places = list(group)
        try:
            picture = read_picture(path, upright=labelled.upright)
        except SourceError as error:
            yield Fault(str(path), error.message, people=len(places))
        else:
            for i in places:
                found = _cut(labelled.people[i], picture, joints[i], weight[i], least_joints, longest_side)
                if found is not None:
                    yield found
        done += len(places)
        if progress is not None:
            progress(done, len(labelled))


def _cut(
    person: LabelledPerson, picture: Picture, joints: Array, weight: Array, least: int, longest_side: int
) -> Crop | Fault | None:
    if (weight[:_BODY] > 0).sum() < least:
        return None
    try:
        outside = joints_outside(joints, weight, picture, person.path.name)
    except SourceError as error:
        return Fault(person.key, error.message)
    kept = np.where(outside, 0, weight).astype(np.float32)
    points = np.where(kept[:, None] > 0, joints, np.nan).astype(np.float32)
    part, moved = cut_person(picture, points, kept, longest_side)
    return Crop(person.key, part, moved, kept, int(outside.sum()))


def load_people(labelled: LabelledSet, cleaned: JointFile | None = None) -> PersonSet:
    """Cut everybody out into memory; who cannot be used is left out and named in `PersonSet.faults`.

    Args:
        labelled: the people.
        cleaned: joints and weights to take instead of the set's own.

    Raises:
        SourceError: if more than 1% of the set cannot be used, or nobody is left.
    """
    crops: list[Crop] = []
    faults = list(labelled.faults)
    for each in cut_people(labelled, cleaned):
        if isinstance(each, Crop):
            crops.append(each)
        else:
            faults.append(each)
    refuse_if_faulty(faults, labelled.total, str(labelled.labels))
    refuse_if_empty(crops, str(labelled.labels), f"people with fewer than {LEAST_JOINTS} joints do not count")
    return PersonSet(
        labelled.layout,
        [crop.picture for crop in crops],
        np.stack([crop.joints for crop in crops]),
        np.stack([crop.weight for crop in crops]),
        [crop.key for crop in crops],
        faults=tuple(faults),
        absent=labelled.absent,
    )
