"""Joints in a .npz: what a teacher or a model says of pictures, and labels that were cleaned.

Two forms are read: `index, names, joints, scores` (what scripts/evaluate.py --predictions and
scripts/prepare_data.py clean write; `weight` in place of `scores`), and `index, NAME, NAME_conf` for one or more
teachers, in COCO's order. `index` holds names of pictures or of labels, or the set's own numbers.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import write_bytes
from sadinet.errors import SourceError
from sadinet.media.pictures import PICTURE_SUFFIXES
from sadinet.skeletons import BODY19, COCO17, SKELETONS, Skeleton, convert
from sadinet.training.sets.npz import read_arrays
from sadinet.training.sets.people import Absent, Gathering, LabelledPerson, LabelledSet

LEAST_SCORE = 0.3
"""A teacher's joint with less is taken for unknown where there is no second teacher to ask."""

_REMEDY = "it needs index, names, joints and scores, or index, TEACHER and TEACHER_conf"

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class JointFile:
    """One opinion on people's joints.

    Attributes:
        name: of whoever says it.
        index: N strings or numbers that find the person.
        skeleton: names and order of the joints.
        joints: (N, K, 2) picture pixels, NaN where unknown.
        scores: (N, K) confidence, or weight of a label.
        is_label: the scores are weights of labels.
    """

    name: str
    index: tuple[str, ...] | tuple[int, ...]
    skeleton: Skeleton
    joints: Array
    scores: Array
    is_label: bool = False

    def of(self, people: Sequence[LabelledPerson]) -> tuple[Array, Array]:
        """Return joints (N, 19, 2) and scores (N, 19) of these people in body19; NaN and 0 for whom it lacks."""
        place: dict[str | int, int] = dict(zip(self.index, range(len(self.index)), strict=True))
        numbered = bool(self.index) and isinstance(self.index[0], int)
        rows: NDArray[np.intp] = np.array([_find(place, person, numbered=numbered) for person in people], dtype=np.intp)
        return self.rows_in_body19(rows)

    def rows_in_body19(self, rows: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return joints (M, 19, 2) and scores (M, 19) of these rows; NaN and 0 for a row below 0."""
        conversion = convert(self.skeleton, BODY19)
        joints = conversion.apply(self.joints, axis=1).astype(np.float32)
        scores = np.nan_to_num(conversion.apply(self.scores, axis=1)).astype(np.float32)
        joints, scores = joints[rows], scores[rows]
        joints[rows < 0], scores[rows < 0] = np.nan, 0
        scores[~np.isfinite(joints).all(axis=2)] = 0
        return joints, scores

    def save(self, path: Path) -> None:
        """Write it in the first form; raises `OutputError` if the disk refuses."""
        packed = io.BytesIO()
        index, names = np.array(self.index), np.array(self.skeleton.joints)
        if self.is_label:
            np.savez_compressed(packed, index=index, names=names, joints=self.joints, weight=self.scores)
        else:
            np.savez_compressed(packed, index=index, names=names, joints=self.joints, scores=self.scores)
        write_bytes(path, packed.getvalue())


def _find(place: dict[str | int, int], person: LabelledPerson, *, numbered: bool) -> int:
    if numbered:
        return place.get(person.index, -1)
    return place.get(person.key, place.get(person.path.stem, -1))


def read_joint_file(path: Path) -> tuple[JointFile, ...]:
    """Read every opinion in a file.

    Raises:
        SourceError: if the file is missing, damaged, or holds neither form.
    """
    try:
        with path.open("rb") as stream:
            held = read_arrays(stream)
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path}: {error}", _REMEDY) from error
    if "index" not in held:
        raise SourceError(f"{path} has no index", _REMEDY)
    if held["index"].ndim != 1:
        raise SourceError(f"{path}: its index has shape {held['index'].shape}", "a row of names or numbers is needed")
    numbers = held["index"].dtype.kind in "iu"
    index = tuple(int(v) for v in held["index"]) if numbers else tuple(str(v) for v in held["index"])
    try:
        found = _plain(path, held, index) or _teachers(held, index)
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path}: {error}", _REMEDY) from error
    if not found:
        raise SourceError(f"{path} has no joints", _REMEDY)
    for each in found:
        if each.joints.shape != (len(index), len(each.skeleton), 2) or each.scores.shape != each.joints.shape[:2]:
            raise SourceError(f"{path}: joints of {each.name} have shape {each.joints.shape}", _REMEDY)
    return found


def _plain(
    path: Path, held: dict[str, NDArray[np.generic]], index: tuple[str, ...] | tuple[int, ...]
) -> tuple[JointFile, ...]:
    if "joints" not in held:
        return ()
    joints = np.asarray(held["joints"], dtype=np.float32)
    names = tuple(str(name) for name in held["names"])
    skeleton = next((s for s in SKELETONS.values() if s.joints == names), None)
    if skeleton is None:
        raise ValueError(f"no known set of joints is {', '.join(names[:3])} ..")
    is_label = "weight" in held
    scores = held.get("weight", held.get("scores", np.ones(joints.shape[:2])))
    return (JointFile(path.stem, index, skeleton, joints, np.asarray(scores, dtype=np.float32), is_label),)


def _teachers(held: dict[str, NDArray[np.generic]], index: tuple[str, ...] | tuple[int, ...]) -> tuple[JointFile, ...]:
    names = [name for name in held if f"{name}_conf" in held]
    return tuple(
        JointFile(
            name,
            index,
            COCO17,
            np.asarray(held[name], dtype=np.float32),
            np.asarray(held[f"{name}_conf"], dtype=np.float32),
        )
        for name in names
    )


def read_taught(path: Path, root: Path) -> LabelledSet:
    """Read pictures that only a joint file labels: the first opinion in it, where it is sure enough.

    Args:
        path: the joint file; its index names pictures without their ending.
        root: folder of the pictures, searched with all below it.

    Raises:
        SourceError: if the file cannot be read, or its index holds numbers.
    """
    opinion = read_joint_file(path)[0]
    if opinion.index and not isinstance(opinion.index[0], str):
        raise SourceError(f"{path} numbers its pictures", "without labels of another kind its index has to be names")
    files = {file.stem: file for file in sorted(root.rglob("*")) if file.suffix.lower() in PICTURE_SUFFIXES}
    gathered = Gathering("taught", path, opinion.skeleton)
    for place, key in enumerate(str(each) for each in opinion.index):
        if key not in files:
            gathered.missing.append(Absent(root / key, place, picture_number=place))
            continue
        scores = opinion.scores[place]
        sure = np.isfinite(opinion.joints[place]).all(axis=1) & (scores > (0 if opinion.is_label else LEAST_SCORE))
        weight = np.where(sure, scores if opinion.is_label else 1.0, 0.0).astype(float)
        joints = np.where(sure[:, None], opinion.joints[place], np.nan).astype(float)
        hidden = np.zeros(len(weight), dtype=bool)
        gathered.add(LabelledPerson(key, place, place, files[key], joints, weight, hidden))
    return gathered.done()
