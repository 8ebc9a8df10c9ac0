"""The files of a recording: whole at every moment, whatever becomes of the program or the disk."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet._version import __version__
from sadinet.atomic import output_error, write_bytes
from sadinet.errors import OutputError, SadinetError
from sadinet.media.recorder import VideoRecorder
from sadinet.recording import record
from sadinet.results import Frame, FrameResult
from sadinet.skeletons import BODY19, Skeleton
from sadinet.tables.csv_writer import CsvWriter
from sadinet.tables.growing import GrowingText
from sadinet.tables.sidecar import local_time
from sadinet.tables.writer import TableInfo

VIDEO, KEYPOINTS, TIMESTAMPS, SETTINGS = "video.mkv", "keypoints.csv", "timestamps.csv", "settings.json"
SCHEMA = 1
"""Of settings.json; goes up when a field changes its meaning."""

_LEAST_FREE_BYTES = 100_000_000  # a disk that is full to the brim harms more than a recording
_LOOK_EVERY_S = 2.0
_STAMP_HEAD = "frame,time_s,source_frame,source_time_s,clock_s\n"


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is recorded.

    Attributes:
        name: what to call it; without passwords.
        kind: "camera", "stream" and such.
        rate_hz: frames a second as the source says, None where it does not.
    """

    name: str
    kind: str = ""
    rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """How it is recorded.

    Attributes:
        blur_faces: cover faces in the video, also of people who are found a moment later; nothing else is written.
        skeleton: of the poses; None for that of the first pose, before which no keypoints are written.
        weights: name of the pose network.
        settings: whatever tells how poses were found: numbers, texts, lists and mappings.
        least_free_bytes: a recording ends when the disk has less left.
    """

    blur_faces: bool = False
    skeleton: Skeleton | None = None
    weights: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    least_free_bytes: int = _LEAST_FREE_BYTES


class RecordingFiles:
    """The files of one recording, open.

    Args:
        folder: of this recording alone; is made.
        source: what is recorded.
        options: how.

    Raises:
        OutputError: if the folder cannot be made, holds a recording, or its disk has too little room; later, if
            the disk is full.
    """

    def __init__(self, folder: Path, source: SourceFacts, options: RecordingOptions) -> None:
        self._folder = folder
        self._options = options
        self._facts = _facts(source, options)
        self._looked_s = -math.inf
        self._keypoints: CsvWriter | None = None
        self._nobody: list[FrameResult] = []  # frames before the first person, whose skeleton is not known yet
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error
        self._check_space()
        self._video: VideoRecorder = VideoRecorder(folder / VIDEO)
        self._write_settings()
        self._stamps = GrowingText(folder / TIMESTAMPS)
        self._stamps.write(_STAMP_HEAD)

    @property
    def frames(self) -> int:
        """Frames in the video."""
        return self._video.frames

    def write(self, result: FrameResult, clock_s: float) -> float:
        """Write a frame, taken when the computer's clock said `clock_s`; returns its time in the video, seconds."""
        self._check_space()
        frame = result.frame
        number = self._video.frames
        time_s = self._video.write(frame.image, frame.time_s)
        self._stamps.write(f"{number},{time_s:.6f},{frame.index},{frame.time_s:.6f},{clock_s:.6f}\n")
        placed = replace(without_picture(frame), index=number, time_s=time_s)
        self._write_poses(replace(result, frame=placed))
        return time_s

    def close(self, counts: Mapping[str, float], error: BaseException | None) -> SadinetError | None:
        """Let go of everything, and write how it ended.

        Args:
            counts: further numbers to tell.
            error: why it ended, None for the user's wish.

        Returns:
            What went wrong now.
        """
        failure: SadinetError | None = None
        if self._keypoints is None and self._nobody:
            failure = _tried(lambda: self._begin_keypoints(BODY19))
        if self._keypoints is not None:
            failure = _tried(self._keypoints.finish) or failure
        failure = _tried(self._stamps.finish) or failure
        failure = _tried(self._video.close) or failure
        told = error or failure
        self._facts |= {
            "state": "complete" if told is None else "ended by an error",
            "error": "" if told is None else str(told),
            "ended": local_time(),
            "frames": self._video.frames,
            **counts,
        }
        return _tried(self._write_settings) or failure

    def _write_poses(self, result: FrameResult) -> None:
        if self._keypoints is None and self._options.skeleton is not None:
            self._begin_keypoints(self._options.skeleton)
        if self._keypoints is None and not result.poses:
            self._nobody.append(result)
            return
        if self._keypoints is None:
            self._begin_keypoints(result.poses[0].skeleton)
        assert self._keypoints is not None  # noqa: S101  just begun
        self._keypoints.write(record([result], self._keypoints.info.skeleton))

    def _begin_keypoints(self, skeleton: Skeleton) -> None:
        path = self._folder / KEYPOINTS
        info = TableInfo(skeleton, VIDEO, weights=self._options.weights)
        self._keypoints = CsvWriter(path, info, GrowingText(path))
        self._keypoints.write(record(self._nobody, skeleton))
        self._nobody = []

    def _write_settings(self) -> None:
        text = json.dumps(self._facts, indent=2, ensure_ascii=False, default=str)
        write_bytes(self._folder / SETTINGS, (text + "\n").encode("utf-8", errors="backslashreplace"))

    def _check_space(self) -> None:
        if time.monotonic() - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = time.monotonic()
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise output_error(self._folder, error) from error
        if free < self._options.least_free_bytes:
            raise OutputError(
                f"the recording ended: {self._folder} has {free / 1e6:,.0f} MB left",
                "what was recorded is there; free some space or choose another disk",
            )


def _facts(source: SourceFacts, options: RecordingOptions) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "state": "recording",
        "source": {"name": source.name, "kind": source.kind, "rate_hz": source.rate_hz},
        "started": local_time(),
        "faces_covered": options.blur_faces,
        "weights": options.weights,
        "settings": dict(options.settings),
        "version": __version__,
        "again": f"sadinet run {VIDEO} -o RESULTS",
    }


def without_picture(frame: Frame) -> Frame:
    """Return a frame with a picture of the same size that takes no memory."""
    return replace(frame, image=_blank(frame.image.shape))


@lru_cache(maxsize=4)
def _blank(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.broadcast_to(np.zeros((), np.uint8), shape)


def _tried(step: Callable[[], object]) -> SadinetError | None:
    try:
        step()
    except SadinetError as error:
        return error
    return None


def recording_folder(parent: Path, name: str) -> Path:
    """Return a name for a recording's folder that is not taken: date, time and source."""
    plain = "".join(char if char.isalnum() or char in " -_." else "_" for char in name).strip(" .")[:40]
    stem = f"{time.strftime('%Y-%m-%d %H-%M-%S')} {plain}".strip()
    number, folder = 1, parent / stem
    while folder.exists():
        number += 1
        folder = parent / f"{stem} {number}"
    return folder


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that lies there.

    Attributes:
        folder: of it.
        video: its video.
        keypoints: what was found live; None if nothing was written of it.
        facts: what settings.json tells; empty if it cannot be read.
    """

    folder: Path
    video: Path
    keypoints: Path | None
    facts: Mapping[str, Any]


def recorded_in(folder: Path) -> Recorded | None:
    """Return the recording that lies in a folder, also one that was cut off; None if there is none."""
    video, keypoints = folder / VIDEO, folder / KEYPOINTS
    if not video.is_file():
        return None
    facts: Mapping[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        facts = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    return Recorded(folder, video, keypoints if keypoints.is_file() else None, facts)
