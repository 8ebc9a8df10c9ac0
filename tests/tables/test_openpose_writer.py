from __future__ import annotations

import json
import re

import numpy as np
import pytest

from sadinet.errors import InputError, OutputError
from sadinet.skeletons import BODY19, COCO17, LSP14
from sadinet.tables.openpose_writer import BODY_25, missing_joints
from sadinet.tables.writer import open_table

# The order in OpenPose's documentation ("Pose Output Format (BODY_25)").
DOCUMENTED = """
Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip LKnee LAnkle
REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel
"""
ORDER = DOCUMENTED.split()


def frames_as_pose2sim_reads_them(project):
    """Return the people of each frame by Pose2Sim's rules: folders called *json*, a file by its name's last number."""
    folders = [entry for entry in project.iterdir() if entry.is_dir() and "json" in entry.name]
    assert len(folders) == 1
    names = [path.name for path in folders[0].glob("*.json")]
    numbers = [int(re.split(r"(\d+)", name)[-2]) for name in names]
    frames = {}
    for number, name in sorted(zip(numbers, names, strict=True)):
        people = json.loads((folders[0] / name).read_text(encoding="utf-8"))["people"]
        values = [person["pose_keypoints_2d"] for person in people if len(person["pose_keypoints_2d"]) >= 3]
        frames[number] = [np.array([each[0::3], each[1::3], each[2::3]]) for each in values]
    return frames


def test_the_order_is_that_of_openpose():
    assert [name for name, _ in BODY_25] == ORDER


def test_every_frame_has_its_file_and_everybody_is_in_it(tables, tmp_path):
    whole = tables.recording()
    tables.write("openpose", tables.target(tmp_path, "openpose"), [whole.part(0, 3), whole.part(3, 12)])
    frames = frames_as_pose2sim_reads_them(tmp_path)
    assert list(frames) == list(range(12))
    assert [len(people) for people in frames.values()] == np.bincount(whole.row_frame, minlength=12).tolist()
    for row, frame in enumerate(whole.row_frame.tolist()):
        x, y, score = frames[frame][row - whole.rows_of_frame(frame).start]
        assert x.shape == (25,)
        for theirs, ours in (("LWrist", "left_wrist"), ("RAnkle", "right_ankle"), ("REar", "right_ear")):
            at, of = ORDER.index(theirs), BODY19.index(ours)
            np.testing.assert_allclose([x[at], y[at]], whole.joints[row, of], atol=5.1e-3)
            assert score[at] == pytest.approx(whole.scores[row, of], abs=5.1e-4)
        hips = [BODY19.index("left_hip"), BODY19.index("right_hip")]
        np.testing.assert_allclose([x[8], y[8]], whole.joints[row, hips].mean(axis=0), atol=5.1e-3)
        assert score[8] == pytest.approx(whole.scores[row, hips].min(), abs=5.1e-4)
        for missing in ("LBigToe", "RHeel", "RKnee"):  # the knee is unknown throughout
            at = ORDER.index(missing)
            assert (x[at], y[at], score[at]) == (0, 0, 0)


def test_a_file_is_as_openpose_writes_it(tables, tmp_path):
    tables.write("openpose", tmp_path / "walk_json", [tables.recording()])
    names = sorted(path.name for path in (tmp_path / "walk_json").iterdir())
    assert names[0] == "walk_000000000000_keypoints.json"
    assert names[-1] == "walk_000000000011_keypoints.json"
    told = json.loads((tmp_path / "walk_json" / names[2]).read_text(encoding="utf-8"))
    assert told["version"] == 1.3
    assert [person["person_id"] for person in told["people"]] == [[3], [7]]
    assert list(told["people"][0]) == [
        "person_id", "pose_keypoints_2d", "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d",
        "pose_keypoints_3d", "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d",
    ]  # fmt: skip
    assert json.loads((tmp_path / "walk_json" / names[7]).read_text(encoding="utf-8"))["people"] == []


def test_what_a_skeleton_lacks_is_known():
    feet = ("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel")
    assert missing_joints(BODY19) == missing_joints(COCO17) == feet
    assert missing_joints(LSP14) == ("Nose", "REye", "LEye", "REar", "LEar", *feet)


def test_a_folder_with_other_files_is_not_replaced(tables, tmp_path):
    folder = tmp_path / "walk_json"
    folder.mkdir()
    (folder / "thesis.docx").write_text("two years of work")
    with pytest.raises(OutputError, match="thesis"):
        open_table("openpose", folder, tables.info())
    (folder / "thesis.docx").unlink()
    table = open_table("openpose", folder, tables.info())
    table.write(tables.recording())
    (folder / "thesis.docx").write_text("two years of work")
    with pytest.raises(OutputError, match="thesis"), table:
        pass
    assert (folder / "thesis.docx").read_text() == "two years of work"
    assert [entry.name for entry in tmp_path.iterdir()] == ["walk_json"]


def test_the_folders_name_gives_the_files_theirs(tables, tmp_path):
    with pytest.raises(InputError, match="_json"):
        open_table("openpose", tmp_path / "walk", tables.info())
