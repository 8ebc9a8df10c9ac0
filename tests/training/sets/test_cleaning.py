"""Cleaning of labels: each rule on a case of its own."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.skeletons import BODY19
from sadinet.training.sets.cleaned_files import HEAD, sample_of, write_changes, write_labels, write_sheet
from sadinet.training.sets.cleaning import (
    BODY_SWAPPED,
    DISAGREES,
    FILLED,
    IMPOSSIBLE,
    PAIR_SWAPPED,
    TEACHER_WEIGHT,
    Change,
    Opinion,
    agreed,
    clean_labels,
    read_opinions,
)
from sadinet.training.sets.joint_file import read_joint_file
from sadinet.training.sets.recognise import open_labels

FACE = slice(14, 19)


def people(sets, count=3):
    """Joints (N, 19, 2) of people who stand, the face unlabelled, and two opinions that lack the head."""
    truth = np.stack([sets.standing(BODY19, (i, 2 * i)) for i in range(count)]).astype(np.float32)
    labels, weight = truth.copy(), np.ones((count, 19), np.float32)
    labels[:, FACE], weight[:, FACE] = np.nan, 0
    sure = np.full((count, 19), 0.9, np.float32)
    sure[:, 12:14] = 0
    return truth, labels, weight, [Opinion("a", truth + 1, sure), Opinion("b", truth - 1, sure)]


def reasons(cleaned, person):
    return {change.joint: change.reason for change in cleaned.changes if change.person == person}


def test_good_labels_stay_and_the_face_is_filled(sets):
    truth, labels, weight, opinions = people(sets)
    cleaned = clean_labels(labels, weight, opinions)
    np.testing.assert_array_equal(cleaned.joints[:, :14], labels[:, :14])
    np.testing.assert_allclose(cleaned.joints[:, FACE], truth[:, FACE], atol=1e-4)
    assert (cleaned.weight == 1).all()
    assert reasons(cleaned, 0) == dict.fromkeys(BODY19.joints[14:], FILLED)


def test_a_swapped_body_is_turned_back(sets):
    truth, labels, weight, opinions = people(sets)
    labels[1] = labels[1, BODY19.flip_order]
    cleaned = clean_labels(labels, weight, opinions)
    np.testing.assert_array_equal(cleaned.joints[1, :12], truth[1, :12])
    assert {reasons(cleaned, 1)[name] for name in BODY19.joints[:12]} == {BODY_SWAPPED}
    assert BODY_SWAPPED not in reasons(cleaned, 0).values()
    # One of the two does not see it: nothing is turned, the joints are only doubted.
    blind = Opinion("b", opinions[1].joints, opinions[1].confidence * 0)
    assert BODY_SWAPPED not in reasons(clean_labels(labels, weight, [opinions[0], blind]), 1).values()


def test_a_swapped_pair_is_turned_back(sets):
    truth, labels, weight, opinions = people(sets)
    pair = [BODY19.index("left_ankle"), BODY19.index("right_ankle")]
    labels[2, pair] = labels[2, pair[::-1]]
    weight[2, pair] = [0.25, 1]
    cleaned = clean_labels(labels, weight, opinions)
    np.testing.assert_array_equal(cleaned.joints[2, pair], truth[2, pair])
    np.testing.assert_array_equal(cleaned.weight[2, pair], [1, 0.25])
    assert {reasons(cleaned, 2)[BODY19.joints[k]] for k in pair} == {PAIR_SWAPPED}


def test_shoulders_are_not_turned_against_the_hips(sets):
    _, labels, weight, opinions = people(sets, 1)
    pair = [BODY19.index("left_shoulder"), BODY19.index("right_shoulder")]
    for opinion in opinions:
        opinion.joints[0, pair] = opinion.joints[0, pair[::-1]]
    cleaned = clean_labels(labels, weight, opinions)
    np.testing.assert_array_equal(cleaned.joints[0, pair], labels[0, pair])
    assert {reasons(cleaned, 0)[BODY19.joints[k]] for k in pair} == {DISAGREES}
    assert (cleaned.weight[0, pair] == 0).all()


def test_a_limb_that_no_body_has_loses_the_end_that_is_wrong(sets):
    truth, labels, weight, opinions = people(sets)
    wrist, knee = BODY19.index("left_wrist"), BODY19.index("right_knee")
    labels[0, wrist] += 400
    labels[1, knee] += (600, 0)  # both its limbs are too long: the knee is it, without anybody's help
    cleaned = clean_labels(labels, weight, opinions)
    assert reasons(cleaned, 0)["left_wrist"] == IMPOSSIBLE
    assert "left_elbow" not in reasons(cleaned, 0)
    alone = clean_labels(labels, weight)
    # Nobody to ask: neither end of the forearm is believed.
    assert reasons(alone, 0) == {"left_wrist": IMPOSSIBLE, "left_elbow": IMPOSSIBLE}
    assert reasons(alone, 1) == {"right_knee": IMPOSSIBLE}
    assert (alone.weight[0, [wrist, BODY19.index("left_elbow")]] == 0).all()
    assert reasons(alone, 2) == {}
    assert np.isfinite(truth).all()


def test_a_far_label_is_set_aside_and_a_missing_one_filled(sets):
    truth, labels, weight, opinions = people(sets)
    elbow, hip = BODY19.index("left_elbow"), BODY19.index("right_hip")
    labels[0, elbow] += (45, 45)  # 0.64 torso
    labels[1, hip], weight[1, hip] = np.nan, 0
    cleaned = clean_labels(labels, weight, opinions)
    change = next(change for change in cleaned.changes if change.joint == "left_elbow")
    assert (change.person, change.reason, change.weight) == (0, DISAGREES, 0)
    assert change.apart == pytest.approx(np.hypot(45, 45) / 100, rel=1e-3)
    np.testing.assert_allclose(cleaned.joints[1, hip], truth[1, hip], atol=1e-4)
    assert cleaned.weight[1, hip] == TEACHER_WEIGHT


def test_agreement(sets):
    truth, _, _, (first, second) = people(sets, 1)
    scale = np.array([100.0])
    far = second.joints.copy()
    far[0, 0] += 14
    second = Opinion("b", far, second.confidence)
    two = agreed([first, second], scale)
    assert np.isnan(two[0, 0]).all()
    np.testing.assert_allclose(two[0, 1], truth[0, 1], atol=1e-4)
    # A third that sides with one of them decides; trust shifts the mean.
    third = Opinion("c", first.joints + 2, first.confidence, trust=3)
    np.testing.assert_allclose(agreed([first, second, third], scale)[0, 0], truth[0, 0] + 2.5, atol=1e-4)
    # Alone, 0.5 is not enough.
    low = first.confidence.copy()
    low[0, 3] = 0.5
    alone = agreed([Opinion("a", first.joints, low)], scale)
    assert np.isnan(alone[0, 3]).all()
    np.testing.assert_allclose(alone[0, 4], truth[0, 4] + 1, atol=1e-4)


def test_who_doubts_or_is_silent_agrees_with_nobody(sets):
    truth, _, _, (first, second) = people(sets)
    confidence = second.confidence.copy()
    confidence[1, BODY19.index("nose")] = 0.1
    told = agreed([first, Opinion("b", second.joints, confidence)], np.full(3, 100.0))
    silent = {(1, BODY19.index("nose"))} | {(i, BODY19.index(name)) for i in range(3) for name in ("neck", "head_top")}
    assert set(map(tuple, np.argwhere(np.isnan(told[..., 0])).tolist())) == silent
    assert np.isfinite(truth).all()


def test_opinions_of_a_file_on_other_people_are_one_line(tmp_path, sets):
    labelled = open_labels(sets.leeds(tmp_path, "lspet", 2))
    file = sets.teachers(tmp_path / "teachers.npz", [2, 3], [sets.standing(BODY19)] * 2)
    tiny, thunder = read_opinions(file, labelled.people)
    assert (tiny.name, thunder.name) == ("tiny", "thunder")
    assert tiny.sure.sum(axis=1).tolist() == [0, 17]
    np.testing.assert_allclose(thunder.joints[1, 0], sets.standing(BODY19)[0] + 0.25)
    sets.teachers(file, [7, 8], [sets.standing(BODY19)] * 2)
    with pytest.raises(InputError, match=r"tiny in .*teachers\.npz says nothing of the people asked for"):
        read_opinions(file, labelled.people)


def test_people_without_any_label_or_opinion_pass_through():
    joints, weight = np.full((2, 19, 2), np.nan, np.float32), np.zeros((2, 19), np.float32)
    cleaned = clean_labels(joints, weight)
    assert cleaned.changes == ()
    assert (cleaned.weight == 0).all()


def test_what_is_written_can_be_read_and_looked_at(tmp_path, sets):
    labelled = open_labels(sets.leeds(tmp_path, "lspet", 3))
    truth, labels, weight, opinions = people(sets)
    labels[0, 0] += 60
    cleaned = clean_labels(labels, weight, opinions)
    write_labels(tmp_path / "labels.npz", labelled, cleaned)
    write_changes(tmp_path / "changes.csv", labelled, cleaned.changes)
    (read,) = read_joint_file(tmp_path / "labels.npz")
    joints, trust = read.of(labelled.people)
    assert read.is_label
    np.testing.assert_array_equal(trust, cleaned.weight)
    np.testing.assert_allclose(joints[trust > 0], cleaned.joints[trust > 0])
    with (tmp_path / "changes.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == HEAD
    assert len(rows) == len(cleaned.changes)
    ankle = next(row for row in rows if row["joint"] == "right_ankle")
    assert (ankle["key"], ankle["picture"], ankle["reason"]) == ("im00001", "im00001.jpg", DISAGREES)
    assert (ankle["old_x"], ankle["new_x"], ankle["weight"], ankle["apart_torsos"]) == ("120.0", "120.0", "0", "0.85")
    nose = next(row for row in rows if row["joint"] == "nose")
    assert (nose["old_x"], nose["new_x"]) == ("", "100.0")
    assert write_sheet(tmp_path / "sheet.png", labelled, (labels, weight), cleaned, 2) == 2
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape[1] > 2 * 420
    nothing = clean_labels(truth, np.ones((3, 19), np.float32))
    assert write_sheet(tmp_path / "none.png", labelled, (truth, weight), nothing, 2) == 0
    assert not (tmp_path / "none.png").exists()


def test_the_sample_shows_every_reason_before_those_only_filled():
    def change(person, reason):
        return Change(person, "nose", reason, (0, 0), (0, 0), 0, 0)

    changes = [change(i, FILLED) for i in range(50)] + [
        change(7, BODY_SWAPPED),
        change(9, DISAGREES),
        change(8, IMPOSSIBLE),
    ]
    assert set(sample_of(changes, 3)) == {7, 8, 9}
    assert len(sample_of(changes, 10)) == len(set(sample_of(changes, 10))) == 10
    assert len(sample_of(changes, 99)) == 50
    assert sample_of(changes, 10) == sample_of(changes, 10)
