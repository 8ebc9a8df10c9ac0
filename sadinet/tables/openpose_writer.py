"""Write OpenPose's JSON (version 1.3, BODY_25): a folder with one file for each frame, as Pose2Sim reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import partial_path
from sadinet.errors import InputError, OutputError
from sadinet.recording import Recording
from sadinet.skeletons import Skeleton
from sadinet.tables.schema import PIXEL_DECIMALS, SCORE_DECIMALS
from sadinet.tables.scratch import make_scratch, remove, sync, sync_files, told_as
from sadinet.tables.writer import FORMATS, TableInfo, TableWriter

BODY_25: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Nose", ("nose",)),
    ("Neck", ("left_shoulder", "right_shoulder")),
    ("RShoulder", ("right_shoulder",)),
    ("RElbow", ("right_elbow",)),
    ("RWrist", ("right_wrist",)),
    ("LShoulder", ("left_shoulder",)),
    ("LElbow", ("left_elbow",)),
    ("LWrist", ("left_wrist",)),
    ("MidHip", ("left_hip", "right_hip")),
    ("RHip", ("right_hip",)),
    ("RKnee", ("right_knee",)),
    ("RAnkle", ("right_ankle",)),
    ("LHip", ("left_hip",)),
    ("LKnee", ("left_knee",)),
    ("LAnkle", ("left_ankle",)),
    ("REye", ("right_eye",)),
    ("LEye", ("left_eye",)),
    ("REar", ("right_ear",)),
    ("LEar", ("left_ear",)),
    ("LBigToe", ()),
    ("LSmallToe", ()),
    ("LHeel", ()),
    ("RBigToe", ()),
    ("RSmallToe", ()),
    ("RHeel", ()),
)
"""OpenPose's joints in its order, and which of ours each one is; two say that it is the middle of both, as in
OpenPose's own training labels for neck and hips."""

_VERSION = 1.3
_EMPTY = (
    "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d",
    "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d",
)  # fmt: skip


def missing_joints(skeleton: Skeleton) -> tuple[str, ...]:
    """Return the joints of BODY_25 that a skeleton cannot give; they are 0, 0, 0."""
    return tuple(name for name, ours in BODY_25 if not ours or not set(ours) <= set(skeleton.joints))


class OpenPoseWriter(TableWriter):
    """A folder `NAME_json` with a file `NAME_000000000000_keypoints.json` for each frame, with nobody in it or not.

    `person_id` is the track's number, as OpenPose writes it where it tracks.

    Raises:
        InputError: if the target's name does not end with `_json`.
        OutputError: if the folder cannot be written, or one of that name holds other files.
    """

    def __init__(self, target: Path, info: TableInfo) -> None:
        suffix = FORMATS["openpose"].suffix
        if not target.name.endswith(suffix):
            raise InputError(f"{target.name} does not end with {suffix}", f"call the folder {target.name}{suffix}")
        self.target, self.info = target, info
        self._name = target.name.removesuffix(suffix)
        self._missing = [name in missing_joints(info.skeleton) for name, _ in BODY_25]
        self._old = target.with_name(target.name + ".old")
        for folder in (self.target, self._old):
            self._check_ours(folder)
        self._scratch = make_scratch(target)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folder."""
        return (self.target,)

    def write(self, window: Recording) -> None:
        """Write the files of a window's frames."""
        self.check(window)
        keypoints = _rounded(self._body_25(window)).reshape(window.rows, 3 * len(BODY_25)).tolist()
        ids = window.track_ids.tolist()
        with told_as(self.target):
            for position, index in enumerate(window.index.tolist()):
                rows = window.rows_of_frame(position)
                people = [_person(ids[row], keypoints[row]) for row in range(rows.start, rows.stop)]
                text = json.dumps({"version": _VERSION, "people": people}, separators=(",", ":"))
                (self._scratch / f"{self._name}_{index:012d}_keypoints.json").write_text(text, encoding="utf-8")

    def finish(self) -> None:
        """Give the folder its name; one of an earlier run makes way."""
        with told_as(self.target):
            sync_files(self._scratch)
            if self._old.is_dir():
                self._check_ours(self._old)
                remove(self._old)
            if self.target.is_dir():
                self._check_ours(self.target)
                self.target.rename(self._old)
            partial_path(self.target).rename(self.target)
            sync(self.target.parent)
        remove(self._old)

    def abandon(self) -> None:
        """Remove the partial folder."""
        remove(self._scratch)

    def _body_25(self, window: Recording) -> NDArray[np.float64]:
        """Return (R, 25, 3): x, y, score, zeros where unknown."""
        values = np.concatenate([window.joints, window.scores[..., None]], axis=2).astype(np.float64)
        result = np.zeros((window.rows, len(BODY_25), 3))
        for place, (_, ours) in enumerate(BODY_25):
            if self._missing[place]:
                continue
            parts = values[:, [self.info.skeleton.index(joint) for joint in ours]]
            result[:, place, :2] = parts[..., :2].mean(axis=1)
            result[:, place, 2] = parts[..., 2].min(axis=1)
        result[~np.isfinite(result).all(axis=2)] = 0.0
        return result

    def _check_ours(self, folder: Path) -> None:
        """Raise `OutputError` if something that we did not write would be lost."""
        pattern = re.compile(re.escape(self._name) + r"_\d{12}_keypoints\.json")
        with told_as(folder):
            if not folder.exists():
                return
            strange = [each.name for each in folder.iterdir() if not pattern.fullmatch(each.name)]
        if strange:
            raise OutputError(
                f"{folder} holds {strange[0]}, which is no result of this program",
                "choose another folder, or move it away",
            )


def _person(track_id: int, keypoints: list[float]) -> dict[str, Any]:
    return {"person_id": [track_id], "pose_keypoints_2d": keypoints, **{name: [] for name in _EMPTY}}


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    places = values[..., :2].round(PIXEL_DECIMALS)
    return np.concatenate([places, values[..., 2:].round(SCORE_DECIMALS)], axis=2) + 0.0
