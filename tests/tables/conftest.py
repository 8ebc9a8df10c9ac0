"""A recording with everything that makes tables hard."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

import numpy as np
import pytest

from sadinet.recording import Recording
from sadinet.skeletons import BODY19, Skeleton
from sadinet.tables.writer import FORMATS, TableInfo, open_table

SPANS = {3: (0, 1, 2, 3, 4, 8, 9), 7: (2, 3, 4, 5, 6, 9), 12: (11,)}
"""Frames of each person: they come, leave and come back; frames 7 and 10 have nobody."""
SMOOTH = ("left_knee_x_smooth", "left_knee_y_smooth")
EXTRA = (*SMOOTH, "angle_left_knee")


class Tables:
    """What the tests of all formats share."""

    spans, extra, smooth = SPANS, EXTRA, SMOOTH

    def recording(self, skeleton: Skeleton = BODY19, *, frames: int = 12, seed: int = 0) -> Recording:
        """Return made-up poses, joint 1 missing throughout, with unknown sigmas and a frame rate that varies."""
        rng = np.random.default_rng(seed)
        pairs = sorted((frame, person) for person, seen in SPANS.items() for frame in seen if frame < frames)
        rows, joints = len(pairs), len(skeleton)
        places = rng.uniform(-20, 1900, (rows, joints, 2)).astype(np.float32)
        scores = rng.uniform(0, 1, (rows, joints)).astype(np.float32)
        sigmas = rng.uniform(0.1, 20, (rows, joints, 2)).astype(np.float32)
        places[:, 1], scores[:, 1], sigmas[:, 1], sigmas[:, 2] = np.nan, np.nan, np.nan, np.nan
        extra = {name: rng.uniform(0, 180, rows) for name in EXTRA}
        extra["angle_left_knee"][::3] = np.nan
        return Recording(
            skeleton=skeleton,
            index=np.arange(frames),
            time_s=np.cumsum(np.where(np.arange(frames) == 5, 0.5, 0.04)) - 0.04,
            sizes_wh=np.full((frames, 2), (1920, 1080)),
            frame_flags=tuple(("after_skipped", "dark") if frame in (2, 7) else () for frame in range(frames)),
            sources=tuple(f"läuft, 🏃 {frame}.png" for frame in range(frames)),
            row_frame=np.array([frame for frame, _ in pairs], np.int64),
            track_ids=np.array([person for _, person in pairs], np.int64),
            boxes=rng.uniform(1, 500, (rows, 5)),
            joints=places,
            scores=scores,
            sigmas=sigmas,
            flags=tuple(("edge", "dark") if row == 2 else () for row in range(rows)),
            extra=extra,
        )

    def info(self, skeleton: Skeleton = BODY19, **fields) -> TableInfo:
        return TableInfo(**{"skeleton": skeleton, "source": "läuft.mp4", "extra": EXTRA, "weights": "s", **fields})

    def target(self, folder: Path, name: str, stem: str = "läuft 🏃 1.5x") -> Path:
        return folder / (stem + FORMATS[name].suffix)

    def write(self, name: str, target: Path, windows, info: TableInfo | None = None):
        """Write windows; returns the closed writer."""
        with open_table(name, target, info or self.info()) as table:
            for window in windows:
                table.write(window)
        return table

    def bytes_under(self, folder: Path) -> dict[str, bytes]:
        """Return what lies under a folder, by relative path."""
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    @contextlib.contextmanager
    def small_disk(self, largest_file: int):
        """Let no file grow beyond `largest_file` bytes, as a full disk does."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="session")
def tables() -> Tables:
    """Made-up recordings and ways to write them."""
    return Tables()
