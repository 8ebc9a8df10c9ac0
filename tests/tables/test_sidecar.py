from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from sadinet.errors import OutputError, SourceError
from sadinet.tables.sidecar import (
    Sidecar,
    SourceRecord,
    WeightsRecord,
    describe_file,
    describe_files,
    local_time,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)

SIDECAR = Sidecar(
    source=SourceRecord("läuft 🏃.mp4", 123, "ab" * 32),
    frames=90,
    skipped_frames=2,
    problems=("2 frames could not be decoded and were left out",),
    skeleton="body19",
    weights=WeightsRecord("sadinet-s", "cd" * 32),
    engine="onnx",
    device="cpu",
    precision="fp32",
    settings={"threshold": 0.3, "sizes": [1, 2], "nested": {"flip": False}},
    version="0.1.0",
    detector=WeightsRecord("person", "ef" * 32),
)


def test_what_is_written_is_read(tmp_path):
    write_sidecar(tmp_path / "a.json", SIDECAR)
    assert read_sidecar(tmp_path / "a.json") == SIDECAR
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "läuft 🏃.mp4" in text
    assert json.loads(text)["source"] == {"path": "läuft 🏃.mp4", "bytes": 123, "sha256": "ab" * 32}


def test_equal_runs_have_equal_sidecars(tmp_path):
    for name in ("a.json", "b.json"):
        write_sidecar(tmp_path / name, SIDECAR)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told["schema"] == 2
    assert not {"started", "seconds"} & set(told)


def test_the_first_form_is_read_and_a_later_one_is_told(tmp_path):
    write_sidecar(tmp_path / "a.json", SIDECAR)
    now = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    first = {**now, "schema": 1, "started": "2025-01-02T03:04:05+01:00", "seconds": 1.25}
    (tmp_path / "first.json").write_text(json.dumps(first), encoding="utf-8")
    assert replace(read_sidecar(tmp_path / "first.json"), schema=2) == SIDECAR
    (tmp_path / "later.json").write_text(json.dumps({**now, "schema": 3}), encoding="utf-8")
    with pytest.raises(SourceError, match="later version"):
        read_sidecar(tmp_path / "later.json")


def test_settings_may_hold_nan_paths_and_tuples(tmp_path):
    settings = {"threshold": float("nan"), "folder": Path("out"), "size": (256, 192)}
    write_sidecar(tmp_path / "a.json", Sidecar(**{**_fields(SIDECAR), "settings": settings, "detector": None}))
    back = read_sidecar(tmp_path / "a.json")
    assert back.settings == {"threshold": None, "folder": "out", "size": [256, 192]}
    assert back.detector is None


def _fields(sidecar):
    return {name: getattr(sidecar, name) for name in sidecar.__dataclass_fields__}


@pytest.mark.skipif(os.name != "posix", reason="only there names may be any bytes")
def test_a_name_that_is_no_unicode_does_not_stop_the_end_of_a_run(tmp_path):
    name = os.fsdecode(b"old \xff name.mp4")
    write_sidecar(tmp_path / "a.json", Sidecar(**{**_fields(SIDECAR), "source": SourceRecord(name, 1, "")}))
    assert "old" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_the_sidecar_lies_beside_its_table():
    assert sidecar_path("out/walk 1.5x.csv") == Path("out/walk 1.5x.json")


def test_files_are_described_by_size_and_hash(tmp_path):
    (tmp_path / "a.png").write_bytes(b"first")
    (tmp_path / "b.png").write_bytes(b"second!")
    one = describe_file(tmp_path / "a.png")
    assert (one.bytes, one.sha256) == (5, hashlib.sha256(b"first").hexdigest())
    both = describe_files("shots", [tmp_path / "a.png", tmp_path / "b.png"])
    lines = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in (("a.png", b"first"), ("b.png", b"second!"))
    )
    assert both == SourceRecord("shots", 12, hashlib.sha256(lines.encode()).hexdigest())
    with pytest.raises(SourceError, match="cannot be read"):
        describe_file(tmp_path / "missing.mp4")


def test_the_time_has_its_offset():
    told = datetime.fromisoformat(local_time())
    assert told.utcoffset() is not None
    assert abs((datetime.now().astimezone() - told).total_seconds()) < 60


def test_what_is_no_sidecar_is_told(tmp_path):
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "text.json").write_text("no json")
    (tmp_path / "other.json").write_text('{"source": {}}')
    for name, words in (
        ("list.json", "does not describe"),
        ("text.json", "does not describe"),
        ("other.json", "does not describe"),
        ("missing.json", "no such file"),
    ):
        with pytest.raises(SourceError, match=words):
            read_sidecar(tmp_path / name)
    with pytest.raises(OutputError):
        write_sidecar(tmp_path / "missing" / "a.json", SIDECAR)
