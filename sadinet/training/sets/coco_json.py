"""COCO's keypoint files: images, annotations with 17 x (x, y, v) and bbox.

Joints are whole pixels counted from 0, which are pixel centres; boxes are measured from the picture's edge and are
moved by half a pixel. v is 0 = not labelled, 1 = labelled but hidden, 2 = visible.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sadinet.errors import SourceError
from sadinet.geometry import Box
from sadinet.skeletons import COCO17
from sadinet.training.sets.people import Fault, Gathering, LabelledPerson, LabelledSet


def read_coco_file(path: Path) -> dict[str, Any]:
    """Read a COCO keypoint file as it stands; raises `SourceError` if it is missing, damaged or something else."""
    if not path.is_file():
        raise SourceError(f"there is no {path}", "give a COCO keypoint file with --annotations")
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path}: {error}", "a COCO keypoint JSON is needed") from error
    if not isinstance(held, dict):
        raise SourceError(f"{path} is not a COCO keypoint file", "it needs images and annotations")
    return held


def is_coco(held: object) -> bool:
    """Say whether what a JSON file holds are COCO's keypoints."""
    if not isinstance(held, dict) or not {"images", "annotations"} <= set(held):
        return False
    labels = held["annotations"]
    return isinstance(labels, list) and any("keypoints" in label for label in labels if isinstance(label, dict))


def read_coco(path: Path, folder: Path, held: Mapping[str, Any] | None = None) -> LabelledSet:
    """Read the people of the pictures that are there; crowds and people without joints are passed over.

    Args:
        path: the keypoint file.
        folder: of the pictures.
        held: what the file holds, if it is read already.

    Raises:
        SourceError: if the file is missing, damaged or not COCO's.
    """
    held = read_coco_file(path) if held is None else held
    gathered = Gathering("coco", path, COCO17)
    try:
        files = {int(image["id"]): folder / str(image["file_name"]) for image in held["images"]}
        labels = list(held["annotations"])
    except (KeyError, TypeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(f"{path} is not a COCO keypoint file: {reason}", "it needs images and annotations") from error
    there = {number for number, file in files.items() if file.is_file()}
    split = next((word for word in ("train", "val", "test") if word in path.stem.lower()), "")
    for place, label in enumerate(labels):
        try:
            number = int(label["image_id"])
            if label.get("iscrowd") or not any(label["keypoints"][2::3]):
                continue
            if number in there:
                gathered.add(_person(label, number, files[number], split))
            elif number in files:
                gathered.absent.append(files[number])
            else:
                raise ValueError(f"there is no picture with id {number}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            index = label["id"] if isinstance(label, Mapping) and "id" in label else None
            name = f"annotation at place {place}" if index is None else f"annotation {index}"
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            numbers = {"index": index, "picture_number": label.get("image_id") if isinstance(label, Mapping) else None}
            known = {name: value for name, value in numbers.items() if isinstance(value, int)}
            gathered.faults.append(Fault(f"{path.name} {name}", reason, split=split, **known))
    return gathered.done()


def is_sound(label: object) -> bool:
    """Say whether an annotation can be used: the person in it, or that it is a crowd or has no joint."""
    try:
        if not isinstance(label, Mapping):
            return False
        if not label.get("iscrowd") and any(label["keypoints"][2::3]):
            _person(label, int(label["image_id"]), Path(), "")
        return True
    except (KeyError, TypeError, ValueError):
        return False


def _person(label: Mapping[str, Any], number: int, path: Path, split: str) -> LabelledPerson:
    triples = np.array(label["keypoints"], dtype=float)
    if triples.shape != (3 * len(COCO17),):
        raise ValueError(f"{triples.size} keypoint numbers instead of {3 * len(COCO17)}")
    triples = triples.reshape(-1, 3)
    weight = (triples[:, 2] > 0).astype(float)
    joints = np.where(weight[:, None] > 0, triples[:, :2], np.nan)
    x, y, width, height = (float(value) for value in label["bbox"])
    box = Box(x - 0.5, y - 0.5, width, height)
    index = int(label["id"])
    key = f"{path.stem}_{index}"
    return LabelledPerson(key, index, number, path, joints, weight, triples[:, 2] == 1, box, split=split)
