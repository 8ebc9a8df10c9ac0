"""LSPet and Stanford 40 with the joints of two teachers, held in memory, ready to be augmented.

A file of teachers is a joint file (`sadinet.training.sets.joint_file`), in pixels of the original pictures; that of
Stanford 40 holds `thunder` and `tiny`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.skeletons import BODY19, LSP14
from sadinet.training.datasets import cut_person, read_picture
from sadinet.training.metrics import torso_length
from sadinet.training.person_set import PersonSet, Picture
from sadinet.training.sets.cleaning import Cleaned, Opinion, agreed, clean_labels, merge_folds, read_opinions
from sadinet.training.sets.crops import joints_outside
from sadinet.training.sets.joint_file import JointFile, read_joint_file
from sadinet.training.sets.lsp import read_joints_mat
from sadinet.training.sets.people import Fault, LabelledPerson, refuse_if_empty, refuse_if_faulty

_LSPET_KEY = "im{:05d}"
_LSPET_NEEDED = "LSPet's folder must hold images/ and joints.mat"
_STANFORD40_NEEDED = "Stanford 40's folder must hold JPEGImages/ and XMLAnnotations/"

Array = NDArray[np.float32]


def read_lspet_joints(root: Path) -> Array:
    """Read `joints.mat` (14, 3, N), third row 1 = labelled, 0-based pixel centres; returns (N, 14, 2), NaN unlabelled.

    Raises:
        SourceError: if the file is missing, damaged, or another set's.
    """
    path = root / "joints.mat"
    if not path.is_file():
        raise SourceError(f"there is no {path}", _LSPET_NEEDED)
    layout, rows = read_joints_mat(path)
    if layout != "lspet":
        raise SourceError(f"{path} holds the labels of {layout}, not of lspet", "LSPet's are (14, 3, N)")
    joints = rows[:, :, :2].astype(np.float32)
    joints[rows[:, :, 2] != 1] = np.nan
    return joints


def lspet_labels(root: Path, numbers: Sequence[int], teachers: Path | None = None) -> Cleaned:
    """Return the labels of LSPet's pictures by number, as they are or cleaned and completed by `teachers`.

    Cleaned they are what `scripts/prepare_data.py clean` writes.

    Args:
        root: folder with `joints.mat`.
        numbers: picture numbers, 1-based, as in their names.
        teachers: joint file with one or more opinions.

    Raises:
        SourceError: if a file is missing or damaged, or has no labels of these numbers.
        InputError: if a teacher says nothing of this set.
    """
    labels = read_lspet_joints(root)
    if len(numbers) and not 1 <= min(numbers) <= max(numbers) <= len(labels):
        raise SourceError(
            f"{root / 'joints.mat'} labels the pictures 1 to {len(labels)}, not {min(numbers)} to {max(numbers)}",
            "choose numbers that it has",
        )
    joints = np.full((len(labels), len(BODY19), 2), np.nan, dtype=np.float32)
    joints[:, : len(LSP14)] = labels
    cleaned = Cleaned(joints, _known(joints), ())
    if teachers is not None:
        # Of the whole set, as whose opinions are one depends on everybody of whom they speak.
        people = [_person(root, place + 1, of_one) for place, of_one in enumerate(labels)]
        cleaned = clean_labels(joints, cleaned.weight, merge_folds(read_opinions(teachers, people)))
    return cleaned.only([number - 1 for number in numbers])


def _person(root: Path, number: int, joints: Array) -> LabelledPerson:
    path = root / "images" / f"{_LSPET_KEY.format(number)}.jpg"
    known = np.isfinite(joints).all(axis=1)
    return LabelledPerson(
        path.stem, number, number, path, joints.astype(float), known.astype(float), np.zeros_like(known)
    )


def load_lspet(root: Path, numbers: Sequence[int], teachers: Path | None = None) -> PersonSet:
    """Load LSPet's pictures whole, by number; those that cannot be used are left out and named in `PersonSet.faults`.

    Args:
        root: folder with `images/im00001.jpg` .. and `joints.mat`.
        numbers: picture numbers, 1-based, as in their names.
        teachers: as for `lspet_labels`.

    Raises:
        SourceError: as `lspet_labels` does, and if more than 1% cannot be used, or nobody is left.
        InputError: as `lspet_labels` does.
    """
    labels = lspet_labels(root, numbers, teachers)
    joints, weight = labels.joints, labels.weight
    folder = _folder(root / "images", _LSPET_NEEDED)
    keys = [_LSPET_KEY.format(number) for number in numbers]
    faults: list[Fault] = []
    rows, pictures = [], []
    for row, picture, outside in _read(folder, keys, range(len(keys)), joints, weight, faults):
        joints[row, outside], weight[row, outside] = np.nan, 0
        rows.append(row)
        pictures.append(picture)
    refuse_if_faulty(faults, len(numbers), str(root))
    refuse_if_empty(rows, str(root), "choose more numbers")
    kept = [keys[row] for row in rows]
    return PersonSet("lspet", pictures, joints[rows], weight[rows], kept, faults=tuple(faults))


def load_stanford40(root: Path, teachers: Path, least_joints: int = 7) -> PersonSet:
    """Load Stanford 40's people, cut out, with the joints on which two teachers agree.

    Who cannot be used is left out and named in `PersonSet.faults`.

    Args:
        root: folder with `JPEGImages/` and `XMLAnnotations/`.
        teachers: file of teachers; its index holds names of pictures without their ending, and says who is loaded.
        least_joints: people with fewer are passed over.

    Raises:
        SourceError: if a folder or the teachers are missing or damaged, more than 1% cannot be used, or nobody is left.
    """
    pictures_folder = _folder(root / "JPEGImages", _STANFORD40_NEEDED)
    labels_folder = _folder(root / "XMLAnnotations", _STANFORD40_NEEDED)
    found = _read_teachers(teachers)
    keys = sorted(str(key) for key in found[0].index)
    heights, faults = _heights(labels_folder, keys)
    joints, weight = _agreed(_opinion(found[0], keys, trust=2.0), _opinion(found[1], keys), heights)
    rows, pictures, moved = [], [], []
    enough = [int(row) for row in np.flatnonzero((weight > 0).sum(axis=1) >= least_joints)]
    for row, picture, outside in _read(pictures_folder, keys, enough, joints, weight, faults):
        part, points = cut_person(picture, joints[row], weight[row])
        points[outside], weight[row, outside] = np.nan, 0
        rows.append(row)
        pictures.append(part)
        moved.append(points)
    refuse_if_faulty(faults, len(keys), str(root))
    refuse_if_empty(rows, str(root), f"people with fewer than {least_joints} joints do not count")
    return PersonSet(
        "stanford40", pictures, np.stack(moved), weight[rows], [keys[row] for row in rows], faults=tuple(faults)
    )


def _read(
    folder: Path, keys: Sequence[str], rows: Sequence[int], joints: Array, weight: Array, faults: list[Fault]
) -> Iterator[tuple[int, Picture, NDArray[np.bool_]]]:
    """Yield row, picture, and which of its joints lie outside of it; what cannot be used is added to `faults`."""
    for row in rows:
        key = keys[row]
        try:
            picture = read_picture(folder / f"{key}.jpg")
            outside = joints_outside(joints[row], weight[row], picture, f"{key}.jpg")
        except SourceError as error:
            faults.append(Fault(key, error.message))
            continue
        yield row, picture, outside


def _folder(folder: Path, needed: str) -> Path:
    if not folder.is_dir():
        raise SourceError(f"there is no folder {folder}", needed)
    return folder


def _read_teachers(path: Path) -> tuple[JointFile, JointFile]:
    """Return the two teachers of a file, tiny and thunder."""
    found = {each.name: each for each in read_joint_file(path)}
    if not {"tiny", "thunder"} <= set(found):
        raise SourceError(f"{path} has the joints of {', '.join(found)}", "those of thunder and tiny are needed")
    return found["tiny"], found["thunder"]


def _opinion(file: JointFile, keys: Sequence[str], trust: float = 1.0) -> Opinion:
    """Return what a teacher says of the pictures named by `keys`, in that order."""
    place: dict[int | str, int] = dict(zip(file.index, range(len(file.index)), strict=True))
    rows = np.array([place.get(key, -1) for key in keys], dtype=np.intp)
    return Opinion(file.name, *file.rows_in_body19(rows), trust)


def _heights(folder: Path, keys: Sequence[str]) -> tuple[NDArray[np.float64], list[Fault]]:
    """Return the height of each picture's first box in pixels, NaN where its label is missing or damaged."""
    heights, faults = np.full(len(keys), np.nan), []
    for row, key in enumerate(keys):
        try:
            heights[row] = _voc_height(folder / f"{key}.xml")
        except SourceError as error:
            faults.append(Fault(key, error.message))
    return heights, faults


def _voc_height(path: Path) -> float:
    """Height in pixels of the first box in a Pascal VOC file."""
    try:
        box = ElementTree.parse(path).find(".//bndbox")  # noqa: S314 (the user's own data)
        height = 0.0 if box is None else float(box.findtext("ymax", "0")) - float(box.findtext("ymin", "0"))
    except (OSError, ElementTree.ParseError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"cannot read label {path}: {reason}") from error
    if not height > 0:
        raise SourceError(f"label {path} names no box")
    return height


def _agreed(tiny: Opinion, thunder: Opinion, heights: NDArray[np.float64]) -> tuple[Array, Array]:
    """Return joints (N, 19, 2) and weight (N, 19) on which both agree, measured by the torso or a share of the box."""
    torso = torso_length(tiny.joints, tiny.confidence, BODY19)
    joints = agreed([tiny, thunder], np.where(torso > 0.1 * heights, torso, 0.25 * heights))
    return joints, _known(joints)


def _known(joints: Array) -> Array:
    """Return weight 1 for joints (N, K, 2) that are known, (N, K)."""
    return np.asarray(np.isfinite(joints).all(axis=2), dtype=np.float32)
