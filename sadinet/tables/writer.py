"""One protocol for tables of every format, and the formats by name.

A table is written from windows of consecutive frames, so that memory stays flat however long a video is. What is
known here of a format costs no import; its writer's module, and the library that it may need, is loaded by
`open_table`.
"""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sadinet.errors import InputError
from sadinet.recording import Recording
from sadinet.skeletons import Skeleton


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What is known of a table before its first frame.

    Attributes:
        skeleton: whose joints are written.
        source: name of the video or folder that the poses come from.
        extra: names of the extra columns, in their order; a window that lacks one has it unknown.
        is_pictures: whether the frames are pictures: they have no time, and tables say which picture each row is of.
        rate_hz: frames a second as the source says; None where it does not. Only formats that hold one rate use
            it, and only where times agree with it or give none.
        weights: name of the pose network.
        metres_per_pixel: scale for formats in millimetres; None where nobody measured it.
    """

    skeleton: Skeleton
    source: str = ""
    extra: tuple[str, ...] = ()
    is_pictures: bool = False
    rate_hz: float | None = None
    weights: str = ""
    metres_per_pixel: float | None = None


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """What the command line says of a format.

    Attributes:
        name: as the user names it.
        suffix: what follows the stem in the target's name: `target = folder / (stem + suffix)`.
        summary: one line.
        needs: the optional dependency to install, such as "parquet" of `sadinet[parquet]`; empty for none.
        is_folder: whether the target is a folder.
        is_per_person: whether there is one file for each person, NAME_person1.SUFFIX and so on, and none of the
            target's own name.
    """

    name: str
    suffix: str
    summary: str
    needs: str = ""
    is_folder: bool = False
    is_per_person: bool = False


FORMATS: dict[str, FormatInfo] = {
    each.name: each
    for each in (
        FormatInfo("csv", ".csv", "one row for each person and frame, for any program"),
        FormatInfo("parquet", ".parquet", "the same columns with types, for pandas, R and databases", needs="parquet"),
        FormatInfo(
            "openpose", "_json", "a folder of OpenPose JSON files in BODY_25 order, for Pose2Sim", is_folder=True
        ),
        FormatInfo("coco", "_coco.json", "COCO keypoint results, for pycocotools"),
        FormatInfo("trc", ".trc", "OpenSim markers, one file for each person", is_per_person=True),
        FormatInfo("c3d", ".c3d", "C3D points, one file for each person", is_per_person=True),
    )
}
"""Every format by its name."""

_WRITERS = {
    "csv": ("sadinet.tables.csv_writer", "CsvWriter"),
    "parquet": ("sadinet.tables.parquet_writer", "ParquetWriter"),
    "openpose": ("sadinet.tables.openpose_writer", "OpenPoseWriter"),
    "coco": ("sadinet.tables.coco_writer", "CocoWriter"),
    "trc": ("sadinet.tables.trc_writer", "TrcWriter"),
    "c3d": ("sadinet.tables.c3d_writer", "C3dWriter"),
}


class TableWriter(ABC):
    """A table that takes its name when its `with` block ends without an error, and is not there otherwise.

    Until then it lies under another name beside the target. When the block ends with an error, what was written
    is removed and a table of an earlier run is left as it was.

    Attributes:
        target: the path that was asked for.
        info: what was known beforehand.
    """

    target: Path
    info: TableInfo

    @property
    @abstractmethod
    def paths(self) -> tuple[Path, ...]:
        """Files (or the folder) of the table; where they depend on the people, complete after the `with` block."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know, such as times that the format cannot hold; complete after the block."""
        return ()

    @abstractmethod
    def write(self, window: Recording) -> None:
        """Append frames; windows come in the order of frames, each frame once.

        Raises:
            InputError: if the window has another skeleton or extra columns that were not announced.
            OutputError: if the disk is full.
        """

    @abstractmethod
    def finish(self) -> None:
        """Sync what was written to the disk and give it its name.

        Raises:
            OutputError: if the disk is full or the target is in use.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Remove what was written; never raises."""

    def check(self, window: Recording) -> None:
        """Raise `InputError` if a window does not fit the table."""
        if window.skeleton.joints != self.info.skeleton.joints:
            raise InputError(
                f"a recording of skeleton {window.skeleton.name} does not fit a table of {self.info.skeleton.name}",
                "convert the poses or make another table",
            )
        strange = [name for name in window.extra if name not in self.info.extra]
        if strange:
            raise InputError(f"column {strange[0]!r} was not announced", "name all extra columns before the first row")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abandon()
            return
        try:
            self.finish()
        except BaseException:
            self.abandon()
            raise


def open_table(format: str, target: str | os.PathLike[str], info: TableInfo) -> TableWriter:
    """Begin a table.

    Args:
        format: a name of `FORMATS`.
        target: `folder / (stem + FORMATS[format].suffix)`; the folder must be there.
        info: what is known of it.

    Raises:
        InputError: if there is no such format, or it does not hold pictures.
        OutputError: if the folder cannot be written or the format's library is not installed.
    """
    return check_format(format, is_pictures=info.is_pictures)(Path(target), info)  # type: ignore[call-arg]


def check_format(format: str, *, is_pictures: bool = False) -> type[TableWriter]:
    """Return a format's writer; so what is wrong with the wish is known before the work, not after it.

    Raises:
        InputError: if there is no such format, or it does not hold pictures and there are some.
        OutputError: if its library is not installed.
    """
    if format not in _WRITERS:
        raise InputError(f"unknown format {format!r}", "one of: " + ", ".join(FORMATS))
    if is_pictures and FORMATS[format].is_per_person:
        raise InputError(f"{format} holds motion at a rate, and pictures have no time", "choose another format")
    module, name = _WRITERS[format]
    writer: type[TableWriter] = getattr(importlib.import_module(module), name)
    return writer
