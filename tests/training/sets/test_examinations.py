"""Sets as examinations: who counts on MPII and LSP, and labels of COCO that make no sense."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io

from sadinet.errors import InputError, SourceError
from sadinet.skeletons import COCO17, LSP14, MPII16
from sadinet.training.coco import coco_ap, coco_detections
from sadinet.training.examination import open_coco, open_examination, open_mpii
from sadinet.training.sets.recognise import open_labels
from sadinet.training.sets.selection import Selection


def test_lsp(tmp_path, sets):
    examination = open_examination("lsp", sets.leeds(tmp_path, "lsp", 3), selection=Selection(2, 3))
    assert (examination.name, examination.skeleton, examination.pictures) == ("lsp", LSP14, (2, 3))
    np.testing.assert_array_equal(examination.labels[0], sets.standing(LSP14, (1, 2)))


def test_on_mpii_people_far_from_others_count(tmp_path, sets):
    examination = open_mpii(sets.mpii(tmp_path))
    (person,) = examination.people  # the second of the first picture
    assert (person.picture, person.head_px, person.box.width) == (1, 50, 300)
    assert np.isnan(examination.labels[0, MPII16.index("head_top")]).all()
    path = tmp_path / "annotations" / "mpii_human_pose_v1_u12_1.mat"
    held = scipy.io.loadmat(path)
    for cell in held["RELEASE"][0, 0]["single_person"]:
        cell[0] = np.empty((0, 0))
    scipy.io.savemat(path, {"RELEASE": held["RELEASE"]})
    assert len(open_mpii(tmp_path).people) == 2  # nobody is said to be alone: everybody counts
    with pytest.raises(SourceError, match="nobody selected: none of the pictures 2:9"):
        open_mpii(tmp_path, selection=Selection(2, 9))


def test_mpii_with_two_files_is_a_choice(tmp_path, sets):
    root = sets.mpii_json(tmp_path)
    sets.mpii_json(tmp_path, "annot/train.json")
    with pytest.raises(InputError, match=r"2 files of labels.*--annotations"):
        open_mpii(root)
    examination = open_mpii(root, root / "annot" / "valid.json")
    assert [person.picture for person in examination.people] == [0, 0, 1]


def test_a_few_broken_labels_of_coco_are_passed_over(tmp_path, sets):
    joints = sets.standing(COCO17)
    labels = [sets.coco_label(n, 7 if n % 2 else 8, joints + n) for n in range(1, 121)]
    labels[30]["keypoints"] = [1, 2, 2]
    root = sets.coco(tmp_path, labels, "person_keypoints.json", "images")
    examination = open_coco(root)
    assert len(examination.people) == 119
    assert [fault.name for fault in examination.faults] == ["person_keypoints.json annotation 31"]
    # pycocotools does not stumble over it. (It takes 20 poses a picture at most.)
    first = [p for p in examination.people if p.index <= 20]
    found = coco_detections([p.picture for p in first], [p.joints for p in first], np.ones((len(first), 17)))
    assert coco_ap(examination.annotations, found)["AP"] > 0
    labels[40] = labels[41] = {"id": 41}
    with pytest.raises(SourceError, match=r"3 of 120 cannot be used.*annotation 31.*annotation 41"):
        open_coco(sets.coco(tmp_path, labels, "person_keypoints.json", "images"))


def test_labels_of_lspet_that_cannot_be_used_are_told_or_too_many(tmp_path, sets):
    def change(labels):
        labels[[3, 7], 0, :2] = 1e9

    root = sets.leeds(tmp_path, "lspet", 10, change)
    with pytest.raises(SourceError, match=r"2 of 10 cannot be used, more than 1%: im00004.*im00008"):
        open_examination("lspet", root)
    assert len(open_examination("lspet", root, selection=Selection(5, 7)).people) == 3

    def one(labels):
        labels[3, 0, :2] = 1e9

    root = sets.leeds(tmp_path / "more", "lspet", 120, one)
    examination = open_examination("lspet", root)
    assert (len(examination.people), [fault.name for fault in examination.faults]) == (119, ["im00004"])


def test_labels_of_coco_count_where_they_lie(tmp_path, sets):
    """Those of other pictures do not matter; a picture whose only label is broken is not one without people."""
    labels = [sets.coco_label(1, 7, sets.standing(COCO17))]
    labels += [sets.coco_label(n, 8, sets.standing(COCO17), bbox=[0, 0, 0, 0]) for n in range(2, 6)]
    root = sets.coco(tmp_path, labels)
    path = root / "annotations" / "person_keypoints_val2017.json"
    examination = open_coco(root / "val2017", path, Selection(7, 7))
    assert (len(examination.people), examination.faults, dict(examination.empty)) == (1, (), {})
    with pytest.raises(SourceError, match=r"4 of 5 cannot be used"):
        open_coco(root / "val2017", path)
    labels = [sets.coco_label(n, 7, sets.standing(COCO17)) for n in range(1, 121)]
    labels.append(sets.coco_label(121, 8, sets.standing(COCO17), keypoints=[1, 2, 2]))
    examination = open_coco(sets.coco(tmp_path, labels) / "val2017", path)
    assert (len(examination.faults), dict(examination.empty)) == (1, {})


def test_the_set_named_on_the_command_line_is_the_one_in_the_folder(tmp_path, sets):
    sets.coco(tmp_path)
    with pytest.raises(SourceError, match="holds no labels of MPII"):
        open_examination("mpii", tmp_path)
    assert open_labels(tmp_path).layout == "coco"
