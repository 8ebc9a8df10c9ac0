"""MPII's official labels, `mpii_human_pose_v1_u12_1.mat`.

A MATLAB structure RELEASE: `annolist(i).image.name`, `annolist(i).annorect(r)` with `x1 y1 x2 y2` (head
rectangle), `scale` (height / 200 px), `objpos.x/.y`, `annopoints.point(p)` with `x y id is_visible`;
`img_train(i)`; `single_person{i}` (1-based rectangle numbers). Fields are missing or empty in places,
`is_visible` is a number, a text or nothing, and coordinates count pixels from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sadinet.errors import SourceError
from sadinet.geometry import Box
from sadinet.skeletons import MPII16
from sadinet.training.sets.mat_file import read_mat
from sadinet.training.sets.people import Absent, Fault, Gathering, LabelledPerson, LabelledSet

MAT_NAME = "mpii_human_pose_v1_u12_1.mat"

_SCALE_PX = 200.0
_LOWER = 15.0
"""Pixels, times the scale, that the rough position is moved down so that the box holds the feet, as everybody does."""


def mpii_box(centre_xy: tuple[float, float], scale: float) -> Box:
    """Return MPII's customary square: 200 x scale pixels about the rough position (pixel centres from 0)."""
    x, y, side = centre_xy[0], centre_xy[1] + _LOWER * scale, _SCALE_PX * scale
    return Box(x - side / 2, y - side / 2, side, side)


def read_mpii_mat(path: Path, pictures: Path) -> LabelledSet:
    """Read the official labels of the pictures that are there.

    Args:
        path: the MATLAB file.
        pictures: folder of the pictures.

    Raises:
        SourceError: if the file is missing, damaged, or not MPII's.
    """
    release = _release(path)
    gathered = Gathering("mpii", path, MPII16)
    try:
        entries = np.atleast_1d(release.annolist)
        trained = np.atleast_1d(release.img_train)
        # One cell a picture; a file with a single picture has lost its outer array.
        alone = np.atleast_1d(release.single_person) if len(entries) > 1 else [release.single_person]
    except AttributeError as error:
        raise SourceError(f"{path} is not MPII's: {error}", f"the official file is {MAT_NAME}") from error
    if not len(entries) == len(trained) == len(alone):
        counts = f"{len(entries)} pictures, {len(trained)} img_train, {len(alone)} single_person"
        raise SourceError(f"{path} is not MPII's: {counts}", f"the official file is {MAT_NAME}")
    for number, (entry, is_train, single) in enumerate(zip(entries, trained, alone, strict=True), start=1):
        split = "train" if is_train else "test"
        try:
            name = str(entry.image.name)
        except AttributeError:
            lost = max(1, np.size(getattr(entry, "annorect", ())))
            name = f"{path.name} picture {number}"
            gathered.faults.append(Fault(name, "it has no name", lost, split=split, picture_number=number))
            continue
        chosen = {int(n) for n in np.ravel(single)}
        people = list(_people(entry, number, pictures / name, chosen, gathered, split=split))
        if people and not (pictures / name).is_file():
            gathered.missing.append(Absent(pictures / name, split=split, picture_number=number))
            continue
        for person in people:
            gathered.add(person)
    return gathered.done()


def _release(path: Path) -> Any:
    try:
        return read_mat(path, as_objects=True)["RELEASE"]
    except KeyError as error:
        raise SourceError(f"{path} has no variable {error}", f"the official file is {MAT_NAME}") from error


def _people(
    entry: Any, number: int, path: Path, alone: set[int], gathered: Gathering, *, split: str
) -> Iterator[LabelledPerson]:
    for place, rectangle in enumerate(np.atleast_1d(getattr(entry, "annorect", ())), start=1):
        points = getattr(getattr(rectangle, "annopoints", None), "point", None)
        if points is None or not np.size(points):
            continue  # test pictures, and people who were only counted
        key = f"{path.stem}_{place}"
        # The number of the label: people of one picture stay apart, and it does not change with what is read.
        index = number * 100 + place
        try:
            joints, hidden = _joints(np.atleast_1d(points))
            box, head = _box(rectangle), _head(rectangle)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            reason = f"its label makes no sense: {error}"
            gathered.faults.append(Fault(key, reason, index=index, split=split, picture_number=number))
            continue
        weight = np.isfinite(joints).all(axis=1).astype(float)
        yield LabelledPerson(key, index, number, path, joints, weight, hidden, box, head, split, place in alone)


def _joints(points: Any) -> tuple[Any, Any]:
    joints = np.full((len(MPII16), 2), np.nan)
    hidden = np.zeros(len(MPII16), dtype=bool)
    for point in points:
        if not 0 <= (place := int(point.id)) < len(MPII16):
            raise IndexError(f"joint number {place}")
        joints[place] = float(point.x) - 1, float(point.y) - 1
        # Absent for the head's two points, an empty array for some, else 0 or 1 as number or text.
        seen = np.ravel(getattr(point, "is_visible", 1))
        hidden[place] = bool(len(seen)) and not int(seen[0])
    return joints, hidden


def _box(rectangle: Any) -> Box | None:
    at, scale = getattr(rectangle, "objpos", None), getattr(rectangle, "scale", None)
    if at is None or scale is None or not np.size(scale) or not np.size(getattr(at, "x", ())):
        return None
    return mpii_box((float(at.x) - 1, float(at.y) - 1), float(scale))


def _head(rectangle: Any) -> float:
    corners: list[Any] = [getattr(rectangle, name, ()) for name in ("x1", "y1", "x2", "y2")]
    if not all(np.size(value) for value in corners):
        return float("nan")
    x1, y1, x2, y2 = (float(value) for value in corners)
    return float(np.hypot(x2 - x1, y2 - y1))
