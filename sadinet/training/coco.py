"""COCO's official average precision, by pycocotools, which is optional."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sadinet.errors import SadinetError, SourceError


def coco_detections(image_ids: Sequence[int], joints: ArrayLike, scores: ArrayLike) -> list[dict[str, Any]]:
    """Return poses in COCO's form of results, one for each row.

    Args:
        image_ids: (N,) COCO's picture numbers.
        joints: (N, 17, 2) in COCO's order.
        scores: (N, 17); their mean is the pose's score.
    """
    points, values = np.asarray(joints, dtype=float), np.asarray(scores, dtype=float)
    triples = np.concatenate([points, values[..., None]], axis=2)
    return [
        {"image_id": int(image), "category_id": 1, "keypoints": row.ravel().tolist(), "score": float(row[:, 2].mean())}
        for image, row in zip(image_ids, triples, strict=True)
    ]


def coco_ap(
    annotations: Path | Mapping[str, Any],
    detections: Sequence[Mapping[str, Any]],
    image_ids: Sequence[int] | None = None,
) -> dict[str, float]:
    """Return COCO's official figures of keypoint detection, percent: AP, AP50, AP75, APM, APL, AR.

    Args:
        annotations: a COCO keypoint file, or what is in it.
        detections: as `coco_detections` returns them, or a file of results holds them.
        image_ids: pictures to count; all by default.

    Raises:
        SadinetError: if pycocotools is not installed.
        SourceError: if the annotations cannot be read.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise SadinetError("average precision needs pycocotools", "pip install pycocotools") from error
    with contextlib.redirect_stdout(io.StringIO()):  # it prints every step
        truth, found = COCO(), COCO()
        truth.dataset = _coco_dataset(annotations)
        truth.createIndex()
        if detections:
            found = truth.loadRes([dict(d) for d in detections])
        else:
            found.dataset = {**truth.dataset, "annotations": []}
            found.createIndex()
        evaluation = COCOeval(truth, found, "keypoints")
        if image_ids is not None:
            evaluation.params.imgIds = sorted({int(i) for i in image_ids})
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ("AP", "AP50", "AP75", "APM", "APL", "AR")
    # -1 stands for "no person of this size".
    return {n: float("nan") if v < 0 else 100 * float(v) for n, v in zip(names, evaluation.stats, strict=False)}


def _coco_dataset(annotations: Path | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(annotations, Mapping):
        return dict(annotations)
    try:
        loaded: dict[str, Any] = json.loads(annotations.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {annotations}: {error}", "a COCO keypoint JSON is needed") from error
    return loaded
