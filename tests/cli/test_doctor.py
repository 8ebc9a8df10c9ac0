"""`sadinet doctor`: what is here and what is missing."""

from __future__ import annotations

import re

from sadinet._version import __version__
from sadinet.cli import doctor
from sadinet.health.finding import Finding
from sadinet.weights import find_weights


def test_here_the_demo_works(sadinet):
    code, printed, complained = sadinet("doctor")
    text = "\n".join(printed)
    assert (code, complained) == (0, [])
    for section in ("System", "Libraries", "Engines and devices", "Models", "Cameras", "Self-check"):
        assert section in printed
    assert re.search(rf"sadinet +{re.escape(__version__)}", text)
    for kind in ("pose", "detector"):
        assert find_weights("default", kind).manifest.files["onnx"].sha256 in text
    assert "1 person found" in text
    assert "sadinet demo works here." in printed


def test_what_is_missing_is_told_with_its_remedy(sadinet, monkeypatch):
    missing = [
        Finding("cv2", "needs libGL.so.1", "missing", "install libgl1", ("libgl1",)),
        Finding("libEGL.so.1", "missing", "note", packages=("libegl1",)),
        Finding("av", "not installed", "missing", "pip install av"),
    ]
    monkeypatch.setattr(doctor, "_SECTIONS", {"System": lambda: missing})
    code, printed, _ = sadinet("doctor")
    assert code == 1
    assert printed[-3:] == [
        "sadinet demo does not work here.",
        "  as root: apt-get install -y --no-install-recommends libgl1 libegl1",
        "  av: not installed -> pip install av",
    ]


def test_it_works_where_libraries_do_not_load(start):
    code = """
import sys
class Broken:
    def find_spec(self, name, path, target=None):
        if name in ("cv2", "av", "onnxruntime", "PyQt6", "torch"):
            raise ImportError(f"{name}: libGL.so.1: cannot open shared object file", name=name)
from sadinet.health import hardware, libraries
hardware.is_installed = libraries.is_installed = lambda name: True
sys.meta_path.insert(0, Broken())
from sadinet.cli.main import main
sys.exit(main(["doctor"]))
"""
    process = start(code=code)
    printed, complained = process.communicate()
    assert complained == ""
    assert process.returncode == 1
    assert "sadinet demo does not work here." in printed
    assert "as root: apt-get install -y --no-install-recommends" in printed
    assert "libgl1" in printed
