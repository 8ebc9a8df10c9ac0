"""Recordings whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from sadinet.recording import Recording
from sadinet.skeletons import BODY19, Skeleton


def make(time_s, people=2, *, noise_px=2.0, low=0.02, seed=0, skeleton: Skeleton = BODY19) -> Recording:
    """People whose joints swing at 1.1 Hz; a share `low` of the scores is bad."""
    rng = np.random.default_rng(seed)
    time_s = np.asarray(time_s, dtype=float)
    frames, joints = len(time_s), len(skeleton)
    base = rng.uniform(100, 500, (people, joints, 2))
    swing, phase = rng.uniform(5, 60, base.shape), rng.uniform(0, 6.28, base.shape)
    turn = 2 * np.pi * 1.1 * np.nan_to_num(time_s)[:, None, None, None]
    places = base + swing * np.sin(turn + phase) + rng.normal(0, noise_px, (frames, *base.shape))
    rows = frames * people
    return Recording(
        skeleton=skeleton,
        index=np.arange(frames),
        time_s=time_s,
        sizes_wh=np.tile([640, 640], (frames, 1)),
        frame_flags=((),) * frames,
        sources=("a.mp4",) * frames,
        row_frame=np.repeat(np.arange(frames), people),
        track_ids=np.tile(np.arange(people), frames),
        boxes=np.tile([100.0, 100, 400, 400, 1], (rows, 1)),
        joints=places.reshape(-1, joints, 2).astype(np.float32),
        scores=np.where(rng.random((rows, joints)) < low, 0.05, 0.8).astype(np.float32),
        sigmas=np.full((rows, joints, 2), 3 * noise_px, dtype=np.float32),
        flags=((),) * rows,
    )


@pytest.fixture
def swinging():
    return make
