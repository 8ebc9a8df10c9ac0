"""Which files the results of several inputs go to, so that nothing that matters is overwritten."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sadinet.atomic import partial_path
from sadinet.media.pictures import PICTURE_SUFFIXES, natural_key
from sadinet.tables.sidecar import sidecar_path

Kind = Literal["video", "picture", "pictures"]
"""What a name stands for: a video file, one picture, or many pictures (a folder or a pattern)."""

TABLE_SUFFIX = ".csv"
OVERLAY_SUFFIX = {"video": ".mp4", "picture": ".png", "pictures": ""}


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the results of one input go.

    Attributes:
        table: the CSV table.
        overlay: an MP4 for a video, a picture for a picture, a folder for several pictures; None for none.
    """

    table: Path
    overlay: Path | None = None

    @property
    def sidecar(self) -> Path:
        """The JSON beside the table."""
        return sidecar_path(self.table)

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.table, self.sidecar, *([] if self.overlay is None else [self.overlay]))


@dataclass(frozen=True, slots=True)
class Job:
    """One input and where its results go.

    Attributes:
        where: the input, as `sadinet.media.source.open_source` takes it.
        kind: what the input is, by its name.
        outputs: where the results go.
        is_renamed: whether the results carry another name than the input, as that was taken.
    """

    where: str
    kind: Kind
    outputs: Outputs
    is_renamed: bool


def plan_jobs(inputs: Sequence[str], folder: Path, *, overlay: bool = False) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """Give every input names for its results that no other input's results and no input itself has.

    The names depend on the inputs' order alone: the first of two inputs called `walk` gets `walk.csv`, the
    second `walk-2.csv`. A pattern that matches files other than pictures stands for these files one by one; an
    input that is given twice is taken once.

    Args:
        inputs: names of videos, pictures and folders, and patterns.
        folder: where all results go.
        overlay: whether there will be overlays.

    Returns:
        The jobs in the inputs' order, and the inputs that were left out as they came a second time.
    """
    names, repeated = _distinct(_expanded(inputs))
    protected = {identity for name in names for identity in _identities(name)}
    taken: set[str] = set()
    jobs = []
    for name in names:
        stem, kind = _stem(name), kind_of(name)
        number = 1
        outputs = _outputs(stem, kind, folder, overlay, protected)
        while _clashes(outputs, taken, protected):
            number += 1
            outputs = _outputs(f"{stem}-{number}", kind, folder, overlay, protected)
        taken |= {_key(path) for path in outputs.paths}
        jobs.append(Job(name, kind, outputs, number > 1))
    return tuple(jobs), repeated


def kind_of(name: str) -> Kind:
    """Return what a name stands for, by the name and whether it is a folder."""
    path = Path(name)
    if path.is_dir() or _is_pattern(name):
        return "pictures"
    return "picture" if path.suffix.lower() in PICTURE_SUFFIXES else "video"


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not Path(name).exists()


def _matches(pattern: str) -> list[str]:
    # Path.glob takes no absolute patterns.
    found = [name for name in glob.glob(pattern, recursive=True) if Path(name).is_file()]  # noqa: PTH207
    return sorted(found, key=natural_key)


def _expanded(inputs: Iterable[str]) -> Iterator[str]:
    for name in inputs:
        found = _matches(name) if _is_pattern(name) else []
        if any(Path(each).suffix.lower() not in PICTURE_SUFFIXES for each in found):
            yield from found
        else:
            yield name


def _distinct(names: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    seen: set[Path] = set()
    first: list[str] = []
    again: list[str] = []
    for name in names:
        place = Path(os.path.realpath(name))
        (again if place in seen else first).append(name)
        seen.add(place)
    return first, tuple(again)


def _identities(name: str) -> Iterator[tuple[int, int]]:
    """Yield what identifies an input's files and, for pictures, their folders, whatever path leads to them."""
    path = Path(name)
    files = [Path(each) for each in _matches(name)] if _is_pattern(name) else [path]
    if path.is_dir():
        files += path.iterdir()
    folders = {file.parent for file in files} if kind_of(name) != "video" else set()
    for each in (*files, *folders):
        identity = _identity(each)
        if identity is not None:
            yield identity


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _stem(name: str) -> str:
    path = Path(name)
    if _is_pattern(name):
        plain = [part for part in path.parts[:-1] if not glob.has_magic(part)]
        path = Path(*plain)
        return path.resolve().name or "pictures"
    return path.resolve().name or "pictures" if path.is_dir() else path.stem


def _outputs(stem: str, kind: Kind, folder: Path, overlay: bool, protected: set[tuple[int, int]]) -> Outputs:
    table = folder / (stem + TABLE_SUFFIX)
    if not overlay:
        return Outputs(table)
    picture = folder / f"{stem}-overlay{OVERLAY_SUFFIX[kind]}"
    video = folder / (stem + OVERLAY_SUFFIX["video"])
    # The video itself lies in the folder of results.
    if kind != "video" or _is_protected(video, protected):
        return Outputs(table, picture)
    return Outputs(table, video)


def _clashes(outputs: Outputs, taken: set[str], protected: set[tuple[int, int]]) -> bool:
    return any(_key(path) in taken or _is_protected(path, protected) for path in outputs.paths)


def _is_protected(path: Path, protected: set[tuple[int, int]]) -> bool:
    return any(_identity(each) in protected for each in (path, partial_path(path)))


def _key(path: Path) -> str:
    # Some file systems do not see upper case.
    return str(path).casefold()
