"""People cut from pictures, held in memory, ready to be augmented."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import scipy.io
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.skeletons import BODY19
from sadinet.training.labels import Labels, Teacher, clean, fuse_teachers
from sadinet.training.metrics import torso_length
from sadinet.training.person_set import PersonSet, Picture

__all__ = [
    "LONGEST_SIDE",
    "PersonSet",
    "Picture",
    "cut_person",
    "is_cut_off",
    "load_lspet",
    "load_stanford40",
    "read_lspet_joints",
    "read_picture",
]

_CONTEXT = 0.6
"""Ground kept around a person's joints, share of their size on each side: what rotation and scaling may need."""

LONGEST_SIDE = 320
"""Pixels; a person's crop that is larger is shrunk to it."""

_COPY_AGAIN = "copy it again from its source, or take it out of the set"


def read_lspet_joints(root: Path) -> NDArray[np.float32]:
    """Read `joints.mat` (14, 3, N), third row 1 = labelled, 0-based pixel centres; returns (N, 14, 2), NaN unlabelled.

    Raises:
        SourceError: if the file is missing or has another shape.
    """
    path = root / "joints.mat"
    try:
        raw = np.asarray(scipy.io.loadmat(str(path))["joints"], dtype=np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise SourceError(
            f"cannot read LSPet's labels {path}: {error}", "DIR must hold joints.mat and images/"
        ) from error
    if raw.ndim != 3 or raw.shape[:2] != (14, 3):
        raise SourceError(f"{path}: joints have shape {raw.shape}", "LSPet's are (14, 3, N)")
    joints: NDArray[np.float32] = raw[:, :2].transpose(2, 0, 1).copy()
    joints[raw[:, 2].T != 1] = np.nan
    return np.asarray(joints, dtype=np.float32)


def read_picture(path: Path, *, upright: bool = False) -> Picture:
    """Read a colour picture whole, as it is stored or turned upright by its EXIF orientation.

    Args:
        path: a picture in any format that OpenCV reads.
        upright: what the labels were drawn on. The public sets' labels belong to the stored pixels.

    Returns:
        (H, W, 3) uint8, BGR.

    Raises:
        SourceError: if it is missing, damaged or cut off.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read picture {path}: {error.strerror}", _COPY_AGAIN) from error
    if not data or is_cut_off(data):
        raise SourceError(f"picture {path} is {'cut off' if data else 'empty'}", _COPY_AGAIN)
    flags = cv2.IMREAD_COLOR | (0 if upright else cv2.IMREAD_IGNORE_ORIENTATION)
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    if image is None:
        raise SourceError(f"cannot read picture {path}: it is damaged or no picture", _COPY_AGAIN)
    return np.asarray(image, dtype=np.uint8)


def is_cut_off(data: bytes) -> bool:
    """Say whether a JPEG or PNG lacks its end, which decoders fill with grey without a word."""
    if data.startswith(b"\xff\xd8"):
        # A thumbnail inside has an end of its own; that of the picture comes after the last start of a scan.
        end = data.rfind(b"\xff\xd9")
        return end < 0 or end < data.rfind(b"\xff\xda")
    return data.startswith(b"\x89PNG") and b"IEND" not in data[-64:]


def _teachers(path: Path, keys: Sequence[object], *, upright: bool) -> tuple[Teacher, Teacher]:
    """Load both teachers for the pictures named by `keys`, in that order; a picture they lack is NaN."""
    with np.load(path) as file:
        place = {key: i for i, key in enumerate(file["index"].tolist())}
        rows = np.array([place.get(key, -1) for key in keys])

        def pick(name: str, missing: float) -> NDArray[np.float32]:
            values: NDArray[np.float32] = np.asarray(file[name], dtype=np.float32)[rows]
            values[rows < 0] = missing
            return values

        thunder = Teacher(pick("thunder", np.nan), pick("thunder_conf", 0))
        tiny = Teacher(pick("tiny", np.nan), pick("tiny_conf", 0), trust=2.0 if upright else 1.0)
    return tiny, thunder


def load_lspet(root: Path, numbers: Sequence[int], teachers: Path | None = None) -> PersonSet:
    """Load LSPet pictures by number (1-based, as in their names), labels cleaned if `teachers` is given.

    Args:
        root: folder with `images/im00001.jpg` .. and `joints.mat`.
        numbers: picture numbers.
        teachers: `.npz` with `index`, `thunder`, `thunder_conf`, `tiny`, `tiny_conf`, COCO order.
    """
    joints = read_lspet_joints(root)[np.array(numbers) - 1]
    if teachers is None:
        full = np.full((len(joints), 19, 2), np.nan, dtype=np.float32)
        full[:, :14] = joints
        nothing = np.zeros(full.shape[:2], dtype=bool)
        labels = Labels(full, np.isfinite(full[..., 0]).astype(np.float32), nothing[:, 0], nothing)
    else:
        labels = clean(joints, *_teachers(teachers, list(numbers), upright=False))
    pictures = [read_picture(root / "images" / f"im{number:05d}.jpg") for number in numbers]
    return PersonSet("lspet", pictures, labels.joints, labels.weight, [f"im{n:05d}" for n in numbers])


def cut_person(
    picture: Picture, joints: NDArray[np.float32], weight: NDArray[np.float32], longest_side: int = LONGEST_SIDE
) -> tuple[Picture, NDArray[np.float32]]:
    """Keep the person and some ground around.

    Args:
        picture: (H, W, 3) uint8.
        joints: (K, 2) picture pixels, NaN where unknown.
        weight: (K,), above 0 for the joints that say where the person is; at least one.
        longest_side: pixels; a larger part is shrunk to it.

    Returns:
        The part (h, w, 3) uint8, and the joints (K, 2) float32 in its pixels.
    """
    known = joints[weight > 0]
    low, high = known.min(axis=0), known.max(axis=0)
    margin = np.maximum((high - low).max() * _CONTEXT, 20)
    height, width = picture.shape[:2]
    x0, y0 = np.maximum(np.floor(low - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high + margin), [width, height]).astype(int)
    part = picture[y0:y1, x0:x1]
    shrink = min(1.0, longest_side / max(part.shape[:2]))
    moved = joints - [x0, y0]
    if shrink < 1:
        size = (max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink)))
        ratio = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        moved = (moved + 0.5) * ratio - 0.5
    return np.ascontiguousarray(part, dtype=np.uint8), moved.astype(np.float32)


def load_stanford40(root: Path, teachers: Path, least_joints: int = 7) -> PersonSet:
    """Load Stanford 40 with the joints on which two teachers agree; people with fewer than `least_joints` are left out.

    Args:
        root: folder with `JPEGImages/` and `XMLAnnotations/`.
        teachers: as for `load_lspet`, in pixels of the original pictures.
    """
    with np.load(teachers) as file:
        keys = sorted(file["index"].tolist())
    tiny, thunder = _teachers(teachers, keys, upright=True)
    boxes = np.array([_voc_height(root / "XMLAnnotations" / f"{key}.xml") for key in keys])
    told, sure = tiny.in_body19()
    torso = torso_length(told, sure, BODY19)
    torso = np.where(torso > 0.1 * boxes, torso, 0.25 * boxes)
    joints, weight = fuse_teachers(tiny, thunder, torso)
    kept = np.flatnonzero((weight > 0).sum(axis=1) >= least_joints)
    pictures, moved = [], []
    for i in kept:
        part, points = cut_person(read_picture(root / "JPEGImages" / f"{keys[i]}.jpg"), joints[i], weight[i])
        pictures.append(part)
        moved.append(points)
    return PersonSet("stanford40", pictures, np.stack(moved), weight[kept], [keys[i] for i in kept])


def _voc_height(path: Path) -> float:
    """Height in pixels of the first box in a Pascal VOC file."""
    box = ElementTree.parse(path).find(".//bndbox")  # noqa: S314 (the user's own data)
    if box is None:
        raise SourceError(f"{path} names no box")
    return float(box.findtext("ymax", "0")) - float(box.findtext("ymin", "0"))
