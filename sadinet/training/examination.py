"""Labelled people in pictures, to hold a model against: LSPet's layout and COCO's keypoint files.

Only labels and paths are read here; pictures are opened when their turn comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError, SourceError
from sadinet.geometry import Box, box_of_joints
from sadinet.skeletons import COCO17, LSP14, Skeleton
from sadinet.training.datasets import read_lspet_joints

Floats = NDArray[np.float64]

DATASETS = ("lspet", "coco")

_LSPET_NAME = re.compile(r"im(\d+)\.(?:jpg|jpeg|png)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Selection:
    """Picture numbers from `first` to `last`, both included; for COCO these are its picture ids."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Selection:
        """Read "8501:9000"; raises `InputError` for anything else."""
        match = re.fullmatch(r"(\d+):(\d+)", text.strip())
        if match is None or int(match[1]) > int(match[2]):
            raise InputError(f"selection {text!r}", "first:last picture number, as in 8501:9000")
        return cls(int(match[1]), int(match[2]))

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __str__(self) -> str:
        return f"{self.first}:{self.last}"


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One labelled person.

    Attributes:
        index: LSPet's picture number or COCO's annotation id.
        picture: number of the picture.
        path: the picture.
        joints: (K, 2) picture pixels, NaN where not labelled.
        box: what the label gives for a box, in our coordinates.
    """

    index: int
    picture: int
    path: Path
    joints: Floats
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """People to be found, ordered by picture.

    Attributes:
        name: "lspet" or "coco".
        skeleton: of the labels.
        people: those with at least one labelled joint.
        annotations: what the COCO file holds, None for LSPet.
    """

    name: str
    skeleton: Skeleton
    people: tuple[Person, ...]
    annotations: Mapping[str, Any] | None = None

    @property
    def pictures(self) -> tuple[int, ...]:
        """Numbers of the pictures, each once, in order."""
        return tuple(dict.fromkeys(person.picture for person in self.people))

    @property
    def labels(self) -> Floats:
        """(N, K, 2) picture pixels, NaN where not labelled."""
        return np.stack([person.joints for person in self.people])

    @property
    def weight(self) -> Floats:
        """(N, K), 1 where labelled."""
        return np.isfinite(self.labels).all(axis=2).astype(float)


def open_examination(
    dataset: str, root: Path, annotations: Path | None = None, selection: Selection | None = None
) -> Examination:
    """Return the people of "lspet" or "coco"; raises as `open_lspet` and `open_coco` do."""
    if dataset not in DATASETS:
        raise InputError(f"unknown data set {dataset!r}", "one of: " + ", ".join(DATASETS))
    if dataset == "coco":
        return open_coco(root, annotations, selection)
    if annotations is not None:
        raise InputError("LSPet's labels are joints.mat in its folder", "leave the annotations out")
    return open_lspet(root, selection)


def open_lspet(root: Path, selection: Selection | None = None) -> Examination:
    """Return LSPet's people, each with the labels' box.

    Args:
        root: holds `joints.mat` (14, 3, N) and `images/im00001.jpg` ..; numbers may be missing, column i of the
            labels belongs to picture i + 1.
        selection: picture numbers; None for all that are there.

    Raises:
        SourceError: if labels or pictures are missing, or nothing is selected.
    """
    folder = _folder(root, "images/ and joints.mat") / "images"
    labels_path = root / "joints.mat"
    if not labels_path.is_file():
        raise SourceError(f"there is no {labels_path}", "the folder of LSPet must hold images/ and joints.mat")
    if not folder.is_dir():
        raise SourceError(f"there is no folder {folder}", "the folder of LSPet must hold images/ and joints.mat")
    found = ((_LSPET_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    pictures = {int(match[1]): path for match, path in found if match and (not selection or int(match[1]) in selection)}
    if not pictures:
        wanted = "im00001.jpg .." if selection is None else f"im{selection.first:05d}.jpg to im{selection.last:05d}.jpg"
        raise SourceError(f"no picture selected: {folder} has none of {wanted}", "check the folder and --select")
    joints = read_lspet_joints(root).astype(float)
    if (last := max(pictures)) > len(joints):
        raise SourceError(f"{labels_path} has labels for {len(joints)} pictures", f"{pictures[last]} has none")
    people = tuple(
        Person(number, number, pictures[number], joints[number - 1], box_of_joints(joints[number - 1]))
        for number in sorted(pictures)
        if np.isfinite(joints[number - 1]).all(axis=1).any()
    )
    if not people:
        raise SourceError(f"no joint of the {len(pictures)} selected pictures is labelled in {labels_path}")
    return Examination("lspet", LSP14, people)


def open_coco(root: Path, annotations: Path | None = None, selection: Selection | None = None) -> Examination:
    """Return COCO's people that have labelled joints, in pictures that are there.

    COCO's joints are whole pixels counted from 0, which are pixel centres; its boxes are measured from the
    picture's edge and are moved by half a pixel.

    Args:
        root: folder of pictures, or one that holds `images/`.
        annotations: COCO keypoint file; None for `person_keypoints.json` in `root`.
        selection: picture ids; None for all that are there.

    Raises:
        SourceError: if annotations or pictures are missing, the file is not COCO's, or nothing is selected.
    """
    _folder(root, "COCO's pictures")
    path = annotations or root / "person_keypoints.json"
    held = _read_coco(path)
    folder = root / "images" if (root / "images").is_dir() else root
    try:
        files = {int(image["id"]): folder / image["file_name"] for image in held["images"]}
        chosen = {n: file for n, file in files.items() if (selection is None or n in selection) and file.is_file()}
        people = [
            _coco_person(label, chosen[label["image_id"]]) for label in held["annotations"] if _counts(label, chosen)
        ]
    except (KeyError, TypeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(f"{path} is not a COCO keypoint file: {reason}", "it needs images and annotations") from error
    if not people:
        which = f"pictures {selection}" if selection else "pictures"
        raise SourceError(f"nobody selected: {folder} has none of the {which} whose people {path} labels", "check both")
    return Examination("coco", COCO17, tuple(sorted(people, key=lambda p: (p.picture, p.index))), held)


def _folder(root: Path, content: str) -> Path:
    if not root.is_dir():
        raise SourceError(f"there is no folder {root}", f"give the folder that holds {content}")
    return root


def _read_coco(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SourceError(f"there is no {path}", "give a COCO keypoint file with --annotations")
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path}: {error}", "a COCO keypoint JSON is needed") from error
    if not isinstance(held, dict):
        raise SourceError(f"{path} is not a COCO keypoint file", "it needs images and annotations")
    return held


def _counts(label: Mapping[str, Any], pictures: Mapping[int, Path]) -> bool:
    """Say whether COCO counts a label: a single person with joints, in a picture that is there."""
    return not label.get("iscrowd") and label["image_id"] in pictures and any(label["keypoints"][2::3])


def _coco_person(label: Mapping[str, Any], path: Path) -> Person:
    triples = np.array(label["keypoints"], dtype=float).reshape(len(COCO17), 3)
    joints = np.where(triples[:, 2:] > 0, triples[:, :2], np.nan)
    x, y, width, height = (float(value) for value in label["bbox"])
    box = Box(x - 0.5, y - 0.5, width, height)
    return Person(int(label["id"]), int(label["image_id"]), path, joints, box)
