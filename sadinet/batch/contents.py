"""What goes on the page of one input: gathered while its windows pass, then written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.batch.faces import FrameHeads
from sadinet.batch.naming import Job
from sadinet.batch.page import Shot
from sadinet.batch.page_builder import PageBuilder
from sadinet.batch.page_html import write_page
from sadinet.batch.windows import Window, shown_poses
from sadinet.geometry import Box
from sadinet.media.blur import cover
from sadinet.media.draw import draw_poses
from sadinet.media.heads import Head
from sadinet.motion.quality import FLAGS
from sadinet.results import Pose
from sadinet.tables.sidecar import Sidecar

SHOTS = 12
"""Pictures on a page."""

_MOST_KEPT = 8 * SHOTS

MEANINGS = {
    **FLAGS,
    "after_skipped": "frames before this one could not be decoded",
    "damaged": "the decoder guessed parts of this frame",
    "no_time": "the frame's time is missing or does not rise",
    "scene_cut": "another scene begins with this frame",
    "id_uncertain": "the person's number could nearly as well have been another one",
    "id_refound": "the person was out of sight and was given the earlier number again",
}
"""What each flag of a table says."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A small picture that may be shown, who is in it, and what of it is covered."""

    jpeg: bytes
    index: int
    time_s: float
    size_wh: tuple[int, int]
    poses: tuple[Pose, ...]
    heads: FrameHeads


class Contents:
    """Takes the windows in their order; memory does not grow with them."""

    def __init__(self) -> None:
        self._builder = PageBuilder()
        self._kept: list[_Candidate] = []
        self._every = 1
        self._seen = 0

    def add(self, window: Window, heads: Sequence[FrameHeads]) -> None:
        """Take the next window, and what is to be covered in each of its frames."""
        taken = window.recording
        self._builder.add(taken)
        for position, jpeg in window.previews:
            if self._seen % self._every == 0:
                size_wh = (int(taken.sizes_wh[position, 0]), int(taken.sizes_wh[position, 1]))
                shown = shown_poses(taken, position)
                time_s = float(taken.time_s[position])
                index = int(taken.index[position])
                self._kept.append(_Candidate(jpeg, index, time_s, size_wh, shown, heads[position]))
            self._seen += 1
            if len(self._kept) > _MOST_KEPT:
                self._kept = self._kept[::2]
                self._every *= 2

    def write(self, path: Path, sidecar: Sidecar, job: Job) -> None:
        """Write the page.

        Raises:
            OutputError: if the disk refuses.
        """
        count = min(SHOTS, len(self._kept))
        places = [(2 * number + 1) * len(self._kept) // (2 * count) for number in range(count)]
        page = self._builder.finish(
            Path(job.where).name or job.where,
            _facts(sidecar),
            shots=[_shot(self._kept[place]) for place in places],
            meanings=MEANINGS,
            skipped_frames=sidecar.skipped_frames,
            problems=sidecar.problems,
            video=_video(job),
        )
        write_page(path, page)


def _video(job: Job) -> str:
    overlay = job.outputs.overlay
    return overlay.name if overlay is not None and job.kind == "video" else ""


def _facts(sidecar: Sidecar) -> Mapping[str, str]:
    facts = {
        "Source": sidecar.source.path,
        "Size": f"{sidecar.source.bytes:,} bytes",
        "SHA-256 of the source": sidecar.source.sha256,
        "Pose network": f"{sidecar.weights.name}, SHA-256 {sidecar.weights.sha256}",
        "Person detector": "",
        "Ran on": f"{sidecar.engine}, {sidecar.device}, {sidecar.precision}",
        "Joints": sidecar.skeleton,
        "Version": f"SADI-NET {sidecar.version}",
    }
    if sidecar.detector is not None:
        facts["Person detector"] = f"{sidecar.detector.name}, SHA-256 {sidecar.detector.sha256}"
    return {name: text for name, text in facts.items() if text}


def _shot(taken: _Candidate) -> Shot:
    small: NDArray[np.uint8] = np.asarray(
        cv2.imdecode(np.frombuffer(taken.jpeg, dtype=np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8
    )
    scale = small.shape[1] / taken.size_wh[0]
    poses = [_scaled(pose, scale) for pose in taken.poses]
    covered = cover(small, [_scaled_head(head, scale) for head in taken.heads])
    return Shot(draw_poses(covered, poses), taken.index, taken.time_s, len(poses))


def _scaled_head(head: Head, scale: float) -> Head:
    x, y = ((value + 0.5) * scale - 0.5 for value in (head.x, head.y))
    return Head(x, y, head.radius * scale)


def _scaled(pose: Pose, scale: float) -> Pose:
    box = pose.box
    joints = ((pose.joints + 0.5) * scale - 0.5).astype(np.float32)
    x, y = ((value + 0.5) * scale - 0.5 for value in (box.x, box.y))
    return replace(pose, joints=joints, box=Box(x, y, box.width * scale, box.height * scale, box.score))
