"""Evaluation on made-up pictures: a real network whose answers are foreseen, figures worked out by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from sadinet.errors import InputError, SourceError
from sadinet.geometry import Box
from sadinet.manifest import DecodeSpec
from sadinet.people.estimator import PoseEstimator
from sadinet.skeletons import COCO17, LSP14, convert
from sadinet.training.evaluation import figures, match_boxes, plain, predict
from sadinet.training.examination import Person, open_coco, open_examination, open_lspet
from sadinet.training.sets.selection import Selection

DARK = (DecodeSpec(),)
JPEG = [
    cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]  # fmt: skip

# A torso of 100 px: both diagonals between shoulders and hips are 60-80-100 triangles.
STANDING = {
    "right_ankle": (60, 300), "right_knee": (55, 240), "right_hip": (70, 170), "left_hip": (130, 170),
    "left_knee": (145, 240), "left_ankle": (140, 300), "right_wrist": (20, 180), "right_elbow": (35, 135),
    "right_shoulder": (70, 90), "left_shoulder": (130, 90), "left_elbow": (165, 135), "left_wrist": (180, 180),
    "neck": (100, 75), "head_top": (100, 25),
    "nose": (100, 50), "left_eye": (112, 38), "right_eye": (88, 38), "left_ear": (130, 50), "right_ear": (70, 50),
}  # fmt: skip


def standing(skeleton, at=(0, 0)):
    """Joints (K, 2) of somebody who stands at a place."""
    return np.array([STANDING[name] for name in skeleton.joints], dtype=float) + at


# --- LSPet

NUMBERS = (1, 2, 4, 6, 7)


@pytest.fixture(scope="module")
def lspet(tmp_path_factory, markers):
    """Five pictures with gaps in their numbers; joints.mat has eight columns. Returns folder and painted dots."""
    root = tmp_path_factory.mktemp("lspet")
    (root / "images").mkdir()
    place = LSP14.index
    # Columns of pictures that are not there hold labels that would ruin every figure.
    labels = np.full((8, 14, 3), 5.0)
    labels[..., 2] = 1
    dots = {}
    for number in NUMBERS:
        labels[number - 1, :, :2] = dots[number] = standing(LSP14, at=(30 + 3.3 * number, 20 + 2.7 * number))
    dots = {number: points.copy() for number, points in dots.items()}
    dots[2][place("right_ankle")] += (9, 12)  # 15 px: 0.15 torso
    dots[2][place("left_knee")] += (0, -7)  # 0.07 torso
    dots[2][place("left_wrist")] += (18, 24)  # 30 px: 0.3 torso
    labels[3, place("right_elbow"), 2] = 0  # picture 4: not labelled
    dots[4][place("right_elbow")] += (40, 0)
    labels[5, place("left_hip"), 2] = 0  # picture 6: no whole torso, left out of PCK
    dots[6][place("neck")] += (0, 10)
    dots[7][place("right_wrist")] = np.nan  # picture 7: not to be seen
    for number, points in dots.items():
        cv2.imwrite(str(root / "images" / f"im{number:05d}.jpg"), markers.paint((260, 360), points, 6), JPEG)
    (root / "images" / "notes.txt").write_text("not a picture", encoding="utf-8")
    scipy.io.savemat(root / "joints.mat", {"joints": labels.transpose(1, 2, 0)})
    return root, dots


@pytest.fixture(scope="module")
def lsp_estimator(tmp_path_factory, markers):
    return PoseEstimator(markers.model(tmp_path_factory.mktemp("model"), LSP14, (160, 192)), device="cpu")


def test_lspet_by_hand(lspet, lsp_estimator):
    root, dots = lspet
    examination = open_lspet(root)
    (found,) = predict(lsp_estimator, examination, DARK)
    np.testing.assert_array_equal(found.index, NUMBERS)
    for joints, points in zip(found.joints, dots.values(), strict=True):
        seen = np.isfinite(points[:, 0])
        np.testing.assert_allclose(joints[seen], points[seen], atol=1.0)
    got = figures(found, examination)
    # Labelled limb joints of the pictures 1, 2, 4, 7: 12 + 12 + 11 + 12.
    assert (got["pictures_with_torso"], got["joints"], got["missed"]) == (4, 47, 0)
    assert got["PCK@0.2"] == pytest.approx(100 * 45 / 47, abs=1e-3)  # without a wrist in 2 and one in 7
    assert got["PCK@0.1"] == pytest.approx(100 * 44 / 47, abs=1e-3)  # and an ankle in 2
    assert got["PCK@0.05"] == pytest.approx(100 * 43 / 47, abs=1e-3)  # and a knee in 2
    assert got["per_joint"]["PCK@0.1"]["right_ankle"] == 75
    assert got["per_joint"]["PCK@0.2"]["right_ankle"] == 100
    assert got["per_joint"]["PCK@0.2"]["right_elbow"] == 100  # of three
    # Picture 6 has no torso but counts here: (0 + 15 + 0 + 0 + 0) / 5, (0 + 0 + 0 + 10 + 0) / 5.
    assert got["pixel_error"]["per_joint"]["right_ankle"] == pytest.approx(3, abs=0.5)
    assert got["pixel_error"]["per_joint"]["neck"] == pytest.approx(2, abs=0.5)
    assert got["pixel_error"]["median"] < 0.7
    assert got["sigma_coverage"] == {"1 sigma": {"x": None, "y": None}, "2 sigma": {"x": None, "y": None}}


def test_columns_of_the_labels_belong_to_numbers_not_to_places(lspet):
    root, _ = lspet
    people = open_lspet(root, Selection(4, 6)).people
    assert [person.index for person in people] == [4, 6]
    np.testing.assert_allclose(people[0].joints[0], (60 + 30 + 3.3 * 4, 300 + 20 + 2.7 * 4), atol=1e-4)
    assert np.isnan(people[0].joints[LSP14.index("right_elbow")]).all()
    # The labels' box: joints from x 20 to 180 and y 25 to 300, a quarter of that more on each side.
    box = people[1].box
    np.testing.assert_allclose(
        (box.x, box.y, box.width, box.height), (49.8 + 20 - 40, 36.2 + 25 - 68.75, 240, 412.5), atol=1e-3
    )


def test_one_run_of_the_network_serves_all_decodings(lspet, lsp_estimator):
    root, _ = lspet
    examination = open_lspet(root)
    ways = tuple(DecodeSpec(method) for method in ("dark", "shift4", "argmax"))
    found = predict(lsp_estimator, examination, ways)
    for way, predictions in zip(ways, found, strict=True):
        (alone,) = predict(lsp_estimator, examination, (way,))
        np.testing.assert_array_equal(predictions.joints, alone.joints)
    errors = [figures(predictions, examination)["pixel_error"]["median"] for predictions in found]
    assert errors[0] < 0.5 * errors[1] < 0.5 * errors[2]


def test_saved_predictions_hold_all_that_the_figures_need(lspet, lsp_estimator, tmp_path):
    root, _ = lspet
    examination = open_lspet(root)
    (found,) = predict(lsp_estimator, examination, DARK)
    found.save(tmp_path / "found.npz")
    labels = scipy.io.loadmat(root / "joints.mat")["joints"].transpose(2, 0, 1)
    with np.load(tmp_path / "found.npz") as file:
        assert file["joints"].shape == file["sigmas"].shape == (5, 14, 2)
        assert file["scores"].shape == (5, 14)
        truth = labels[file["index"] - 1]
        names = file["names"].tolist()
        error = np.linalg.norm(file["joints"] - truth[..., :2], axis=2)
    hip_r, shoulder_l = names.index("right_hip"), names.index("left_shoulder")
    np.testing.assert_allclose(np.linalg.norm(truth[:, hip_r, :2] - truth[:, shoulder_l, :2], axis=1), 100)
    labelled = truth[..., 2] == 1
    counted = labelled & labelled[:, [names.index("left_hip")]]  # the one part of a torso that is missing somewhere
    counted[:, 12:] = False
    assert 100 * (error[counted] <= 10).mean() == pytest.approx(figures(found, examination)["PCK@0.1"], abs=1e-3)


def test_a_joint_that_the_model_lacks_is_no_figure_of_its_own(tmp_path, markers):
    """A coco17 model has no neck and no head top; limb joints go by their names, not their places."""
    # Colours go by place: the picture is painted as this model wants to see it.
    (tmp_path / "images").mkdir()
    label = np.ones((14, 3, 1))
    label[:, :2, 0] = standing(LSP14, at=(30, 20))
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": label})
    image = markers.paint((260, 360), standing(COCO17, at=(30, 20)), 6)
    cv2.imwrite(str(tmp_path / "images" / "im00001.jpg"), image, JPEG)
    estimator = PoseEstimator(markers.model(tmp_path, COCO17, (160, 192)), device="cpu", skeleton="lsp14")
    examination = open_lspet(tmp_path)
    (found,) = predict(estimator, examination, DARK)
    lacking = convert(COCO17, LSP14).missing
    got = figures(found, examination, lacking)
    assert lacking == ("neck", "head_top")
    assert got["PCK@0.05"] == 100
    assert got["per_joint"]["PCK@0.2"]["neck"] is None
    assert got["per_joint"]["PCK@0.2"]["left_wrist"] == 100
    assert got["pixel_error"]["per_joint"]["head_top"] is None


@pytest.mark.parametrize(
    ("selection", "words"),
    [(Selection(8, 20), "none of im00008.jpg to im00020.jpg"), (Selection(3, 3), "no picture selected")],
)
def test_nothing_selected_says_what_was_looked_for(lspet, selection, words):
    with pytest.raises(SourceError, match=words):
        open_lspet(lspet[0], selection)


@pytest.mark.parametrize(
    ("text", "fold", "chosen", "told"),
    [
        ("3:9", None, [3, 4, 5, 6, 7, 8, 9], "3:9"),
        (None, "2/5", [2, 7, 12], "all, part 2 of 5"),
        ("3:12", "5/5", [5, 10], "3:12, part 5 of 5"),
        (None, "1/1", [*range(14)], "all"),
    ],
)
def test_a_selection_has_numbers_and_a_fold(text, fold, chosen, told):
    selection = Selection.parse(text, fold)
    assert [number for number in range(14) if number in selection] == chosen
    assert str(selection) == told


@pytest.mark.parametrize(
    ("text", "fold"), [("9:3", None), ("", None), ("3", None), (None, "0/5"), (None, "6/5"), (None, "2")]
)
def test_a_selection_that_makes_no_sense_is_refused(text, fold):
    with pytest.raises(InputError, match=r"selection|fold"):
        Selection.parse(text, fold)


def test_missing_parts_of_lspet_are_named(tmp_path, lspet):
    with pytest.raises(SourceError, match=r"no folder .*elsewhere"):
        open_lspet(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match=r"no .*joints\.mat"):
        open_lspet(tmp_path)
    (tmp_path / "joints.mat").write_bytes((lspet[0] / "joints.mat").read_bytes())
    with pytest.raises(SourceError, match=r"no folder .*images"):
        open_lspet(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "im00009.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match=r"labels for 8 pictures .*im00009\.jpg has none"):
        open_lspet(tmp_path)
    (tmp_path / "images" / "im00009.jpg").rename(tmp_path / "images" / "im00001.jpg")
    with pytest.raises(SourceError, match=r"im00001\.jpg"):
        predict(None, open_lspet(tmp_path), DARK)  # type: ignore[arg-type]  # the picture fails first


@pytest.mark.parametrize("text", ["8501", "8501-9000", "9:1", "a:b", "-1:4"])
def test_selections_that_make_no_sense(text):
    with pytest.raises(InputError, match="first:last"):
        Selection.parse(text)


def test_selections_hold_both_ends():
    selection = Selection.parse("8501:9000")
    assert [number in selection for number in (8500, 8501, 9000, 9001)] == [False, True, True, False]


# --- COCO


AREA = 42_000.0
SHIFT_PX = 22.0


@pytest.fixture(scope="module")
def coco(tmp_path_factory, markers):
    """Three people in two pictures: one shifted as a whole; and labels that do not count."""
    root = tmp_path_factory.mktemp("coco")
    (root / "images").mkdir()
    a, b, c = (standing(COCO17, at) for at in ((20, 10), (420, 15), (60, 30)))
    shifted = standing(COCO17, (420 + SHIFT_PX, 15))
    # One picture, two people, far enough from each other for their crops not to meet; smaller dots score lower.
    two = np.maximum(markers.paint((660, 340), a, 6), markers.paint((660, 340), shifted, 4))
    cv2.imwrite(str(root / "images" / "two.png"), two)
    cv2.imwrite(str(root / "images" / "one.png"), markers.paint((300, 360), c, 6))

    def label(number, image, joints, **changes):
        triples = np.concatenate([joints + 0.0, np.full((17, 1), 2.0)], axis=1)
        (x, y), (width, height) = joints.min(axis=0) - 8, np.ptp(joints, axis=0) + 16
        return {
            "id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "area": AREA, "num_keypoints": 17,
            "bbox": [x, y, width, height], "keypoints": triples.ravel().tolist(),
        } | changes  # fmt: skip

    nothing = [0] * 51
    labels = [
        label(31, 8, c), label(11, 3, a), label(12, 3, b),
        label(13, 3, a, keypoints=nothing, num_keypoints=0),
        label(14, 8, c, iscrowd=1, bbox=[200, 0, 90, 90], area=8100.0, num_keypoints=0, keypoints=nothing),
        label(41, 9, c),
    ]  # fmt: skip
    held = {
        "images": [
            {"id": 8, "file_name": "one.png", "width": 300, "height": 360},
            {"id": 3, "file_name": "two.png", "width": 660, "height": 340},
            {"id": 9, "file_name": "not there.png", "width": 300, "height": 360},
        ],
        "annotations": labels,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": []}],
    }
    (root / "person_keypoints.json").write_text(json.dumps(held), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def coco_estimator(tmp_path_factory, markers):
    return PoseEstimator(markers.model(tmp_path_factory.mktemp("model"), COCO17, (160, 192)), device="cpu")


def test_coco_by_hand(coco, coco_estimator):
    examination = open_coco(coco)
    assert [(person.picture, person.index) for person in examination.people] == [(3, 11), (3, 12), (8, 31)]
    # COCO measures boxes from the picture's edge: its 12 is our 11.5.
    assert examination.people[0].box == Box(31.5, 39.5, 176, 278)
    (found,) = predict(coco_estimator, examination, DARK)
    got = figures(found, examination)
    # The second person's similarity: every joint is off by the same distance.
    variance = (2 * np.array(COCO17.oks_sigmas)) ** 2
    similarity = np.exp(-(SHIFT_PX**2) / (2 * AREA * variance)).mean()
    assert 0.615 < similarity < 0.635
    assert found.scores[1].mean() < found.scores[0].mean()
    # Up to 0.60 all three are found. Above, the two best-scored are found and the third is wrong: precision 1 up to
    # a recall of 2/3, which are 67 of COCO's 101 points of recall, then 0.
    assert got["AP50"] == pytest.approx(100)
    assert got["AP75"] == pytest.approx(100 * 67 / 101, abs=1e-3)
    assert got["AP"] == pytest.approx(100 * (3 + 7 * 67 / 101) / 10, abs=1e-3)
    assert got["AR"] == pytest.approx(100 * (3 + 7 * 2 / 3) / 10, abs=1e-3)
    # A torso is 100 px, so 22 px are beyond 0.2 of it.
    assert got["PCK@0.2"] == pytest.approx(100 * 2 / 3, abs=1e-3)
    assert got["pixel_error"]["mean"] == pytest.approx(SHIFT_PX / 3, abs=0.5)


class DotDetector:
    """Finds what is not black, group by group; blind to narrow pictures."""

    runtime = None

    def __call__(self, image):
        if image.shape[1] < 400:
            return ()
        lit = np.flatnonzero(image.max(axis=(0, 2)) > 40)
        groups = np.split(lit, np.flatnonzero(np.diff(lit) > 100) + 1)
        return tuple(Box(float(g[0]), 20.0, float(np.ptp(g)), 300.0, 0.9) for g in reversed(groups))


def test_detector_boxes_and_the_people_it_misses(coco, coco_estimator):
    examination = open_coco(coco)
    (found,) = predict(coco_estimator, examination, DARK, detector=DotDetector())
    assert found.missed == 1
    assert np.isnan(found.joints[2]).all()
    assert found.result_pictures.tolist() == [3, 3]
    # Its boxes come from right to left, the labels from left to right.
    np.testing.assert_array_equal(found.joints[:2], found.result_joints[::-1])
    got = figures(found, examination)
    assert got["missed"] == 1
    assert got["PCK@0.2"] == pytest.approx(100 / 3, abs=1e-3)  # the missed person's joints are all wrong
    # Two of three at 0.5 .. 0.6, one of three above; 67 and 34 of 101 points.
    assert got["AP"] == pytest.approx(100 * (3 * 67 + 7 * 34) / 101 / 10, abs=1e-3)
    assert got["pixel_error"]["mean"] == pytest.approx(SHIFT_PX / 2, abs=0.5)


@pytest.fixture
def coco_with_strangers(coco, tmp_path, markers):
    """The same pictures and two more: somebody whom nobody labelled, and a picture of nothing that is not labelled."""
    root = tmp_path / "coco"
    shutil.copytree(coco, root)
    stranger = markers.paint((660, 340), standing(COCO17, (20, 10)), 9)
    cv2.imwrite(str(root / "images" / "stranger.png"), stranger)
    cv2.imwrite(str(root / "images" / "nothing.png"), np.zeros((340, 300, 3), np.uint8))
    held = json.loads((root / "person_keypoints.json").read_text(encoding="utf-8"))
    held["images"] += [
        {"id": 5, "file_name": "stranger.png", "width": 660, "height": 340},
        {"id": 6, "file_name": "nothing.png", "width": 300, "height": 340},
    ]
    (root / "person_keypoints.json").write_text(json.dumps(held), encoding="utf-8")
    return root


def test_whoever_is_detected_in_a_picture_without_labels_counts_against_the_precision(
    coco_with_strangers, coco_estimator
):
    examination = open_coco(coco_with_strangers)
    assert (examination.pictures, [*examination.empty]) == ((3, 8), [5, 6])
    (found,) = predict(coco_estimator, examination, DARK, detector=DotDetector())
    assert found.result_pictures.tolist() == [3, 3, 5]
    assert found.index.tolist() == [11, 12, 31]
    means = found.result_scores.mean(axis=1)
    assert means[2] > means[:2].max()
    got = figures(found, examination)
    # The stranger scores best: precision is 1/2 with the first of three people and 2/3 with the second, who is found
    # at 0.5 .. 0.6; above, there is the first alone. 67 and 34 of 101 points of recall.
    assert got["AP"] == pytest.approx(100 * (3 * 67 * 2 / 3 + 7 * 34 / 2) / 101 / 10, abs=1e-3)
    # What is measured on labelled people alone stays as it is.
    assert (got["missed"], got["PCK@0.2"]) == (1, pytest.approx(100 / 3, abs=1e-3))


def test_with_the_labels_boxes_pictures_without_labels_are_not_looked_at(coco, coco_with_strangers, coco_estimator):
    told = []
    for root in (coco, coco_with_strangers):
        (found,) = predict(coco_estimator, examination := open_coco(root), DARK)
        told.append(figures(found, examination))
    assert told[0] == told[1]


def test_pictures_without_labels_are_selected_and_left_out_like_others(coco_with_strangers):
    examination = open_coco(coco_with_strangers, selection=Selection(6, 8))
    assert [*examination.empty] == [6]
    assert [*examination.without({coco_with_strangers / "images" / "nothing.png"}).empty] == []


def test_a_damaged_picture_without_labels_is_passed_over_like_others(coco_with_strangers, coco_estimator):
    (coco_with_strangers / "images" / "nothing.png").write_bytes(b"")
    examination = open_coco(coco_with_strangers)
    with pytest.raises(SourceError, match=r"1 of 4 cannot be used, more than 1%: .*nothing\.png is empty"):
        predict(coco_estimator, examination, DARK, detector=DotDetector(), skipped=[])
    predict(coco_estimator, examination, DARK, skipped=[])


def labelled_as(*boxes):
    return [Person(i, 1, Path(), np.zeros((1, 2)), box) for i, box in enumerate(boxes)]


def test_the_most_overlap_is_taken_and_none_is_a_miss():
    people = labelled_as(Box(0, 0, 10, 10), Box(50, 0, 10, 10))
    assert match_boxes(people, []) == [None, None]
    assert match_boxes([], [Box(5, 0, 10, 10)]) == []
    assert match_boxes(people, [Box(5, 0, 10, 10), Box(1, 0, 10, 10)]) == [1, None]
    assert match_boxes(people, [Box(9, 9, 10, 10), Box(50, 3, 10, 10)]) == [None, 1]  # 1 of 199 px is no overlap


def test_two_people_do_not_share_a_detection():
    people = labelled_as(Box(0, 0, 10, 10), Box(2, 0, 10, 10))
    # Both overlap it; it is the nearer one's.
    assert match_boxes(people, [Box(2, 1, 10, 10)]) == [None, 0]
    # The second takes what the first leaves.
    assert match_boxes(people, [Box(0, 0, 10, 10), Box(5, 0, 10, 10)]) == [0, 1]
    assert match_boxes(people[::-1], [Box(0, 0, 10, 10), Box(5, 0, 10, 10)]) == [1, 0]


def test_nobody_detected_anywhere_is_a_figure_too(coco, coco_estimator):
    examination = open_coco(coco, selection=Selection(8, 8))
    (found,) = predict(coco_estimator, examination, DARK, detector=DotDetector())
    got = figures(found, examination)
    assert (got["AP"], got["PCK@0.2"], got["missed"], got["pixel_error"]["mean"]) == (0, 0, 1, None)


def test_missing_parts_of_coco_are_named(coco, tmp_path):
    with pytest.raises(SourceError, match=r"no data set .*a COCO keypoint JSON"):
        open_coco(tmp_path)
    labels = coco / "person_keypoints.json"
    with pytest.raises(SourceError, match="nobody selected"):
        open_coco(tmp_path, labels)
    with pytest.raises(SourceError, match="pictures 9:9"):
        open_coco(coco, selection=Selection(9, 9))
    broken = tmp_path / "broken.json"
    for text, words in (("{", "cannot read"), ("[]", "not a COCO"), ('{"images": []}', "no list of annotations")):
        broken.write_text(text, encoding="utf-8")
        with pytest.raises(SourceError, match=words):
            open_coco(coco, broken)


def test_data_sets_by_name(lspet, coco):
    assert len(open_examination("lspet", lspet[0]).people) == 5
    assert len(open_examination("coco", coco / "images", coco / "person_keypoints.json").people) == 3
    with pytest.raises(InputError, match="one of: lsp, lspet, mpii, coco"):
        open_examination("lsp-e", coco)
    with pytest.raises(SourceError, match=r"holds no labels of MPII .*mpii_human_pose_v1_u12_1\.mat"):
        open_examination("mpii", coco)
    with pytest.raises(SourceError, match=r"labels of lspet, not of lsp .*--dataset lspet"):
        open_examination("lsp", lspet[0])
    with pytest.raises(InputError, match=r"joints\.mat"):
        open_examination("lspet", lspet[0], coco / "person_keypoints.json")


def test_plain_values_fit_into_json():
    assert plain({"a": {"b": float("nan")}, "c": 1 / 3, "d": float("inf"), "e": 4}) == {
        "a": {"b": None}, "c": 0.3333, "d": None, "e": 4,
    }  # fmt: skip
