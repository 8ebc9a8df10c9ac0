"""Which files the results of several inputs go to, so that nothing that matters is overwritten."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sadinet.atomic import partial_path
from sadinet.errors import SourceError
from sadinet.media.pictures import PICTURE_SUFFIXES, natural_key, pictures_in
from sadinet.media.source import address_error, is_address, without_password
from sadinet.tables.writer import FORMATS, check_format

Kind = Literal["video", "picture", "pictures"]
"""What a name stands for: a video file, one picture, or many pictures (a folder or a pattern)."""

VIDEO_SUFFIXES = frozenset(
    {
        *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"),
        *(".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
        *(".264", ".265", ".divx", ".dv", ".f4v", ".h264", ".h265", ".hevc", ".m2t", ".m2v", ".mjpeg", ".mjpg"),
    }
)
"""Endings of the files in a folder that are taken for videos; a file that is named by itself may have any."""

REPORT_NAME = "sadinet-report"
"""What the files of a run's report are called; no input's results get these names."""

OVERLAY_SUFFIX = {"video": ".mp4", "picture": ".png", "pictures": ""}
PAGE_SUFFIX = ".html"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which results each input is to give.

    Attributes:
        formats: tables, by their names in `sadinet.tables.writer.FORMATS`.
        overlay: whether to draw the skeletons on the frames.
        page: whether to write a page of pictures and charts.
        blur_faces: whether to cover faces wherever frames are shown.
    """

    formats: tuple[str, ...] = ("csv",)
    overlay: bool = False
    page: bool = False
    blur_faces: bool = False


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the results of one input go.

    Attributes:
        folder: where all of them lie.
        stem: what their names begin with.
        formats: tables, by the names of their formats.
        overlay: an MP4 for a video, a picture for a picture, a folder for several pictures; None for none.
        has_page: whether there is a page.
    """

    folder: Path
    stem: str
    formats: tuple[str, ...] = ("csv",)
    overlay: Path | None = None
    has_page: bool = False

    @property
    def tables(self) -> dict[str, Path]:
        """The table of each format; formats with one file for each person add to the name."""
        return {name: self.folder / (self.stem + FORMATS[name].suffix) for name in self.formats}

    @property
    def table(self) -> Path:
        """The first of them."""
        return next(iter(self.tables.values()))

    @property
    def sidecar(self) -> Path:
        """The JSON that tells how the tables were made."""
        return self.folder / (self.stem + ".json")

    @property
    def page(self) -> Path | None:
        """The page of pictures and charts, if there is one."""
        return self.folder / (self.stem + PAGE_SUFFIX) if self.has_page else None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        more = [path for path in (self.overlay, self.page) if path is not None]
        return (*self.tables.values(), self.sidecar, *more)


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


def plan_jobs(
    inputs: Sequence[str], folder: Path, wanted: Wanted | None = None
) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """Give every input names for its results that no other input's results and no input itself has.

    The names depend on the inputs' order alone: the first of two inputs called `walk` gets `walk.csv`, the
    second `walk-2.csv`. A folder stands for its videos one by one and its pictures together, a pattern that matches
    files other than pictures for these files one by one; an input that is given twice is taken once.

    Args:
        inputs: names of videos, pictures and folders, and patterns.
        folder: where all results go.
        wanted: which results; None for a CSV table alone.

    Returns:
        The jobs in the inputs' order, and the inputs that were left out as they came a second time.
    """
    wanted = wanted or Wanted()
    names, repeated = _distinct(_expanded(inputs))
    protected = {identity for name in names for identity in _identities(name)}
    taken = {_key(folder / (REPORT_NAME + suffix)) for suffix in (".json", PAGE_SUFFIX)}
    jobs = []
    for name in names:
        stem, kind = _stem(name), kind_of(name)
        number = 1
        outputs = _outputs(stem, kind, folder, wanted, protected)
        while _clashes(outputs, taken, protected):
            number += 1
            outputs = _outputs(f"{stem}-{number}", kind, folder, wanted, protected)
        taken |= {_key(path) for path in outputs.paths}
        jobs.append(Job(name, kind, outputs, number > 1))
    return tuple(jobs), repeated


def kind_of(name: str) -> Kind:
    """Return what a name stands for, by the name and whether it is a folder."""
    if is_address(name):
        return "video"
    path = Path(name)
    if path.is_dir() or _is_pattern(name):
        return "pictures"
    return "picture" if path.suffix.lower() in PICTURE_SUFFIXES else "video"


def input_files(job: Job) -> tuple[Path, ...]:
    """Return the files that an input consists of, in the order of their frames.

    Raises:
        SourceError: if it is an address, a folder has neither videos nor pictures, or a pattern matches nothing.
    """
    if is_address(job.where):
        raise address_error(job.where)
    if job.kind != "pictures":
        return (Path(job.where),)
    if not _is_pattern(job.where):
        folder = Path(job.where)
        if folder.is_dir() and not _has_pictures(folder):  # nor videos, which would be inputs in its place
            what = f"folder {job.where} has neither videos nor pictures"
            raise SourceError(what, "folders inside it are not looked into: name them")
        return pictures_in(folder, job.where)
    found = _matches(job.where)
    if not found:
        raise SourceError(f"nothing matches {job.where}", "check the folder and the ending")
    return tuple(Path(name) for name in found)


def check_formats(job: Job) -> None:
    """See that an input can be written in all its formats, before the work on it begins.

    Raises:
        InputError: for pictures in a format of motion.
        OutputError: if the library of a format is not installed.
    """
    for name in job.outputs.formats:
        check_format(name, is_pictures=job.kind != "video")


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not is_address(name) and not Path(name).exists()


def _videos_in(folder: Path) -> list[str]:
    files = (entry for entry in folder.iterdir() if entry.suffix.lower() in VIDEO_SUFFIXES)
    found = [str(entry) for entry in files if _is_video_or_lost(entry) and not entry.name.startswith(".")]
    return sorted(found, key=natural_key)


def _is_video_or_lost(entry: Path) -> bool:
    """Say whether an entry of a folder is a file, or a link to what is not there: that is told, not passed over."""
    return entry.is_file() or (entry.is_symlink() and not entry.exists())


def _has_pictures(folder: Path) -> bool:
    shown = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return any(entry.suffix.lower() in PICTURE_SUFFIXES for entry in shown if entry.is_file())


def _matches(pattern: str) -> list[str]:
    # Path.glob takes no absolute patterns.
    found = [name for name in glob.glob(pattern, recursive=True) if Path(name).is_file()]  # noqa: PTH207
    return sorted(found, key=natural_key)


def _expanded(inputs: Iterable[str]) -> Iterator[str]:
    for name in inputs:
        if is_address(name):
            # It is refused later, beside what is wrong with others; no report is to hold its password.
            yield without_password(name)
            continue
        if Path(name).is_dir():
            videos = _videos_in(Path(name))
            if not videos or _has_pictures(Path(name)):
                yield name
            yield from videos
            continue
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


def _outputs(stem: str, kind: Kind, folder: Path, wanted: Wanted, protected: set[tuple[int, int]]) -> Outputs:
    plain = Outputs(folder, stem, wanted.formats, None, wanted.page)
    if not wanted.overlay:
        return plain
    picture = folder / f"{stem}-overlay{OVERLAY_SUFFIX[kind]}"
    video = folder / (stem + OVERLAY_SUFFIX["video"])
    # The video itself lies in the folder of results.
    if kind != "video" or _is_protected(video, protected):
        return replace(plain, overlay=picture)
    return replace(plain, overlay=video)


def _clashes(outputs: Outputs, taken: set[str], protected: set[tuple[int, int]]) -> bool:
    return any(_key(path) in taken or _is_protected(path, protected) for path in outputs.paths)


def _is_protected(path: Path, protected: set[tuple[int, int]]) -> bool:
    return any(_identity(each) in protected for each in (path, partial_path(path)))


def _key(path: Path) -> str:
    # Some file systems do not see upper case.
    return str(path).casefold()
