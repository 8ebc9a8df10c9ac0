from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings

from app.choice import SourceChoice, SourceKind
from app.settings import VERSION, AppSettings, load, save
from app.view_options import ViewOptions

ROOT = Path(__file__).parents[2]

OTHER = AppSettings(
    theme="light",
    geometry="01ff",
    layout="02",
    page="batch",
    view=ViewOptions(skeleton=False, threshold=0.45, heatmap_joint="nose", mirror=True),
    is_smooth=False,
    source=SourceChoice(SourceKind.CAMERA, "/dev/é", 'Kamera; "zwei" 中', (1280, 720), 30.0),
    recent=("/tmp/a b.mp4", "rtsp://x/y?z=1,2", "/tmp/ü,;=%.mov"),
    speed=0.25,
    is_looped=False,
    camera_size_wh=(640, 480),
    camera_rate_hz=60.0,
    weights="own",
    engine="onnx",
    device="cpu",
    folder="/data/é",
    angle_limits={"left_knee": (10.0, 90.5)},
    has_alarm_sound=True,
)


def test_all_values_of_the_example_differ_from_the_defaults():
    plain = AppSettings()
    same = [
        each.name for each in dataclasses.fields(AppSettings) if getattr(plain, each.name) == getattr(OTHER, each.name)
    ]
    assert not same


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "settings.ini"
    assert save(path, OTHER)
    loaded = load(path)
    assert loaded.settings == OTHER
    assert loaded.note == ""
    assert loaded.may_save


def test_a_missing_and_an_empty_file_give_the_defaults_silently(tmp_path):
    path = tmp_path / "settings.ini"
    assert load(path).settings == AppSettings()
    path.touch()
    assert load(path).settings == AppSettings()
    assert load(path).note == ""


@pytest.mark.parametrize("content", [b"\x00\xff\x13" * 200, b"[General]\nno version=1\n", b"version=twelve\n", b"{}"])
def test_a_damaged_file_gives_the_defaults_and_says_so_and_is_kept_beside(tmp_path, content):
    path = tmp_path / "settings.ini"
    path.write_bytes(content)
    loaded = load(path)
    assert loaded.settings == AppSettings()
    assert "damaged" in loaded.note
    assert (tmp_path / "settings.ini.damaged").read_bytes() == content
    assert save(path, OTHER)
    assert load(path).settings == OTHER


def test_a_file_of_a_later_version_gives_the_defaults_says_so_and_is_left_alone(tmp_path):
    path = tmp_path / "settings.ini"
    save(path, OTHER)
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    stored.setValue("version", str(VERSION + 1))
    stored.sync()
    loaded = load(path)
    assert loaded.settings == AppSettings()
    assert "later version" in loaded.note
    assert not loaded.may_save


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("speed", '"fast"'),
        ("speed", "NaN"),
        ("speed", "true"),
        ("is_looped", "1"),
        ("theme", "not json"),
        ("view", '{"threshold": "high"}'),
        ("view", "[]"),
        ("camera_size_wh", "[1, 2, 3]"),
        ("recent", '["a", 2]'),
        ("source", '{"kind": "radio"}'),
        ("angle_limits", '{"left_knee": [1]}'),
    ],
)
def test_a_single_value_that_makes_no_sense_costs_only_itself(tmp_path, name, text):
    path = tmp_path / "settings.ini"
    save(path, OTHER)
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    stored.setValue(name, text)
    stored.sync()
    loaded = load(path)
    assert loaded.settings == dataclasses.replace(OTHER, **{name: getattr(AppSettings(), name)})
    assert name in loaded.note


def test_a_value_that_a_later_revision_added_has_its_default(tmp_path):
    path = tmp_path / "settings.ini"
    save(path, OTHER)
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    stored.remove("folder")
    stored.setValue("view", '{"skeleton": false, "something new": 3}')
    stored.sync()
    loaded = load(path)
    assert loaded.settings.folder == ""
    assert loaded.settings.view == ViewOptions(skeleton=False)
    assert loaded.note == ""


def test_two_programs_that_write_at_once_leave_a_whole_file(tmp_path):
    path = tmp_path / "settings.ini"
    code = (
        "import sys; from pathlib import Path; from app.settings import *\n"
        "for i in range(20): assert save(Path(sys.argv[1]), AppSettings(theme=sys.argv[2]))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(path), theme], cwd=ROOT) for theme in ("dark", "light")]
    assert [run.wait() for run in runs] == [0, 0]
    loaded = load(path)
    assert loaded.note == ""
    assert loaded.settings.theme in ("dark", "light")
