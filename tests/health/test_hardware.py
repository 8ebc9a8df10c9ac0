"""Processors, cards and cameras."""

from __future__ import annotations

import sys
import threading

from sadinet.errors import SourceError
from sadinet.health import hardware
from sadinet.health.hardware import check_cameras, check_devices, check_system
from sadinet.media import camera_list
from sadinet.media.camera_list import CameraInfo


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


def test_cameras_are_told_by_number_name_and_identity(monkeypatch):
    there = (CameraInfo(0, "Desk Cam", "/dev/v4l/by-id/usb-desk"), CameraInfo(2, "Phone", "/dev/video2"))
    monkeypatch.setattr(camera_list, "list_cameras", lambda: there)
    assert [(each.name, each.text, each.state) for each in check_cameras()] == [
        ("camera 0", "Desk Cam, /dev/v4l/by-id/usb-desk", "ok"),
        ("camera 2", "Phone, /dev/video2", "ok"),
    ]


def test_the_cameras_are_those_that_the_program_can_open():
    told = list(check_cameras())
    there = camera_list.list_cameras()
    assert [each.name for each in told] == ([f"camera {each.index}" for each in there] or ["cameras"])


def test_no_camera_is_told(monkeypatch):
    monkeypatch.setattr(camera_list, "list_cameras", tuple)
    assert [each.text for each in check_cameras()] == ["none found"]


def test_cameras_that_cannot_be_listed_are_a_note(monkeypatch):
    for error in (SourceError("no way to list them", "give a number"), ImportError("libGL.so.1: cannot open")):

        def fail(error=error):
            raise error

        monkeypatch.setattr(camera_list, "list_cameras", fail)
        (told,) = check_cameras()
        assert (told.name, told.state) == ("cameras", "note")
        assert ("no way" if isinstance(error, SourceError) else "libGL") in told.text


def test_a_camera_that_hangs_does_not_hang_the_doctor(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(camera_list, "list_cameras", lambda: released.wait(60) and ())
    monkeypatch.setattr(hardware, "_CAMERA_LIMIT_S", 0.2)
    (told,) = check_cameras()
    released.set()
    assert (told.state, told.text) == ("note", "not listed within 0.2 s")


def test_a_program_that_is_not_there_says_nothing():
    assert hardware._output(["no-such-program-anywhere"], 1) == ""
