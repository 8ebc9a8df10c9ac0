"""Models, and whether they find anybody."""

from __future__ import annotations

import shutil
import sys

import pytest

from sadinet.errors import WeightsError
from sadinet.health.models import check_models, check_run
from sadinet.weights import find_weights


def test_shipped_models_are_as_they_should_be():
    found = {each.name: each for each in check_models()}
    for kind in ("pose", "detector"):
        weights = find_weights("default", kind)
        for file_kind, entry in weights.manifest.files.items():
            assert found[f"{weights.name} {file_kind}"].state == "ok"
            assert entry.sha256 in found[f"{weights.name} {file_kind}"].text


def test_the_self_check_finds_the_walker():
    found = check_run()
    assert found.state == "ok"
    assert found.text.startswith("1 person found")


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """A copy of the default models in the shipped ones' place."""
    for kind in ("pose", "detector"):
        weights = find_weights("default", kind)
        shutil.copy(weights.path, tmp_path)
        for entry in weights.manifest.files.values():
            shutil.copy(weights.path.parent / entry.name, tmp_path)
    monkeypatch.delenv("SADINET_WEIGHTS", raising=False)
    monkeypatch.setattr("sadinet.weights.shipped_folder", lambda: tmp_path)
    return tmp_path


def test_a_damaged_file_is_named(shipped):
    name = find_weights("default").manifest.files["onnx"].name
    with (shipped / name).open("ab") as stream:
        stream.write(b"x")
    wrong = [each for each in check_models() if each.state != "ok"]
    assert [(each.name, each.state) for each in wrong] == [(f"{find_weights('default').name} onnx", "missing")]
    assert name in wrong[0].text
    assert check_run().state == "missing"


@pytest.mark.parametrize(("has_torch", "states"), [(True, ["note"]), (False, ["ok"])])
def test_a_file_for_torch_is_missed_where_torch_is(shipped, monkeypatch, has_torch, states):
    weights = find_weights("default")
    (shipped / weights.manifest.files["safetensors"].name).unlink()
    monkeypatch.setattr("sadinet.health.models.is_installed", lambda _: has_torch)
    assert [each.state for each in check_models() if each.name == f"{weights.name} safetensors"] == states


@pytest.mark.parametrize(
    ("is_packaged", "states", "remedy"), [(True, ["ok"], "fp32"), (False, ["note"], "install again")]
)
def test_half_precision_is_missed_but_in_the_packaged_program(shipped, monkeypatch, is_packaged, states, remedy):
    weights = find_weights("default")
    (shipped / weights.manifest.files["onnx_fp16"].name).unlink()
    monkeypatch.setattr(sys, "frozen", is_packaged, raising=False)
    assert [each.state for each in check_models() if each.name == f"{weights.name} onnx_fp16"] == states
    with pytest.raises(WeightsError) as error:
        weights.file("onnx_fp16")
    assert remedy in error.value.remedy


def test_a_missing_default_model_is_named(shipped):
    find_weights("default", "detector").path.unlink()
    wrong = [each for each in check_models() if each.state != "ok"]
    assert [(each.name, each.state) for each in wrong] == [("default detector model", "missing")]


def test_an_own_model_with_a_broken_manifest_stops_nothing(shipped):
    (shipped / "own.json").write_text("{", encoding="utf-8")
    wrong = [each for each in check_models() if each.state != "ok"]
    assert [(each.name, each.state) for each in wrong] == [("own", "note")]
