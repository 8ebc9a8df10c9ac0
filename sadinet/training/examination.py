"""Labelled people in pictures, to hold a model against: LSP, LSPet, MPII and COCO.

Only labels and paths are read here; pictures are opened when their turn comes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError, SourceError
from sadinet.geometry import Box, box_of_joints
from sadinet.skeletons import COCO17, LSP14, MPII16, Skeleton
from sadinet.training.sets.coco_json import picture_files, read_coco, read_coco_file, sound_labels
from sadinet.training.sets.lsp import read_joints_mat, read_lsp
from sadinet.training.sets.mpii_mat import MAT_NAME
from sadinet.training.sets.people import Fault, LabelledPerson, refuse_if_faulty
from sadinet.training.sets.recognise import Candidate, open_candidate, picture_folder, recognise
from sadinet.training.sets.selection import Selection

Floats = NDArray[np.float64]

DATASETS = ("lsp", "lspet", "mpii", "coco")

_LEEDS_NAME = re.compile(r"im(\d+)\.(?:jpg|jpeg|png)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One labelled person.

    Attributes:
        index: LSP's or LSPet's picture number, COCO's annotation id, MPII's own number of the label.
        picture: number of the picture.
        path: the picture.
        joints: (K, 2) picture pixels, NaN where not labelled.
        box: what the label gives for a box, in our coordinates.
        head_px: diagonal of MPII's head rectangle, pixels; NaN elsewhere.
    """

    index: int
    picture: int
    path: Path
    joints: Floats
    box: Box
    head_px: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """People to be found, ordered by picture.

    Attributes:
        name: one of `DATASETS`.
        skeleton: of the labels.
        people: those with at least one labelled joint.
        annotations: what the COCO file holds, None for the others.
        faults: labels that were passed over because they make no sense.
        empty: pictures of the COCO file that are there and in which nobody's joints are labelled, by their number:
            who is detected in them counts against the average precision.
        absent: labelled pictures that are not there.
    """

    name: str
    skeleton: Skeleton
    people: tuple[Person, ...]
    annotations: Mapping[str, Any] | None = None
    faults: tuple[Fault, ...] = ()
    empty: Mapping[int, Path] = field(default_factory=dict)
    absent: tuple[Path, ...] = ()

    @property
    def pictures(self) -> tuple[int, ...]:
        """Numbers of the pictures with people, each once, in order."""
        return tuple(dict.fromkeys(person.picture for person in self.people))

    @property
    def labels(self) -> Floats:
        """(N, K, 2) picture pixels, NaN where not labelled."""
        return np.stack([person.joints for person in self.people])

    @property
    def heads(self) -> Floats:
        """(N,) diagonal of the head rectangle, pixels, NaN where it is not known."""
        return np.array([person.head_px for person in self.people])

    def without(self, paths: Collection[Path]) -> Examination:
        """Return the examination without these pictures and the people in them."""
        return replace(
            self,
            people=tuple(person for person in self.people if person.path not in paths),
            empty={number: path for number, path in self.empty.items() if path not in paths},
        )

    @property
    def weight(self) -> Floats:
        """(N, K), 1 where labelled."""
        return np.isfinite(self.labels).all(axis=2).astype(float)


def open_examination(
    dataset: str, root: Path, annotations: Path | None = None, selection: Selection | None = None
) -> Examination:
    """Return the people of "lsp", "lspet", "mpii" or "coco".

    Raises:
        InputError: if there is no such data set, or it takes no file of annotations.
        SourceError: as `open_leeds`, `open_mpii` and `open_coco` do.
    """
    if dataset not in DATASETS:
        raise InputError(f"unknown data set {dataset!r}", "one of: " + ", ".join(DATASETS))
    if dataset == "coco":
        return open_coco(root, annotations, selection)
    if dataset == "mpii":
        return open_mpii(root, annotations, selection)
    if annotations is not None:
        raise InputError(f"labels of {dataset} are joints.mat in its folder", "leave the annotations out")
    return open_leeds(root, dataset, selection)


def open_lspet(root: Path, selection: Selection | None = None) -> Examination:
    """Return LSPet's people, as `open_leeds` does."""
    return open_leeds(root, "lspet", selection)


def open_leeds(root: Path, dataset: str, selection: Selection | None = None) -> Examination:
    """Return LSP's or LSPet's people, each with the labels' box.

    Args:
        root: holds `joints.mat` and `images/im00001.jpg` .. (LSP: `im0001.jpg` ..); numbers may be missing, column i
            of the labels belongs to picture i + 1.
        dataset: "lsp" or "lspet".
        selection: picture numbers; None for all that are there.

    Raises:
        SourceError: if labels or pictures are missing, the labels are the other set's, or nothing is selected.
    """
    folder = _folder(root, "images/ and joints.mat") / "images"
    labels_path = root / "joints.mat"
    needed = f"the folder of {dataset} must hold images/ and joints.mat"
    if not labels_path.is_file():
        raise SourceError(f"there is no {labels_path}", needed)
    if not folder.is_dir():
        raise SourceError(f"there is no folder {folder}", needed)
    found = ((_LEEDS_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    pictures = {int(match[1]): path for match, path in found if match and (not selection or int(match[1]) in selection)}
    if not pictures:
        wanted = "im00001.jpg .." if selection is None else selection.names("im{:05d}.jpg")
        raise SourceError(f"no picture selected: {folder} has none of {wanted}", "check the folder and --select")
    layout, rows = read_joints_mat(labels_path)
    if layout != dataset:
        raise SourceError(f"{labels_path} holds the labels of {layout}, not of {dataset}", f"--dataset {layout}")
    if (last := max(pictures)) > len(rows):
        raise SourceError(f"{labels_path} has labels for {len(rows)} pictures", f"{pictures[last]} has none")
    labelled = read_lsp(root).only(pictures=selection)
    refuse_if_faulty(labelled.faults, labelled.total, str(labels_path))
    if not labelled.people:
        raise SourceError(f"no joint of the {len(pictures)} selected pictures is labelled in {labels_path}")
    return Examination(dataset, LSP14, _people(labelled.people), faults=labelled.faults)


def open_mpii(root: Path, annotations: Path | None = None, selection: Selection | None = None) -> Examination:
    """Return MPII's people far enough from others, each with the customary square of 200 x scale pixels.

    Args:
        root: holds the pictures, and the official MATLAB file or one JSON unless `annotations` names it.
        annotations: either of these files.
        selection: numbers of the pictures: places in the official file from 1, or of the JSON's pictures from 0.

    Raises:
        SourceError: if labels or pictures are missing or damaged, or nothing is selected.
        InputError: if there are several files of labels to choose from.
    """
    found = _the_one(root, annotations, ("mpii", "mpii-json"), f"labels of MPII ({MAT_NAME} or MPII's JSON)")
    whole = open_candidate(root, found)
    # Where no picture says who is alone, everybody counts.
    is_told = any(person.is_alone for person in whole.people)
    labelled = whole.only(pictures=selection)
    refuse_if_faulty(labelled.faults, labelled.total, str(labelled.labels))
    people = [person for person in labelled.people if person.is_alone or not is_told]
    if not people:
        which = f"pictures {selection}" if selection else "pictures"
        raise SourceError(f"nobody selected: none of the {which} that {labelled.labels} labels is there", "check both")
    return Examination("mpii", MPII16, _people(people), faults=labelled.faults, absent=labelled.absent)


def open_coco(root: Path, annotations: Path | None = None, selection: Selection | None = None) -> Examination:
    """Return COCO's people that have labelled joints, in pictures that are there; crowds do not count.

    Args:
        root: folder of pictures, or one that holds them in a folder of its own (`images/`, `train2017/` ..).
        annotations: COCO keypoint file; None for the one in `root`.
        selection: picture ids; None for all that are there.

    Raises:
        SourceError: if annotations or pictures are missing, the file is not COCO's, more than 1% of its labels make
            no sense, or nothing is selected.
        InputError: if there are several files of labels to choose from.
    """
    _folder(root, "COCO's pictures")
    path = annotations or _the_one(root, None, ("coco",), "COCO's labels (a keypoint JSON)").labels
    held = read_coco_file(path)
    folder = picture_folder(root, path)
    labelled = read_coco(path, folder, held).only(pictures=selection)
    refuse_if_faulty(labelled.faults, labelled.total, str(path))
    if not labelled.people:
        which = f"pictures {selection}" if selection else "pictures"
        tried = f", such as {labelled.absent[0]}" if labelled.absent else ""
        raise SourceError(
            f"nobody selected: {folder} has none of the {which} whose people {path} labels{tried}", "check both"
        )
    found = _people(labelled.people)
    lost = {fault.picture_number for fault in labelled.faults if fault.picture_number is not None}
    with_people = {person.picture for person in found} | lost
    empty = {
        number: file
        for number, file in sorted(picture_files(held, folder, path).items())
        if number not in with_people and (selection is None or number in selection) and file.is_file()
    }
    sound = held | {"annotations": sound_labels(held)}
    return Examination("coco", COCO17, found, sound, labelled.faults, empty, labelled.absent)


def _the_one(root: Path, annotations: Path | None, layouts: Sequence[str], wanted: str) -> Candidate:
    """Return the one file of labels of these layouts."""
    found = [each for each in recognise(root, annotations) if each.layout in layouts]
    if not found:
        raise SourceError(f"{annotations or root} holds no {wanted}", "name the file with --annotations")
    if len(found) > 1:
        names = ", ".join(str(each.labels) for each in found)
        raise InputError(f"{root} has {len(found)} files of labels: {names}", "choose one with --annotations")
    return found[0]


def _people(labelled: Sequence[LabelledPerson]) -> tuple[Person, ...]:
    people = [
        Person(p.index, p.picture_number, p.path, p.joints, p.box or box_of_joints(p.joints), p.head_px)
        for p in labelled
    ]
    return tuple(sorted(people, key=lambda person: (person.picture, person.index)))


def _folder(root: Path, content: str) -> Path:
    if not root.is_dir():
        raise SourceError(f"there is no folder {root}", f"give the folder that holds {content}")
    return root
