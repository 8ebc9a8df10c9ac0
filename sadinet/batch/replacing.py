"""Nothing is overwritten that is no earlier result."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from sadinet.batch.naming import Outputs
from sadinet.errors import OutputError, SourceError
from sadinet.tables.schema import FRAME_COLUMNS, PERSON_COLUMNS
from sadinet.tables.sidecar import read_sidecar
from sadinet.tables.writer import FORMATS

_HEAD = ",".join((*FRAME_COLUMNS, *PERSON_COLUMNS)).encode()


def check_replaceable(outputs: Outputs, recorded: Collection[str]) -> None:
    """Raise `OutputError` if an output is there already and is no earlier result of this program.

    Args:
        outputs: what is going to be written.
        recorded: names of files in the folder that earlier runs wrote, or were about to write.
    """
    # Without a record, what lies beside a sidecar of ours is taken for its companion.
    is_beside_ours = outputs.sidecar.name not in recorded and _is_sidecar(outputs.sidecar)
    for path, name in _in_the_way(outputs):
        if name in recorded or path.name in recorded or not _has_content(path):
            continue
        if path == outputs.sidecar:
            is_ours = _is_sidecar(path)
        elif path.suffix == ".csv":
            is_ours = _is_table(path)
        else:
            is_ours = is_beside_ours
        if not is_ours:
            raise OutputError(
                f"{path} is there and is no earlier result of this program", "choose another folder, or move it away"
            )


def _in_the_way(outputs: Outputs) -> Iterator[tuple[Path, str]]:
    """Yield files that may be overwritten or removed, and the name that is recorded before they are written."""
    for path in outputs.paths:
        yield path, path.name
    for name, path in outputs.tables.items():
        if FORMATS[name].is_per_person and path.parent.is_dir():
            pattern = re.compile(re.escape(f"{path.stem}_person") + r"-?\d+" + re.escape(path.suffix))
            yield from ((each, path.name) for each in path.parent.iterdir() if pattern.fullmatch(each.name))


def _has_content(path: Path) -> bool:
    try:
        return any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0
    except OSError:
        return False


def _is_sidecar(path: Path) -> bool:
    try:
        read_sidecar(path)
    except SourceError:
        return False
    return True


def _is_table(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(_HEAD)) == _HEAD
    except OSError:
        return True  # writing will say what is wrong
