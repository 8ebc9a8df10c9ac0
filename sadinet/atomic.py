"""Files that appear whole or not at all: written beside the target, synced, then renamed over it."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from sadinet.errors import OutputError

_REMEDIES = {
    errno.ENOSPC: "free some space or choose another disk",
    errno.EDQUOT: "free some space or choose another disk",
    errno.EFBIG: "the file system does not take files this large; choose another disk",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOENT: "make the folder first or choose another one",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another folder",
    errno.EISDIR: "a folder of that name is in the way; choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EBUSY: "close the program that has the file open",
}


def output_error(path: Path, error: OSError) -> OutputError:
    """Return the `OutputError` that says why `path` cannot be written, and what to do."""
    reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
    remedy = _REMEDIES.get(error.errno or 0, "choose another folder")
    return OutputError(f"cannot write {path}: {reason}", remedy)


def partial_path(path: Path) -> Path:
    """Return the name that a file has until it is whole: `NAME.part` beside it."""
    return path.with_name(path.name + ".part")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; raises `OutputError` if that is refused."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"cannot make folder {folder}: {reason}", "choose another folder") from error


def check_writable(path: Path) -> None:
    """Make the partial file of `path`, empty.

    Raises:
        OutputError: if the folder is missing or may not be written, or a folder has the file's name.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a directory", str(path))
        partial_path(path).write_bytes(b"")
    except OSError as error:
        raise output_error(path, error) from error


def commit(path: Path) -> None:
    """Sync the partial file of `path` to the disk and give it its real name.

    Raises:
        OutputError: if the disk is full or the target is in use.
    """
    partial = partial_path(path)
    try:
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise output_error(path, error) from error


def discard(path: Path) -> None:
    """Remove the partial file of `path`, if there is one."""
    with contextlib.suppress(OSError):
        partial_path(path).unlink(missing_ok=True)


class _AtomicFile:
    """A file that takes its name only when the `with` block ends without an error.

    Args:
        path: the file to make or replace.

    Raises:
        OutputError: from any step that the disk refuses.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._refused: OutputError | None = None
        check_writable(self.path)
        self._stream = self._open(partial_path(self.path))

    def _open(self, partial: Path) -> IO[Any]:
        return partial.open("wb")

    def _write(self, data: Any) -> int:
        try:
            return self._stream.write(data)
        except OSError as error:
            self._refused = output_error(self.path, error)
            raise self._refused from error

    def finish(self) -> None:
        """Write what is buffered, sync, rename."""
        self._close()
        commit(self.path)

    def abandon(self, *, keep_partial: bool = False) -> None:
        """Close without renaming; the partial file is removed unless it is to be kept."""
        with contextlib.suppress(OutputError):
            self._close()
        if not keep_partial:
            discard(self.path)

    def _close(self) -> None:
        try:
            self._stream.close()
        except OSError as error:
            raise output_error(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or self._refused is not None:
            self.abandon()
            # A library that writes here may have made an error of its own out of ours, or have gone on in spite of it.
            if self._refused is not None and (error is None or isinstance(error, Exception)):
                raise self._refused from None
            return
        try:
            self.finish()
        except OutputError:
            self.abandon()
            raise


class AtomicText(_AtomicFile):
    """A UTF-8 text file that takes its name only when the `with` block ends without an error.

    Args:
        path: the file to make or replace.

    Raises:
        OutputError: from any step that the disk refuses.
    """

    def _open(self, partial: Path) -> IO[Any]:
        # Line ends are ours on every system, so that equal results are equal bytes; a file name that is not
        # valid Unicode, as old archives have it, is written in escapes rather than stopping a run.
        return partial.open("w", encoding="utf-8", errors="backslashreplace", newline="")

    def write(self, text: str) -> None:
        """Append `text`."""
        self._write(text)


class AtomicBytes(_AtomicFile):
    """A binary file, written piece by piece, that takes its name only when the `with` block ends without an error.

    Args:
        path: the file to make or replace.

    Raises:
        OutputError: from any step that the disk refuses, whatever error a library that writes here makes of it.
    """

    def write(self, data: bytes | memoryview) -> int:
        """Append `data`; returns its length."""
        return self._write(data)

    def flush(self) -> None:
        """Do nothing: what is buffered is written at the end of the block."""


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Make or replace a file in one step.

    Raises:
        OutputError: if the folder cannot be written or the disk is full.
    """
    target = Path(path)
    check_writable(target)
    try:
        partial_path(target).write_bytes(data)
    except OSError as error:
        discard(target)
        raise output_error(target, error) from error
    commit(target)


def sync_folder(folder: Path) -> None:
    """Let new names in a folder survive a power cut; Windows cannot open folders and needs no such step."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network and user-space file systems sync no folders; the files in it are written all the same.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
