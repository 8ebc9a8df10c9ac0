"""What is said where no window can be shown; Qt itself would abort."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app import screen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asked on Linux only")


def test_nothing_speaks_against_a_platform_without_a_screen():
    assert screen.why_no_window({"QT_QPA_PLATFORM": "offscreen"}) == ""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "there is no display"),
        ({"DISPLAY": ""}, "there is no display"),
        # Unix sockets of displays end with their number; nobody serves this one.
        ({"DISPLAY": ":64123"}, "':64123' does not answer"),
        ({"QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "wayland-0"}, "there is no display"),
    ],
)
def test_a_display_that_is_not_there_is_said(environment, words):
    assert words in screen.why_no_window(environment)


def test_wayland_needs_no_x_server(monkeypatch):
    assert screen.why_no_window({"WAYLAND_DISPLAY": "wayland-0"}) == ""
    # The packaged program speaks to X alone.
    monkeypatch.setattr("sys.frozen", True, raising=False)
    assert screen.why_no_window({"WAYLAND_DISPLAY": "wayland-0"}).startswith("there is no display")


def test_libraries_that_are_missing_are_named_by_package(monkeypatch):
    monkeypatch.setattr(
        "sadinet.health.libraries._loads", lambda name: name not in ("libEGL.so.1", "libxcb-cursor.so.0")
    )
    assert screen.why_no_window({"DISPLAY": ":0"}).endswith("apt-get install -y libegl1 libxcb-cursor0)")
    assert screen.why_no_window({"WAYLAND_DISPLAY": "wayland-0"}).endswith("apt-get install -y libegl1)")


def test_the_program_says_it_in_one_line():
    left_out = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run([sys.executable, "-m", "app"], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("sadinet-app: there is no display (")
