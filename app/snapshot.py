"""Keep what is seen: the picture as it is, the picture with the skeletons on it, and the numbers. No Qt in here."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sadinet._version import __version__
from sadinet.atomic import output_error, write_bytes
from sadinet.results import FrameResult, Pose
from sadinet.tables.sidecar import local_time

_SKELETONS, _NUMBERS, _PLAIN = "-skeletons.png", ".json", ".png"


@dataclass(frozen=True, slots=True)
class SnapshotOptions:
    """How a snapshot is taken.

    Attributes:
        blur_faces: cover faces in both pictures.
        threshold: joints that score lower are not drawn; the numbers have all.
        source: what is seen; without passwords.
        weights: name of the pose network.
    """

    blur_faces: bool = False
    threshold: float = 0.3
    source: str = ""
    weights: str = ""


def save_snapshot(result: FrameResult, folder: Path, options: SnapshotOptions) -> tuple[Path, ...]:
    """Write the three files of a frame, under a name that is not taken.

    Args:
        result: the frame and its people.
        folder: made if need be.
        options: how.

    Returns:
        Their paths: picture, picture with skeletons, numbers.

    Raises:
        OutputError: if the folder cannot be made or written, or the disk is full.
    """
    from sadinet.media.blur import blur_faces
    from sadinet.media.draw import draw_poses
    from sadinet.media.pictures import write_picture

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    stem = _free_stem(folder)
    plain, drawn, numbers = (folder / (stem + ending) for ending in (_PLAIN, _SKELETONS, _NUMBERS))
    image = blur_faces(result.frame.image, result.poses) if options.blur_faces else result.frame.image
    write_picture(plain, image)
    write_picture(drawn, draw_poses(image, result.poses, threshold=options.threshold))
    text = json.dumps(_facts(result, options), indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(numbers, (text + "\n").encode("utf-8", errors="backslashreplace"))
    return plain, drawn, numbers


def _free_stem(folder: Path) -> str:
    stem = time.strftime("%Y-%m-%d %H-%M-%S")
    number, name = 1, stem
    while any((folder / (name + ending)).exists() for ending in (_PLAIN, _SKELETONS, _NUMBERS)):
        number += 1
        name = f"{stem} {number}"
    return name


def _facts(result: FrameResult, options: SnapshotOptions) -> Mapping[str, Any]:
    frame = result.frame
    return {
        "source": options.source or frame.source,
        "frame": frame.index,
        "time_s": _number(frame.time_s, 6),
        "size_wh": list(frame.size_wh),
        "flags": list(frame.flags),
        "faces_covered": options.blur_faces,
        "taken": local_time(),
        "weights": options.weights,
        "version": __version__,
        "people": [_person(pose) for pose in result.poses],
    }


def _person(pose: Pose) -> Mapping[str, Any]:
    joints = {
        name: {
            "x": _number(pose.joints[at, 0]),
            "y": _number(pose.joints[at, 1]),
            "score": _number(pose.scores[at], 3),
            "sigma_x": _number(pose.sigmas[at, 0]),
            "sigma_y": _number(pose.sigmas[at, 1]),
        }
        for at, name in enumerate(pose.skeleton.joints)
    }
    return {
        "track_id": pose.track_id,
        "score": _number(pose.score, 3),
        "box": {name: _number(value, 3 if name == "score" else 2) for name, value in asdict(pose.box).items()},
        "skeleton": pose.skeleton.name,
        "joints": joints,
        "flags": list(pose.flags),
    }


def _number(value: float, decimals: int = 2) -> float | None:
    return round(float(value), decimals) if math.isfinite(value) else None
