"""One run at a time on a folder of results, whatever becomes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sadinet.batch.lock import hold
from sadinet.errors import OutputError

HOLD = """
import sys
from pathlib import Path
from sadinet.batch.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out" / ".sadinet")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_refuses_and_names_the_first(other, tmp_path):
    with pytest.raises(OutputError) as raised, hold(tmp_path / "out" / ".sadinet"):
        pass
    line = str(raised.value)
    assert f"{tmp_path / 'out'} is in use by process {other.pid} on " in line
    assert " since 20" in line
    assert "\n" not in line


def test_it_is_free_again_when_the_first_is_done(other, tmp_path):
    other.communicate("", timeout=300)
    with hold(tmp_path / "out" / ".sadinet"):
        pass
    assert not (tmp_path / "out" / ".sadinet" / "running.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_it_is_free_again_when_the_first_is_killed(other, tmp_path):
    other.send_signal(signal.SIGKILL)
    other.wait(timeout=300)
    assert (tmp_path / "out" / ".sadinet" / "running.json").exists()
    with hold(tmp_path / "out" / ".sadinet"):
        pass


def test_a_first_that_does_not_tell_who_it_is_is_no_trouble(other, tmp_path):
    (tmp_path / "out" / ".sadinet" / "running.json").write_text("[]", encoding="utf-8")
    with pytest.raises(OutputError, match="in use by another process"), hold(tmp_path / "out" / ".sadinet"):
        pass


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"), hold(tmp_path / "file"):
        pass
