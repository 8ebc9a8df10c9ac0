"""The packaged program where things are not as they should be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="told to Linux and macOS")]

LIMIT_S = 600
STRANGER = 65534  # "nobody"


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that other users may look into, too."""
    folder = Path(tempfile.mkdtemp(prefix="sadinet-faults-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def elsewhere(bundle, open_folder) -> Path:
    """The bundle in a folder with blanks and letters of other alphabets."""
    target = open_folder / "my programs" / "Läufer & 歩行 (2)" / "sadinet"
    return _copy(bundle, target)


def _copy(bundle: Path, target: Path) -> Path:
    shutil.copytree(bundle, target, symlinks=True)
    return target


def _begin(*command: object, user: int | None = None, cwd: Path | None = None, **environment: str):
    variables = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment}
    as_user = {"user": user, "group": user, "extra_groups": []} if user is not None and os.geteuid() == 0 else {}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(list(map(str, command)), env=variables, cwd=cwd, **pipes, **as_user)


def _end(process):
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _run(*command: object, **how):
    return _end(_begin(*command, **how))


def test_it_runs_from_a_path_with_blanks_and_other_letters_twice_at_once(elsewhere, from_source, open_folder):
    command = [elsewhere / "sadinet", "demo", "-o"]
    folders = [open_folder / "ünö", open_folder / "dos 2"]
    # No HOME, and a terminal that knows ASCII only.
    both = [_begin(*command, folder, LC_ALL="C") for folder in folders]
    for done, folder in zip([_end(process) for process in both], folders, strict=True):
        assert done.returncode == 0, done.stderr
        assert (folder / "walk.csv").read_bytes() == (from_source / "demo" / "walk.csv").read_bytes()


def test_windows_work_for_a_stranger_twice_at_once_without_a_home_in_a_folder_that_cannot_be_written(
    elsewhere, open_folder
):
    there = open_folder / "read only"
    there.mkdir()
    there.chmod(0o555)
    command = [elsewhere / "sadinet-app", "--self-test", "--seconds", "1"]
    both = [_begin(*command, user=STRANGER, cwd=there, QT_QPA_PLATFORM="offscreen") for _ in range(2)]
    for done in [_end(process) for process in both]:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "result passed" in done.stdout
    assert list(there.iterdir()) == []


def test_results_that_cannot_be_written_are_one_line(elsewhere, open_folder):
    there = open_folder / "closed"
    there.mkdir()
    there.chmod(0o555)
    done = _run(elsewhere / "sadinet", "demo", user=STRANGER, cwd=there)
    assert done.returncode == 1
    assert done.stderr.startswith("sadinet: ")
    assert done.stderr.count("\n") == 1


def test_without_a_display_the_window_says_so_in_one_line(elsewhere):
    done = _run(elsewhere / "sadinet-app")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    if sys.platform == "linux":
        assert "there is no display" in done.stderr


def test_a_damaged_model_is_one_line_and_nothing_is_computed(elsewhere, open_folder):
    # Hard links join a copy's files, so this one is written anew and then put back.
    path = elsewhere / "_internal" / "sadinet" / "_weights" / "sadinet-s.onnx"
    content = path.read_bytes()
    try:
        path.unlink()
        path.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
        done = _run(elsewhere / "sadinet", "demo", "-o", open_folder / "damaged")
        doctor = _run(elsewhere / "sadinet", "doctor")
    finally:
        path.write_bytes(content)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "sadinet-s.onnx is not the file of its manifest" in done.stderr
    assert not (open_folder / "damaged" / "walk.csv").exists()
    assert doctor.returncode == 1
    assert "sadinet-s.onnx is not the file of its manifest" in doctor.stdout
