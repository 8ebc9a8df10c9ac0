"""COCO's keypoint files: images, annotations with 17 x (x, y, v) and bbox.

Joints are whole pixels counted from 0, which are pixel centres; boxes are measured from the picture's edge and are
moved by half a pixel. v is 0 = not labelled, 1 = labelled but hidden, 2 = visible.

Tools for labelling write the same form with less in it, or in another order; `completed` brings such files to what
COCO's own hold.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sadinet.errors import SourceError
from sadinet.geometry import Box
from sadinet.skeletons import COCO17
from sadinet.training.sets.people import Absent, Fault, Gathering, LabelledPerson, LabelledSet

PERSON = 1
"""COCO's number of the category of people."""

AREA_OF_BOX = 0.53
"""Area of a person's outline, share of the box: stands for `area` where a file has none, as is customary."""


def read_coco_file(path: Path) -> dict[str, Any]:
    """Read a COCO keypoint file, `completed`; raises `SourceError` if it is missing, damaged or something else."""
    if not path.is_file():
        raise SourceError(f"there is no {path}", "give a COCO keypoint file with --annotations")
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path}: {error}", "a COCO keypoint JSON is needed") from error
    return completed(held, path)


def is_coco(held: object) -> bool:
    """Say whether what a JSON file holds are COCO's keypoints."""
    if not isinstance(held, dict) or not {"images", "annotations"} <= set(held):
        return False
    labels = held["annotations"]
    return isinstance(labels, list) and any("keypoints" in label for label in labels if isinstance(label, dict))


def completed(held: object, path: Path) -> dict[str, Any]:
    """Return what a file holds as COCO itself writes it: people are category 1, joints are in COCO's order.

    Where an annotation lacks them, `id` becomes a number that is free, `iscrowd` 0, `keypoints` those of nobody,
    `num_keypoints` the number of labelled joints, and `area` `AREA_OF_BOX` of the box. Annotations of other categories
    than people are left out; those that make no sense stay as they are.

    Args:
        held: what the JSON holds.
        path: of the file, for messages.

    Raises:
        SourceError: if it is not COCO's, several categories have joints and none is "person", or the joints that a
            category names are not COCO's 17.
    """
    remedy = "it needs images and annotations"
    if not isinstance(held, Mapping):
        raise SourceError(f"{path} is not a COCO keypoint file", remedy)
    for name in ("images", "annotations"):
        if not isinstance(held.get(name), list):
            raise SourceError(f"{path} is not a COCO keypoint file: no list of {name}", remedy)
    for image in held["images"]:
        if not isinstance(image, Mapping) or not {"id", "file_name"} <= set(image):
            raise SourceError(f"{path} is not a COCO keypoint file: a picture without id or file_name", remedy)
        if not isinstance(image["id"], int):
            raise SourceError(f"{path}: the picture id {image['id']!r} is not a whole number", "number the pictures")
    number, order = _person_category(held.get("categories"), path)
    used = [label.get("id") for label in held["annotations"] if isinstance(label, Mapping)]
    free = 1 + max((each for each in used if isinstance(each, int)), default=0)
    labels = [
        _complete(label, free + place, order) if isinstance(label, Mapping) else label
        for place, label in enumerate(held["annotations"])
        if number is None or not isinstance(label, Mapping) or label.get("category_id", number) == number
    ]
    return {**held, "annotations": labels, "categories": [{"id": PERSON, "name": "person"}]}


def _person_category(categories: object, path: Path) -> tuple[int | None, list[int] | None]:
    """Return the number of people's category, and at which place each of COCO's joints stands; None if not told."""
    told = [each for each in categories if isinstance(each, Mapping)] if isinstance(categories, list) else []
    with_joints = [each for each in told if each.get("keypoints")]
    people = [each for each in with_joints or told if str(each.get("name", "")).lower() == "person"] or with_joints
    if not people:
        return None, None
    if len(people) > 1:
        names = ", ".join(str(each.get("name")) for each in people)
        raise SourceError(f"{path} has joints of several categories: {names}", 'call the one of people "person"')
    number, told_joints = people[0].get("id"), people[0].get("keypoints")
    if not told_joints:
        return number, None
    if not isinstance(told_joints, list):
        raise SourceError(f"{path}: the keypoints of its category are no list", "name them, or leave them out")
    plain = [str(name).strip().lower().replace(" ", "_").replace("-", "_") for name in told_joints]
    if sorted(plain) != sorted(COCO17.joints):
        strange = next((each for each in plain if each not in COCO17.joints), f"{len(plain)} of them")
        remedy = f"name them {COCO17.joints[0]}, {COCO17.joints[1]} .. {COCO17.joints[-1]} in its categories"
        raise SourceError(f"{path}: its keypoints are not COCO's 17: {strange}", remedy)
    return number, [plain.index(name) for name in COCO17.joints]


def _complete(label: Mapping[str, Any], free: int, order: Sequence[int] | None) -> dict[str, Any]:
    nobody = [0] * 3 * len(COCO17)
    whole = {"id": free, "iscrowd": 0, "keypoints": nobody, **label, "category_id": PERSON}
    try:
        triples = [whole["keypoints"][start : start + 3] for start in range(0, len(whole["keypoints"]), 3)]
        if order is not None and len(triples) == len(order):
            whole["keypoints"] = [value for old in order for value in triples[old]]
        whole.setdefault("num_keypoints", sum(bool(triple[2]) for triple in triples))
        whole.setdefault("area", AREA_OF_BOX * float(label["bbox"][2]) * float(label["bbox"][3]))
    except (IndexError, KeyError, TypeError, ValueError):
        pass  # whoever reads the people names what is wrong with it
    return whole


def picture_files(held: Mapping[str, Any], folder: Path, labels: Path) -> dict[int, Path]:
    """Return the file of each picture by its number, also of those that are not there.

    Names may lead on from the folder of the pictures, from the one above it, or from that of the labels.
    """
    return {int(image["id"]): _file_of(str(image["file_name"]), folder, labels) for image in held["images"]}


def _file_of(name: str, folder: Path, labels: Path) -> Path:
    places = (folder / name, folder.parent / name, labels.parent / name)
    return next((place for place in places if place.is_file()), places[0])


def read_coco(path: Path, folder: Path, held: Mapping[str, Any] | None = None) -> LabelledSet:
    """Read the people of the pictures that are there; crowds and people without joints are passed over.

    Args:
        path: the keypoint file.
        folder: of the pictures.
        held: what `read_coco_file` returned, if it is read already.

    Raises:
        SourceError: as `read_coco_file` does.
    """
    held = read_coco_file(path) if held is None else held
    gathered = Gathering("coco", path, COCO17)
    files = picture_files(held, folder, path)
    there = {number for number, file in files.items() if file.is_file()}
    split = next((word for word in ("train", "val", "test") if word in path.stem.lower()), "")
    so_far: set[int] = set()
    for place, label in enumerate(held["annotations"]):
        try:
            number, is_person = _checked(label, files, so_far)
            if not is_person:
                continue
            if number in there:
                gathered.add(_person(label, number, files[number], split))
            else:
                gathered.missing.append(Absent(files[number], label["id"], split, number))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            gathered.faults.append(_fault(path, place, label, error, split))
    return gathered.done()


def sound_labels(held: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the annotations of a file that can be used: people, crowds, and people without a joint; each id once.

    They are those that `read_coco` finds no fault with, but for those without joints and box, whom nobody can match.
    """
    sound = []
    pictures, so_far = {int(image["id"]) for image in held["images"]}, set[int]()
    gathered = Gathering("coco", Path(), COCO17)
    for label in held["annotations"]:
        try:
            number, is_person = _checked(label, pictures, so_far)
            if is_person:
                gathered.add(_person(label, number, Path(), ""))
            if not gathered.faults and {"bbox", "area"} <= set(label):
                sound.append(label)
            gathered.faults.clear()
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return sound


def _checked(label: Mapping[str, Any], pictures: Container[int], so_far: set[int]) -> tuple[int, bool]:
    """Return the number of an annotation's picture, and whether it is a person with joints; `ValueError` if wrong."""
    if isinstance(label["id"], bool) or not isinstance(label["id"], int):
        raise ValueError(f"its id {label['id']!r} is not a whole number")
    if label["id"] in so_far:
        raise ValueError("another annotation has the same id")
    number = int(label["image_id"])
    if number not in pictures:
        raise ValueError(f"there is no picture with id {number}")
    is_person = not label.get("iscrowd") and any(label["keypoints"][2::3])
    so_far.add(label["id"])
    return number, is_person


def _fault(path: Path, place: int, label: object, error: Exception, split: str) -> Fault:
    index = label["id"] if isinstance(label, Mapping) and "id" in label else None
    name = f"annotation at place {place}" if index is None else f"annotation {index}"
    reason = f"no {error}" if isinstance(error, KeyError) else str(error)
    numbers = {"index": index, "picture_number": label.get("image_id") if isinstance(label, Mapping) else None}
    known = {name: value for name, value in numbers.items() if isinstance(value, int)}
    return Fault(f"{path.name} {name}", reason, split=split, **known)


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
