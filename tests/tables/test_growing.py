"""Lines that are written as they come."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sadinet.errors import OutputError
from sadinet.tables.growing import GrowingText

ROOT = Path(__file__).parents[2]


def test_every_line_is_there_at_once(tmp_path):
    file = GrowingText(tmp_path / "a.csv")
    file.write("frame\n")
    assert (tmp_path / "a.csv").read_text() == "frame\n"
    file.write("1\n2\n")
    assert (tmp_path / "a.csv").read_text() == "frame\n1\n2\n"
    file.finish()
    file.finish()
    file.abandon()
    assert (tmp_path / "a.csv").read_text() == "frame\n1\n2\n"


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputError, match="make the folder first"):
        GrowingText(tmp_path / "nowhere" / "a.csv")


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are set as on POSIX")
def test_a_full_disk_leaves_whole_lines(tmp_path):
    code = """
import resource, sys
from sadinet.errors import OutputError
from sadinet.tables.growing import GrowingText
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
file = GrowingText(sys.argv[1])
try:
    for _ in range(100):
        file.write("x" * 29 + "\\n")
except OutputError as error:
    print(error)
file.finish()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.csv")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert "too large" in done.stdout, done.stderr
    lines = (tmp_path / "a.csv").read_text().splitlines(keepends=True)
    assert len(lines) == 33
    assert set(lines) == {"x" * 29 + "\n"}
