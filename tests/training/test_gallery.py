"""The sheet of the worst cases: who is on it, and what their error is called."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from sadinet.geometry import box_of_joints
from sadinet.skeletons import LSP14
from sadinet.training.evaluation import Predictions
from sadinet.training.examination import Examination, Person
from sadinet.training.gallery import ELSEWHERE, EXCHANGED, MISSED, ONE_LEG, name_error, worst_cases, write_gallery

# A torso of 100 px.
PLACES = {
    "right_ankle": (60, 300), "right_knee": (55, 240), "right_hip": (70, 170), "left_hip": (130, 170),
    "left_knee": (145, 240), "left_ankle": (140, 300), "right_wrist": (20, 180), "right_elbow": (35, 135),
    "right_shoulder": (70, 90), "left_shoulder": (130, 90), "left_elbow": (165, 135), "left_wrist": (180, 180),
    "neck": (100, 75), "head_top": (100, 25),
}  # fmt: skip
TRUTH = np.array([PLACES[name] for name in LSP14.joints], dtype=float)


def one_leg():
    found = TRUTH.copy()
    for name in ("knee", "ankle"):
        found[LSP14.index(f"left_{name}")] = found[LSP14.index(f"right_{name}")]
    return found


def wrist():
    found = TRUTH.copy()
    found[LSP14.index("left_wrist")] += (0, 130)
    return found


CASES = {
    MISSED: np.full_like(TRUTH, np.nan),
    EXCHANGED: TRUTH[LSP14.flip_order],
    ELSEWHERE: TRUTH + 90,
    ONE_LEG: one_leg(),
    "left wrist 1.3 torsos off": wrist(),
}


@pytest.mark.parametrize("name", CASES)
def test_errors_have_names(name):
    assert name_error(CASES[name], TRUTH, 100, LSP14) == name


def examined(folder: Path):
    """One person for each kind of error, and one without any."""
    cv2.imwrite(str(folder / "x.png"), np.full((340, 220, 3), 90, np.uint8))
    joints = np.stack([*CASES.values(), TRUTH]).astype(np.float32)
    people = tuple(Person(i, i, folder / "x.png", TRUTH, box_of_joints(TRUTH)) for i in range(len(joints)))
    scores = np.full(joints.shape[:2], 0.7, np.float32)
    nothing = np.zeros(0)
    found = Predictions(np.arange(len(joints)), joints, scores, joints * np.nan, LSP14, nothing, nothing, nothing)
    return found, Examination("lsp", LSP14, people)


def test_the_worst_come_first_and_the_faultless_not_at_all(tmp_path):
    cases = worst_cases(*examined(tmp_path), 10)
    assert [case.what for case in cases] == [MISSED, ELSEWHERE, EXCHANGED, ONE_LEG, "left wrist 1.3 torsos off"]
    # Nobody found counts two torsos a joint; all joints 90 px off to the right and below, 0.9 x sqrt 2.
    assert cases[0].error == pytest.approx(2)
    assert cases[1].error == pytest.approx(0.9 * np.sqrt(2), rel=1e-3)
    assert cases[-1].error == pytest.approx(1.3 / 14)
    assert [case.place for case in worst_cases(*examined(tmp_path), 2)] == [0, 2]


def test_the_sheet_shows_true_and_found_joints(tmp_path):
    found, examination = examined(tmp_path)
    path = tmp_path / "worst.png"
    assert len(write_gallery(path, found, examination, 4)) == 4
    sheet = cv2.imread(str(path)).astype(int)
    green = (abs(sheet - (80, 220, 80)).max(axis=2) < 30).sum()
    assert green > 4 * 14 * 8  # a ring at each label
    perfect = examination.people[-1:]
    keep = Predictions(
        *(getattr(found, name)[-1:] for name in ("index", "joints", "scores", "sigmas")),
        LSP14,
        *[found.result_pictures] * 3,
    )
    assert write_gallery(tmp_path / "none.png", keep, Examination("lsp", LSP14, perfect)) == []
    assert not (tmp_path / "none.png").exists()


def test_of_each_kind_only_the_worst_are_taken(tmp_path):
    found, examination = examined(tmp_path)
    twice = Predictions(
        *(np.concatenate([getattr(found, name)] * 2) for name in ("index", "joints", "scores", "sigmas")),
        LSP14,
        *[found.result_pictures] * 3,
    )
    doubled = Examination("lsp", LSP14, examination.people * 2)
    assert len(worst_cases(twice, doubled, 100)) == 2 * len(CASES)
    cases = worst_cases(twice, doubled, 100, of_each=1)
    assert [case.what for case in cases] == [case.what for case in worst_cases(found, examination, 100)]


def test_on_plain_ground_nothing_of_the_picture_is_seen(tmp_path):
    found, examination = examined(tmp_path)
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "x.png"), rng.integers(0, 256, (340, 220, 3), dtype=np.uint8))
    noisy, plain = tmp_path / "noisy.png", tmp_path / "plain.png"
    write_gallery(noisy, found, examination, 2)
    write_gallery(plain, found, examination, 2, plain=True)
    ground = [(np.ptp(cv2.imread(str(path)), axis=2) < 6).mean() for path in (noisy, plain)]
    # Noise is hardly ever grey; what is drawn covers little of the plain sheet.
    assert ground[0] < 0.4
    assert ground[1] > 0.9
