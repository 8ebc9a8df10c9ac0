"""Crops, shards and the check of a whole set."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from sadinet.errors import InputError, OutputError, SourceError
from sadinet.skeletons import BODY19, COCO17, LSP14
from sadinet.training.batches import Mixture
from sadinet.training.datasets import cut_person, is_cut_off, read_picture
from sadinet.training.person_set import EncodedPictures, decode_picture
from sadinet.training.sets.checking import examine
from sadinet.training.sets.crops import Crop, cut_people, load_people
from sadinet.training.sets.joint_file import JointFile
from sadinet.training.sets.people import Fault
from sadinet.training.sets.recognise import open_labels
from sadinet.training.sets.selection import Selection
from sadinet.training.sets.shards import Packing, ShardWriter, load_shards, read_index
from sadinet.training.sources import in_skeleton
from sadinet.training.split import Split


def random_crop(key: str, seed: int, side: int = 60) -> Crop:
    rng = np.random.default_rng(seed)
    joints = rng.uniform(0, side, (19, 2)).astype(np.float32)
    weight = (rng.random(19) < 0.8).astype(np.float32)
    joints[weight == 0] = np.nan
    return Crop(key, rng.integers(0, 256, (side, side + seed % 5, 3), dtype=np.uint8), joints, weight, 0)


def pack(folder, crops, packing, name="lsp"):
    writer = ShardWriter(folder, packing)
    for crop in crops:
        writer.add(crop, name if isinstance(name, str) else name(crop))
    return writer.finish()


@pytest.mark.parametrize("limit", [30_000, 80_000, 10_000_000])
def test_no_shard_is_larger_than_its_limit_and_nobody_is_lost(tmp_path, limit):
    crops = [random_crop(f"person {'ä' * (i % 40)}{i}", i) for i in range(25)]
    index = pack(tmp_path, crops, Packing(limit, "png"))
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("*.npz"))]
    assert max(sizes) <= limit
    assert sizes == [entry["bytes"] for entry in index["files"]]
    assert len(sizes) == {30_000: 13, 80_000: 5, 10_000_000: 1}[limit]
    people = load_shards(tmp_path)
    assert people.keys == [crop.key for crop in crops]
    np.testing.assert_array_equal(people.joints, np.stack([crop.joints for crop in crops]))
    np.testing.assert_array_equal(people.weight, np.stack([crop.weight for crop in crops]))
    for picture, crop in zip(people.pictures, crops, strict=True):
        np.testing.assert_array_equal(picture, crop.picture)  # PNG loses nothing


def test_the_same_people_give_the_same_bytes(tmp_path):
    crops = [random_crop(f"p{i}", i) for i in range(4)]
    first, second = (pack(tmp_path / name, crops, Packing()) for name in ("a", "b"))
    assert first == second


def test_sets_are_taken_apart_and_mixed_again(tmp_path):
    crops = [random_crop(f"p{i}", i) for i in range(10)]
    pack(tmp_path, crops, Packing(60_000), lambda crop: "coco" if int(crop.key[1:]) % 2 else "lsp")
    assert read_index(tmp_path)["sets"] == {"lsp": 5, "coco": 5}
    odd, even = load_shards(tmp_path, ["coco"]), load_shards(tmp_path, ["lsp"], keep_encoded=True)
    assert (odd.name, odd.keys) == ("coco", ["p1", "p3", "p5", "p7", "p9"])
    assert isinstance(even.pictures, EncodedPictures)
    assert even.pictures[np.int64(2)].shape == crops[4].picture.shape
    assert len(list(even.pictures)) == len(even) == 5
    assert len(Mixture((odd, even), (1.0, 0.4)).epoch_order(0, 0)) == 7
    with pytest.raises(SourceError, match="nobody of mpii"):
        load_shards(tmp_path, ["mpii"])
    # Everybody keeps the name of the own set, however the sets are put together.
    both = load_shards(tmp_path, keep_encoded=True)
    assert both.name == "lsp+coco"
    assert both.full_keys == [f"{'coco' if i % 2 else 'lsp'}/p{i}" for i in range(10)]
    some = both.only([1, 4])
    assert some.full_keys == ["coco/p1", "lsp/p4"] == [odd.full_keys[0], even.full_keys[2]]
    np.testing.assert_array_equal(some.joints[1], even.joints[2])
    np.testing.assert_array_equal(some.pictures[1], even.pictures[2])


def test_held_out_people_are_recognised_in_shards_of_several_sets(tmp_path):
    crops = [random_crop(f"im{i}", i) for i in range(6)]
    pack(tmp_path / "train", crops, Packing(), lambda crop: "lsp" if crop.key < "im3" else "lspet")
    pack(tmp_path / "test", crops[2:3], Packing(), "lsp")
    mixture = Mixture((load_shards(tmp_path / "train"),), (1.0,))
    with pytest.raises(InputError, match=r"held-out lsp/im2 is trained on too \(1 such people\)"):
        Split.of(mixture, load_shards(tmp_path / "test"))
    pack(tmp_path / "other", [random_crop("im2", 2)], Packing(), "lspet")  # another set's picture of that name
    assert Split.of(mixture, load_shards(tmp_path / "other")).held_out == ("lspet/im2",)


def test_people_without_a_known_joint_are_named_before_the_training(tmp_path):
    crops = [random_crop(f"p{i}", i) for i in range(3)]
    crops[1].weight[:] = 0
    pack(tmp_path, crops, Packing())
    people = load_shards(tmp_path)
    with pytest.raises(InputError, match=r"lsp/p1 has no joint to learn from \(1 such people\)"):
        Mixture((people,), (1.0,))
    kept = in_skeleton(people, BODY19)
    assert kept.keys == ["p0", "p2"]
    assert [str(fault) for fault in kept.faults] == ["p1: no joint of body19 is known"]
    assert Mixture((kept,), (1.0,)).counts == (2,)


def test_a_person_larger_than_a_shard_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"big alone needs \d+ bytes.*--shard-mb"):
        pack(tmp_path, [random_crop("big", 0, 200)], Packing(20_000, "png"))


def test_damaged_unfinished_and_occupied_folders(tmp_path):
    crops = [random_crop("a", 1)]
    writer = ShardWriter(tmp_path, Packing())
    writer.add(crops[0], "lsp")
    with pytest.raises(SourceError, match=r"no shards\.json: .*not finished"):
        load_shards(tmp_path)
    writer.finish()
    with pytest.raises(OutputError, match="holds shards already"):
        ShardWriter(tmp_path)
    shard = tmp_path / "shard-00000.npz"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-9] + b"!" + whole[-8:])
    with pytest.raises(SourceError, match=r"shard-00000\.npz is damaged"):
        load_shards(tmp_path)
    shard.unlink()
    with pytest.raises(SourceError, match=r"cannot read shard .*shard-00000"):
        load_shards(tmp_path)
    (tmp_path / "shards.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match=r"cannot read .*shards\.json"):
        load_shards(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": None}, "it does not say 'files'"),
        ({"sets": None}, "it does not say 'sets'"),
        ({"files": [{"name": "shard-00000.npz"}]}, "does not say which files and sets there are"),
        ({"files": ["shard-00000.npz"]}, "does not say which files and sets there are"),
        ({"files": 3}, "not iterable"),
        ({"sets": ["lsp"]}, "does not say which files and sets there are"),
    ],
)
def test_an_index_that_lacks_something_is_one_line(tmp_path, changes, words):
    held = pack(tmp_path, [random_crop("a", 1)], Packing())
    held = {name: value for name, value in (held | changes).items() if value is not None}
    (tmp_path / "shards.json").write_text(json.dumps(held), encoding="utf-8")
    with pytest.raises(SourceError, match=rf"shards\.json.*{words}") as caught:
        load_shards(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("save", [np.save, np.savez])
def test_a_shard_that_holds_something_else_is_one_line(tmp_path, save):
    held = pack(tmp_path, [random_crop("a", 1)], Packing())
    shard = tmp_path / "shard-00000.npz"
    with shard.open("wb") as stream:
        save(stream, np.zeros(3))
    held["files"][0]["sha256"] = hashlib.sha256(shard.read_bytes()).hexdigest()
    (tmp_path / "shards.json").write_text(json.dumps(held), encoding="utf-8")
    with pytest.raises(SourceError, match=r"shard .*shard-00000\.npz.*(a single array|has no ends, joints)"):
        load_shards(tmp_path)


def test_shards_hold_no_pickle(tmp_path):
    pack(tmp_path, [random_crop("a", 1)], Packing())
    with np.load(tmp_path / "shard-00000.npz", allow_pickle=False) as file:
        assert {name: file[name].dtype.kind for name in file.files} == {
            "pictures": "u", "ends": "i", "joints": "f", "weight": "f", "keys": "U", "sets": "U",
        }  # fmt: skip


def test_pictures_are_decoded_without_opencv_too(monkeypatch):
    pytest.importorskip("PIL", reason="Pillow is not installed")
    crop = random_crop("a", 1)
    encoded = Packing(encoding="png").encode(crop.picture)
    monkeypatch.setitem(sys.modules, "cv2", None)
    np.testing.assert_array_equal(decode_picture(encoded), crop.picture)


# --- cutting


def test_joints_stay_on_their_pixels(tmp_path, sets):
    """A dot painted at a joint is found at the joint of the crop."""
    root = sets.leeds(tmp_path, "lspet", 1)
    picture = np.zeros((320, 200, 3), np.uint8)
    at = sets.standing(LSP14).astype(int)
    picture[at[:, 1], at[:, 0]] = 255
    joints = np.full((19, 2), np.nan, np.float32)
    joints[:14] = at
    part, moved = cut_person(picture, joints, np.isfinite(joints[:, 0]).astype(np.float32))
    for x, y in moved[:14].astype(int):
        assert part[y, x].tolist() == [255, 255, 255]
    half, shrunk = cut_person(picture, joints, np.isfinite(joints[:, 0]).astype(np.float32), 100)
    assert max(half.shape) == 100
    scale = half.shape[0] / part.shape[0]
    np.testing.assert_allclose(shrunk[:14, 1], (moved[:14, 1] + 0.5) * scale - 0.5, atol=1e-3)
    (crop,) = cut_people(open_labels(root))
    np.testing.assert_allclose(crop.joints[:14] - crop.joints[0], at - at[0], atol=0.6)


def test_joints_outside_of_the_picture_are_masked_and_people_there_are_faults(tmp_path, sets):
    def change(labels):
        labels[0, 5, :2] = (500, 300)
        labels[1, :, 0] += 1000

    labelled = open_labels(sets.leeds(tmp_path, "lspet", 3, change))
    first, second, third = cut_people(labelled)
    assert (first.outside, first.weight[5], first.weight[:14].sum()) == (1, 0, 13)
    assert np.isnan(first.joints[5]).all()
    assert isinstance(second, Fault)
    assert "im00002" in str(second)
    assert "all its joints lie outside" in str(second)
    assert (third.outside, third.weight.sum()) == (0, 14)
    findings = examine(labelled)
    assert len(findings.outside) == 15
    assert "left_ankle at 500, 300 lies outside of 200 x 320 pixels" in str(findings.outside[0])


def test_people_with_hardly_a_joint_are_passed_over(tmp_path, sets):
    def change(labels):
        labels[1, 3:, 2] = 0

    labelled = open_labels(sets.leeds(tmp_path, "lspet", 2, change))
    assert [crop.key for crop in cut_people(labelled)] == ["im00001"]
    assert [crop.key for crop in cut_people(labelled, least_joints=3)] == ["im00001", "im00002"]


def test_cleaned_labels_take_the_place_of_the_sets_own(tmp_path, sets):
    labelled = open_labels(sets.leeds(tmp_path, "lspet", 2))
    joints = np.stack([sets.standing(BODY19, (5, 5))] * 2).astype(np.float32)
    weight = np.full((2, 19), 0.5, np.float32)
    cleaned = JointFile("cleaned", ("im00002", "im00001"), BODY19, joints, weight, is_label=True)
    people = load_people(labelled, cleaned)
    assert (people.weight == 0.5).all()
    assert np.isfinite(people.joints).all()


def test_several_layouts_train_together(tmp_path, sets):
    """What a set does not label has weight 0, so that sets with different joints make one body19."""
    lsp = load_people(open_labels(sets.leeds(tmp_path / "lsp", "lsp", 2)))
    coco = load_people(open_labels(sets.coco(tmp_path / "coco")))
    mpii = load_people(open_labels(sets.mpii_json(tmp_path / "mpii")))
    for people in (lsp, coco, mpii):
        assert people.joints.shape[1:] == (19, 2)
        assert (np.isfinite(people.joints[..., 0]) == (people.weight > 0)).all()
    missing = {
        people.name: [BODY19.joints[k] for k in np.flatnonzero((people.weight == 0).all(axis=0))]
        for people in (lsp, coco, mpii)
    }
    face = list(BODY19.joints[14:])
    assert missing == {"lsp": face, "coco": ["neck", "head_top"], "mpii-json": face}
    # The same person stands in all three: the same joints lie at the same places of the picture.
    shoulder, hip = BODY19.index("left_shoulder"), BODY19.index("right_hip")
    apart = [people.joints[0, shoulder] - people.joints[0, hip] for people in (lsp, coco, mpii)]
    np.testing.assert_allclose(apart[1], apart[0], atol=1e-3)
    np.testing.assert_allclose(apart[2], apart[0], atol=1e-3)


# --- damaged pictures


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_cut_off_pictures_are_noticed(tmp_path, sets, suffix):
    path = tmp_path / f"x{suffix}"
    sets.picture(path)
    whole = path.read_bytes()
    assert not is_cut_off(whole)
    assert not is_cut_off(whole + b"some trailing bytes")
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(SourceError, match=f"x{suffix} is cut off"):
        read_picture(path)
    path.write_bytes(b"no picture at all")
    with pytest.raises(SourceError, match="damaged or no picture"):
        read_picture(path)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match="is empty"):
        read_picture(path)


def test_damaged_pictures_are_named_and_too_many_refused(tmp_path, sets):
    root = sets.leeds(tmp_path, "lsp", 3)
    (root / "images" / "im0002.jpg").write_bytes(b"\xff\xd8 nothing \xff\xda")
    labelled = open_labels(root)
    findings = examine(labelled)
    assert ["im0002.jpg" in fault.name for fault in findings.faults] == [True]
    assert not findings.is_usable
    assert examine(labelled, read_pictures=False).is_usable
    with pytest.raises(SourceError, match=r"1 of 3 cannot be used.*im0002\.jpg"):
        load_people(labelled)


def test_pictures_damaged_inside_are_named_counted_and_too_many_refused(tmp_path, sets):
    root = sets.leeds(tmp_path, "lsp", 3)
    path = root / "images" / "im0002.jpg"
    whole = path.read_bytes()
    middle = (whole.find(b"\xff\xda") + len(whole)) // 2
    path.write_bytes(whole[:middle] + whole[middle + 500 :])
    labelled = open_labels(root)
    findings = examine(labelled)
    assert [str(fault) for fault in findings.faults] == [f"picture {path} is damaged inside"]
    assert not findings.is_usable
    with pytest.raises(SourceError, match=r"1 of 3 cannot be used.*im0002\.jpg is damaged inside"):
        load_people(labelled)


def test_a_few_damaged_pictures_are_left_out_and_handed_back(tmp_path, sets):
    root = sets.leeds(tmp_path, "lsp", 100)
    (root / "images" / "im0042.jpg").write_bytes(b"")
    people = load_people(open_labels(root))
    assert len(people) == 99
    assert "im0042" not in people.keys
    (fault,) = people.faults
    assert str(fault) == f"picture {root / 'images' / 'im0042.jpg'} is empty"


def test_a_damaged_picture_counts_as_often_as_it_has_people(tmp_path, sets):
    """99 of 149 people are lost with one of two pictures."""
    labels = [sets.coco_label(n, 7 if n < 100 else 8, sets.standing(COCO17)) for n in range(1, 150)]
    root = sets.coco(tmp_path, labels)
    (root / "val2017" / f"{7:012d}.jpg").write_bytes(b"")
    labelled = open_labels(root)
    findings = examine(labelled)
    assert [fault.people for fault in findings.faults] == [99]
    assert not findings.is_usable
    with pytest.raises(SourceError, match=r"99 of 149 cannot be used, more than 1%: picture .*000007\.jpg is empty"):
        load_people(labelled)


def test_a_selection_has_only_the_faults_that_may_be_its_own(tmp_path, sets):
    def change(labels):
        labels[59, 0, :2] = 1e9

    labelled = open_labels(sets.leeds(tmp_path, "lspet", 60, change))
    assert [fault.index for fault in labelled.faults] == [60]
    assert (len(labelled), labelled.total) == (59, 60)
    first = labelled.only(Selection(1, 50))
    assert (len(first), first.faults) == (50, ())
    assert len(load_people(first)) == 50
    assert labelled.only(Selection(51, 60)).faults == labelled.faults
    unknown = replace(labelled, faults=(Fault("somewhere", "torn"), Fault("train", "torn", split="train")))
    assert [fault.name for fault in unknown.only(Selection(1, 5)).faults] == ["somewhere", "train"]
    assert [fault.name for fault in unknown.only(split="val").faults] == ["somewhere"]


def test_a_fold_has_only_the_faults_of_its_own_pictures(tmp_path, sets):
    """A set with few faults stays usable when a part of it is left out."""

    def change(labels):
        labels[[4, 59], 0, :2] = 1e9

    labelled = open_labels(sets.leeds(tmp_path, "lspet", 60, change))
    assert [fault.picture_number for fault in labelled.faults] == [5, 60]
    left = labelled.only(leave_out=Selection(part=2, parts=3))
    assert ([fault.picture_number for fault in left.faults], left.total) == ([60], 40)
    part = labelled.only(pictures=Selection(part=2, parts=3))
    assert ([fault.picture_number for fault in part.faults], part.total) == ([5], 20)
    both = labelled.only(Selection(1, 10), leave_out=Selection(part=2, parts=3))
    assert ([person.index for person in both.people], both.faults) == ([1, 3, 4, 6, 7, 9, 10], ())


def test_an_empty_set_is_refused(tmp_path, sets):
    labelled = open_labels(sets.coco(tmp_path, labels=[sets.coco_label(1, 7, sets.standing(COCO17))]))
    nobody = replace(labelled, people=())
    assert not examine(nobody).is_usable
    with pytest.raises(SourceError, match="nobody is left"):
        load_people(nobody)


def test_the_index_can_be_read_by_anybody(tmp_path):
    pack(tmp_path, [random_crop("a", 1)], Packing())
    held = json.loads((tmp_path / "shards.json").read_text(encoding="utf-8"))
    assert held["joints"] == list(BODY19.joints)
    assert (held["format"], held["version"], held["people"]) == ("sadinet-shards", 1, 1)
