"""Tell whether an input is still the one that earlier work was done on, without reading all of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sadinet.errors import SourceError

SAMPLE_BYTES = 1 << 20
"""How much of a file's head and of its tail is read."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What identifies one file or several.

    Attributes:
        bytes: their size.
        modified_ns: when the last of them was written, nanoseconds since 1970.
        sample_sha256: hash of the head and the tail of each.
    """

    bytes: int
    modified_ns: int
    sample_sha256: str


def fingerprint(paths: tuple[Path, ...]) -> Fingerprint:
    """Return what identifies these files, in this order.

    One picture of several that may not be read counts by its size, as the reader skips it and says so: once it may
    be read, the input is another one.

    Raises:
        SourceError: if one of them is missing or damaged, or the only one may not be read.
    """
    digest, size, modified = hashlib.sha256(), 0, 0
    for path in paths:
        try:
            status = path.stat()
            digest.update(_sample(path, status.st_size, is_needed=len(paths) == 1))
        except FileNotFoundError as error:
            raise SourceError(f"no such file: {path}", "check the name and the folder") from error
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise SourceError(f"{path} cannot be read: {reason}", "check the name and the disk") from error
        size += status.st_size
        modified = max(modified, status.st_mtime_ns)
    return Fingerprint(size, modified, digest.hexdigest())


def check_unchanged(name: str, paths: tuple[Path, ...], before: Fingerprint) -> None:
    """Raise `SourceError` if the files are no longer what they were when the work on them began."""
    if fingerprint(paths) != before:
        raise SourceError(f"{name} changed while it was read", "wait until it is written, and run again")


def _sample(path: Path, size: int, *, is_needed: bool) -> bytes:
    head = tail = b""
    try:
        with path.open("rb") as stream:
            head = stream.read(SAMPLE_BYTES)
            stream.seek(max(0, size - SAMPLE_BYTES))
            tail = stream.read(SAMPLE_BYTES)
    except PermissionError:
        if is_needed:
            raise
    digest = hashlib.sha256(str(size).encode())
    digest.update(head)
    digest.update(tail)
    return digest.digest()
