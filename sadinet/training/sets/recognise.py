"""Tell what a folder holds by what lies in it, and open it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sadinet.errors import InputError, SourceError
from sadinet.media.pictures import PICTURE_SUFFIXES
from sadinet.skeletons import Skeleton
from sadinet.training.sets.coco_json import is_coco, read_coco
from sadinet.training.sets.joint_file import read_taught
from sadinet.training.sets.lsp import read_joints_mat, read_lsp
from sadinet.training.sets.mpii_json import is_mpii_json, read_mpii_json
from sadinet.training.sets.mpii_mat import MAT_NAME, read_mpii_mat
from sadinet.training.sets.people import LabelledSet
from sadinet.training.sets.shards import INDEX
from sadinet.training.sets.yolo import labelled_pictures, read_yolo

LABEL_FOLDERS = ("", "annotations", "annot", "mpii_human_pose_v1_u12_2", "labels")
"""Where labels are looked for, below the folder that is given."""

LOOKED_FOR = (
    "joints.mat (LSP, LSPet)",
    f"{MAT_NAME} or MPII's JSON",
    "a COCO keypoint JSON",
    "labels/*.txt (YOLO)",
    "a .npz with joints",
)

SOURCES = {
    "lsp": "Leeds Sports Pose, 2,000 pictures (lsp_dataset.zip): sam.johnson.io/research/lsp.html",
    "lspet": "Leeds Sports Pose Extended, 10,000 pictures (lspet_dataset.zip): sam.johnson.io/research/lspet.html",
    "mpii": "MPII Human Pose, 12.9 GB of pictures and 12.5 MB of labels: human-pose.mpi-inf.mpg.de",
    "coco": "COCO 2017 train and val pictures and keypoint annotations: cocodataset.org",
    "yolo": "the layout is told at docs.ultralytics.com/datasets/pose",
    "taught": "the file is made by scripts/evaluate.py --predictions or scripts/prepare_data.py clean",
}
SOURCES["mpii-json"] = SOURCES["mpii"]

_PACKED = 'they need no more packing: name the folder in a recipe with layout = "shards", or by train.py --shards'
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """Labels that were found: their layout, and the file or folder they are in."""

    layout: str
    labels: Path


def recognise(root: Path, annotations: Path | None = None) -> tuple[Candidate, ...]:
    """Return the labels in a folder, by their content, not by its name.

    Args:
        root: folder of a set.
        annotations: look at this file only.

    Raises:
        SourceError: if the folder or the file is missing, its people are packed already, or nothing is recognised; it
            says what was looked for.
    """
    if not root.is_dir():
        raise SourceError(f"there is no folder {root}", "give the folder of a data set")
    if annotations is not None and not annotations.is_file():
        raise SourceError(f"there is no {annotations}", "check --annotations")
    files = [annotations] if annotations is not None else list(_label_files(root))
    found = [candidate for path in files if (candidate := _by_content(path)) is not None]
    if not found and annotations is None and next(labelled_pictures(root), None) is not None:
        found = [Candidate("yolo", root)]
    if not found and not (root / INDEX).is_file():
        where = f"{annotations}" if annotations is not None else f"folder {root}"
        raise SourceError(f"{where} is no data set that is known", "looked for: " + "; ".join(LOOKED_FOR))
    # A joint file beside real labels is what a teacher says of them.
    labelled = [candidate for candidate in found if candidate.layout != "taught"]
    if not labelled and (root / INDEX).is_file():
        raise SourceError(f"{root} holds packed people ({INDEX})", _PACKED)
    return tuple(labelled or found)


def _label_files(root: Path) -> Iterator[Path]:
    for folder in (root / name for name in LABEL_FOLDERS):
        if folder.is_dir():
            yield from sorted(p for p in folder.iterdir() if p.suffix.lower() in (".mat", ".json", ".npz"))


def _by_content(path: Path) -> Candidate | None:
    suffix = path.suffix.lower()
    if path.name == "joints.mat":
        return Candidate(read_joints_mat(path)[0], path)
    if suffix == ".mat":
        return Candidate("mpii", path) if path.name.startswith("mpii_human_pose") else None
    if suffix == ".npz":
        return Candidate("taught", path)
    try:
        text = path.read_bytes()
        held = json.loads(text) if _may_be_labels(text) else None
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path}: {error}", "copy it again from its source") from error
    if is_coco(held):
        return Candidate("coco", path)
    return Candidate("mpii-json", path) if is_mpii_json(held) else None


def _may_be_labels(text: bytes) -> bool:
    """Say whether JSON is worth parsing, which takes long for COCO's large files without keypoints."""
    # One that is cut off is parsed, so that this is told.
    is_whole = text[-64:].rstrip().endswith((b"}", b"]"))
    return not is_whole or any(word in text for word in (b'"keypoints"', b'"joints"'))


def open_labels(root: Path, annotations: Path | None = None, skeleton: Skeleton | None = None) -> LabelledSet:
    """Open the one set of labels that a folder holds.

    Args:
        root: folder of a set.
        annotations: which labels, where there are several.
        skeleton: names of the joints of YOLO's labels; None for COCO's.

    Raises:
        SourceError: if nothing is recognised or the labels cannot be read.
        InputError: if there are several files of labels to choose from.
    """
    found = recognise(root, annotations)
    if len(found) > 1:
        names = ", ".join(str(candidate.labels) for candidate in found)
        raise InputError(f"{root} has {len(found)} files of labels: {names}", "choose one with --annotations")
    return open_candidate(root, found[0], skeleton)


def open_candidate(root: Path, candidate: Candidate, skeleton: Skeleton | None = None) -> LabelledSet:
    """Open labels that were recognised; raises `SourceError` if they cannot be read."""
    path = candidate.labels
    if candidate.layout in ("lsp", "lspet"):
        return read_lsp(path.parent)
    if candidate.layout == "yolo":
        return read_yolo(root, skeleton)
    if candidate.layout == "taught":
        return read_taught(path, root)
    folder = picture_folder(root, path)
    if candidate.layout == "mpii":
        return read_mpii_mat(path, folder)
    if candidate.layout == "mpii-json":
        return read_mpii_json(path, folder)
    return read_coco(path, folder)


def picture_folder(root: Path, labels: Path) -> Path:
    """Return the folder below `root` whose pictures a file of labels most likely means.

    `train2017` for `person_keypoints_train2017.json`, else `images`, else the one with most pictures.
    """
    counts = {folder: _count_pictures(folder) for folder in _folders(root)}
    holding = [folder for folder, count in counts.items() if count]
    if not holding:
        return root / "images" if (root / "images").is_dir() else root
    meant = [folder for folder in holding if folder != root and folder.name in labels.stem]
    usual = [folder for folder in holding if folder.name == "images"]
    return max(meant or usual or holding, key=lambda folder: counts[folder])


def _folders(root: Path) -> Iterator[Path]:
    for folder in [root, *sorted(p for p in root.rglob("*") if p.is_dir())]:
        if len(folder.relative_to(root).parts) <= _DEEPEST:
            yield folder


def _count_pictures(folder: Path) -> int:
    return sum(entry.suffix.lower() in PICTURE_SUFFIXES for entry in folder.iterdir())
