"""Run a model over labelled people and say how good it is; without torch.

The network runs once for each picture and all ways of decoding read the same heatmaps.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import write_bytes
from sadinet.errors import InputError, SourceError
from sadinet.geometry import Box, box_iou
from sadinet.manifest import DecodeSpec
from sadinet.people.assignment import assign
from sadinet.people.detector import Detector
from sadinet.people.estimator import PoseEstimator
from sadinet.results import Pose
from sadinet.skeletons import Skeleton
from sadinet.training.coco import coco_ap, coco_detections
from sadinet.training.datasets import read_picture
from sadinet.training.examination import Examination, Person
from sadinet.training.kinds import kinds_of
from sadinet.training.metrics import mpii_table, pck, pckh, pixel_error, sigma_coverage
from sadinet.training.reliability import sigma_reliability
from sadinet.training.sets.people import Fault, refuse_if_faulty

ALPHAS = {"lsp": (0.2, 0.1, 0.05), "lspet": (0.2, 0.1, 0.05), "mpii": (0.2, 0.1), "coco": (0.2, 0.1)}
"""Limits of PCK that each data set is reported with, in torsos."""

LEAST_OVERLAP = 0.1
"""A detection that overlaps a label's box less (IoU) is not taken for this person."""

Array = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Joints of the labelled people, in the labels' order and skeleton, and all results of a detector.

    Attributes:
        index: (N,) LSP's or LSPet's picture number, COCO's annotation id, MPII's number of the label.
        joints: (N, K, 2) float32, picture pixels; NaN for people whom the detector missed, and for joints that
            the model lacks.
        scores: (N, K) float32, NaN likewise.
        sigmas: (N, K, 2) float32, picture pixels.
        skeleton: names and order of the joints.
        result_pictures: (M,) number of the picture of each result; one result a label, or one a detection, those in
            pictures without labelled people included.
        result_joints: (M, K, 2) float32.
        result_scores: (M, K) float32.
    """

    index: NDArray[np.int64]
    joints: Array
    scores: Array
    sigmas: Array
    skeleton: Skeleton
    result_pictures: NDArray[np.int64]
    result_joints: Array
    result_scores: Array

    @property
    def missed(self) -> int:
        """People without a prediction."""
        return int((~np.isfinite(self.joints).any(axis=(1, 2))).sum())

    def save(self, path: Path) -> None:
        """Write everything as .npz, with `names` (K,) of the joints; raises `OutputError` if it cannot."""
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            index=self.index,
            joints=self.joints,
            scores=self.scores,
            names=np.array(self.skeleton.joints),
            sigmas=self.sigmas,
            result_pictures=self.result_pictures,
            result_joints=self.result_joints,
            result_scores=self.result_scores,
        )
        write_bytes(path, packed.getvalue())


def predict(
    estimator: PoseEstimator,
    examination: Examination,
    ways: Sequence[DecodeSpec],
    *,
    detector: Detector | None = None,
    progress: Progress | None = None,
    skipped: list[Fault] | None = None,
) -> tuple[Predictions, ...]:
    """Find the labelled people's joints, decoded in each way.

    With a detector the pictures without labelled people are looked at too; their people are among the results only.

    Args:
        estimator: its skeleton must be the labels'.
        examination: the labelled people.
        ways: how the heatmaps are read.
        detector: finds the boxes; None for the labels' boxes.
        progress: called with the labelled people done and to do, after each picture.
        skipped: takes the pictures that cannot be read, whose people are then left out of what is returned
            (`Examination.without` leaves them out there); None to stop at the first.

    Returns:
        One for each way.

    Raises:
        SourceError: if a picture cannot be read, or more than 1% of them, or a label's box makes no sense.
    """
    gathered = [_Gathered() for _ in ways]
    done = 0
    views = _views(examination, with_empty=detector is not None)
    for view in views:
        done += len(view.people)
        try:
            image = read_picture(view.path)
        except SourceError as error:
            if skipped is None:
                raise
            skipped.append(Fault(str(view.path), error.message))
            refuse_if_faulty(skipped, len(views), "pictures")
            continue
        boxes = [person.box for person in view.people] if detector is None else list(detector(image))
        match = [*range(len(view.people))] if detector is None else match_boxes(view.people, boxes)
        try:
            maps = estimator.maps(image, boxes)
        except InputError as error:
            raise SourceError(f"{view.path}: {error.message}", "correct its label") from error
        for way, rows in zip(ways, gathered, strict=True):
            rows.add(view, estimator.read(maps, way), match)
        if progress is not None:
            progress(done, len(examination.people))
    return tuple(rows.stacked(examination.skeleton) for rows in gathered)


def predict_readable(
    estimator: PoseEstimator,
    examination: Examination,
    ways: Sequence[DecodeSpec],
    *,
    detector: Detector | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Predictions, ...], Examination, tuple[Fault, ...]]:
    """Do what `predict` does, and leave out a few pictures that cannot be read.

    Returns:
        The predictions, the examination of the people whom they are of, and the pictures that were left out.

    Raises:
        SourceError: if more than 1% of the pictures cannot be read, or a label's box makes no sense.
    """
    unread: list[Fault] = []
    found = predict(estimator, examination, ways, detector=detector, progress=progress, skipped=unread)
    return found, examination.without({Path(fault.name) for fault in unread}), tuple(unread)


def match_boxes(people: Sequence[Person], boxes: Sequence[Box]) -> list[int | None]:
    """Return each person's box, None where there is none; no box is two people's.

    The pairs are those that overlap the labels' boxes most, all together.
    """
    if not people or not boxes:
        return [None] * len(people)
    pairs = assign(box_iou(_rows(boxes), _rows([person.box for person in people])), LEAST_OVERLAP)
    return [pairs.get(place) for place in range(len(people))]


def figures(predictions: Predictions, examination: Examination, lacking: Sequence[str] = ()) -> dict[str, Any]:
    """Return what is reported, as plain values; None for what cannot be told.

    For LSP and LSPet `PCK@0.2`, `PCK@0.1` and `PCK@0.05` (percent of the limb joints); for MPII `PCKh@0.5`, `PCKh@0.1`,
    `mpii_table`, `PCK@0.2` and `PCK@0.1`; for COCO `AP`, `AP50`, `AP75`, `APM`, `APL`, `AR`, `PCK@0.2` and `PCK@0.1`;
    for all `per_joint`, `by_kind` (of people: `sadinet.training.kinds`), `pixel_error`, `sigma_coverage` and
    `sigma_reliability`.

    Args:
        predictions: of all people of the examination.
        examination: the labels.
        lacking: joints that the model does not know: None on their own, and misses in what is over all joints.
    """
    labels, weight, names = examination.labels, examination.weight, examination.skeleton.joints
    said: dict[str, Any] = _average_precision(predictions, examination) if examination.name == "coco" else {}
    if examination.name == "mpii":
        said |= _head_shares(predictions, examination)
    share = pck(predictions.joints, labels, weight, ALPHAS[examination.name], skeleton=examination.skeleton)
    keys = [f"PCK@{alpha:g}" for alpha in share.alphas]
    said |= {key: float(value) for key, value in zip(keys, share.overall, strict=True)}
    apart = pixel_error(predictions.joints, labels, weight)
    said["per_joint"] = {
        key: dict(zip(names, row.tolist(), strict=True)) | dict.fromkeys(lacking)
        for key, row in zip(keys, share.per_joint, strict=True)
    }
    said["by_kind"] = _by_kind(predictions, examination)
    said["pixel_error"] = {
        "mean": apart.mean,
        "median": apart.median,
        "per_joint": dict(zip(names, apart.per_joint.tolist(), strict=True)),
    }
    covered = sigma_coverage(predictions.joints, labels, weight, predictions.sigmas)
    said["sigma_coverage"] = {
        f"{times} sigma": {"x": float(x), "y": float(y)} for times, (x, y) in zip((1, 2), covered, strict=True)
    }
    reliability = sigma_reliability(predictions.joints, labels, weight, predictions.sigmas)
    said["sigma_reliability"] = [
        {"sigma": float(told), "error": float(true), "errors": int(count)} for told, true, count in reliability
    ]
    said |= {"pictures_with_torso": share.pictures, "joints": share.joints, "missed": predictions.missed}
    return {key: plain(value) for key, value in said.items()}


def _by_kind(predictions: Predictions, examination: Examination) -> dict[str, dict[str, float]]:
    """Return PCK@0.2 and the number of people with a torso of each kind."""
    said = {}
    for kind, who in kinds_of(examination.labels, examination.skeleton).items():
        labels, weight = examination.labels[who], examination.weight[who]
        share = pck(predictions.joints[who], labels, weight, (0.2,), skeleton=examination.skeleton)
        said[kind] = {"people": share.pictures, "PCK@0.2": float(share.overall[0])}
    return said


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: four decimals, None for NaN and infinity."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value


def _head_shares(predictions: Predictions, examination: Examination) -> dict[str, Any]:
    """MPII's figures; None where no head rectangle is known."""
    share = pckh(predictions.joints, examination.labels, examination.weight, examination.heads)
    return {f"PCKh@{alpha:g}": float(value) for alpha, value in zip(share.alphas, share.overall, strict=True)} | {
        "mpii_table": {f"PCKh@{alpha:g}": mpii_table(share, alpha) for alpha in share.alphas},
        "people_with_head": share.pictures,
    }


def _average_precision(predictions: Predictions, examination: Examination) -> dict[str, float]:
    # COCO knows no missing joint: one that was not found counts as wrong and adds nothing to the score.
    joints, scores = np.nan_to_num(predictions.result_joints), np.nan_to_num(predictions.result_scores)
    found = coco_detections([int(n) for n in predictions.result_pictures], joints, scores)
    # Where nobody is labelled, whoever was detected is wrong.
    counted = {*examination.pictures, *(int(n) for n in predictions.result_pictures)}
    return coco_ap(examination.annotations or {}, found, sorted(counted))


@dataclass(frozen=True, slots=True)
class _View:
    """One picture and who is labelled in it."""

    picture: int
    path: Path
    people: list[Person]


def _views(examination: Examination, *, with_empty: bool) -> list[_View]:
    views: dict[int, _View] = {}
    for person in examination.people:
        views.setdefault(person.picture, _View(person.picture, person.path, [])).people.append(person)
    if with_empty:
        views |= {number: _View(number, path, []) for number, path in examination.empty.items()}
    return [views[number] for number in sorted(views)]


def _rows(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array([[box.x, box.y, box.width, box.height] for box in boxes], dtype=float)


@dataclass(slots=True)
class _Gathered:
    """What was found so far, by one way of decoding."""

    index: list[int] = field(default_factory=list)
    poses: list[Pose | None] = field(default_factory=list)
    result_pictures: list[int] = field(default_factory=list)
    results: list[Pose] = field(default_factory=list)

    def add(self, view: _View, poses: Sequence[Pose], match: Sequence[int | None]) -> None:
        for person, place in zip(view.people, match, strict=True):
            self.index.append(person.index)
            self.poses.append(None if place is None else poses[place])
        self.result_pictures += [view.picture] * len(poses)
        self.results += poses

    def stacked(self, skeleton: Skeleton) -> Predictions:
        count = len(skeleton)
        joints, scores, sigmas = _stack(self.poses, count)
        result_joints, result_scores, _ = _stack(self.results, count)
        return Predictions(
            np.array(self.index, dtype=np.int64),
            joints,
            scores,
            sigmas,
            skeleton,
            np.array(self.result_pictures, dtype=np.int64),
            result_joints,
            result_scores,
        )


def _stack(poses: Sequence[Pose | None], count: int) -> tuple[Array, Array, Array]:
    joints = np.full((len(poses), count, 2), np.nan, dtype=np.float32)
    scores, sigmas = joints[..., 0].copy(), joints.copy()
    for i, pose in enumerate(poses):
        if pose is not None:
            joints[i], scores[i], sigmas[i] = pose.joints, pose.scores, pose.sigmas
    return joints, scores, sigmas
