"""Snapshots: two pictures and the numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.snapshot import SnapshotOptions, save_snapshot
from sadinet.errors import OutputError
from sadinet.geometry import Box
from sadinet.media.blur import blur_faces
from sadinet.media.draw import draw_poses
from sadinet.media.pictures import read_picture
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import BODY19


@pytest.fixture
def seen() -> FrameResult:
    random = np.random.default_rng(3)
    joints = random.uniform(40, 160, (19, 2)).astype(np.float32)
    scores = np.linspace(0.2, 0.9, 19).astype(np.float32)
    sigmas = np.full((19, 2), 2.5, np.float32)
    sigmas[4] = np.nan
    pose = Pose(joints, scores, sigmas, Box(30, 30, 140, 140, 0.8), BODY19, 4, ("edge",))
    image = random.integers(0, 256, (200, 220, 3), dtype=np.uint8)
    return FrameResult(Frame(image, 17, 0.5667, "Webcam"), (pose,))


def test_the_three_files_hold_what_was_seen(seen, tmp_path):
    plain, drawn, numbers = save_snapshot(seen, tmp_path / "new", SnapshotOptions(weights="sadinet-s"))
    assert (read_picture(plain) == seen.frame.image).all()
    assert (read_picture(drawn) == draw_poses(seen.frame.image, seen.poses)).all()
    told = json.loads(numbers.read_text())
    assert (told["source"], told["frame"], told["time_s"], told["size_wh"]) == ("Webcam", 17, 0.5667, [220, 200])
    (person,) = told["people"]
    assert (person["track_id"], person["skeleton"], person["flags"]) == (4, "body19", ["edge"])
    assert person["box"] == {"x": 30, "y": 30, "width": 140, "height": 140, "score": 0.8}
    nose = person["joints"]["nose"]
    assert [nose["x"], nose["y"]] == pytest.approx(seen.poses[0].joints[14].tolist(), abs=0.005)
    assert person["joints"]["left_knee"]["sigma_x"] is None
    assert len(person["joints"]) == 19


def test_covered_faces_are_covered_in_both_pictures(seen, tmp_path):
    plain, drawn, numbers = save_snapshot(seen, tmp_path, SnapshotOptions(blur_faces=True, threshold=0.5))
    hidden = blur_faces(seen.frame.image, seen.poses)
    assert (hidden != seen.frame.image).any()
    assert (read_picture(plain) == hidden).all()
    assert (read_picture(drawn) == draw_poses(hidden, seen.poses, threshold=0.5)).all()
    assert json.loads(numbers.read_text())["faces_covered"] is True


def test_several_in_one_second_do_not_overwrite_each_other(seen, tmp_path):
    saved = [path for _ in range(3) for path in save_snapshot(seen, tmp_path, SnapshotOptions())]
    assert len(set(saved)) == len(list(tmp_path.iterdir())) == 9


def test_a_folder_that_cannot_be_is_told(seen, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        save_snapshot(seen, tmp_path / "file" / "in", SnapshotOptions())
