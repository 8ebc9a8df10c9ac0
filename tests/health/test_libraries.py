"""Python's libraries and the system's below them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from sadinet.health import libraries
from sadinet.health.libraries import PACKAGES, blame, check_libraries, check_system_libraries

README = Path(__file__).parents[2] / "README.md"


def test_needed_libraries_are_here():
    found = {each.name: each for each in check_libraries()}
    for name in libraries.NEEDED:
        assert found[name].state == "ok"
        assert re.match(r"\d", found[name].text)


def test_a_missing_system_library_names_its_package():
    found = blame("cv2", "opencv-python", "libGL.so.1: cannot open shared object file: No such file or directory")
    assert (found.state, found.packages, found.remedy) == ("missing", ("libgl1",), "install libgl1")


def test_a_system_library_that_we_do_not_know_is_named():
    found = blame("av", "av", "libsomething-2.so.7: cannot open shared object file")
    assert (found.text, found.packages) == ("needs libsomething-2.so.7", ())


def test_any_other_fault_is_told():
    found = blame("av", "av", "numpy.dtype size changed")
    assert "numpy.dtype size changed" in found.text
    assert "av" in found.remedy


def test_a_library_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(libraries, "NEEDED", {"no_such_library": "no-such"})
    first = next(iter(check_libraries()))
    assert (first.state, first.remedy) == ("missing", "pip install no-such")


@pytest.mark.skipif(sys.platform != "linux", reason="system libraries are looked for on Linux alone")
def test_system_libraries_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(libraries, "PACKAGES", {"libc.so.6": "libc6", "libnowhere.so.9": "libnowhere9"})
    (found,) = check_system_libraries()
    assert (found.name, found.state, found.packages) == ("libnowhere.so.9", "note", ("libnowhere9",))


def test_the_set_up_line_installs_every_package_that_is_looked_for():
    line = next(line for line in README.read_text(encoding="utf-8").splitlines() if "apt-get install" in line)
    assert set(PACKAGES.values()) <= set(line.split())
