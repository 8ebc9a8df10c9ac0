"""What earlier work is found again by: everything that changes it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sadinet.batch.describe import BatchSettings, describe_models, part_key, result_key
from sadinet.batch.fingerprint import Fingerprint
from sadinet.batch.naming import Job, Outputs, Wanted
from sadinet.batch.session import batch_people
from sadinet.motion.settings import MotionSettings, QualityLimits
from sadinet.pipeline import People, Settings

SOURCE = Fingerprint(1000, 5, "aa")
VIDEO = Job("/videos/walk.mp4", "video", Outputs(Path("out"), "walk"), False)


@pytest.fixture(scope="module")
def models(batches):
    return describe_models(batches.people)


def test_models_are_told_as_they_are(models, batches):
    weights = batches.people.estimator.weights
    assert models.weights.name == weights.name
    assert models.weights.sha256 == weights.manifest.files["onnx"].sha256
    assert (models.engine, models.device, models.precision) == ("onnxruntime", "cpu", "fp32")
    assert models.skeleton == "body19"
    assert models.facts["pose_runtime"]["engine"] == "onnxruntime"
    assert models.facts["chunk_frames"] == 600


def test_how_the_work_is_shared_changes_no_key(models):
    one, three = (batch_people(Settings(engine="onnx", device="cpu", threads=threads)) for threads in (1, 3))
    assert (one.lanes, three.lanes) == (1, 3)
    keys = {part_key(VIDEO, SOURCE, describe_models(People(each))) for each in (one, three)}
    assert keys == {part_key(VIDEO, SOURCE, models)}
    assert part_key(VIDEO, SOURCE, replace(models, why="another reason")) in keys


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "other"},
        {"detector": "other"},
        {"precision": "fp16"},
        {"device": "cuda"},
        {"engine": "torch"},
        {"skeleton": "coco17"},
        {"facts": {"interval": 1}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_about_the_models_changes_the_key(models, change):
    values = dict(change)
    for name in ("weights", "detector"):
        if name in values:
            values[name] = replace(getattr(models, name), sha256="other")
    assert part_key(VIDEO, SOURCE, replace(models, **values)) != part_key(VIDEO, SOURCE, models)


def test_everything_about_the_source_changes_the_key(models):
    key = part_key(VIDEO, SOURCE, models)
    others = [replace(SOURCE, bytes=1001), replace(SOURCE, modified_ns=6), replace(SOURCE, sample_sha256="ab")]
    assert key not in {part_key(VIDEO, other, models) for other in others}
    assert part_key(replace(VIDEO, where="/videos/run.mp4"), SOURCE, models) != key
    assert part_key(replace(VIDEO, where="/elsewhere/walk.mp4"), SOURCE, models) == key
    # Of pictures the paths stand in the table.
    shots = replace(VIDEO, kind="pictures", where="/a/shots")
    assert part_key(shots, SOURCE, models) != part_key(replace(shots, where="/b/shots"), SOURCE, models)


def test_the_programs_version_changes_the_key(models, monkeypatch):
    key = part_key(VIDEO, SOURCE, models)
    monkeypatch.setattr("sadinet.batch.describe.__version__", "99")
    assert part_key(VIDEO, SOURCE, models) != key


def test_all_that_outputs_depend_on_changes_their_key():
    plain = BatchSettings()
    others = [
        replace(plain, motion=MotionSettings(angles=True)),
        replace(plain, motion=MotionSettings(cutoff_hz=5.0)),
        replace(plain, motion=MotionSettings(limits=QualityLimits(jump=0.2))),
        replace(plain, wanted=Wanted(("csv", "trc"))),
        replace(plain, wanted=Wanted(overlay=True)),
        replace(plain, wanted=Wanted(page=True)),
        replace(plain, metres_per_pixel=0.002),
    ]
    keys = {result_key("part", each) for each in (plain, *others)}
    assert len(keys) == 1 + len(others)
    assert result_key("other", plain) not in keys
