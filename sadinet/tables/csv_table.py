"""Write a table of joints as CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from sadinet.atomic import AtomicText, partial_path
from sadinet.errors import OutputError
from sadinet.results import FrameResult
from sadinet.skeletons import Skeleton
from sadinet.tables.schema import columns, rows


class CsvTable:
    """A CSV table (UTF-8, lines end with LF) that takes its name when the `with` block ends without an error.

    Until then it is `NAME.part` beside the target. When the block ends with an error, also by Ctrl-C, the
    partial table stays under that name if it has at least one row, and is removed otherwise; a table of an
    earlier run under the real name is left as it was.

    Args:
        path: the table to make or replace.
        skeleton: whose joints the columns name.
        with_source: add a last column with what each frame came from, as folders of pictures need it.

    Attributes:
        rows: number of rows written.
        frames: number of frames written.

    Raises:
        OutputError: if the folder is missing or cannot be written; later, if the disk is full.
    """

    def __init__(self, path: str | os.PathLike[str], skeleton: Skeleton, *, with_source: bool = False) -> None:
        self.path = Path(path)
        self.skeleton = skeleton
        self.rows = 0
        self.frames = 0
        self._with_source = with_source
        self._file = AtomicText(self.path)
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns(skeleton, with_source=with_source))

    @property
    def partial_path(self) -> Path:
        """The table's name until it is whole."""
        return partial_path(self.path)

    def write(self, result: FrameResult) -> None:
        """Append the rows of one frame.

        Raises:
            InputError: if a pose has another skeleton than the table.
            OutputError: if the disk is full.
        """
        lines = list(rows(result, self.skeleton, with_source=self._with_source))
        self._writer.writerows(lines)
        self.rows += len(lines)
        self.frames += 1

    def write_all(self, results: Iterable[FrameResult]) -> None:
        """Append the rows of several frames."""
        for result in results:
            self.write(result)

    def finish(self) -> None:
        """Sync the table to the disk and give it its name.

        Raises:
            OutputError: if the disk is full or the target is in use; the partial table stays.
        """
        try:
            self._file.finish()
        except OutputError:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Close without giving the name; the partial table stays if it has rows."""
        self._file.abandon(keep_partial=self.rows > 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()
