"""Every layout is recognised by its content and read to the pixel."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.io

from sadinet.errors import InputError, SourceError
from sadinet.geometry import Box
from sadinet.skeletons import BODY19, COCO17, LSP14, MPII16, convert
from sadinet.training.sets.crops import cut_people
from sadinet.training.sets.joint_file import JointFile, read_joint_file
from sadinet.training.sets.people import Fault, refuse_if_faulty
from sadinet.training.sets.picture_size import upright_size
from sadinet.training.sets.recognise import open_candidate, open_labels, recognise
from sadinet.training.sets.shards import ShardWriter
from sadinet.training.sets.yolo import read_yolo

# --- LSP, LSPet


@pytest.mark.parametrize("layout", ["lsp", "lspet"])
def test_leeds(tmp_path, sets, layout):
    def change(labels):
        labels[1, 4, 2] = 1 - labels[1, 4, 2]  # LSP: occluded, LSPet: not labelled

    labelled = open_labels(sets.leeds(tmp_path, layout, 3, change))
    assert (labelled.layout, labelled.skeleton, len(labelled)) == (layout, LSP14, 3)
    person = labelled.people[1]
    assert (person.key, person.index) == ("im0002" if layout == "lsp" else "im00002", 2)
    wanted = sets.standing(LSP14, (1, 2))
    if layout == "lspet":
        wanted[4] = np.nan
    np.testing.assert_array_equal(person.joints, wanted)
    assert person.hidden.tolist() == [layout == "lsp" and k == 4 for k in range(14)]
    joints, weight = person.in_body19(LSP14)
    np.testing.assert_array_equal(joints[:14], wanted)
    assert (weight[14:] == 0).all()
    assert np.isnan(joints[14:]).all()


def test_pictures_that_are_not_there_are_named(tmp_path, sets):
    root = sets.leeds(tmp_path, "lsp", 4)
    (root / "images" / "im0003.jpg").unlink()
    labelled = open_labels(root)
    assert [path.name for path in labelled.absent] == ["im0003.jpg"]
    assert [person.index for person in labelled.people] == [1, 2, 4]


def test_damaged_joints_mat(tmp_path, sets):
    root = sets.leeds(tmp_path, "lsp", 1)
    whole = (root / "joints.mat").read_bytes()
    (root / "joints.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"cannot read .*joints\.mat"):
        open_labels(root)
    (root / "joints.mat").write_bytes(whole[:100])  # scipy's own error
    with pytest.raises(SourceError, match=r"cannot read .*joints\.mat"):
        open_labels(root)
    scipy.io.savemat(root / "joints.mat", {"joints": np.zeros((5, 14, 2))})
    with pytest.raises(SourceError, match=r"shape \(5, 14, 2\)"):
        open_labels(root)
    scipy.io.savemat(root / "joints.mat", {"points": np.zeros((3, 14, 2))})
    with pytest.raises(SourceError, match="no variable 'joints'"):
        open_labels(root)


# --- MPII


def test_mpii_official(tmp_path, sets):
    labelled = open_labels(sets.mpii(tmp_path))
    assert (labelled.layout, labelled.skeleton, labelled.faults) == ("mpii", MPII16, ())
    first, second = labelled.people  # of the test picture and the empty one there is nobody
    assert [path.name for path in labelled.absent] == ["gone.jpg"]
    np.testing.assert_array_equal(first.joints, sets.standing(MPII16))  # back to 0-based
    assert [MPII16.joints[k] for k in np.flatnonzero(first.hidden)] == ["left_knee"]
    assert [MPII16.joints[k] for k in np.flatnonzero(second.hidden)] == ["left_knee"]
    assert np.isnan(second.joints[MPII16.index("head_top")]).all()
    assert first.head_px == 50  # 30 x 40
    assert (first.is_alone, second.is_alone, first.split) == (False, True, "train")
    # Customary: 200 px x scale, centre moved down by 15 px x scale.
    assert first.box == Box(100 - 150, 160 + 22.5 - 150, 300, 300)
    assert len({first.key, second.key, first.index, second.index}) == 4


def test_mpii_of_a_single_picture(tmp_path, sets):
    """MATLAB's arrays of one lose their dimension when read."""
    root = sets.mpii(tmp_path)
    path = root / "annotations" / "mpii_human_pose_v1_u12_1.mat"
    release = scipy.io.loadmat(path)["RELEASE"][0, 0]
    one = {"annolist": release["annolist"][:, :1], "img_train": release["img_train"][:, :1]}
    scipy.io.savemat(path, {"RELEASE": one | {"single_person": release["single_person"][:1]}})
    people = open_labels(root).people
    assert [person.is_alone for person in people] == [False, True]


def test_mpii_joint_numbers_that_make_no_sense_are_faults(tmp_path, sets):
    root = sets.mpii(tmp_path)
    path = root / "annotations" / "mpii_human_pose_v1_u12_1.mat"
    held = scipy.io.loadmat(path)
    held["RELEASE"][0, 0]["annolist"][0, 0]["annorect"][0, 1]["annopoints"][0, 0]["point"][0, 3]["id"][0, 0] = 77
    scipy.io.savemat(path, {"RELEASE": held["RELEASE"]})
    labelled = open_labels(root)
    assert [str(fault) for fault in labelled.faults] == ["000000001_2: its label makes no sense: joint number 77"]
    assert len(labelled) == 1


def test_mpii_json(tmp_path, sets):
    labelled = open_labels(sets.mpii_json(tmp_path))
    assert (labelled.layout, [person.picture_number for person in labelled.people]) == ("mpii-json", [0, 1, 0])
    a, b, _ = labelled.people
    np.testing.assert_array_equal(a.joints, sets.standing(MPII16))
    assert np.isnan(b.joints[MPII16.index("left_wrist")]).all()
    assert a.box == Box(100 - 150, 160 + 22.5 - 150, 300, 300)
    assert (a.split, np.isnan(a.head_px)) == ("val", True)


def test_heads_of_the_json_come_from_gt_valid(tmp_path, sets):
    root = sets.mpii_json(tmp_path)
    people = open_labels(root).people
    corners = np.zeros((2, 2, 3))
    corners[1] = np.array([[30, 60, 3], [40, 80, 4]])
    truth = np.stack([person.joints + 1 for person in people], axis=2)
    scipy.io.savemat(root / "annot" / "gt_valid.mat", {"headboxes_src": corners, "pos_gt_src": truth})
    assert [person.head_px for person in open_labels(root).people] == [50, 100, 5]
    # Another set's file beside it is not believed.
    scipy.io.savemat(root / "annot" / "gt_valid.mat", {"headboxes_src": corners, "pos_gt_src": truth + 90})
    assert np.isnan([person.head_px for person in open_labels(root).people]).all()


def test_gt_valid_is_compared_person_by_person(tmp_path, sets):
    root = sets.mpii_json(tmp_path)
    truth = np.stack([person.joints + 1 for person in open_labels(root).people], axis=2)
    truth[:, :, 1] += 90
    corners = np.zeros((2, 2, 3))
    corners[1] = np.array([[30, 60, 3], [40, 80, 4]])
    scipy.io.savemat(root / "annot" / "gt_valid.mat", {"headboxes_src": corners, "pos_gt_src": truth})
    heads = [person.head_px for person in open_labels(root).people]
    assert (heads[0], heads[2]) == (50, 5)
    assert np.isnan(heads[1])
    rows = [{"image": "a.jpg", "joints": [[1, 2]]}, sets.mpii_row("b.jpg"), sets.mpii_row("a.jpg")]
    people = open_labels(sets.mpii_json(tmp_path, rows=rows)).people  # a first row that makes no sense
    assert [person.key for person in people] == ["b_1", "a_2"]
    (root / "annot" / "gt_valid.mat").write_bytes(b"MATLAB 5.0")
    with pytest.raises(SourceError, match=r"cannot read .*gt_valid\.mat"):
        open_labels(root)


def test_heads_of_the_json_come_from_the_official_file(tmp_path, sets):
    root = sets.mpii(tmp_path, "annot/mpii_human_pose_v1_u12_1.mat")
    row = sets.mpii_row("000000001.jpg", (4, 6), ("head_top",))
    (root / "annot" / "train.json").write_text(json.dumps([row, sets.mpii_row("000000002.jpg")]), encoding="utf-8")
    with pytest.raises(InputError, match="2 files of labels"):
        open_labels(root)
    people = open_labels(root, root / "annot" / "train.json").people
    assert people[0].head_px == 50
    assert np.isnan(people[1].head_px)


def test_rows_of_the_json_that_make_no_sense_are_faults(tmp_path, sets):
    rows = [sets.mpii_row("a.jpg"), {"image": "a.jpg", "joints": [[1, 2]]}, sets.mpii_row("b.jpg") | {"scale": "x"}]
    labelled = open_labels(sets.mpii_json(tmp_path, rows=rows))
    assert [fault.name for fault in labelled.faults] == ["valid.json entry 1", "valid.json entry 2"]
    assert [(fault.index, fault.split) for fault in labelled.faults] == [(1, "val"), (2, "val")]
    assert len(labelled) == 1


# --- COCO


def test_coco(tmp_path, sets):
    labelled = open_labels(sets.coco(tmp_path))
    assert (labelled.layout, [person.index for person in labelled.people]) == ("coco", [71, 81])
    assert [path.name for path in labelled.absent] == ["000000000009.jpg"]
    person = labelled.people[0]
    np.testing.assert_array_equal(person.joints, sets.standing(COCO17))
    # COCO measures boxes from the picture's edge: its 20 is our 19.5.
    assert person.box == Box(19.5, 37.5, 160, 262)
    assert (person.split, person.path.parent.name) == ("val", "val2017")


def test_broken_annotations_of_coco_are_faults(tmp_path, sets):
    good = sets.coco_label(1, 7, sets.standing(COCO17))
    broken = [
        sets.coco_label(2, 7, sets.standing(COCO17)) | {"keypoints": [1, 2, 2]},
        sets.coco_label(3, 77, sets.standing(COCO17)),
        sets.coco_label(4, 7, sets.standing(COCO17)) | {"bbox": [1, 2, 0, 5]},
        {k: v for k, v in sets.coco_label(5, 7, sets.standing(COCO17)).items() if k != "bbox"},
        "nonsense",
        sets.coco_label(6, 7, sets.standing(COCO17) * 1e9),
    ]
    labelled = open_labels(sets.coco(tmp_path, [good, *broken]))
    assert [person.index for person in labelled.people] == [1]
    told = [str(fault) for fault in labelled.faults]
    for words in ("keypoint numbers", "no picture with id 77", "no area", "no 'bbox'", "place 5", "nowhere near"):
        assert sum(words in line for line in told) == 1, words
    assert [fault.index for fault in labelled.faults] == [2, 3, 4, 5, None, 6]
    assert {fault.split for fault in labelled.faults} == {"val"}


# --- YOLO


@pytest.mark.parametrize("exif_orientation", [None, 6])
def test_yolo(tmp_path, sets, exif_orientation):
    root = sets.yolo(tmp_path, exif_orientation)
    labelled = open_labels(root)
    assert (labelled.layout, labelled.upright, len(labelled)) == ("yolo", True, 1)
    person = labelled.people[0]
    wanted = sets.standing(COCO17)
    wanted[4] = np.nan
    np.testing.assert_allclose(person.joints, wanted, atol=1e-3)
    assert np.flatnonzero(person.hidden).tolist() == [3]
    np.testing.assert_allclose(
        [person.box.x, person.box.y, person.box.width, person.box.height], [19.5, 15.5, 160, 288]
    )


def test_yolo_lines_of_another_length_are_faults(tmp_path, sets):
    root = sets.yolo(tmp_path)
    (root / "labels" / "train" / "x.txt").write_text("0 0.5 0.5 0.1 0.1 0.5 0.5 2\n0 a b\n", encoding="utf-8")
    labelled = open_labels(root)
    assert len(labelled) == 0
    assert [fault.name.replace("\\", "/") for fault in labelled.faults] == [
        "labels/train/x.txt line 1", "labels/train/x.txt line 2",
    ]  # fmt: skip


def test_joints_are_never_guessed_from_their_count(tmp_path, sets):
    root = sets.yolo(tmp_path)
    (root / "data.yaml").write_text("kpt_shape: [14, 2]\n", encoding="utf-8")
    joints = (sets.standing(LSP14) + 0.5) / sets.size_wh
    joints[2] = 0  # two numbers a joint: none is told by the corner
    line = " ".join(str(v) for v in [0, 0.5, 0.5, 0.8, 0.9, *joints.ravel()])
    (root / "labels" / "train" / "x.txt").write_text(line, encoding="utf-8")
    with pytest.raises(SourceError, match=r"labels 14 joints, coco17 has 17 .*--skeleton"):
        open_labels(root)
    person = read_yolo(root, LSP14).people[0]
    assert np.isnan(person.joints[2]).all()
    np.testing.assert_allclose(person.joints[3], sets.standing(LSP14)[3], atol=1e-6)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("size_wh", [(200, 320), (33, 17)])
def test_picture_sizes(tmp_path, sets, suffix, size_wh):
    sets.picture(tmp_path / f"x{suffix}", 0, size_wh)
    assert upright_size(tmp_path / f"x{suffix}") == size_wh


def test_upright_size_follows_exif(tmp_path, sets):
    sets.picture(tmp_path / "x.jpg", 0, (320, 200), 6)
    assert upright_size(tmp_path / "x.jpg") == (200, 320)
    sets.picture(tmp_path / "y.jpg", 0, (320, 200), 3)
    assert upright_size(tmp_path / "y.jpg") == (320, 200)


# --- joint files


def test_pictures_that_a_teacher_labels(tmp_path, sets):
    sets.picture(tmp_path / "run" / "p1.jpg")
    joints = np.stack([sets.standing(COCO17), sets.standing(COCO17)]).astype(np.float16)
    conf = np.full((2, 17), 0.9, np.float16)
    conf[0, 2] = 0.1
    np.savez(tmp_path / "labels.npz", index=["p1", "p2"], thunder=joints, thunder_conf=conf)
    labelled = open_labels(tmp_path)
    assert (labelled.layout, len(labelled), [path.name for path in labelled.absent]) == ("taught", 1, ["p2"])
    assert np.flatnonzero(labelled.people[0].weight == 0).tolist() == [2]
    np.testing.assert_allclose(labelled.people[0].joints[5], sets.standing(COCO17)[5], atol=0.1)


def test_joint_files_find_people_by_number_or_name(tmp_path, sets):
    people = open_labels(sets.coco(tmp_path)).people
    joints = np.stack([sets.standing(LSP14, (k, 0)) for k in range(3)]).astype(np.float32)
    scores = np.full((3, 14), 0.8, np.float32)
    joints[2, 0] = np.nan
    for index in ((81, 5, 71), (people[1].key, "other", people[0].key)):
        JointFile("x", index, LSP14, joints, scores).save(tmp_path / "x.npz")
        (read,) = read_joint_file(tmp_path / "x.npz")
        assert (read.index, read.skeleton, read.is_label) == (index, LSP14, False)
        found, sure = read.of(people)
        np.testing.assert_array_equal(found[0, 1:14], joints[2, 1:])
        np.testing.assert_array_equal(found[1, :14], joints[0])
        assert sure[0, 0] == 0
        assert sure[1, 0] == pytest.approx(0.8)
        assert (sure[:, 14:] == 0).all()
    assert convert(LSP14, BODY19).missing[0] == "nose"


def test_joint_files_that_hold_something_else(tmp_path):
    path = tmp_path / "x.npz"
    for held, words in (
        ({"a": [1]}, "has no index"),
        ({"index": [1]}, "has no joints"),
        ({"index": [1], "joints": np.zeros((1, 14, 2)), "names": ["a"] * 14}, "no known set of joints"),
        ({"index": [1, 2], "joints": np.zeros((1, 14, 2)), "names": LSP14.joints}, "shape"),
        ({"index": [1], "joints": np.zeros((1, 14, 2)), "names": "a"}, "not iterable|iteration"),
        ({"index": np.array([{}], dtype=object)}, "cannot read"),
        ({"index": [[1, 2]]}, r"x\.npz: its index has shape \(1, 2\) \(a row of names or numbers is needed\)"),
        ({"index": 1}, r"its index has shape \(\)"),
    ):
        np.savez(path, **held)
        with pytest.raises(SourceError, match=words) as caught:
            read_joint_file(path)
        assert "\n" not in str(caught.value)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SourceError, match="cannot read"):
        read_joint_file(path)
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(SourceError, match=r"cannot read .*x\.npz: it is a single array \(\.npy\)"):
        read_joint_file(path)


# --- recognition


def test_packed_people_are_recognised_and_need_no_more_packing(tmp_path, sets):
    writer = ShardWriter(tmp_path)
    for crop in cut_people(open_labels(sets.leeds(tmp_path / "lspet", "lspet", 2))):
        writer.add(crop, "lspet")
    writer.finish()
    with pytest.raises(SourceError, match=r"holds packed people \(shards\.json\) \(.*recipe.*--shards") as caught:
        recognise(tmp_path)
    assert "\n" not in str(caught.value)
    # Beside labels they are no hindrance.
    sets.coco(tmp_path)
    assert [candidate.layout for candidate in recognise(tmp_path)] == ["coco"]


def test_a_folder_with_nothing_known_says_what_was_looked_for(tmp_path, sets):
    sets.picture(tmp_path / "images" / "a.jpg")
    with pytest.raises(SourceError, match=r"no data set that is known \(looked for: joints\.mat .*COCO"):
        recognise(tmp_path)
    with pytest.raises(SourceError, match="no folder"):
        recognise(tmp_path / "gone")
    with pytest.raises(SourceError, match=r"no .*gone"):
        recognise(tmp_path, tmp_path / "gone.json")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match=r"cannot read .*broken\.json"):
        recognise(tmp_path)


def test_several_label_files_are_a_choice(tmp_path, sets):
    sets.coco(tmp_path)
    sets.coco(tmp_path, name="annotations/person_keypoints_train2017.json", folder="train2017")
    (tmp_path / "annotations" / "captions.json").write_text('{"images": [], "annotations": []}', encoding="utf-8")
    with pytest.raises(InputError, match=r"2 files of labels: .*train2017.*--annotations"):
        open_labels(tmp_path)
    found = recognise(tmp_path)
    folders = {open_candidate(tmp_path, each).people[0].path.parent.name for each in found}
    assert folders == {"train2017", "val2017"}


def test_files_of_coco_without_keypoints_are_not_parsed(tmp_path, sets, monkeypatch):
    sets.coco(tmp_path)
    boxes = {"images": [], "annotations": [{"id": 1, "bbox": [0, 0, 1, 1]}], "categories": [{"id": 1}]}
    (tmp_path / "annotations" / "instances_val2017.json").write_text(json.dumps(boxes) + "\n", encoding="utf-8")
    parsed = []
    monkeypatch.setattr(json, "loads", lambda text, whole=json.loads: parsed.append(text) or whole(text))
    (found,) = recognise(tmp_path)
    assert (found.layout, found.labels.name) == ("coco", "person_keypoints_val2017.json")
    assert len(parsed) == 1
    # What is cut off is told all the same, although its keypoints are not seen.
    (tmp_path / "annotations" / "captions_val2017.json").write_text('{"images": [{"id": 1', encoding="utf-8")
    with pytest.raises(SourceError, match=r"cannot read .*captions_val2017\.json"):
        recognise(tmp_path)


def test_a_few_faults_pass_and_many_do_not():
    faults = [Fault("a.jpg", "cut off"), Fault("b.jpg", "empty")]
    refuse_if_faulty(faults, 200, "set")
    with pytest.raises(SourceError, match=r"set: 2 of 199 cannot be used, more than 1%: a\.jpg: cut off; b\.jpg"):
        refuse_if_faulty(faults, 199, "set")
    crowded = [Fault("a.jpg", "cut off", people=3)]
    with pytest.raises(SourceError, match=r"set: 3 of 200 cannot be used"):
        refuse_if_faulty(crowded, 200, "set")
