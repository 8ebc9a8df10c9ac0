"""A folder beside the target that holds what is not whole yet."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sadinet.atomic import output_error, partial_path


@contextmanager
def told_as(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into an `OutputError` about `path`."""
    try:
        yield
    except OSError as error:
        raise output_error(path, error) from error


def make_scratch(target: Path) -> Path:
    """Make the folder `NAME.part` beside the target, empty; one that a killed run left is replaced.

    Raises:
        OutputError: if the folder around it is missing or may not be written.
    """
    scratch = partial_path(target)
    with told_as(target):
        if scratch.is_dir():
            shutil.rmtree(scratch)
        else:
            scratch.unlink(missing_ok=True)
        scratch.mkdir()
    return scratch


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that goes."""
    shutil.rmtree(folder, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file, or on POSIX a folder's list of names, is on the disk."""
    if path.is_dir():
        if os.name != "posix":
            return
        handle = os.open(path, os.O_RDONLY)
    else:
        handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_files(folder: Path) -> None:
    """Wait until many files of a folder are on the disk."""
    if os.name == "posix":
        os.sync()  # one wait for all; a wait a file takes minutes for an hour of video
        return
    for path in folder.iterdir():
        sync(path)
