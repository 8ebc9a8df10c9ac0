"""Write COCO keypoint results: a JSON list with one entry for each person and frame, as pycocotools loads it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from sadinet.atomic import AtomicText
from sadinet.recording import Recording
from sadinet.skeletons import COCO17, convert
from sadinet.tables.schema import PIXEL_DECIMALS, SCORE_DECIMALS
from sadinet.tables.writer import TableInfo, TableWriter

_PERSON = 1
"""COCO's category."""


class CocoWriter(TableWriter):
    """COCO's 17 joints of every person; joints that the skeleton lacks are 0, 0, 0.

    `image_id` is the frame's index. For pictures it is the file's number where its name is nothing but a number, as
    COCO's are (000000000139.jpg), and the place in the folder otherwise.

    Raises:
        OutputError: if the folder cannot be written; later, if the disk is full.
    """

    def __init__(self, target: Path, info: TableInfo) -> None:
        self.target, self.info = target, info
        self._conversion = convert(info.skeleton, COCO17)
        self._entries = 0
        self._namings: set[bool] = set()
        self._file = AtomicText(target)
        self._file.write("[")

    @property
    def paths(self) -> tuple[Path, ...]:
        """The list."""
        return (self.target,)

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether two pictures may have got one id."""
        if len(self._namings) < 2:
            return ()
        return ("some pictures are named by number and some are not: their image ids may be the same",)

    def write(self, window: Recording) -> None:
        """Append the entries of a window."""
        self.check(window)
        ids = [self._image_id(index, name) for index, name in zip(window.index.tolist(), window.sources, strict=True)]
        joints = self._conversion.apply(window.joints, axis=1)
        scores = self._conversion.apply(window.scores, axis=1)
        triples = np.concatenate([joints.round(PIXEL_DECIMALS), scores.round(SCORE_DECIMALS)[..., None]], axis=2)
        triples[~np.isfinite(triples).all(axis=2)] = 0.0
        keypoints = (triples + 0.0).reshape(window.rows, 3 * len(COCO17)).tolist()  # + 0: no negative zeros
        boxes = np.nan_to_num(window.boxes[:, :4].round(PIXEL_DECIMALS) + 0.0).tolist()
        means = np.nan_to_num(window.row_scores.round(SCORE_DECIMALS)).tolist()
        for row, frame in enumerate(window.row_frame.tolist()):
            entry = {
                "image_id": ids[frame],
                "category_id": _PERSON,
                "keypoints": keypoints[row],
                "score": means[row],
                "bbox": boxes[row],
                "track_id": int(window.track_ids[row]),
            }
            self._file.write(("," if self._entries else "") + "\n" + json.dumps(entry, separators=(",", ":")))
            self._entries += 1

    def finish(self) -> None:
        """Close the list and give it its name."""
        self._file.write("\n]\n")
        self._file.finish()

    def abandon(self) -> None:
        """Remove the partial list."""
        self._file.abandon()

    def _image_id(self, index: int, name: str) -> int:
        if not self.info.is_pictures:
            return index
        stem = Path(name).stem
        is_number = stem.isascii() and stem.isdigit()
        self._namings.add(is_number)
        return int(stem) if is_number else index
