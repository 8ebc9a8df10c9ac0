"""A disk that is full: one line, nothing half done under its name, and the next run goes on."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sadinet.batch.naming import Wanted
from sadinet.errors import OutputError

resource = pytest.importorskip("resource")

EVERYTHING = Wanted(("csv", "openpose", "coco", "trc", "c3d"), overlay=True, page=True)


@contextlib.contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file grow beyond a size: writing more fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def whole(batches, stroll, digests, tmp_path_factory):
    """A run with room enough: its folder and digests."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    assert batches.one(stroll, folder, wanted=EVERYTHING).error is None
    return folder, digests(folder)


# From the ledger's first page to the largest output.
@pytest.mark.parametrize("size", [2_000, 9_000, 21_000, 30_000, 60_000, 120_000])
def test_files_that_cannot_grow_cost_the_input_and_the_next_run_goes_on(
    batches, stroll, whole, digests, tmp_path, size
):
    folder, expected = whole
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size < largest
    with files_up_to(size):
        try:
            (outcome,) = batches(stroll, tmp_path / "out", wanted=EVERYTHING).outcomes
            error = outcome.error
        except OutputError as raised:  # the ledger itself could not be made
            error = raised
    assert error is not None
    assert "unexpected" not in str(error)
    assert "cannot write" in str(error) or "cannot encode" in str(error)
    assert "\n" not in str(error)
    found = digests(tmp_path / "out")
    # What has its name is whole.
    assert {name: digest for name, digest in found.items() if expected.get(name) != digest} == {}
    (outcome,) = batches(stroll, tmp_path / "out", wanted=EVERYTHING).outcomes
    assert outcome.error is None
    assert digests(tmp_path / "out") == expected


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if sys.platform != "linux":
        pytest.skip("small file systems are made on Linux alone")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1000k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no right to mount a small file system here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_is_one_line_and_1(small_disk, stroll, capsys):
    from sadinet.cli.main import main

    (small_disk / "ballast").write_bytes(bytes(850_000))
    line = ["run", str(stroll), "-o", str(small_disk / "out"), "--chunk-frames", "4", "--quiet", "--device", "cpu"]
    code = main(line)
    complained = capsys.readouterr().err.splitlines()
    assert (code, len(complained)) == (1, 1)
    assert "no space left" in complained[0] or "disk is full" in complained[0]
    assert not list((small_disk / "out").glob("stroll*"))
    (small_disk / "ballast").unlink()
    assert main([*line, "--no-page"]) == 0
