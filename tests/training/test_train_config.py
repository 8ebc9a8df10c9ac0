"""Settings: from TOML and texts to dataclasses, and the schedules that they mean."""

from __future__ import annotations

import pytest

from sadinet.errors import InputError
from sadinet.skeletons import BODY19, COCO17, MPII16
from sadinet.training.config import learning_rate, parse_stages, train_config
from sadinet.training.logs import append_row
from sadinet.training.plain import override, read_toml


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
