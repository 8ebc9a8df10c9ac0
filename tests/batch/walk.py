"""A made-up recording: people who walk, with smoothed joints, angles and flags."""

from __future__ import annotations

import numpy as np

from sadinet.recording import Recording
from sadinet.skeletons import BODY19

FPS = 25.0


def walk(
    frames: int = 200, people: tuple[int, ...] = (1, 2), *, first: int = 0, has_times: bool = True, seed: int = 4
) -> Recording:
    """Return `frames` frames; the first person is there from the start, each other from 20 frames later on.

    The first person is away in frames 60 to 69, has the flag "jump" in frames 30 to 34 and at 100, and "left_right"
    at 100; frame 50 is "damaged".
    """
    rng = np.random.default_rng(seed)
    rows = [
        (frame, person)
        for frame in range(frames)
        for place, person in enumerate(people)
        if frame >= 20 * place and not (place == 0 and 60 <= frame < 70)
    ]
    row_frame = np.array([frame for frame, _ in rows], dtype=np.int64)
    ids = np.array([person for _, person in rows], dtype=np.int64)
    true = body(row_frame / FPS, np.array([people.index(person) for person in ids.tolist()]))
    scores = np.clip(rng.normal(0.8, 0.08, true.shape[:2]), 0.05, 1).astype(np.float32)
    sigmas = rng.uniform(1.5, 4.0, true.shape)
    joints = true + rng.normal(0, sigmas)
    index = np.arange(first, first + frames, dtype=np.int64)
    return Recording(
        skeleton=BODY19,
        index=index,
        time_s=index / FPS if has_times else np.full(frames, np.nan),
        sizes_wh=np.tile(np.array([[1280, 720]]), (frames, 1)),
        frame_flags=tuple(("damaged",) if number == 50 else () for number in index.tolist()),
        sources=("walk <&> 走る.mp4",) * frames,
        row_frame=row_frame,
        track_ids=ids,
        boxes=np.tile([0.0, 0, 1, 1, 0.9], (len(rows), 1)),
        joints=joints.astype(np.float32),
        scores=scores,
        sigmas=sigmas.astype(np.float32),
        flags=tuple(_flags(first + frame, person == people[0]) for frame, person in rows),
        extra=_extra(true, joints, sigmas),
    )


def body(time_s: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return true joints (R, 19, 2), pixels, of people who walk to the right."""
    sway = 2 * np.pi * time_s * 0.9 + place
    middle = np.stack([200 + 60 * time_s + 150 * place, 330 + 5 * np.sin(2 * sway)], axis=1)
    places = {
        "hip": (0, 0, 0), "knee": (28, 82, 0), "ankle": (70, 160, 0.4), "shoulder": (4, -105, 0),
        "elbow": (-24, -50, 0), "wrist": (-52, 0, 0.3), "eye": (0, -165, 0), "ear": (0, -162, 0),
    }  # fmt: skip
    middles = {"neck": (0, -120), "head_top": (2, -195), "nose": (14, -155)}
    result = np.empty((len(time_s), len(BODY19), 2))
    for number, joint in enumerate(BODY19.joints):
        side = 1 if joint.startswith("left") else -1
        name = joint.removeprefix("left_").removeprefix("right_")
        if name in middles:
            result[:, number] = middle + middles[name]
            continue
        swing, down, lift = places[name]
        phase = np.sin(sway + (side - 1) * np.pi / 2)
        result[:, number, 0] = middle[:, 0] + swing * phase + 6 * side
        result[:, number, 1] = middle[:, 1] + down - lift * abs(swing) * np.clip(phase, 0, 1)
    return result


def _flags(frame: int, is_first: bool) -> tuple[str, ...]:
    if not is_first:
        return ()
    if frame == 100:
        return ("left_right", "jump")
    return ("jump",) if 30 <= frame < 35 else ()


def _extra(true: np.ndarray, joints: np.ndarray, sigmas: np.ndarray) -> dict[str, np.ndarray]:
    smooth = (true * 3 + joints) / 4
    columns = {
        f"{joint}_{'xy'[axis]}_smooth": smooth[:, number, axis]
        for number, joint in enumerate(BODY19.joints)
        for axis in range(2)
    }
    for side in ("left", "right"):
        hip, knee, ankle = (smooth[:, BODY19.index(f"{side}_{joint}")] for joint in ("hip", "knee", "ankle"))
        one, other = hip - knee, ankle - knee
        turn = np.arctan2(one[:, 1], one[:, 0]) - np.arctan2(other[:, 1], other[:, 0])
        columns[f"angle_{side}_knee"] = np.degrees(np.abs((turn + np.pi) % (2 * np.pi) - np.pi))
        columns[f"angle_{side}_knee_sigma"] = np.degrees(sigmas.mean(axis=(1, 2)) / 80)
    columns["angle_trunk_lean"] = 5 * np.sin(np.arange(len(joints)) / 40)
    columns["angle_trunk_lean_sigma"] = np.full(len(joints), 1.5)
    return columns
