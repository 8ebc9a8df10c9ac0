"""Models are averaged value by value, and the weight of the distribution learning moves by what was asked for."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sadinet.errors import InputError, WeightsError
from sadinet.network.model import SadiNet
from sadinet.network.presets import preset
from sadinet.training.averaging import shift_dlm_weight, weighted_mean

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return lambda name: importlib.import_module(name).main


def write_checkpoint(path, seed, name="t"):
    torch.manual_seed(seed)
    config = preset(name)
    values = SadiNet(config).state_dict()
    torch.save({"config": {"network": config.to_dict()}, "average": {"steps": 1, "values": values}}, path)
    return values


def test_a_checkpoint_and_an_exported_model_are_averaged(script, tmp_path):
    one = write_checkpoint(tmp_path / "one.pt", 1)
    other = write_checkpoint(tmp_path / "other.pt", 2)
    save_file({f"network.{k}": v.contiguous() for k, v in other.items()}, tmp_path / "other.safetensors")
    line = [f"{tmp_path}/one.pt@3", f"{tmp_path}/other.safetensors@1", "--dlm-shift", "-1", "-o", f"{tmp_path}/mean.pt"]
    assert script("average_models")(line) == 0
    mean = torch.load(tmp_path / "mean.pt", weights_only=True)["average"]["values"]
    moved = 0
    for name, value in mean.items():
        shift = -1.0 if name.endswith("head.weight") and value.ndim == 1 else 0.0
        moved += shift != 0
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.75 * one[name] + 0.25 * other[name] + shift)
        else:
            assert torch.equal(value, one[name])
    assert moved == preset("t").stacks


def test_what_cannot_be_averaged_is_told(script, tmp_path, capsys):
    write_checkpoint(tmp_path / "one.pt", 1)
    write_checkpoint(tmp_path / "other.pt", 1, "m")
    line = [f"{tmp_path}/one.pt", f"{tmp_path}/other.pt", "-o", f"{tmp_path}/mean.pt"]
    assert script("average_models")(line) == 1
    told = capsys.readouterr().err
    assert "other.pt is of another network: widths is " in told
    assert told.count("\n") == 1
    assert not (tmp_path / "mean.pt").exists()
    assert script("average_models")([f"{tmp_path}/one.pt@x", "-o", f"{tmp_path}/mean.pt"]) == 1
    assert "no number" in capsys.readouterr().err
    for share in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError):
            weighted_mean([({"a": torch.zeros(1)}, share)])
    with pytest.raises(InputError):
        weighted_mean([({"a": torch.zeros(1)}, 1e308)] * 2)
    with pytest.raises(WeightsError, match="different networks"):
        weighted_mean([({"a": torch.zeros(1)}, 1.0), ({"a": torch.zeros(2)}, 1.0)])
    with pytest.raises(WeightsError):
        shift_dlm_weight({"a": torch.zeros(1)}, 1.0)


@pytest.mark.parametrize(
    ("share", "more", "said"),
    [
        ("@nan", (), "nothing to average"),
        ("@inf", (), "nothing to average"),
        ("", ("--dlm-shift", "nan"), "a shift of nan (must be a finite number"),
        ("", ("--dlm-shift", "inf"), "a shift of inf"),
        ("", ("--dlm-shift", "1e39"), "a shift of 1e+39"),
    ],
)
def test_what_is_not_a_number_makes_no_model(script, tmp_path, capsys, share, more, said):
    write_checkpoint(tmp_path / "one.pt", 1)
    assert script("average_models")([f"{tmp_path}/one.pt{share}", *more, "-o", f"{tmp_path}/mean.pt"]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (tmp_path / "mean.pt").exists()


def test_a_mean_that_cannot_be_written_is_one_line(script, tmp_path, capsys):
    write_checkpoint(tmp_path / "one.pt", 1)
    (tmp_path / "file").write_text("")
    assert script("average_models")([f"{tmp_path}/one.pt", "-o", f"{tmp_path}/file/mean.pt"]) == 1
    told = capsys.readouterr().err
    assert "mean.pt: not a directory" in told
    assert told.count("\n") == 1


def test_a_model_is_given_by_its_name_or_manifest_too(script, tmp_path):
    write_checkpoint(tmp_path / "one.pt", 1, "s")
    manifest = SCRIPTS.parent / "weights" / "sadinet-s.json"
    means = []
    for name in ("sadinet-s", manifest, manifest.with_suffix(".safetensors")):
        assert script("average_models")([f"{tmp_path}/one.pt", f"{name}@3", "-o", f"{tmp_path}/mean.pt"]) == 0
        means.append(torch.load(tmp_path / "mean.pt", weights_only=True)["average"]["values"])
    for other in means[1:]:
        assert all(torch.equal(value, other[name]) for name, value in means[0].items())
