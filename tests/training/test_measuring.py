"""What is measured after every epoch: known joints alone count, whatever the skeleton."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sadinet.errors import InputError
from sadinet.network.model import SadiNet
from sadinet.skeletons import BODY19, COCO17
from sadinet.training.batches import Mixture
from sadinet.training.machine import TorchMachine
from sadinet.training.measuring import check_measurable, measure
from sadinet.training.split import Split
from sadinet.training.validate import limb_pck, predict

sys.path.insert(0, str(Path(__file__).resolve().parent))

from made_people import people
from small_training import NETWORK, config


def doubted(held_out, skeleton=BODY19):
    """The same people with an ankle and a nose far away, both of weight 0."""
    joints, weight = held_out.joints.copy(), held_out.weight.copy()
    for name in ("left_ankle", "nose"):
        joints[::2, skeleton.index(name)] += 60
        weight[::2, skeleton.index(name)] = 0
    return replace(held_out, joints=joints, weight=weight)


def without(held_out):
    """The same people with nothing where the weight is 0."""
    return replace(held_out, joints=np.where(held_out.known[..., None], held_out.joints, np.nan))


def test_the_true_pose_is_right_whatever_labels_are_doubted():
    truth = people(8, 0)
    assert limb_pck(truth.joints, doubted(truth)) == [100, 100]


def test_doubted_labels_change_nothing_that_is_measured():
    torch.manual_seed(0)
    held_out = doubted(people(8, 0))
    machine, settings = TorchMachine(torch.device("cpu"), "fp32"), config()
    values = SadiNet(settings.network).state_dict()
    found, plain = (
        measure(settings, settings.stages[0], values, each, machine) for each in (held_out, without(held_out))
    )
    assert found.row() == plain.row()
    assert np.isfinite(found.sigma_cover)
    np.testing.assert_array_equal(found.joints, plain.joints)


def test_who_has_only_the_last_joints_of_a_skeleton_can_be_held_out():
    held_out = people(3, 0, len(COCO17))
    held_out.weight[1] = 0
    for name in ("left_knee", "right_knee", "left_ankle", "right_ankle"):
        held_out.weight[1, COCO17.index(name)] = 1
    Split.of(Mixture((people(2, 1, len(COCO17)),), (1.0,)), held_out)
    check_measurable(held_out, COCO17)
    network = SadiNet(replace(NETWORK, joints=len(COCO17)))
    joints, _ = predict(network, held_out, NETWORK.size_wh, 2.0, skeleton=COCO17)
    assert np.isfinite(joints).all()


def test_who_has_no_joint_to_lay_a_crop_around_is_named():
    held_out = people(3, 0)
    held_out.weight[1, :14] = 0  # a face alone
    with pytest.raises(InputError, match=r"held-out dots0/1 has no labelled joint \(1 such people\)"):
        check_measurable(held_out, BODY19)
    held_out.weight[:, BODY19.index("left_hip")] = 0
    held_out.weight[1, 0] = 1
    with pytest.raises(InputError, match="nobody held out from dots0 has a whole torso"):
        check_measurable(held_out, BODY19)
