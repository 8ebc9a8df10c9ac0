"""What cleaning leaves behind: the labels, a table of every change, and a sheet to look at."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import write_bytes
from sadinet.errors import SourceError
from sadinet.geometry import Box
from sadinet.media.draw import draw_poses
from sadinet.media.pictures import write_picture
from sadinet.media.sheet import contact_sheet
from sadinet.results import Pose
from sadinet.skeletons import BODY19
from sadinet.training.datasets import Picture, cut_person, read_picture
from sadinet.training.sets.cleaning import BODY_SWAPPED, FILLED, IMPOSSIBLE, PAIR_SWAPPED, REASONS, Change, Cleaned
from sadinet.training.sets.joint_file import JointFile
from sadinet.training.sets.people import LabelledSet

LABELS, CHANGES, SHEET = "labels.npz", "changes.csv", "sheet.png"

HEAD = ("key", "picture", "joint", "reason", "old_x", "old_y", "new_x", "new_y", "weight", "apart_torsos")

_SHORT = {BODY_SWAPPED: "body left/right", PAIR_SWAPPED: "left/right", IMPOSSIBLE: "limb"}

_COLUMNS = 4
_GAP = 6


def write_labels(path: Path, labelled: LabelledSet, cleaned: Cleaned) -> None:
    """Write joints and weights as a joint file that `pack --labels` and `read_joint_file` take.

    Raises:
        OutputError: if the disk refuses.
    """
    keys = tuple(person.key for person in labelled.people)
    JointFile("cleaned", keys, BODY19, cleaned.joints, cleaned.weight, is_label=True).save(path)


def write_changes(path: Path, labelled: LabelledSet, changes: Sequence[Change]) -> None:
    """Write a CSV with one line a changed joint; picture pixels, empty where unknown.

    Raises:
        OutputError: if the disk refuses.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEAD)
    for change in changes:
        person = labelled.people[change.person]
        numbers = [*change.before, *change.after]
        table.writerow(
            [person.key, person.path.name, change.joint, change.reason]
            + [f"{value:.1f}" if np.isfinite(value) else "" for value in numbers]
            + [f"{change.weight:g}", f"{change.apart:.2f}" if np.isfinite(change.apart) else ""]
        )
    write_bytes(path, text.getvalue().encode())


def sample_of(changes: Sequence[Change], count: int, seed: int = 0) -> list[int]:
    """Return the places of `count` people to look at: each reason in turn, drawn by chance, those only filled last."""
    rng = np.random.default_rng(seed)
    queues = []
    for reason in REASONS:
        people = sorted({change.person for change in changes if change.reason == reason})
        queues.append([people[i] for i in rng.permutation(len(people))])
    chosen: list[int] = []
    for group in (queues[: REASONS.index(FILLED)], queues[REASONS.index(FILLED) :]):
        while any(group) and len(chosen) < count:
            for queue in group:
                person = next((p for p in queue if p not in chosen), None)
                queue[:] = queue[queue.index(person) + 1 :] if person is not None else []
                if person is not None and len(chosen) < count:
                    chosen.append(person)
    return chosen


def write_sheet(
    path: Path,
    labelled: LabelledSet,
    before: tuple[NDArray[np.float32], NDArray[np.float32]],
    cleaned: Cleaned,
    count: int,
) -> int:
    """Draw a sample before and after, side by side; returns how many people it shows, 0 writes nothing.

    Args:
        path: a picture file.
        labelled: the people.
        before: joints (N, 19, 2) and weight (N, 19) before.
        cleaned: and afterwards.
        count: people at most.

    Raises:
        OutputError: if the ending is unknown, or the disk refuses.
    """
    cells, captions = [], []
    for place in sample_of(cleaned.changes, count):
        person = labelled.people[place]
        try:
            picture = read_picture(person.path, upright=labelled.upright)
        except SourceError:
            continue  # told by the check; the sheet shows who can be shown
        cells.append(_pair(picture, place, before, cleaned))
        told = Counter(change.reason for change in cleaned.changes if change.person == place)
        reasons = ", ".join(f"{_SHORT.get(reason, reason)} {count}" for reason, count in told.items())
        captions.append(f"{person.key}: {reasons}")
    if cells:
        title = f"{labelled.labels.name}: labels before (left) and after (right); blue is left, red right"
        write_picture(path, contact_sheet(cells, _COLUMNS, captions, title=title, cell_width=420))
    return len(cells)


def _pair(
    picture: Picture, place: int, before: tuple[NDArray[np.float32], NDArray[np.float32]], cleaned: Cleaned
) -> Picture:
    versions = (before[0][place], before[1][place]), (cleaned.joints[place], cleaned.weight[place])
    # Both halves show the same ground, so that they can be compared.
    both = np.concatenate([joints[weight > 0] for joints, weight in versions])
    drawn = []
    for joints, weight in versions:
        everywhere = np.concatenate([np.where(weight[:, None] > 0, joints, np.nan), both]).astype(np.float32)
        known = np.asarray(np.isfinite(everywhere).all(axis=1), dtype=np.float32)
        part, moved = cut_person(picture, everywhere, known)
        shown = np.where(weight > 0, 1.0, 0.0).astype(np.float32)
        points = moved[: len(BODY19)]
        height, width = part.shape[:2]
        pose = Pose(points, shown, np.full_like(points, np.nan), Box(0, 0, width, height), BODY19)
        drawn.append(draw_poses(part, [pose], labels=False))
    gap = np.full((drawn[0].shape[0], _GAP, 3), 255, dtype=np.uint8)
    return np.asarray(cv2.hconcat([drawn[0], gap, drawn[1]]), dtype=np.uint8)
