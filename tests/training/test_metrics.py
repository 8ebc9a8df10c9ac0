"""Metrics against numbers worked by hand and independent implementations."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.errors import InputError, SadinetError, SourceError
from sadinet.skeletons import COCO17, LSP14, MPII16
from sadinet.training.metrics import (
    coco_ap,
    coco_detections,
    oks,
    paired_bootstrap,
    pck,
    pckh,
    pixel_error,
    sigma_coverage,
    torso_length,
    within,
)


def standing(count: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N, 14, 2) whose torso is 100 px (60-80-100 triangles both ways), all labelled."""
    labels = np.zeros((count, 14, 2))
    labels[:] = np.arange(14)[:, None] * 7
    for name, place in {
        "right_shoulder": (0, 0), "left_shoulder": (60, 0), "right_hip": (0, 80), "left_hip": (60, 80),
    }.items():  # fmt: skip
        labels[:, LSP14.index(name)] = place
    return labels, np.ones((count, 14))


# --- PCK


def test_torso_by_hand():
    labels, weight = standing()
    assert torso_length(labels, weight)[0] == pytest.approx(100)
    labels[0, LSP14.index("left_hip")] = (30, 40)  # its diagonal, from (0, 0), is now 50
    assert torso_length(labels, weight)[0] == pytest.approx(75)
    weight[0, LSP14.index("left_hip")] = 0
    assert math.isnan(torso_length(labels, weight)[0])


def test_pck_by_hand():
    labels, weight = standing(2)
    predicted = labels.copy()
    predicted[0, 0] += (20, 0)  # exactly 0.2 torso: a hit at 0.2
    predicted[0, 1] += (0, 20.5)  # a miss at 0.2
    predicted[0, 4] += (6, 8)  # exactly 0.1
    predicted[0, 13] += 500  # the head top is no limb
    predicted[1, 5] = np.nan  # not predicted: a miss
    weight[1, 6] = 0  # not labelled: does not count
    predicted[1, 6] += 500
    got = pck(predicted, labels, weight, (0.2, 0.1))
    assert (got.pictures, got.joints) == (2, 23)
    np.testing.assert_allclose(got.overall, [100 * 21 / 23, 100 * 20 / 23])
    per_joint = dict(zip(got.names, got.per_joint[0], strict=True))
    assert per_joint["right_ankle"] == 100
    assert per_joint["right_knee"] == 50
    assert per_joint["left_ankle"] == 50
    assert per_joint["head_top"] == 50
    assert got.per_joint[1][0] == 50


def test_pictures_without_a_whole_torso_are_left_out():
    labels, weight = standing(3)
    weight[1, LSP14.index("right_shoulder")] = 0
    predicted = labels.copy()
    predicted[1] += 1000
    got = pck(predicted, labels, weight)
    assert got.pictures == 2
    np.testing.assert_allclose(got.overall, 100)


def test_no_picture_gives_nan_not_zero():
    labels, weight = standing()
    got = pck(labels, labels, 0 * weight)
    assert got.pictures == got.joints == 0
    assert np.isnan(got.overall).all()


def test_torso_can_be_given():
    labels, weight = standing(2)
    predicted = labels + np.array([9.0, 0.0])
    got = pck(predicted, labels, weight, (0.2,), torso_px=[50, 40])
    np.testing.assert_allclose(got.overall, 50)
    assert pck(predicted, labels, weight, (0.2,), torso_px=[50, np.nan]).overall[0] == 100


def test_pck_finds_the_limbs_of_other_skeletons():
    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 200, (5, 17, 2))
    predicted = labels.copy()
    predicted[:, :5] += 1000  # the face is no limb
    assert pck(predicted, labels, np.ones((5, 17)), skeleton=COCO17).overall[0] == 100


def plain_pck(predicted, labels, weight, alpha):
    """The definition, one joint at a time."""
    hits = total = 0
    for person in range(len(labels)):
        if not all(weight[person, LSP14.joints.index(s + j)] for s in ("left_", "right_") for j in ("hip", "shoulder")):
            continue
        place = {name: labels[person, k] for k, name in enumerate(LSP14.joints)}
        torso = math.dist(place["left_shoulder"], place["right_hip"]) / 2
        torso += math.dist(place["right_shoulder"], place["left_hip"]) / 2
        for joint in range(12):
            if weight[person, joint]:
                total += 1
                hits += math.dist(predicted[person, joint], labels[person, joint]) <= alpha * torso
    return 100 * hits / total if total else math.nan


@given(st.integers(0, 10**6), st.sampled_from([0.5, 0.2, 0.1, 0.05]))
def test_pck_agrees_with_the_plain_definition(seed, alpha):
    rng = np.random.default_rng(seed)
    labels = rng.uniform(0, 300, (8, 14, 2))
    predicted = labels + rng.normal(0, 25, labels.shape)
    weight = (rng.random((8, 14)) < 0.9).astype(float)
    np.testing.assert_allclose(
        pck(predicted, labels, weight, (alpha,)).overall[0], plain_pck(predicted, labels, weight, alpha)
    )


def test_pckh_by_hand():
    labels = np.zeros((2, 16, 2))
    predicted = labels.copy()
    weight = np.ones((2, 16))
    # Heads of 100 and 50 px: limits at 0.5 are 30 and 15.
    predicted[:, 0] = (29, 0)
    predicted[:, MPII16.index("pelvis")] = 1000
    predicted[:, MPII16.index("thorax")] = 1000
    got = pckh(predicted, labels, weight, [100, 50])
    assert got.joints == 28
    np.testing.assert_allclose(got.overall[0], 100 * 27 / 28)
    assert got.per_joint[0][0] == 50
    assert got.per_joint[0][MPII16.index("pelvis")] == 0


def test_within_keeps_pictures_apart():
    labels, weight = standing(2)
    weight[0, 3] = 0
    hits = within(labels + np.array([3.0, 4.0]), labels, weight, [5, 4.9])
    assert np.isnan(hits[0, 3])
    assert np.nansum(hits[0]) == 13
    assert hits[1].sum() == 0


def test_shapes_that_do_not_go_together_are_refused():
    labels, weight = standing(2)
    with pytest.raises(InputError, match="weight"):
        pck(labels[:, :12], labels, weight, torso_px=[1, 1])
    with pytest.raises(InputError, match="weight"):
        pixel_error(labels, labels, weight[:1])


# --- errors in pixels and their spread


def test_pixel_error_by_hand():
    labels, weight = np.zeros((1, 4, 2)), np.ones((1, 4))
    predicted = np.array([[[3.0, 4.0], [0, 1], [np.nan, 0], [100, 100]]])
    weight[0, 3] = 0
    got = pixel_error(predicted, labels, weight)
    assert (got.mean, got.median) == (3, 3)
    np.testing.assert_array_equal(got.per_joint, [5, 1, np.nan, np.nan])
    assert math.isnan(pixel_error(predicted, labels, 0 * weight).mean)


def test_coverage_of_a_true_gaussian():
    rng = np.random.default_rng(0)
    sigmas = rng.uniform(1, 10, (4000, 10, 2))
    errors = rng.normal(0, sigmas)
    got = sigma_coverage(errors, np.zeros_like(errors), np.ones(errors.shape[:2]), sigmas)
    np.testing.assert_allclose(got, [[68.27, 68.27], [95.45, 95.45]], atol=0.7)


def test_coverage_by_hand_keeps_the_axes_apart():
    predicted = np.array([[[1.0, 3.0], [2.0, 0.5], [9, 9], [9, 9]]])
    sigmas = np.array([[[1.0, 1.0], [1.0, 1.0], [np.nan, 1.0], [1, 1]]])
    got = sigma_coverage(predicted, np.zeros((1, 4, 2)), [[1, 1, 1, 0]], sigmas)
    np.testing.assert_allclose(got, [[50, 50], [100, 50]])
    assert np.isnan(sigma_coverage(predicted, predicted, np.zeros((1, 4)), sigmas)).all()


# --- OKS and AP


def plain_oks(predicted, labels, weight, area):
    """COCO's formula: mean over labelled joints of exp(-d^2 / (2 s^2 k^2)), k twice the published sigma."""
    values = []
    for joint, sigma in enumerate(COCO17.oks_sigmas):
        if weight[joint]:
            values.append(math.exp(-(math.dist(predicted[joint], labels[joint]) ** 2) / (2 * area * (2 * sigma) ** 2)))
    return sum(values) / len(values)


@given(st.integers(0, 10**6))
def test_oks_agrees_with_the_formula(seed):
    rng = np.random.default_rng(seed)
    labels = rng.uniform(0, 200, (4, 17, 2))
    predicted = labels + rng.normal(0, 5, labels.shape)
    weight = rng.integers(0, 3, (4, 17))
    weight[:, 0] = 2
    area = rng.uniform(500, 20000, 4)
    expected = [plain_oks(*values) for values in zip(predicted, labels, weight, area, strict=True)]
    np.testing.assert_allclose(oks(predicted, labels, weight, area), expected, rtol=1e-9)


def test_oks_of_nobody_and_of_nothing_predicted():
    labels = np.zeros((2, 17, 2))
    got = oks(np.full_like(labels, np.nan), labels, [[0] * 17, [2] * 17], [1e4, 1e4])
    assert math.isnan(got[0])
    assert got[1] == 0


def crowd(people: int = 60, seed: int = 0) -> tuple[dict, list[int], np.ndarray]:
    """COCO annotations of made-up people, two a picture, with their picture numbers and joints."""
    rng = np.random.default_rng(seed)
    ids = [7 * (i // 2) + 1 for i in range(people)]
    sides = rng.uniform(50, 300, people)
    beside = 350 * (np.arange(people) % 2)
    joints = np.round(rng.uniform(0, 1, (people, 17, 2)) * sides[:, None, None] + beside[:, None, None])
    annotations = [
        {
            "id": i + 1, "image_id": ids[i], "category_id": 1, "iscrowd": 0, "num_keypoints": 17,
            "area": float(sides[i] ** 2), "bbox": [0.0, 0.0, float(sides[i]), float(sides[i])],
            "keypoints": np.column_stack([joints[i], np.full(17, 2)]).ravel().tolist(),
        }
        for i in range(people)
    ]  # fmt: skip
    return {
        "images": [{"id": i, "width": 700, "height": 700} for i in sorted(set(ids))],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": []}],
    }, ids, joints  # fmt: skip


def plain_ap(similarity: np.ndarray, scores: np.ndarray) -> float:
    """Average precision where detection i can only match label i: precision made monotonic, read at 101 recalls."""
    order = np.argsort(-scores, kind="mergesort")
    figures = []
    for limit in np.arange(0.5, 1.0, 0.05):
        hit = similarity[order] >= limit
        precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
        recall = np.cumsum(hit) / len(hit)
        for recall_wanted in np.linspace(0, 1, 101):
            figures.append(max(precision[recall >= recall_wanted], default=0.0))
    return 100 * float(np.mean(figures))


def test_ap_agrees_with_an_own_average_precision():
    annotations, ids, joints = crowd()
    rng = np.random.default_rng(1)
    predicted = joints + rng.normal(0, 1, joints.shape) * rng.uniform(2, 30, (len(joints), 1, 1))
    scores = rng.random((len(joints), 17))
    got = coco_ap(annotations, coco_detections(ids, predicted, scores))
    area = np.array([a["area"] for a in annotations["annotations"]])
    similarity = oks(predicted, joints, np.ones(joints.shape[:2]), area)
    assert 20 < got["AP"] < 95
    assert got["AP"] == pytest.approx(plain_ap(similarity, scores.mean(axis=1)), abs=0.2)
    assert got["AP50"] > got["AP"]
    assert got["AP50"] >= got["AP75"]
    assert set(got) == {"AP", "AP50", "AP75", "APM", "APL", "AR"}


def test_perfect_poses_have_ap_100_and_no_poses_0(tmp_path, capsys):
    annotations, ids, joints = crowd(10)
    path = tmp_path / "person keypoints.json"
    path.write_text(json.dumps(annotations), encoding="utf-8")
    assert coco_ap(path, coco_detections(ids, joints, np.ones((10, 17))))["AP"] == pytest.approx(100)
    assert coco_ap(path, [])["AP"] == 0
    assert capsys.readouterr().out == ""


def test_only_the_pictures_asked_for_count():
    annotations, ids, joints = crowd(10)
    detections = coco_detections(ids[:4], joints[:4], np.ones((4, 17)))
    assert coco_ap(annotations, detections)["AP"] == pytest.approx(100 * 41 / 101)  # recall 0.4 of 0 .. 1 by 0.01
    assert coco_ap(annotations, detections, ids[:4])["AP"] == pytest.approx(100)


def test_annotations_that_cannot_be_read(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.json"):
        coco_ap(tmp_path / "gone.json", [])
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match="COCO keypoint JSON"):
        coco_ap(tmp_path / "bad.json", [])


def test_missing_pycocotools_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(SadinetError, match="pip install pycocotools"):
        coco_ap({}, [])


# --- paired bootstrap


def test_bootstrap_covers_the_true_difference_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        shared = rng.normal(0, 5, 80)
        a, b = shared + rng.normal(1.0, 1, 80), shared + rng.normal(0.5, 1, 80)
        interval = paired_bootstrap(a, b, repeats=300, seed=seed)
        inside += interval.low <= 0.5 <= interval.high
    assert 180 <= inside <= 198


def test_bootstrap_is_paired():
    """What both share drops out: the interval is that of the differences, not of the values."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 100, 200)
    interval = paired_bootstrap(shared + 1, shared)
    assert (interval.difference, interval.low, interval.high) == pytest.approx((1, 1, 1))


def test_bootstrap_width_is_that_of_the_normal_approximation():
    gap = np.random.default_rng(3).normal(0.3, 2, 1000)
    interval = paired_bootstrap(gap, np.zeros(1000), repeats=4000)
    half = 1.96 * gap.std() / math.sqrt(1000)
    assert interval.difference == pytest.approx(gap.mean())
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.06)
    assert interval == paired_bootstrap(gap, np.zeros(1000), repeats=4000)


def test_bootstrap_weighs_and_leaves_out():
    interval = paired_bootstrap([1.0, 0.0, np.nan, 5.0], [0.0, 0.0, 1.0, 0.0], [3, 1, 9, 0])
    assert interval.difference == pytest.approx(0.75)
    assert 0 <= interval.low <= interval.high <= 1
    with pytest.raises(InputError, match="no pair"):
        paired_bootstrap([np.nan], [1.0])
    with pytest.raises(InputError, match="shapes"):
        paired_bootstrap([1.0, 2.0], [1.0])
