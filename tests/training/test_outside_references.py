"""Metrics against others' implementations and published worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from sadinet.skeletons import COCO17, MPII16
from sadinet.training.coco import coco_ap, coco_detections
from sadinet.training.metrics import mpii_table, oks, pckh, pixel_error, within
from sadinet.training.reliability import sigma_reliability

# The examples of MMPose's own tests (tests/test_evaluation/test_functional/test_keypoint_eval.py).
MASK = np.array([[1, 1, 0, 1, 1], [1, 1, 0, 1, 1]])


def test_pck_of_mmposes_example():
    found, truth = np.zeros((2, 5, 2)), np.zeros((2, 5, 2))
    found[0] = [[10, 0], [20, 20], [0, 0], [30, 30], [0, 10]]
    truth[0] = [[10, 0], [10, 10], [-1, 0], [30, 30], [0, 10]]
    hits = within(found, truth, MASK, [0.5 * 10, 0.5 * 10])
    per_joint = [np.nanmean(column) if np.isfinite(column).any() else -1 for column in hits.T]
    np.testing.assert_allclose(per_joint, [1, 0.5, -1, 1, 1])
    assert np.mean([value for value in per_joint if value >= 0]) == pytest.approx(0.875)


def test_pixel_error_of_mmposes_example():
    found = np.array([[[10, 4], [10, 18], [0, 0], [40, 40], [20, 10]]])
    truth = np.array([[[10, 0], [10, 10], [0, -1], [30, 30], [0, 10]]])
    assert pixel_error(found, truth, MASK[:1]).mean == pytest.approx(11.5355339, abs=1e-6)


def plain_pckh(found, truth, missing, heads, limit):
    """MPII's validation as the code of HRNet and simple baselines defines it: joints first, (16, 2, N) and (16, N).

    Everything is counted joint by joint; the mean weighs each joint by how often it is labelled, without the
    pelvis and the thorax.
    """
    joints, _, people = truth.shape
    share, count = np.zeros(joints), np.zeros(joints)
    for k in range(joints):
        near = 0
        for n in range(people):
            if missing[k, n]:
                continue
            corners = heads[:, :, n]
            size = np.sqrt(((corners[1] - corners[0]) ** 2).sum()) * 0.6
            distance = np.sqrt(((found[k, :, n] - truth[k, :, n]) ** 2).sum()) / size
            near += distance <= limit
            count[k] += 1
        share[k] = 100 * near / count[k]
    kept = [k for k in range(joints) if k not in (6, 7)]
    mean = sum(share[k] * count[k] for k in kept) / sum(count[k] for k in kept)
    # Numbers of MPII's joints: 9 head, 13/12 shoulders, 14/11 elbows, 15/10 wrists, 3/2 hips, 4/1 knees, 5/0 ankles.
    pairs = {"Shoulder": (13, 12), "Elbow": (14, 11), "Wrist": (15, 10), "Hip": (3, 2), "Knee": (4, 1), "Ankle": (5, 0)}
    return {"Head": share[9]} | {part: (share[a] + share[b]) / 2 for part, (a, b) in pairs.items()} | {"Mean": mean}


def test_mpiis_table_agrees_with_the_plain_definition():
    rng = np.random.default_rng(3)
    people = 80
    truth = rng.uniform(0, 400, (people, 16, 2))
    found = truth + rng.normal(0, 1, truth.shape) * rng.uniform(2, 40, (1, 16, 1))
    weight = rng.random((people, 16)) < 0.85
    heads = rng.uniform(0, 90, (2, 2, people))
    diagonal = np.linalg.norm(heads[1] - heads[0], axis=0)
    share = pckh(found, truth, weight, diagonal, (0.5, 0.1))
    for limit in (0.5, 0.1):
        plain = plain_pckh(found.transpose(1, 2, 0), truth.transpose(1, 2, 0), ~weight.T, heads, limit)
        table = mpii_table(share, limit)
        assert list(table) == ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Mean"]
        assert table == pytest.approx(plain)
        assert 5 < table["Mean"] < 95
    assert share.names == MPII16.joints


def coco_case(people=40, seed=0):
    """One person a picture, some joints unlabelled; annotations, predicted joints (N, 17, 2) and scores (N, 17)."""
    rng = np.random.default_rng(seed)
    sides = rng.uniform(40, 300, people)
    joints = np.round(rng.uniform(0, 1, (people, 17, 2)) * sides[:, None, None])
    seen = rng.choice([0, 1, 2], (people, 17), p=[0.2, 0.2, 0.6])
    seen[:, 5] = 2
    annotations = {
        "images": [{"id": i, "width": 400, "height": 400} for i in range(1, people + 1)],
        "annotations": [
            {
                "id": i + 1, "image_id": i + 1, "category_id": 1, "iscrowd": 0,
                "num_keypoints": int((seen[i] > 0).sum()), "area": float(sides[i] ** 2),
                "bbox": [0.0, 0.0, float(sides[i]), float(sides[i])],
                "keypoints": np.column_stack([joints[i] * (seen[i, :, None] > 0), seen[i]]).ravel().tolist(),
            }
            for i in range(people)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": []}],
    }  # fmt: skip
    found = joints + rng.normal(0, 1, joints.shape) * rng.uniform(1, 20, (people, 1, 1))
    return annotations, joints, seen, found, rng.random((people, 17))


def test_oks_is_pycocotools_to_the_last_digits(capsys):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations, joints, seen, found, scores = coco_case()
    truth = COCO()
    truth.dataset = annotations
    truth.createIndex()
    detections = truth.loadRes(coco_detections(range(1, 41), found, scores))
    judge = COCOeval(truth, detections, "keypoints")
    judge._prepare()
    theirs = [float(judge.computeOks(i, 1)[0, 0]) for i in range(1, 41)]
    area = [label["area"] for label in annotations["annotations"]]
    ours = oks(found, joints, seen, area)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert 0.05 < ours.min() < 0.6 < ours.max()


def test_recall_is_the_share_of_similar_people():
    """One person a picture, one pose each: nothing competes, so COCO's AR is the mean share above its ten limits."""
    annotations, joints, seen, found, scores = coco_case(seed=4)
    area = [label["area"] for label in annotations["annotations"]]
    similarity = oks(found, joints, seen, area)
    wanted = np.mean([(similarity >= limit).mean() for limit in np.arange(0.5, 1.0, 0.05)])
    got = coco_ap(annotations, coco_detections(range(1, 41), found, scores))
    assert got["AR"] == pytest.approx(100 * wanted, abs=1e-6)
    assert 5 < got["AR"] < 95


def test_reliability_of_true_and_of_wrong_gaussians():
    rng = np.random.default_rng(0)
    sigmas = rng.uniform(1, 10, (4000, 10, 2))
    labels, weight = np.zeros_like(sigmas), np.ones(sigmas.shape[:2])
    true = sigma_reliability(rng.normal(0, sigmas), labels, weight, sigmas)
    assert true.shape == (8, 3)
    assert true[:, 2].sum() == 80_000
    assert (np.diff(true[:, 0]) > 0).all()
    np.testing.assert_allclose(true[:, 1], true[:, 0], rtol=0.06)
    # Twice too sure: the errors within one sigma are those of half a sigma, the spread is twice the sigma.
    wrong = sigma_reliability(rng.normal(0, 2 * sigmas), labels, weight, sigmas)
    np.testing.assert_allclose(wrong[:, 1] / wrong[:, 0], 2, rtol=0.06)
    assert norm.cdf(1) - norm.cdf(-1) == pytest.approx(0.6827, abs=1e-4)


def test_reliability_without_sigmas_or_with_few():
    nothing = np.full((3, 2, 2), np.nan)
    assert sigma_reliability(np.zeros((3, 2, 2)), np.zeros((3, 2, 2)), np.ones((3, 2)), nothing).shape == (0, 3)
    few = sigma_reliability(np.ones((3, 2, 2)), np.zeros((3, 2, 2)), np.ones((3, 2)), np.full((3, 2, 2), 2.0))
    np.testing.assert_allclose(few, [[2, 1, 12]])
