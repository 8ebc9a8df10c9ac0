"""The worst cases on one sheet: where the joints are, where they were found, and what kind of error it is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.geometry import Box
from sadinet.media.draw import draw_poses
from sadinet.media.lettering import Colour
from sadinet.media.pictures import write_picture
from sadinet.media.sheet import contact_sheet
from sadinet.results import Pose
from sadinet.skeletons import Skeleton
from sadinet.training.datasets import Picture, cut_person, read_picture
from sadinet.training.evaluation import Predictions
from sadinet.training.examination import Examination
from sadinet.training.metrics import distances, torso_length

MOST_APART = 2.0
"""Torsos that one joint counts at most, so that a single one does not decide."""

KINDS = MISSED, EXCHANGED, ONE_LEG, ELSEWHERE = (
    "not found", "left and right exchanged", "both legs on one", "somewhere else",
)  # fmt: skip

_TRUE: Colour = (80, 220, 80)
_OFF: Colour = (60, 200, 255)
_OFF_PLAIN: Colour = (120, 120, 120)
_GROUND = 238
"""Grey of the ground where the picture itself is not shown."""

_COLUMNS = 5
_FOUND = 0.1
"""Torsos within which a joint counts as found, for the naming of errors."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """One person, how wrong the pose is in torsos (mean over the labelled joints), and what is wrong in words."""

    place: int
    error: float
    what: str


def worst_cases(
    predictions: Predictions, examination: Examination, count: int, *, of_each: int | None = None
) -> list[Case]:
    """Return the people with the largest mean error in torsos, worst first.

    Args:
        predictions: of all people of the examination, in its order.
        examination: the labels.
        count: people at most; those without an error to tell (no joint labelled) are left out.
        of_each: people at most of each kind of error, kind after kind; single joints that are off are one kind.
    """
    labels, skeleton = examination.labels, examination.skeleton
    unit = _unit(labels, examination.weight, skeleton)
    apart = np.minimum(distances(predictions.joints, labels, examination.weight) / unit[:, None], MOST_APART)
    known = np.isfinite(apart)
    error = np.where(known, apart, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    worst = [int(i) for i in np.argsort(-error, kind="stable") if error[i] > 0]
    cases = (
        Case(i, float(error[i]), name_error(predictions.joints[i], labels[i], float(unit[i]), skeleton)) for i in worst
    )
    if of_each is None:
        return list(islice(cases, count))
    kinds: dict[str, list[Case]] = {}
    for case in cases:
        kinds.setdefault(case.what if case.what in KINDS else "a joint", []).append(case)
    return [case for kind in kinds.values() for case in kind[:of_each]][:count]


def name_error(found: NDArray[np.floating], truth: NDArray[np.floating], unit_px: float, skeleton: Skeleton) -> str:
    """Say in a few words what is wrong with a pose.

    Args:
        found: (K, 2) pixels, NaN where not found.
        truth: (K, 2) pixels, NaN where not labelled.
        unit_px: a torso.
        skeleton: names of the joints.
    """
    if not np.isfinite(found).any():
        return MISSED
    straight = np.linalg.norm(found - truth, axis=1) / unit_px
    crossed = np.linalg.norm(found[skeleton.flip_order] - truth, axis=1) / unit_px
    both = np.isfinite(straight) & np.isfinite(crossed)
    paired = both & (skeleton.flip_order != np.arange(len(skeleton)))
    if paired.sum() >= 4 and crossed[paired].mean() < 0.5 * straight[paired].mean():
        return EXCHANGED
    if np.isfinite(straight).any() and np.nanmin(straight) > 5 * _FOUND:
        return ELSEWHERE
    if _on_one_leg(found, truth, unit_px, skeleton):
        return ONE_LEG
    if not np.isfinite(straight).any():
        return MISSED
    worst = int(np.nanargmax(straight))
    return f"{skeleton.joints[worst].replace('_', ' ')} {straight[worst]:.1f} torsos off"


def _on_one_leg(found: NDArray[np.floating], truth: NDArray[np.floating], unit_px: float, skeleton: Skeleton) -> bool:
    pairs = [(skeleton.index(f"left_{name}"), skeleton.index(f"right_{name}")) for name in ("knee", "ankle")]
    together = [np.linalg.norm(found[a] - found[b]) < _FOUND * unit_px for a, b in pairs]
    apart = [np.linalg.norm(truth[a] - truth[b]) > 3 * _FOUND * unit_px for a, b in pairs]
    return all(together) and all(apart)


def write_gallery(
    path: Path,
    predictions: Predictions,
    examination: Examination,
    count: int = 25,
    *,
    of_each: int | None = None,
    plain: bool = False,
) -> list[Case]:
    """Draw the worst cases as one sheet: the found pose, a green ring at each true joint, a line where they part.

    Args:
        path: a picture file.
        predictions: of all people of the examination, in its order.
        examination: the labels.
        count: people at most.
        of_each: people at most of each kind of error.
        plain: draw on plain ground, the true pose as thin green limbs, for pictures that must not be shown.

    Returns:
        What is on it, worst first; empty, and nothing is written, if nothing is wrong anywhere.

    Raises:
        OutputError: if the picture cannot be written.
    """
    cases = worst_cases(predictions, examination, count, of_each=of_each)
    cells, captions, shown = [], [], []
    for case in cases:
        person = examination.people[case.place]
        try:
            picture = read_picture(person.path)
        except SourceError:
            continue  # damaged since it was evaluated
        scores = predictions.scores[case.place]
        if plain:
            picture = np.full_like(picture, _GROUND)
        found = predictions.joints[case.place]
        cells.append(_draw(picture, found, scores, person.joints, examination.skeleton, limbs=plain))
        captions.append(f"{case.what} ({person.path.stem}, {case.error:.2f})")
        shown.append(case)
    if cells:
        everybody = f"of {len(examination.people)} people"
        who = f"the {len(cells)} worst {everybody}" if of_each is None else f"{everybody} the worst by kind of error"
        title = f"{examination.name}: {who}; green: labels, "
        title += f"{'grey' if plain else 'yellow'}: how far off, number: mean error in torsos"
        write_picture(path, contact_sheet(cells, _COLUMNS, captions, title=title, cell_width=360))
    return shown


def _draw(
    picture: Picture,
    found: NDArray[np.float32],
    scores: NDArray[np.float32],
    truth: Floats,
    skeleton: Skeleton,
    *,
    limbs: bool,
) -> Picture:
    count = len(skeleton)
    # The ground is chosen by the labels; what was found far away lies outside of it.
    points = np.concatenate([truth, found]).astype(np.float32)
    known = np.asarray(np.isfinite(points).all(axis=1), dtype=np.float32)
    known[count:] = 0
    part, moved = cut_person(picture, points, known)
    true, seen = moved[:count], moved[count:]
    height, width = part.shape[:2]
    pose = Pose(seen, scores, np.full_like(seen, np.nan), Box(0, 0, width, height), skeleton)
    if limbs:
        for i, j in skeleton.limb_indices:
            if np.isfinite(true[[i, j]]).all():
                cv2.line(part, _pixel(true[i]), _pixel(true[j]), _TRUE, 2, cv2.LINE_AA)
    canvas = draw_poses(part, [pose], threshold=0.0, labels=False)
    for a, b in zip(true, seen, strict=True):
        if np.isfinite(a).all() and np.isfinite(b).all() and np.linalg.norm(a - b) > 0.02 * max(height, width):
            cv2.line(canvas, _pixel(a), _pixel(b), _OFF_PLAIN if limbs else _OFF, 1, cv2.LINE_AA)
    for a in true[np.isfinite(true).all(axis=1)]:
        cv2.circle(canvas, _pixel(a), 4, _TRUE, 1, cv2.LINE_AA)
    return canvas


def _pixel(point: NDArray[np.floating]) -> tuple[int, int]:
    x, y = np.clip(point, -10_000, 10_000)
    return round(float(x)), round(float(y))


def _unit(labels: Floats, weight: Floats, skeleton: Skeleton) -> Floats:
    """Return each person's torso in pixels; 0.3 of the joints' extent where it is not labelled, at least one pixel."""
    torso = torso_length(labels, weight, skeleton)
    low, high = np.nanmin(labels, axis=1), np.nanmax(labels, axis=1)
    result: Floats = np.maximum(np.where(np.isfinite(torso), torso, 0.3 * (high - low).max(axis=1)), 1.0)
    return result
