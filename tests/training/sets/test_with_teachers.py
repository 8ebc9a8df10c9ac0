"""LSPet and Stanford 40 as training reads them: what is damaged is named and left out, what is missing is one line."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sadinet.errors import InputError, SourceError
from sadinet.skeletons import BODY19, COCO17, LSP14
from sadinet.training.datasets import cut_person, read_picture
from sadinet.training.sets.cleaning import BODY_SWAPPED, DISAGREES, IMPOSSIBLE, PAIR_SWAPPED
from sadinet.training.sets.joint_file import read_joint_file
from sadinet.training.sets.with_teachers import load_lspet, load_stanford40, lspet_labels
from sadinet.training.sources import DataConfig, Source, load_data, load_source
from sadinet.training.split import Split

SCRIPTS = Path(__file__).parents[3] / "scripts"
SHARED = Path(__file__).parents[4] / "shared" / "data"
FACE = slice(14, 19)


@pytest.fixture(scope="module")
def hundred(tmp_path_factory, sets):
    """LSPet's folder with 101 pictures, of which one is cut off; one label lies outside, one person everywhere else."""

    def change(labels):
        labels[1, LSP14.index("left_wrist"), 0] = 500
        labels[2, :, 2] = 0

    root = sets.leeds(tmp_path_factory.mktemp("lspet"), "lspet", 101, change)
    damaged = root / "images" / "im00077.jpg"
    damaged.write_bytes(damaged.read_bytes()[:300])
    return root


# --- LSPet


def test_lspet_is_loaded_whole_with_its_own_labels(tmp_path, sets):
    people = load_lspet(sets.leeds(tmp_path, "lspet", 3), [3, 1])
    assert (people.name, people.keys, people.faults) == ("lspet", ["im00003", "im00001"], ())
    assert people.full_keys == ["lspet/im00003", "lspet/im00001"]
    np.testing.assert_array_equal(people.joints[0, :14], sets.standing(LSP14, (2, 4)))
    np.testing.assert_array_equal(people.pictures[0], read_picture(tmp_path / "images" / "im00003.jpg"))
    assert (people.weight == (np.arange(19) < 14)).all()
    assert np.isnan(people.joints[:, FACE]).all()


def test_two_teachers_complete_and_doubt_the_labels_of_lspet(tmp_path, sets):
    def change(labels):
        labels[0, LSP14.index("left_knee"), :2] += 90
        labels[1, LSP14.index("right_knee"), 2] = 0

    root = sets.leeds(tmp_path, "lspet", 3, change)
    truth = [sets.standing(BODY19, (i, 2 * i)) for i in (2, 0, 1)]
    teachers = sets.teachers(tmp_path / "teachers.npz", [3, 1, 2], truth)
    people = load_lspet(root, range(1, 4), teachers)
    assert np.flatnonzero(people.weight[0] == 0).tolist() == [BODY19.index("left_knee")]
    assert np.flatnonzero(people.weight[1] == 0.5).tolist() == [BODY19.index("right_knee")]
    np.testing.assert_allclose(
        people.joints[1, BODY19.index("right_knee")], truth[2][BODY19.index("right_knee")] + 0.125
    )
    assert (people.weight[:, FACE] == 1).all()
    np.testing.assert_allclose(people.joints[2, FACE], truth[0][FACE] + 0.125, atol=1e-3)
    labels = lspet_labels(root, range(1, 4), teachers)
    np.testing.assert_array_equal(labels.joints, people.joints)


def test_a_recipe_with_teachers_gets_what_cleaning_writes(tmp_path, sets):
    """A swapped pair, an impossible limb, a swapped body, a label far off, and one that is missing."""

    def change(labels):
        ankles = [LSP14.index("left_ankle"), LSP14.index("right_ankle")]
        labels[0, ankles] = labels[0, ankles[::-1]]
        labels[1, LSP14.index("head_top"), 1] -= 250  # of which the teachers say nothing
        labels[2, :, :2] = labels[2, LSP14.flip_order, :2]
        labels[3, LSP14.index("left_elbow"), :2] += 45
        labels[4, LSP14.index("right_hip"), 2] = 0

    root = sets.leeds(tmp_path / "lspet", "lspet", 6, change)
    teachers = sets.teachers(
        tmp_path / "teachers.npz", range(1, 7), [sets.standing(BODY19, (i, 2 * i)) for i in range(6)]
    )
    assert_same_as_cleaning(root, teachers, tmp_path / "cleaned", range(1, 7))
    some = lspet_labels(root, [4, 2], teachers)
    assert next(change.reason for change in some.changes if change.person == 1) == IMPOSSIBLE
    assert next(change.reason for change in some.changes if change.person == 0) == DISAGREES


@pytest.mark.skipif(not (SHARED / "lspet").is_dir(), reason="the shared LSPet pictures are not here")
def test_real_labels_with_teachers_are_what_cleaning_writes(tmp_path):
    teachers = SHARED / "teachers" / "lspet.npz"
    cleaned = assert_same_as_cleaning(SHARED / "lspet", teachers, tmp_path / "cleaned", range(1, 9001))
    count = Counter(change.reason for change in cleaned.changes)
    assert {reason: count[reason] for reason in (BODY_SWAPPED, PAIR_SWAPPED, IMPOSSIBLE, DISAGREES)} == {
        BODY_SWAPPED: 3692, PAIR_SWAPPED: 196, IMPOSSIBLE: 331, DISAGREES: 1450,
    }  # fmt: skip


def assert_same_as_cleaning(root, teachers, out, numbers):
    step = [
        sys.executable,
        SCRIPTS / "prepare_data.py",
        "clean",
        root,
        "-o",
        out,
        "--opinions",
        teachers,
        "--sample",
        "1",
    ]
    subprocess.run(step, check=True, capture_output=True)
    (written,) = read_joint_file(out / "labels.npz")
    labels = lspet_labels(root, numbers, teachers)
    assert written.index == tuple(f"im{number:05d}" for number in numbers)
    np.testing.assert_array_equal(labels.joints, written.joints)
    np.testing.assert_array_equal(labels.weight, written.scores)
    return labels


def test_a_damaged_picture_of_lspet_is_left_out_and_named(hundred):
    people = load_lspet(hundred, range(1, 102))
    assert len(people) == len(people.keys) == len(people.joints) == 100
    assert "im00077" not in people.keys
    assert [str(fault) for fault in people.faults] == [f"picture {hundred / 'images' / 'im00077.jpg'} is cut off"]
    place = people.keys.index("im00078")
    np.testing.assert_array_equal(people.pictures[place], read_picture(hundred / "images" / "im00078.jpg"))
    with pytest.raises(SourceError, match=r"1 of 99 cannot be used, more than 1%: .*im00077\.jpg is cut off"):
        load_lspet(hundred, range(1, 100))


def test_a_joint_outside_of_its_picture_of_lspet_teaches_nothing(hundred):
    people = load_lspet(hundred, [1, 2])
    wrist = BODY19.index("left_wrist")
    assert np.flatnonzero(people.weight[1, :14] == 0).tolist() == [wrist]
    assert np.isnan(people.joints[1, wrist]).all()
    assert (people.weight[0, :14] == 1).all()


def test_somebody_beside_the_picture_of_lspet_is_a_fault(tmp_path, sets):
    def change(labels):
        labels[1, :, 0] += 1000

    with pytest.raises(SourceError, match=r"1 of 3 cannot be used.*all its joints lie outside of im00002\.jpg"):
        load_lspet(sets.leeds(tmp_path, "lspet", 3, change), [1, 2, 3])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda root: (root / "joints.mat").unlink(), r"there is no .*joints\.mat \(LSPet's folder must hold"),
        (lambda root: (root / "images").rename(root / "other"), r"there is no folder .*images"),
        (lambda root: (root / "teachers.npz").unlink(), r"cannot read .*teachers\.npz: .*No such file"),
        (lambda root: (root / "teachers.npz").write_bytes(b"PK\3\4 torn"), r"cannot read .*teachers\.npz"),
    ],
)
def test_whatever_lspet_lacks_is_one_line(tmp_path, sets, spoil, words):
    root = sets.leeds(tmp_path, "lspet", 2)
    sets.teachers(tmp_path / "teachers.npz", [1, 2], [sets.standing(BODY19)] * 2)
    spoil(root)
    with pytest.raises(SourceError, match=words) as caught:
        load_lspet(root, [1, 2], tmp_path / "teachers.npz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("numbers", [range(1, 4), [0, 1]])
def test_numbers_that_lspet_does_not_have_are_one_line(tmp_path, sets, numbers):
    root = sets.leeds(tmp_path, "lspet", 2)
    with pytest.raises(SourceError, match=r"joints\.mat labels the pictures 1 to 2, not \d to \d"):
        load_lspet(root, numbers)


def test_labels_of_lsp_are_not_taken_for_those_of_lspet(tmp_path, sets):
    with pytest.raises(SourceError, match="holds the labels of lsp, not of lspet"):
        load_lspet(sets.leeds(tmp_path, "lsp", 2), [1])


# --- Stanford 40


def test_stanford40_has_the_joints_on_which_both_teachers_agree(tmp_path, sets):
    root = sets.stanford40(tmp_path, 3)
    people = load_stanford40(root, root / "teachers.npz")
    assert (people.name, people.keys, people.faults) == ("stanford40", [f"waving_{i:03d}" for i in range(3)], ())
    assert [BODY19.joints[k] for k in np.flatnonzero(people.weight[0] == 0)] == ["neck", "head_top"]
    # The first teacher is trusted twice as much: a third of the quarter pixel.
    joints = np.where(people.weight[0][:, None] > 0, sets.standing(BODY19) + 0.25 / 3, np.nan).astype(np.float32)
    part, moved = cut_person(read_picture(root / "JPEGImages" / "waving_000.jpg"), joints, people.weight[0])
    np.testing.assert_array_equal(people.pictures[0], part)
    np.testing.assert_allclose(people.joints[0], moved, atol=1e-3)


def test_damaged_pictures_and_boxes_of_stanford40_are_left_out_and_named(tmp_path, sets):
    root = sets.stanford40(tmp_path, 300)
    (root / "JPEGImages" / "waving_005.jpg").write_bytes(b"")
    (root / "XMLAnnotations" / "waving_007.xml").write_text("<annotation><obj", encoding="utf-8")
    (root / "XMLAnnotations" / "waving_009.xml").unlink()
    people = load_stanford40(root, root / "teachers.npz")
    assert len(people) == 297
    assert not {"waving_005", "waving_007", "waving_009"} & set(people.keys)
    told = [str(fault) for fault in people.faults]
    for words in ("cannot read label", "waving_007.xml", "waving_009.xml: No such file", "waving_005.jpg is empty"):
        assert any(words in line for line in told), words
    (root / "XMLAnnotations" / "waving_011.xml").write_text("<annotation/>", encoding="utf-8")
    with pytest.raises(SourceError, match=r"4 of 300 cannot be used, more than 1%: .*waving_007\.xml"):
        load_stanford40(root, root / "teachers.npz")


def test_a_joint_outside_of_its_picture_of_stanford40_teaches_nothing(tmp_path, sets):
    root = sets.stanford40(tmp_path, 2)
    told = np.stack([sets.standing(BODY19)] * 2)
    told[1, BODY19.index("left_ankle"), 1] = 330
    sets.teachers(root / "teachers.npz", ["waving_000", "waving_001"], told)
    people = load_stanford40(root, root / "teachers.npz")
    gone = (people.weight[0] > 0) & (people.weight[1] == 0)
    assert [BODY19.joints[k] for k in np.flatnonzero(gone)] == ["left_ankle"]
    assert np.isnan(people.joints[1][gone]).all()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("JPEGImages", r"there is no folder .*JPEGImages \(Stanford 40's folder must hold"),
        ("XMLAnnotations", r"there is no folder .*XMLAnnotations"),
        ("teachers.npz", r"cannot read .*teachers\.npz"),
    ],
)
def test_whatever_stanford40_lacks_is_one_line(tmp_path, sets, name, words):
    root = sets.stanford40(tmp_path, 1)
    (root / name).rename(root / "elsewhere")
    with pytest.raises(SourceError, match=words):
        load_stanford40(root, root / "teachers.npz")


def test_other_teachers_of_stanford40_are_one_line(tmp_path, sets):
    root = sets.stanford40(tmp_path, 1)
    np.savez(root / "teachers.npz", index=["waving_000"], a=np.zeros((1, 17, 2)), a_conf=np.ones((1, 17)))
    with pytest.raises(SourceError, match=r"has the joints of a \(those of thunder and tiny are needed\)"):
        load_stanford40(root, root / "teachers.npz")


def test_nobody_in_stanford40_is_one_line(tmp_path, sets):
    root = sets.stanford40(tmp_path, 2)
    with pytest.raises(SourceError, match="nobody is left to learn from"):
        load_stanford40(root, root / "teachers.npz", least_joints=18)


# --- sources


def test_a_source_of_every_layout_is_loaded(tmp_path, sets):
    lspet, stanford40 = sets.leeds(tmp_path / "lspet", "lspet", 3), sets.stanford40(tmp_path / "s40", 2)
    coco = sets.coco(tmp_path / "coco")
    loaded = [
        load_source(Source("lspet", lspet, numbers="2:3"), BODY19),
        load_source(Source("stanford40", stanford40, teachers=stanford40 / "teachers.npz"), COCO17),
        load_source(Source("labels", coco), BODY19),
    ]
    assert [(people.name, len(people)) for people in loaded] == [("lspet", 2), ("stanford40", 2), ("coco", 2)]
    assert [people.joints.shape[1] for people in loaded] == [19, 17, 19]
    with pytest.raises(InputError, match="has no numbers"):
        load_source(Source("lspet", lspet), BODY19)
    with pytest.raises(InputError, match="has no teachers"):
        load_source(Source("stanford40", stanford40), BODY19)


def test_a_part_of_labelled_pictures_is_chosen_by_number(tmp_path, sets):
    lsp, coco = sets.leeds(tmp_path / "lsp", "lsp", 5), sets.coco(tmp_path / "coco")
    train, choose = Source("labels", lsp, numbers="1:3"), Source("labels", lsp, numbers="4:5")
    mixture, held_out = load_data(DataConfig((train,), choose), BODY19)
    assert mixture.sets[0].keys == ["im0001", "im0002", "im0003"]
    assert held_out.keys == ["im0004", "im0005"]
    Split.of(mixture, held_out)  # refuses people who are in both
    assert load_source(Source("labels", coco, numbers="8:8"), BODY19).keys == ["000000000008_81"]
    with pytest.raises(SourceError, match=r"pictures 6:9: nobody is left .*\(choose other numbers\)"):
        load_source(Source("labels", lsp, numbers="6:9"), BODY19)
    with pytest.raises(InputError, match="write first:last"):
        load_source(Source("labels", lsp, numbers="3"), BODY19)


def test_who_is_left_out_of_a_training_is_said(hundred, tmp_path, sets):
    """A damaged picture, and somebody without a label: a line for the set, and both are named."""
    train = Source("lspet", hundred, numbers="1:101")
    choose = Source("labels", sets.leeds(tmp_path, "lsp", 2))
    lines = []
    mixture, held_out = load_data(DataConfig((train,), choose), BODY19, lines.append)
    assert (mixture.counts, len(held_out)) == ((99,), 2)
    (line,) = lines
    assert line.startswith("lspet: 2 people left out: ")
    assert "im00077.jpg is cut off" in line
    assert "im00003: no joint of body19 is known" in line
