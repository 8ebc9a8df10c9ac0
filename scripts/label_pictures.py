"""Label pictures by networks: joints on which all views of all teachers agree, as COCO keypoints to train on.

    python scripts/label_pictures.py PICTURES -o labels.json --sheet sheet.jpg
    python scripts/label_pictures.py PICTURES -o labels.json --weights large.json other.json --most-people 1

The shipped detector finds the people. Each teacher, any heatmap network with a manifest, sees everybody in two margins,
as they are and mirrored. Pictures are taken as stored, as training takes them: turn those first that only their EXIF
orientation turns upright. A joint is kept where its mean score is high enough and no view lies far from the median.
Look at the sheet before you train. `train.py` takes the file as layout "labels" with `annotations`, and
`prepare_data.py pack` as --annotations.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from sadinet.atomic import write_bytes
from sadinet.errors import InputError, SadinetError, SourceError
from sadinet.media.draw import draw_poses
from sadinet.media.pictures import check_picture_path, pictures_in, write_picture
from sadinet.media.sheet import contact_sheet
from sadinet.people.detector import PersonDetector
from sadinet.people.estimator import PoseEstimator
from sadinet.results import Pose
from sadinet.skeletons import COCO17
from sadinet.training.datasets import cut_person, read_picture
from sadinet.training.sets.labelling import AGREEMENT, LEAST_SCORE, Agreed, Image, agree, coco_labels, views_of
from sadinet.weights import find_weights

Labelled = dict[Path, tuple[tuple[int, int], list[Agreed]]]

TILE_PX = 200
COLUMNS = 6


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, metavar="PICTURES", help="folder; its subfolders are not looked into")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="JSON", help="COCO keypoint file to write")
    parser.add_argument("--weights", nargs="+", default=["default"], help="teachers: names or manifests")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th picture, for frames of videos")
    parser.add_argument("--most-people", type=int, default=5, help="in a picture, the largest first")
    parser.add_argument("--least-height", type=float, default=90.0, help="of a person's box, pixels")
    parser.add_argument("--least-joints", type=int, default=7, help="people with fewer are left out")
    parser.add_argument("--least-score", type=float, default=LEAST_SCORE, help="mean over the views, of a joint")
    parser.add_argument("--agreement", type=float, default=AGREEMENT, help="torsos from the views' median")
    parser.add_argument("--sheet", type=Path, help="picture with a sample of the labels")
    parser.add_argument("--threads", type=int, help="of each network")
    return parser.parse_args(arguments)


class Labeller:
    """Detector and teachers, ready to label; raises what opening them raises."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.detector = PersonDetector(find_weights("default", "detector"), threads=options.threads)
        self.teachers = [PoseEstimator(name, skeleton=COCO17.name, threads=options.threads) for name in options.weights]

    def __call__(self, image: Image) -> list[Agreed]:
        """Return the people with joints enough, largest box first."""
        options = self.options
        boxes = [box for box in self.detector(image) if box.height >= options.least_height]
        boxes = sorted(boxes, key=lambda box: -box.area)[: options.most_people]
        if not boxes:
            return []
        joints, scores = views_of(self.teachers, image, boxes)
        people = [
            agree(joints[:, i], scores[:, i], box, least_score=options.least_score, agreement=options.agreement)
            for i, box in enumerate(boxes)
        ]
        return [person for person in people if person.known.sum() >= options.least_joints]


def tile(image: Image, person: Agreed) -> Image:
    """Return the person with the kept joints drawn."""
    shown = np.where(person.known[:, None], person.joints, np.nan).astype(np.float32)
    part, moved = cut_person(image, shown, person.known.astype(np.float32), TILE_PX)
    nothing = np.full_like(moved, np.nan)
    pose = Pose(moved, person.known.astype(np.float32), nothing, person.box, COCO17)
    return draw_poses(part, [pose], labels=False)


def label(labeller: Labeller, paths: Sequence[Path]) -> Labelled:
    """Label picture after picture; those that cannot be read are named and left out, and Ctrl-C keeps what is done."""
    found: Labelled = {}
    try:
        for path in track(paths, "pictures", console=Console(stderr=True), transient=True):
            try:
                image = read_picture(path)
            except SourceError as error:
                print(f"label_pictures: {error.message}; left out", file=sys.stderr)
                continue
            people = labeller(image)
            if people:
                found[path.resolve()] = ((image.shape[1], image.shape[0]), people)
    except KeyboardInterrupt:
        print("label_pictures: stopped; what was labelled so far is kept", file=sys.stderr)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Label and write; returns the exit code."""
    options = parse(arguments)
    try:
        if min(options.every, options.most_people, options.least_joints) < 1:
            raise InputError("--every, --most-people and --least-joints must be at least 1")
        if options.sheet:
            check_picture_path(options.sheet)
        paths = pictures_in(options.pictures, str(options.pictures))[:: options.every]
        found = label(Labeller(options), paths)
        if not found:
            raise SourceError(f"nobody to label in {options.pictures}", "lower --least-height or --least-joints")
        write_bytes(options.out, json.dumps(coco_labels(found)).encode())
        known = [int(person.known.sum()) for _, people in found.values() for person in people]
        told = f"{len(known)} people in {len(found)} of {len(paths)} pictures, {np.mean(known):.1f} joints each"
        print(f"{told}: {options.out}")
        if options.sheet:
            write_sheet(options.sheet, found)
    except SadinetError as error:
        print(f"label_pictures: {error}", file=sys.stderr)
        return 1
    return 0


def write_sheet(path: Path, found: Labelled) -> None:
    """Draw an even sample of the people on one picture."""
    everybody = [(picture, person) for picture, (_, people) in found.items() for person in people]
    rows = np.linspace(0, len(everybody) - 1, min(4 * COLUMNS, len(everybody))).astype(int)
    tiles = [tile(read_picture(everybody[row][0]), everybody[row][1]) for row in rows]
    write_picture(path, contact_sheet(tiles, COLUMNS))


if __name__ == "__main__":
    sys.exit(main())
