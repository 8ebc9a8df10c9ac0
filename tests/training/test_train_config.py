"""Settings: from TOML and texts to dataclasses, and the schedules that they mean."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import pytest

from sadinet.errors import InputError
from sadinet.skeletons import BODY19, COCO17, MPII16
from sadinet.training.augment import AugmentConfig
from sadinet.training.config import learning_rate, parse_stages, train_config
from sadinet.training.logs import append_row
from sadinet.training.plain import build, override, read_toml
from sadinet.training.sources import DataConfig, Source


def test_overrides_come_last_and_leave_the_rest():
    values = {"preset": "s", "stages": "128x1", "losses": {"rle": 0.1, "spatial": 0.5}}
    changed = override(values, ["losses.rle=0", "rate=1e-3", "losses.kind=wing", "stages=256x2"])
    config = train_config(changed)
    assert (config.losses.rle, config.losses.spatial, config.losses.kind) == (0.0, 0.5, "wing")
    assert (config.rate, config.stages[0].size_wh, config.network.size_wh) == (1e-3, (256, 256), (256, 256))
    assert values["losses"] == {"rle": 0.1, "spatial": 0.5}


def test_a_preset_brings_its_skeleton_and_a_skeleton_its_heatmaps():
    assert train_config({"preset": "paper", "stages": "256x1"}).joint_set is MPII16
    assert train_config({"preset": "s", "skeleton": "coco17", "stages": "256x1"}).network.joints == len(COCO17)
    assert train_config({"stages": "192x256x1"}).joint_set is BODY19


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("rate", "write NAME=VALUE"),
        ("rate=fast", "setting rate is 'fast' (must be a number)"),
        ("batch=1.5", "setting batch is 1.5 (must be a whole number)"),
        ("rate.high=1", "rate is a value and has no parts"),
        ("drops=[1,true]", "setting drops[1] is True"),
        ("network.widhts=[8]", "unknown setting network.widhts"),
        ("accumulate=5", "a batch of 32 in 5 parts"),
        ("stages=256", "setting stages is 256 (must be a list)"),
        ("stages=256xx", "write side x epochs"),
        ("network=3", "setting network is 3 (must be a table with names)"),
        ("losses=3", "setting losses is 3 (must be a table with names)"),
    ],
)
def test_what_is_wrong_is_named(assignment, said):
    with pytest.raises(InputError) as caught:
        train_config(override({"stages": "256x1", "rate": 1e-3}, [assignment]))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("rate=-1", "rate is -1.0 (must be a finite number above 0)"),
        ("rate=0", "rate is 0.0 (must be a finite number above 0)"),
        ("rate=nan", "rate is nan (must be a finite number above 0)"),
        ("rate=inf", "rate is inf (must be a finite number above 0)"),
        ("clip=-1", "clip is -1.0 (must be a number above 0)"),
        ("clip=0", "clip is 0.0 (must be a number above 0)"),
        ("average=2", "average is 2.0 (must be from 0 to 1)"),
        ("warmup=2", "warmup is 2.0 (must be from 0 to 1)"),
        ("decay=-0.1", "decay is -0.1 (must be a finite number of at least 0)"),
        ("drops=[-1]", "drops is (-1,) (must be a number of at least 0)"),
        ("seed=-1", "seed is -1 (must be from 0 to"),
        ("seed=99999999999999999999", "seed is 99999999999999999999 (must be from 0 to"),
        ("save_minutes=nan", "save_minutes is nan (must be a number of at least 0)"),
        ("save_minutes=-1", "save_minutes is -1.0 (must be a number of at least 0)"),
        ("batch=0", "a batch of 0"),
        ("augment.scale=-0.1", "in augment: scale is -0.1 (must be from 0 to 1)"),
        ("augment.rotation_deg=-5", "in augment: rotation_deg is -5.0 (must be from 0 to 180)"),
        ("augment.colour=-1", "in augment: colour is -1.0 (must be from 0 to 1)"),
        ("augment.flip=7", "in augment: flip is 7.0 (must be from 0 to 1)"),
        ("augment.zoom=nan", "in augment: zoom is nan (must be from -1 to 1)"),
        ("losses.rle=-1", "in losses: rle is -1.0 (must be a finite number of at least 0)"),
        ("losses.foreground=nan", "in losses: foreground is nan (must be a finite number of at least 0)"),
        ("losses={heatmap=0,spatial=0,rle=0,teacher=0}", "no loss is left to minimise"),
        ("network.dilations=[]", "in network: a network needs two widths, one stack, one joint and one dilation"),
        ("network.dilations=[0]", "in network: dilations is (0,) (must be a number of at least 1)"),
        ("network.heatmap_sigma=-1", "in network: heatmap_sigma is -1.0 (must be a finite number above 0)"),
        ("stages=256x0", "epochs is 0 (must be a number of at least 1)"),
        ("stages=[{size_wh=[64,64],epochs=1},{size_wh=[64,64],epochs=0}]", "in stages[1]: epochs is 0"),
        ("stages=[{size_wh=[64,64],epochs=1,sigma=nan}]", "in stages[0]: sigma is nan"),
        ("stages=[]", "a training needs at least one stage"),
        ("stages=0x64x1", "stage 0x64"),
    ],
)
def test_a_number_that_makes_no_sense_is_named_with_its_bounds(assignment, said):
    with pytest.raises(InputError) as caught:
        train_config(override({"stages": "256x1"}, [assignment]))
    assert str(caught.value).startswith(said)


def test_the_ends_of_the_bounds_are_allowed():
    ends = ["clip=inf", "save_minutes=inf", "warmup=0", "average=0", "decay=0", "drops=[]", "seed=0"]
    config = train_config(override({"stages": "256x1"}, [*ends, "augment.flip=1", "augment.scale=0", "losses.rle=0"]))
    assert (config.clip, config.save_minutes) == (math.inf, math.inf)


@pytest.mark.parametrize("name", [field.name for field in fields(AugmentConfig)])
def test_every_number_of_the_augmentation_is_checked(name):
    for value in (math.nan, math.inf, -2.0, 181.0):
        with pytest.raises(InputError, match=f"^{name} is"):
            AugmentConfig(**{name: value})


def test_a_loss_that_nothing_is_computed_of_does_not_count():
    """The likelihood is that of the DLM, and a teacher's loss needs a teacher."""
    only = {"stages": "256x1", "losses": {"heatmap": 0, "spatial": 0, "rle": 0}}
    train_config(only).check_losses(has_teacher=True)
    with pytest.raises(InputError, match="no loss is left to minimise"):
        train_config(only).check_losses(has_teacher=False)
    likelihood = override(only, ["losses.rle=1", "losses.teacher=0"])
    train_config(likelihood).check_losses(has_teacher=False)
    with pytest.raises(InputError, match="no loss is left to minimise"):
        train_config(override(likelihood, ["network.dlm=off"]))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"layout": "labels", "sets": ["a"]}, "the layout labels does not read sets (leave it out; shards would read"),
        ({"layout": "lspet", "sets": ["a"]}, "the layout lspet does not read sets"),
        ({"layout": "shards", "numbers": "1:8"}, "the layout shards does not read numbers"),
        ({"layout": "stanford40", "numbers": "1:8"}, "the layout stanford40 does not read numbers"),
        ({"layout": "shards", "annotations": "a.json"}, "the layout shards does not read annotations"),
        ({"layout": "lspet", "annotations": "a.json"}, "the layout lspet does not read annotations"),
        ({"layout": "labels", "teachers": "a.npz"}, "the layout labels does not read teachers"),
        ({"layout": "shards", "teachers": "a.npz"}, "the layout shards does not read teachers"),
        ({"layout": "shards", "share": -1}, "share is -1.0 (must be a finite number of at least 0)"),
        ({"layout": "shards", "share": math.nan}, "share is nan (must be a finite number of at least 0)"),
        ({"layout": "shards", "share": math.inf}, "share is inf (must be a finite number of at least 0)"),
    ],
)
def test_what_a_source_cannot_mean_is_named(source, said):
    with pytest.raises(InputError) as caught:
        build(DataConfig, {"train": [{"layout": "shards", "root": "a"}, {"root": "b", **source}]}, "data")
    assert str(caught.value).startswith(f"in data.train[1]: {said}")


def test_a_share_of_the_set_to_choose_by_is_refused():
    with pytest.raises(InputError, match="in data: choose does not read share"):
        build(DataConfig, {"choose": {"layout": "shards", "root": "a", "share": 0.5}}, "data")
    assert DataConfig(choose=Source("shards", Path("a"), share=1.0)).choose is not None


def test_a_broken_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("rate = 1\nbatch = = 2\n")
    with pytest.raises(InputError, match=r"broken\.toml is not valid TOML.*line 2"):
        read_toml(path)


def test_steps_fall_to_a_tenth_at_the_epochs_of_dark():
    config = train_config({"stages": "64x140", "schedule": "step", "rate": 2.5e-4, "warmup": 0.0})
    rates = {epoch: learning_rate(config, epoch / 140) for epoch in (0, 89, 90, 119, 120, 139)}
    assert rates == pytest.approx({0: 2.5e-4, 89: 2.5e-4, 90: 2.5e-5, 119: 2.5e-5, 120: 2.5e-6, 139: 2.5e-6})


def test_stages_are_squares_or_not():
    stages = parse_stages("128x10,192x256x3")
    assert [(stage.size_wh, stage.epochs) for stage in stages] == [((128, 128), 10), ((192, 256), 3)]
    assert stages[0].target_sigma == 1.0


def test_a_log_gains_columns_and_an_epoch_run_again_has_one_row(tmp_path):
    path = tmp_path / "log.csv"
    append_row(path, {"epoch": 1, "total": 2.0})
    append_row(path, {"epoch": 2, "total": 1.5, "teacher": 0.1})
    append_row(path, {"epoch": 2, "total": 1.4, "teacher": 0.2})
    assert path.read_text() == "epoch,total,teacher\n1,2.0,\n2,1.4,0.2\n"
