"""MPII's labels as the common JSON: a list of people with image, joints, joints_vis, center and scale.

Coordinates count pixels from 1, as in the official file. Head rectangles are not in it: they are taken from
`gt_valid.mat`, where that lies beside it and has the same people, or from the official file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.skeletons import MPII16
from sadinet.training.sets.mat_file import read_mat
from sadinet.training.sets.mpii_mat import MAT_NAME, mpii_box, read_mpii_mat
from sadinet.training.sets.people import Absent, Fault, Gathering, LabelledPerson, LabelledSet

_SAME_PX = 2.0


def read_mpii_json(path: Path, pictures: Path) -> LabelledSet:
    """Read the people of the pictures that are there.

    Args:
        path: the JSON file; `gt_valid.mat` or the official MATLAB file in its folder give the heads' sizes.
        pictures: folder of the pictures.

    Raises:
        SourceError: if the file is missing, damaged, or has another layout.
    """
    rows = _rows(path)
    heads = _heads(path, pictures, rows)
    gathered = Gathering("mpii-json", path, MPII16)
    numbers: dict[str, int] = {}
    split = next((word for word in ("train", "val", "test") if word in path.stem.lower()), "")
    for place, row in enumerate(rows):
        try:
            name = str(row["image"])
            file = pictures / name
            joints, weight = _joints(row)
            x, y = (float(value) - 1 for value in row["center"])
            box = mpii_box((x, y), float(row["scale"]))
        except (KeyError, TypeError, ValueError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            gathered.faults.append(Fault(f"{path.name} entry {place}", reason, index=place, split=split))
            continue
        number = numbers.setdefault(name, len(numbers))
        if not file.is_file():
            gathered.missing.append(Absent(file, place, split, number))
            continue
        hidden = np.zeros(len(MPII16), dtype=bool)
        key = f"{file.stem}_{place}"
        gathered.add(LabelledPerson(key, place, number, file, joints, weight, hidden, box, float(heads[place]), split))
    return gathered.done()


def is_mpii_json(held: object) -> bool:
    """Say whether what a JSON file holds has this layout."""
    return isinstance(held, list) and bool(held) and isinstance(held[0], dict) and {"image", "joints"} <= set(held[0])


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path}: {error}", "copy it again from its source") from error
    if not is_mpii_json(held):
        raise SourceError(
            f"{path} is not MPII's JSON", "a list of people with image, joints, joints_vis, center and scale"
        )
    return list(held)


def _joints(row: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    joints = np.array(row["joints"], dtype=float)
    weight = (np.array(row.get("joints_vis", np.ones(len(MPII16))), dtype=float) > 0).astype(float)
    if joints.shape != (len(MPII16), 2) or weight.shape != (len(MPII16),):
        raise ValueError(f"joints have shape {joints.shape}, joints_vis {weight.shape}")
    return np.where(weight[:, None] > 0, joints - 1, np.nan), weight


def _heads(path: Path, pictures: Path, rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Return each row's head diagonal in pixels; NaN where no file tells."""
    beside, official = path.with_name("gt_valid.mat"), path.with_name(MAT_NAME)
    heads = _heads_of_valid(beside, rows) if beside.is_file() else np.full(len(rows), np.nan)
    if np.isnan(heads).any() and official.is_file():
        return np.where(np.isnan(heads), _heads_of_official(official, pictures, rows), heads)
    return heads


def _heads_of_valid(path: Path, rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Take each row's head from `gt_valid.mat`; NaN for a row whose joints are others there."""
    heads = np.full(len(rows), np.nan)
    held = read_mat(path)
    corners, truth = (np.asarray(held.get(name, ()), dtype=float) for name in ("headboxes_src", "pos_gt_src"))
    if corners.shape != (2, 2, len(rows)) or truth.shape != (len(MPII16), 2, len(rows)):
        return heads
    for place, row in enumerate(rows):
        try:
            joints, weight = _joints(row)
        except (KeyError, TypeError, ValueError):
            continue  # told where the row itself is read
        known = weight > 0
        apart = np.linalg.norm(truth[known, :, place] - joints[known], axis=1)
        # Either file may count pixels from 0 or from 1.
        if len(apart) and np.median(apart) <= _SAME_PX:
            heads[place] = np.linalg.norm(corners[1, :, place] - corners[0, :, place])
    return heads


def _heads_of_official(path: Path, pictures: Path, rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Find each row's label in the official file: same picture, same joints."""
    known: dict[str, list[LabelledPerson]] = {}
    for person in read_mpii_mat(path, pictures).people:
        known.setdefault(person.path.name, []).append(person)
    heads = np.full(len(rows), np.nan)
    for place, row in enumerate(rows):
        try:
            joints, _ = _joints(row)
        except (KeyError, TypeError, ValueError):
            continue  # told where the row itself is read
        for person in known.get(str(row.get("image")), ()):
            apart = np.linalg.norm(person.joints - joints, axis=1)
            if np.isfinite(apart).any() and np.nanmedian(apart) <= _SAME_PX:
                heads[place] = person.head_px
    return heads
