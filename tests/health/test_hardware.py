"""Processors, cards and cameras."""

from __future__ import annotations

import sys
import time

from sadinet.health import hardware
from sadinet.health.hardware import check_cameras, check_devices, check_system


def test_the_system_is_named():
    found = {each.name: each.text for each in check_system()}
    assert sys.executable in found["Python"]
    assert "cores" in found["CPU"]


def test_engines_say_what_they_run_on():
    found = {each.name: each for each in check_devices()}
    assert "CPU" in found["onnxruntime"].text
    assert found["torch"].state == "ok"


def test_a_card_that_nothing_drives_is_a_note(monkeypatch):
    monkeypatch.setattr(hardware, "_cards", lambda: ["GPU 0: Some Card"])
    monkeypatch.setattr(hardware, "_onnxruntime", lambda: hardware.Finding("onnxruntime", "runs on CPU"))
    monkeypatch.setattr(hardware, "_torch", lambda: hardware.Finding("torch", "2.0, runs on cpu"))
    card = list(check_devices())[-1]
    assert (card.name, card.text, card.state) == ("NVIDIA", "GPU 0: Some Card", "note")
    assert "sadinet[torch]" in card.remedy


def test_linux_cameras_by_name_and_without_their_metadata(tmp_path):
    for node, index in (("video0", "0"), ("video1", "1"), ("video2", "0")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "name").write_text(f"Camera of {node}\n", encoding="utf-8")
        (tmp_path / node / "index").write_text(f"{index}\n", encoding="utf-8")
    assert hardware._linux_cameras(tmp_path) == [
        ("/dev/video0", "Camera of video0"),
        ("/dev/video2", "Camera of video2"),
    ]


def test_no_camera_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(hardware, "_linux_cameras", list)
    monkeypatch.setattr(hardware, "_opened_cameras", list)
    assert [each.text for each in check_cameras()] == ["none found"]


def test_a_camera_that_hangs_does_not_hang_the_doctor(monkeypatch):
    monkeypatch.setattr(hardware, "_OPEN_CAMERAS", "print('0: 640x480, X', flush=True)\nimport time\ntime.sleep(60)")
    monkeypatch.setattr(hardware, "_CAMERA_LIMIT_S", 3)
    began = time.monotonic()
    assert hardware._opened_cameras() == [("camera 0", "640x480, X")]
    assert time.monotonic() - began < 30


def test_a_program_that_is_not_there_says_nothing():
    assert hardware._output(["no-such-program-anywhere"], 1) == ""
