"""The JSON beside each table: from what, by what and how it was made.

Nothing in it depends on when or how fast it was made: the same run gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sadinet.atomic import write_bytes
from sadinet.errors import SourceError

SIDECAR_SCHEMA = 2
"""Goes up when a field changes its meaning."""
_BEFORE = ("started", "seconds")
"""Fields that the first form had."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What was read.

    Attributes:
        path: as the user named it.
        bytes: size of the file, of all files for a folder of pictures.
        sha256: of the file; for a folder, of the lines "HASH  NAME" of its pictures in their order.
    """

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """Which model.

    Attributes:
        name: as in its manifest.
        sha256: of the file that was run.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Everything that one needs to know, and to make the table again.

    Attributes:
        source: what was read.
        frames: frames in the table.
        skipped_frames: frames that could not be read.
        problems: what was wrong with the source, one line each.
        skeleton: whose joints the columns name.
        weights: the pose network.
        engine: the runtime that was really used, such as "onnx".
        device: the device that was really used.
        precision: the precision that was really used.
        settings: every setting that changes the table; numbers, texts, lists and mappings.
        version: of the program.
        detector: the person detector, None where boxes were given.
        schema: which form this file has.
    """

    source: SourceRecord
    frames: int
    skipped_frames: int
    problems: tuple[str, ...]
    skeleton: str
    weights: WeightsRecord
    engine: str
    device: str
    precision: str
    settings: Mapping[str, Any]
    version: str
    detector: WeightsRecord | None = None
    schema: int = field(default=SIDECAR_SCHEMA)


def sidecar_path(table: str | os.PathLike[str]) -> Path:
    """Return the sidecar's path of a table: the same name with the ending .json."""
    return Path(table).with_suffix(".json")


def write_sidecar(path: str | os.PathLike[str], sidecar: Sidecar) -> None:
    """Write the sidecar as indented UTF-8 JSON, whole or not at all. NaN becomes null.

    Raises:
        OutputError: if the folder cannot be written or the disk is full.
    """
    text = json.dumps(_plain(dataclasses.asdict(sidecar)), indent=2, ensure_ascii=False, allow_nan=False)
    # A name that is not valid Unicode, as old archives have it, must not stop a run at its very end.
    write_bytes(path, (text + "\n").encode("utf-8", errors="backslashreplace"))


def read_sidecar(path: str | os.PathLike[str]) -> Sidecar:
    """Return what `write_sidecar` wrote, in this version or an earlier one.

    Raises:
        SourceError: if the file is missing, not such a sidecar, or of a later version of this program.
    """
    name = os.fspath(path)
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        detector = values["detector"]
        if values["schema"] > SIDECAR_SCHEMA:
            raise SourceError(f"{name} was written by a later version of this program", "update this program")
        for name_before in _BEFORE:
            values.pop(name_before, None)
        return Sidecar(
            **{
                **values,
                "source": SourceRecord(**values["source"]),
                "weights": WeightsRecord(**values["weights"]),
                "detector": None if detector is None else WeightsRecord(**detector),
                "problems": tuple(values["problems"]),
            }
        )
    except FileNotFoundError as error:
        raise SourceError(f"no such file: {name}", "check the name and the folder") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SourceError(f"{name} does not describe a table", "give the .json beside a table of joints") from error


def local_time() -> str:
    """Return now as ISO 8601 with the offset from UTC, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def describe_file(path: str | os.PathLike[str]) -> SourceRecord:
    """Return size and hash of one file.

    Raises:
        SourceError: if it cannot be read.
    """
    return SourceRecord(os.fspath(path), _size(Path(path)), sha256_of(path))


def describe_files(name: str, paths: Iterable[str | os.PathLike[str]]) -> SourceRecord:
    """Return total size and common hash of several files, such as a folder's pictures.

    Raises:
        SourceError: if one of them cannot be read.
    """
    digest, total = hashlib.sha256(), 0
    for path in map(Path, paths):
        digest.update(f"{sha256_of(path)}  {path.name}\n".encode("utf-8", errors="surrogateescape"))
        total += _size(path)
    return SourceRecord(name, total, digest.hexdigest())


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return a file's SHA-256 in hexadecimal.

    Raises:
        SourceError: if it cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(Path(path), error) from error


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(f"{path} cannot be read: {error.strerror}", "check the name and the disk")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _plain(value: Any) -> Any:
    """Return `value` as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, os.PathLike) else value
