"""Labels for pictures that have none: joints on which several views, of one or more networks, agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sadinet.geometry import Box
from sadinet.results import Pose
from sadinet.skeletons import COCO17

MARGINS = (1.0, 1.2)
"""Boxes are also grown by this before they are cropped: a joint that moves with the crop is not found, but guessed."""

LEAST_SCORE = 0.45
AGREEMENT = 0.12
"""Every view lies within this share of the torso from the views' median."""

_TORSO_OF_BOX = 0.25
"""Length of the torso, share of the box's longer side, where shoulders or hips are not seen."""

Floats = NDArray[np.float64]
Image = NDArray[np.uint8]


class Teacher(Protocol):
    """Whatever finds joints of `coco17` in boxes, as `sadinet.people.estimator.PoseEstimator` does."""

    def __call__(self, image: Image, boxes: Sequence[Box]) -> tuple[Pose, ...]:
        """Return a pose a box, in frame pixels."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Agreed:
    """What the views of one person say together.

    Attributes:
        box: frame pixels.
        joints: (17, 2) median over the views, frame pixels.
        known: (17,) bool, where they agree and are sure.
    """

    box: Box
    joints: Floats
    known: NDArray[np.bool_]


def views_of(teachers: Sequence[Teacher], image: Image, boxes: Sequence[Box]) -> tuple[Floats, Floats]:
    """Ask every teacher, in every margin, for the picture as it is and mirrored.

    Args:
        teachers: networks that return `coco17`.
        image: (H, W, 3) uint8 BGR.
        boxes: of N people, frame pixels.

    Returns:
        Joints (V, N, 17, 2) in frame pixels, and scores (V, N, 17).
    """
    width = image.shape[1]
    mirrored = np.ascontiguousarray(image[:, ::-1])
    order = COCO17.flip_order
    joints, scores = [], []
    for teacher in teachers:
        for margin in MARGINS:
            grown = [_grown(box, margin) for box in boxes]
            poses = teacher(image, grown)
            joints.append([pose.joints for pose in poses])
            scores.append([pose.scores for pose in poses])
            # Boxes are measured from the picture's edge at -0.5, joints from the first pixel's centre.
            turned = [replace(box, x=width - 1 - box.x - box.width) for box in grown]
            poses = teacher(mirrored, turned)
            joints.append([_mirrored(pose.joints[order], width) for pose in poses])
            scores.append([pose.scores[order] for pose in poses])
    return np.asarray(joints, dtype=float), np.asarray(scores, dtype=float)


def _grown(box: Box, margin: float) -> Box:
    extra_x, extra_y = (margin - 1) * box.width, (margin - 1) * box.height
    return replace(
        box,
        x=box.x - extra_x / 2, y=box.y - extra_y / 2, width=box.width + extra_x, height=box.height + extra_y,
    )  # fmt: skip


def _mirrored(joints: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    turned: NDArray[np.float32] = np.array([width - 1, 0], np.float32) + joints * np.array([-1, 1], np.float32)
    return turned


def agree(
    joints: Floats, scores: Floats, box: Box, *, least_score: float = LEAST_SCORE, agreement: float = AGREEMENT
) -> Agreed:
    """Keep the joints of one person on which all views agree.

    Args:
        joints: (V, 17, 2) of V views, frame pixels; NaN where a view has none.
        scores: (V, 17).
        box: of the person.
        least_score: mean score of a joint that is kept.
        agreement: largest distance of a view from the median, torsos.
    """
    median = np.median(joints, axis=0)
    apart = np.linalg.norm(joints - median, axis=2).max(axis=0)
    sure = scores.mean(axis=0) >= least_score
    known = sure & np.isfinite(apart) & (apart <= agreement * _torso(median, sure, box))
    return Agreed(box, median, known)


def _torso(joints: Floats, sure: NDArray[np.bool_], box: Box) -> float:
    """Middle of the shoulders to middle of the hips; a share of the box if that is unknown or foreshortened."""
    shoulders, hips = ([COCO17.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "hip"))
    guessed = _TORSO_OF_BOX * max(box.width, box.height)
    if not sure[shoulders + hips].all():
        return guessed
    seen = float(np.linalg.norm(joints[shoulders].mean(axis=0) - joints[hips].mean(axis=0)))
    return seen if seen > 0.1 * box.height else guessed


def coco_labels(found: Mapping[Path, tuple[tuple[int, int], Sequence[Agreed]]]) -> dict[str, Any]:
    """Return a COCO keypoint file's content.

    Args:
        found: for each picture its (width, height) and its people.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (path, (size_wh, people)) in enumerate(found.items(), start=1):
        images.append({"id": number, "file_name": str(path), "width": size_wh[0], "height": size_wh[1]})
        for person in people:
            box = person.box
            triples = [
                [round(float(x), 2), round(float(y), 2), 2] if known else [0, 0, 0]
                for (x, y), known in zip(person.joints, person.known, strict=True)
            ]
            # COCO measures boxes from the picture's edge.
            place = [round(v, 2) for v in (box.x + 0.5, box.y + 0.5, box.width, box.height)]
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 0,
                    "keypoints": [value for triple in triples for value in triple],
                    "num_keypoints": int(person.known.sum()), "bbox": place, "area": round(box.area, 2),
                }
            )  # fmt: skip
    category = {"id": 1, "name": "person", "keypoints": list(COCO17.joints)}
    return {"images": images, "annotations": annotations, "categories": [category]}
