"""Files in COCO's form as tools for labelling write them: with less in them, in another order, in other folders."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sadinet.errors import InputError, SourceError
from sadinet.skeletons import COCO17
from sadinet.training.coco import coco_ap, coco_detections
from sadinet.training.examination import open_coco, open_examination
from sadinet.training.sets.recognise import open_labels
from sadinet.training.sets.selection import Selection

PATH = "annotations/person_keypoints_val2017.json"


def changed(root, change):
    """Change what the set's file holds, and return the folder."""
    held = json.loads((root / PATH).read_text(encoding="utf-8"))
    change(held)
    (root / PATH).write_text(json.dumps(held), encoding="utf-8")
    return root


def people_only(held):
    """Leave the crowd and the missing picture's person out."""
    held["annotations"] = [label for label in held["annotations"] if label["id"] in (71, 81)]


def perfect_ap(root):
    """AP of the labels themselves, taken for a model's answers."""
    examination = open_coco(root)
    pictures = [person.picture for person in examination.people]
    found = coco_detections(pictures, examination.labels, np.ones(examination.labels.shape[:2]))
    return coco_ap(examination.annotations, found, pictures)["AP"]


@pytest.mark.parametrize("name", ["num_keypoints", "area", "iscrowd", "id", "category_id"])
def test_what_annotations_lack_is_completed(tmp_path, sets, name):
    def change(held):
        people_only(held)
        for label in held["annotations"]:
            del label[name]

    root = changed(sets.coco(tmp_path), change)
    assert len(open_labels(root)) == 2
    assert perfect_ap(root) == pytest.approx(100)


def test_a_file_without_categories_is_read(tmp_path, sets):
    def change(held):
        people_only(held)
        del held["categories"]

    assert perfect_ap(changed(sets.coco(tmp_path), change)) == pytest.approx(100)


def test_completed_values_are_those_of_the_label(tmp_path, sets):
    def change(held):
        people_only(held)
        for label in held["annotations"]:
            del label["area"], label["num_keypoints"]
            label["keypoints"][2] = 0

    label = open_coco(changed(sets.coco(tmp_path), change)).annotations["annotations"][0]
    assert label["num_keypoints"] == 16
    assert label["area"] == pytest.approx(0.53 * label["bbox"][2] * label["bbox"][3])


def test_people_may_have_any_category_number(tmp_path, sets):
    def change(held):
        people_only(held)
        held["categories"][0]["id"] = 5
        for label in held["annotations"]:
            label["category_id"] = 5
        held["categories"].append({"id": 6, "name": "horse"})
        held["annotations"].append(sets.coco_label(99, 7, sets.standing(COCO17), category_id=6))

    root = changed(sets.coco(tmp_path), change)
    assert [person.index for person in open_labels(root).people] == [71, 81]
    assert perfect_ap(root) == pytest.approx(100)


def test_joints_in_another_order_are_put_into_cocos(tmp_path, sets):
    order = [*reversed(range(17))]

    def change(held):
        people_only(held)
        held["categories"][0]["keypoints"] = [COCO17.joints[k].replace("_", " ").title() for k in order]
        for label in held["annotations"]:
            label["keypoints"] = np.reshape(label["keypoints"], (17, 3))[order].ravel().tolist()

    root = changed(sets.coco(tmp_path), change)
    np.testing.assert_array_equal(open_labels(root).people[0].joints, sets.standing(COCO17))
    assert perfect_ap(root) == pytest.approx(100)


def test_joints_that_are_not_cocos_are_refused_by_name(tmp_path, sets):
    def change(held):
        held["categories"][0]["keypoints"][3] = "pelvis"

    with pytest.raises(SourceError, match=r"not COCO's 17: pelvis .*name them nose, left_eye"):
        open_labels(changed(sets.coco(tmp_path), change))


def test_joints_of_two_categories_are_refused(tmp_path, sets):
    def change(held):
        held["categories"] = [{"id": n, "name": f"kind {n}", "keypoints": list(COCO17.joints)} for n in (1, 2)]

    with pytest.raises(SourceError, match="joints of several categories: kind 1, kind 2"):
        open_labels(changed(sets.coco(tmp_path), change))


def test_an_id_that_is_used_twice_is_a_fault(tmp_path, sets):
    def change(held):
        people_only(held)
        held["annotations"] += [sets.coco_label(n, 8, sets.standing(COCO17)) for n in range(100, 300)]
        held["annotations"].append(sets.coco_label(100, 7, sets.standing(COCO17)))

    root = changed(sets.coco(tmp_path), change)
    labelled = open_labels(root)
    assert [str(fault) for fault in labelled.faults] == [
        "person_keypoints_val2017.json annotation 100: another annotation has the same id"
    ]
    assert len(open_coco(root).annotations["annotations"]) == len(labelled) == 202

    def all_the_same(held):
        for label in held["annotations"]:
            label["id"] = 1

    with pytest.raises(SourceError, match="the same id"):
        open_coco(changed(root, all_the_same))


def test_the_first_of_two_with_one_id_counts_everywhere(tmp_path, sets):
    """Whoever is examined is who is found in the ground truth of AP, be the other one a crowd or a broken label."""

    def change(held):
        people_only(held)
        more = [sets.coco_label(n, 8, sets.standing(COCO17)) for n in range(100, 500)]
        crowd = sets.coco_label(71, 8, sets.standing(COCO17), iscrowd=1)
        broken = sets.coco_label(600, 7, sets.standing(COCO17), keypoints=[1, 2, 2])
        again = sets.coco_label(600, 8, sets.standing(COCO17))
        held["annotations"] = [crowd, *held["annotations"], *more, broken, again]

    examination = open_coco(changed(sets.coco(tmp_path), change))
    truth = [label["id"] for label in examination.annotations["annotations"] if not label["iscrowd"]]
    assert sorted(truth) == sorted(person.index for person in examination.people)
    assert len(examination.faults) == 3  # 71 again, and 600 twice
    assert 81 in truth


def test_free_ids_are_those_that_no_other_has(tmp_path, sets):
    def change(held):
        people_only(held)
        held["annotations"] = [sets.coco_label(2, 7, sets.standing(COCO17)), *held["annotations"]]
        del held["annotations"][1]["id"]

    labelled = open_labels(changed(sets.coco(tmp_path), change))
    assert [person.index for person in labelled.people] == [2, 83, 81]
    assert labelled.faults == ()


def test_boxes_without_joints_are_passed_over(tmp_path, sets):
    def change(held):
        people_only(held)
        for number in range(200, 220):
            held["annotations"].append({"id": number, "image_id": 7, "category_id": 1, "bbox": [1, 2, 30, 40]})

    root = changed(sets.coco(tmp_path), change)
    assert len(open_labels(root)) == 2
    assert perfect_ap(root) == pytest.approx(100)


@pytest.mark.parametrize("value", [5, "nose"])
def test_keypoints_of_a_category_that_are_no_list_are_told(tmp_path, sets, value):
    def change(held):
        held["categories"][0]["keypoints"] = value

    with pytest.raises(SourceError, match="are no list"):
        open_labels(changed(sets.coco(tmp_path), change))


def test_pictures_outside_of_a_selection_are_not_missed(tmp_path, sets):
    root = sets.coco(tmp_path)
    assert [path.name for path in open_coco(root).absent] == ["000000000009.jpg"]
    assert open_coco(root, selection=Selection(7, 8)).absent == ()
    assert open_labels(root).only(leave_out=Selection(9, 9)).absent == ()


@pytest.mark.parametrize("form", ["val2017/{}", "../val2017/{}"])
def test_pictures_are_found_from_the_set_and_from_the_labels(tmp_path, sets, form):
    def change(held):
        for image in held["images"]:
            image["file_name"] = form.format(image["file_name"])

    root = changed(sets.coco(tmp_path), change)
    assert len(open_labels(root)) == len(open_coco(root).people) == 2


def test_a_picture_id_that_is_no_number_is_told(tmp_path, sets):
    def change(held):
        held["images"][0]["id"] = "first"

    with pytest.raises(SourceError, match="picture id 'first' is not a whole number"):
        open_labels(changed(sets.coco(tmp_path), change))


def test_an_examination_finds_the_one_file_of_labels(tmp_path, sets):
    root = sets.coco(tmp_path, name="instances_of_ours.json", folder="images")
    examination = open_examination("coco", root)
    assert [person.index for person in examination.people] == [71, 81]
    assert [path.name for path in examination.absent] == ["000000000009.jpg"]
    (root / "other.json").write_bytes((root / "instances_of_ours.json").read_bytes())
    with pytest.raises(InputError, match="2 files of labels"):
        open_coco(root)


def test_where_no_picture_is_there_one_is_named(tmp_path, sets):
    root = sets.coco(tmp_path)
    for picture in (root / "val2017").iterdir():
        picture.unlink()
    with pytest.raises(SourceError, match=r"nobody selected: .* such as .*000000000007\.jpg"):
        open_coco(root)
