"""Joint sets and conversions between them."""

from __future__ import annotations

import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.skeletons import BODY19, COCO17, LSP14, MPII16, SKELETONS, convert, skeleton_by_name

ALL = list(SKELETONS.values())


def test_sizes_and_orders():
    assert {name: len(skeleton) for name, skeleton in SKELETONS.items()} == {
        "body19": 19,
        "coco17": 17,
        "lsp14": 14,
        "mpii16": 16,
    }
    assert BODY19.joints[:14] == LSP14.joints
    assert BODY19.joints[14:] == ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    assert LSP14.joints[0] == "right_ankle"
    assert LSP14.joints[11:] == ("left_wrist", "neck", "head_top")
    assert COCO17.joints[:3] == ("nose", "left_eye", "right_eye")
    assert MPII16.joints[6:10] == ("pelvis", "thorax", "upper_neck", "head_top")


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_a_skeleton_is_consistent(skeleton):
    assert len(set(skeleton.joints)) == len(skeleton) == len(skeleton.oks_sigmas)
    assert {joint for limb in skeleton.limbs for joint in limb} == set(skeleton.joints)
    assert len({frozenset(limb) for limb in skeleton.limbs}) == len(skeleton.limbs)
    for (a, b), (i, j) in zip(skeleton.limbs, skeleton.limb_indices, strict=True):
        assert (skeleton.joints[i], skeleton.joints[j]) == (a, b)


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_flip_order_swaps_sides_and_is_its_own_inverse(skeleton):
    order = skeleton.flip_order
    assert (order[order] == np.arange(len(skeleton))).all()
    for joint, other in zip(skeleton.joints, order, strict=True):
        swapped = joint.replace("left_", "#").replace("right_", "left_").replace("#", "right_")
        assert skeleton.joints[other] == swapped


def test_oks_constants_are_cocos():
    # Order of COCO: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
    published = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]
    np.testing.assert_allclose(np.array(COCO17.oks_sigmas) * 1000, published)


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_converting_to_itself_changes_nothing(skeleton):
    values = np.random.default_rng(0).normal(size=(3, len(skeleton), 2))
    same = convert(skeleton, skeleton)
    assert same.missing == ()
    np.testing.assert_array_equal(same.apply(values, axis=1), values)


def test_body19_to_coco17_loses_nothing_that_coco_has():
    there = convert(BODY19, COCO17)
    assert there.missing == ()
    values = np.arange(19.0)
    assert there.apply(values)[COCO17.index("left_knee")] == BODY19.index("left_knee")


def test_coco17_to_body19_lacks_neck_and_head_top():
    there = convert(COCO17, BODY19)
    assert there.missing == ("neck", "head_top")
    moved = there.apply(np.ones((2, 17, 2)), axis=1)
    blank = [BODY19.index("neck"), BODY19.index("head_top")]
    assert np.isnan(moved[:, blank]).all()
    assert np.isfinite(np.delete(moved, blank, axis=1)).all()


def test_mpii_upper_neck_is_the_neck():
    there = convert(MPII16, LSP14)
    assert there.missing == ()
    assert there.order[LSP14.index("neck")] == MPII16.index("upper_neck")
    assert convert(LSP14, MPII16).missing == ("pelvis", "thorax")


def test_conversion_leaves_its_input_alone():
    values = np.ones(17)
    convert(COCO17, BODY19).apply(values)
    assert np.isfinite(values).all()


def test_unknown_names_say_the_known_ones():
    with pytest.raises(InputError, match="body19"):
        skeleton_by_name("body25")
    with pytest.raises(InputError, match="left_wrist"):
        BODY19.index("left_thumb")
    assert skeleton_by_name("mpii16") is MPII16
