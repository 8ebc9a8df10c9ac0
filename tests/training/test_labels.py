import numpy as np
import pytest

from sadinet.skeletons import BODY19, COCO17, LSP14, convert
from sadinet.training.labels import TEACHER_WEIGHT, Teacher, clean, fuse_teachers


@pytest.fixture
def people():
    """Four people standing, body19, with a torso of about 100 px, and what two perfect teachers say of them."""
    rng = np.random.default_rng(5)
    person = {
        "right_ankle": (80, 400), "right_knee": (82, 300), "right_hip": (84, 200), "left_hip": (116, 200),
        "left_knee": (118, 300), "left_ankle": (120, 400), "right_wrist": (60, 210), "right_elbow": (62, 150),
        "right_shoulder": (70, 100), "left_shoulder": (130, 100), "left_elbow": (138, 150), "left_wrist": (140, 210),
        "neck": (100, 90), "head_top": (100, 40), "nose": (100, 65), "left_eye": (106, 60), "right_eye": (94, 60),
        "left_ear": (112, 62), "right_ear": (88, 62),
    }  # fmt: skip
    one = np.array([person[name] for name in BODY19.joints], dtype=np.float32)
    truth = one[None] + rng.uniform(-3, 3, (4, len(BODY19), 2)).astype(np.float32)
    told = convert(BODY19, COCO17).apply(truth, axis=1).astype(np.float32)
    sure = np.full(told.shape[:2], 0.9, np.float32)
    return truth, Teacher(told + 1, sure), Teacher(told - 1, sure)


def test_agreeing_labels_stay_and_the_face_comes_from_the_teachers(people):
    truth, first, second = people
    labels = clean(truth[:, :14], first, second)
    assert not labels.swapped.any()
    assert not labels.doubted.any()
    np.testing.assert_array_equal(labels.joints[:, :14], truth[:, :14])
    np.testing.assert_allclose(labels.joints[:, 14:], truth[:, 14:], atol=1e-3)
    assert (labels.weight == 1).all()


def test_a_whole_body_swap_is_undone(people):
    truth, first, second = people
    given = truth[:, :14].copy()
    given[2] = given[2, LSP14.flip_order]
    labels = clean(given, first, second)
    assert labels.swapped.tolist() == [False, False, True, False]
    np.testing.assert_array_equal(labels.joints[2, :14], truth[2, :14])


def test_a_swap_that_only_one_teacher_sees_is_left(people):
    truth, first, second = people
    given = truth[:, :14].copy()
    given[1] = given[1, LSP14.flip_order]
    blind = Teacher(first.joints.copy(), first.confidence * 0)
    assert not clean(given, blind, second).swapped.any()


def test_a_far_label_is_doubted_and_a_missing_one_filled(people):
    truth, first, second = people
    given = truth[:, :14].copy()
    wrist, knee = LSP14.index("left_wrist"), LSP14.index("right_knee")
    given[0, wrist] += 80
    given[3, knee] = np.nan
    labels = clean(given, first, second)
    assert np.argwhere(labels.doubted).tolist() == [[0, wrist]]
    assert labels.weight[0, wrist] == 0
    assert labels.weight[3, knee] == TEACHER_WEIGHT
    np.testing.assert_allclose(labels.joints[3, knee], truth[3, knee], atol=1e-3)


def test_teachers_that_disagree_or_doubt_say_nothing(people):
    _, first, second = people
    joints = second.joints.copy()
    joints[0, COCO17.index("left_knee")] += 50
    confidence = second.confidence.copy()
    confidence[1, COCO17.index("nose")] = 0.1
    fused, weight = fuse_teachers(first, Teacher(joints, confidence), np.full(4, 100.0))
    assert weight[0, BODY19.index("left_knee")] == 0
    assert np.isnan(fused[0, BODY19.index("left_knee")]).all()
    assert weight[1, BODY19.index("nose")] == 0
    assert weight[:, [BODY19.index("neck"), BODY19.index("head_top")]].sum() == 0
    assert weight.sum() == 4 * 17 - 2
