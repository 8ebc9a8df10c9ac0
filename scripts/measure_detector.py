"""Measure person detectors: recall of labelled people, boxes a picture, milliseconds.

    python scripts/measure_detector.py MANIFEST... --sizes 320x256,384x288 --root DIR --annotations FILE

`DIR` holds the pictures of a COCO keypoint JSON. Recall counts labelled people that a box of the given
score covers with an IoU of at least 0.5, each box for one person; a person is large from 96 x 96 px of
area on, as in COCO, and whole with at least 12 of the 17 joints labelled (large and whole are those whose
pose is worth the name). Times are of the whole call (fit, network, boxes) on a
640x480 picture, the candidates taking turns so that a machine that is busy is busy for all of them alike;
`ratio` is the median over the turns of a candidate's time by the first one's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sadinet.errors import SadinetError, SourceError
from sadinet.geometry import box_iou
from sadinet.people.detector import PersonDetector
from sadinet.training.sizes import parse_size
from sadinet.weights import Weights, find_weights

LARGE_PX2 = 96 * 96
WHOLE_JOINTS = 12
IOU = 0.5
SCORES = (0.3, 0.4, 0.5)

Floats = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its labelled people.

    Attributes:
        path: the file.
        boxes: (N, 4) x, y, width, height; x and y from the picture's edge.
        areas: (N,) square pixels of the person's outline.
        joints: (N,) how many joints are labelled.
    """

    path: Path
    boxes: Floats
    areas: Floats
    joints: Floats

    def read(self) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 BGR."""
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if image is None:
            raise SystemExit(f"cannot read {self.path}")
        return np.asarray(image, dtype=np.uint8)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", nargs="*", default=["default"], help="names or manifests (default: the shipped one)")
    parser.add_argument("--root", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--annotations", type=Path, required=True, help="COCO keypoint JSON")
    parser.add_argument("--sizes", help="input sizes, separated by commas (default: the manifest's)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=40, help="timed turns (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args(arguments)
    try:
        detectors = open_all(options)
        pictures = read_labels(options.root, options.annotations)
        if not pictures:
            raise SourceError(f"{options.root} has none of the pictures in {options.annotations}", "name their folder")
    except SadinetError as error:
        print(f"measure_detector: {error}", file=sys.stderr)
        return 1
    times = measure_times(detectors, pictures, options.rounds)
    rows = {name: measure_recall(detector, pictures) | times[name] for name, detector in detectors.items()}
    print_table(rows, pictures)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


def open_all(options: argparse.Namespace) -> dict[str, PersonDetector]:
    """Open each model at each size."""
    detectors = {}
    for name in options.weights:
        weights = find_weights(name, "detector")
        own = "{}x{}".format(*weights.manifest.input.size_wh)
        for size in (options.sizes or own).split(","):
            sized = dataclasses.replace(weights.manifest.input, size_wh=parse_size(size))
            manifest = dataclasses.replace(weights.manifest, input=sized)
            key = f"{weights.name} {size}"
            detectors[key] = PersonDetector(Weights(manifest, weights.path), "cpu", options.threads, score=min(SCORES))
    return detectors


def read_labels(root: Path, annotations: Path) -> list[Picture]:
    """Return the pictures that are there, with their people; crowds are left out."""
    labels = json.loads(annotations.read_text(encoding="utf-8"))
    people: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for label in labels["annotations"]:
        if not label.get("iscrowd"):
            people[label["image_id"]].append(label)
    return [
        Picture(
            root / image["file_name"],
            np.array([label["bbox"] for label in people[image["id"]]], dtype=float).reshape(-1, 4),
            np.array([label["area"] for label in people[image["id"]]], dtype=float),
            np.array([label["num_keypoints"] for label in people[image["id"]]], dtype=float),
        )
        for image in labels["images"]
        if (root / image["file_name"]).is_file()
    ]


def measure_recall(detector: PersonDetector, pictures: list[Picture]) -> dict[str, float]:
    """Return recall in percent of all, of large and of whole people, and boxes a picture, at each score."""
    found: dict[float, list[NDArray[np.bool_]]] = defaultdict(list)
    boxes: dict[float, int] = defaultdict(int)
    for picture in pictures:
        predicted = detector(picture.read())
        for score in SCORES:
            chosen = np.array([[b.x + 0.5, b.y + 0.5, b.width, b.height] for b in predicted if b.score >= score])
            found[score].append(covered(picture.boxes, chosen.reshape(-1, 4)))
            boxes[score] += len(chosen)
    large, whole = groups(pictures)
    figures = {}
    for score in SCORES:
        hits = np.concatenate(found[score])
        figures[f"recall@{score}"] = round(100 * float(hits.mean()), 1)
        figures[f"large@{score}"] = round(100 * float(hits[large].mean()), 1)
        figures[f"whole@{score}"] = round(100 * float(hits[whole].mean()), 1)
        figures[f"boxes@{score}"] = round(boxes[score] / len(pictures), 2)
    return figures


def groups(pictures: list[Picture]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say of all people (N,) who is large, and who is large and whole."""
    large = np.concatenate([picture.areas for picture in pictures]) > LARGE_PX2
    return large, large & (np.concatenate([picture.joints for picture in pictures]) >= WHOLE_JOINTS)


def covered(labels: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """Say which labels (N, 4) a box (M, 4) of its own covers, for the pairing that covers most."""
    hit = np.zeros(len(labels), dtype=bool)
    close = box_iou(boxes, labels) >= IOU
    rows, columns = linear_sum_assignment(close, maximize=True)
    hit[columns] = close[rows, columns]
    return hit


def measure_times(
    detectors: dict[str, PersonDetector], pictures: list[Picture], rounds: int
) -> dict[str, dict[str, float]]:
    """Return median and fastest milliseconds of a whole call on 640x480, and the ratio to the first detector's."""
    images = [cv2.resize(picture.read(), (640, 480)) for picture in pictures[:8]]
    times: dict[str, list[float]] = defaultdict(list)
    for turn in range(-2, rounds):
        for name, detector in detectors.items():
            start = time.perf_counter()
            detector(np.asarray(images[turn % len(images)], dtype=np.uint8))
            if turn >= 0:
                times[name].append(1000 * (time.perf_counter() - start))
    first = next(iter(times.values()))
    return {
        name: {
            "ms": round(statistics.median(values), 1),
            "ms_fastest": round(min(values), 1),
            "ratio": round(statistics.median(a / b for a, b in zip(values, first, strict=True)), 2),
        }
        for name, values in times.items()
    }


def print_table(rows: dict[str, dict[str, float]], pictures: list[Picture]) -> None:
    """Print the figures as a Markdown table."""
    large, whole = groups(pictures)
    print(
        f"{len(pictures)} pictures, {len(large)} people, {large.sum()} of them large, {whole.sum()} large and whole\n"
    )
    columns = [f"{kind}@{score}" for score in SCORES for kind in ("recall", "large", "whole", "boxes")]
    columns += ["ms", "ms_fastest", "ratio"]
    print("| detector | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[column]:g}" for column in columns) + " |")


if __name__ == "__main__":
    sys.exit(main())
