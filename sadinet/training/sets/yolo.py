"""YOLO's pose labels: a text file a picture, a person a line, everything a share of the picture's size.

`class cx cy w h x1 y1 [v1] x2 y2 [v2] ..`; v is 0 = not labelled, 1 = hidden, 2 = visible. Labels lie in a folder
`labels` where the pictures lie in `images`, or beside the pictures. They belong to the upright picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.geometry import Box
from sadinet.media.pictures import PICTURE_SUFFIXES
from sadinet.skeletons import COCO17, Skeleton
from sadinet.training.sets.people import Fault, Gathering, LabelledPerson, LabelledSet
from sadinet.training.sets.picture_size import upright_size

_SHAPE = re.compile(r"^\s*kpt_shape\s*:\s*\[\s*(\d+)\s*,\s*([23])\s*\]", re.MULTILINE)
_BOX_NUMBERS = 5


def label_path(picture: Path) -> Path:
    """Return where a picture's labels lie: the last folder `images` becomes `labels`, or else beside it."""
    parts = list(picture.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            moved = Path(*parts[:place], "labels", *parts[place + 1 :]).with_suffix(".txt")
            if moved.is_file():
                return moved
            break
    return picture.with_suffix(".txt")


def labelled_pictures(root: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each picture below `root` that has a label file, with that file, in order of their names."""
    for picture in sorted(root.rglob("*")):
        if picture.suffix.lower() in PICTURE_SUFFIXES and (labels := label_path(picture)).is_file():
            yield picture, labels


def read_yolo(root: Path, skeleton: Skeleton | None = None) -> LabelledSet:
    """Read all label files below `root`.

    Args:
        root: folder of the set; a YAML file in it with `kpt_shape: [K, 2 or 3]` tells the lines' length.
        skeleton: names of the joints; None for COCO's, which 17 joints are taken for.

    Raises:
        SourceError: if there are no labels, or they have another number of joints than the skeleton.
    """
    wanted = COCO17 if skeleton is None else skeleton
    told = _told_shape(root)
    if told and told[0] != len(wanted):
        raise SourceError(
            f"{root} labels {told[0]} joints, {wanted.name} has {len(wanted)}",
            "name the set of joints with --skeleton (lsp14, mpii16, coco17 or body19)",
        )
    gathered = Gathering("yolo", root, wanted, upright=True)
    lines = 0
    for number, (picture, labels) in enumerate(labelled_pictures(root)):
        rows: list[list[str]] = []
        try:
            rows = [line.split() for line in labels.read_text(encoding="utf-8").splitlines() if line.strip()]
            size = upright_size(picture) if rows else (0, 0)
        except (SourceError, OSError, UnicodeDecodeError) as error:
            gathered.faults.append(
                Fault(str(picture.relative_to(root)), str(error), max(1, len(rows)), picture_number=number)
            )
            continue
        for place, row in enumerate(rows):
            lines += 1
            key = f"{picture.relative_to(root).with_suffix('').as_posix()}_{place}"
            try:
                gathered.add(_person(row, told, wanted, key, lines, number, picture, size))
            except ValueError as error:
                name = f"{labels.relative_to(root)} line {place + 1}"
                gathered.faults.append(Fault(name, str(error), index=lines, picture_number=number))
    if not lines and not gathered.faults:
        raise SourceError(f"{root} has no labels", "YOLO's lie in labels/NAME.txt for images/NAME.jpg")
    return gathered.done()


def _told_shape(root: Path) -> tuple[int, int] | None:
    for path in sorted([*root.glob("*.yaml"), *root.glob("*.yml")]):
        match = _SHAPE.search(path.read_text(encoding="utf-8", errors="replace"))
        if match:
            return int(match[1]), int(match[2])
    return None


def _person(
    row: list[str],
    told: tuple[int, int] | None,
    skeleton: Skeleton,
    key: str,
    index: int,
    number: int,
    picture: Path,
    size_wh: tuple[int, int],
) -> LabelledPerson:
    values = np.array(row, dtype=float)
    count = len(skeleton)
    each = told[1] if told else (len(values) - _BOX_NUMBERS) // count
    if each not in (2, 3) or len(values) != _BOX_NUMBERS + each * count:
        raise ValueError(f"{len(values)} numbers, {count} joints need {_BOX_NUMBERS + 3 * count}")
    rows = values[_BOX_NUMBERS:].reshape(count, each)
    # Without a visibility, a joint in the picture's very corner stands for none.
    seen: NDArray[np.float64] = rows[:, 2] if each == 3 else 2.0 * (rows[:, :2] != 0).any(axis=1)
    weight = (seen > 0).astype(float)
    size = np.array(size_wh, dtype=float)
    # A share of the size is measured from the picture's edge, half a pixel before the first centre.
    joints = np.where(weight[:, None] > 0, rows[:, :2] * size - 0.5, np.nan)
    centre, extent = values[1:3] * size - 0.5, values[3:5] * size
    corner = centre - extent / 2
    box = Box(float(corner[0]), float(corner[1]), float(extent[0]), float(extent[1]))
    return LabelledPerson(key, index, number, picture, joints, weight, seen == 1, box)
