"""Write a table of joints as CSV (UTF-8, lines end with LF)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from sadinet.atomic import AtomicText
from sadinet.recording import Recording
from sadinet.tables.digits import joined
from sadinet.tables.rows import Rows, rows_of
from sadinet.tables.schema import NOBODY, PIXEL_DECIMALS, SCORE_DECIMALS, SECOND_DECIMALS, columns, number
from sadinet.tables.writer import TableInfo, TableWriter


class TextFile(Protocol):
    """Where lines go."""

    def write(self, text: str) -> None:
        """Append text."""

    def finish(self) -> None:
        """Sync it to the disk, under its name."""

    def abandon(self) -> None:
        """Let go of it."""


class CsvWriter(TableWriter):
    """A CSV table; see `sadinet.tables.schema` for its columns.

    Args:
        target: the table to make or replace.
        info: skeleton, extra columns, and whether the frames are pictures.
        file: where lines go; None for a file that takes its name when it is whole.

    Raises:
        OutputError: if the folder is missing or cannot be written; later, if the disk is full.
    """

    def __init__(self, target: Path, info: TableInfo, file: TextFile | None = None) -> None:
        self.target, self.info = target, info
        head = columns(info.skeleton, with_source=info.is_pictures, extra=info.extra)
        joint = (PIXEL_DECIMALS, PIXEL_DECIMALS, SCORE_DECIMALS, PIXEL_DECIMALS, PIXEL_DECIMALS)
        self._decimals = (SCORE_DECIMALS, *[PIXEL_DECIMALS] * 4, *joint * len(info.skeleton))
        self._quoted: dict[str, str] = {}
        self._file: TextFile = AtomicText(target) if file is None else file
        self._file.write(",".join(map(self._text, head)) + "\n")

    @property
    def paths(self) -> tuple[Path, ...]:
        """The table."""
        return (self.target,)

    def write(self, window: Recording) -> None:
        """Append the rows of a window."""
        self.check(window)
        self._file.write(self._lines(rows_of(window, self.info.extra)))

    def finish(self) -> None:
        """Sync the table to the disk and give it its name."""
        self._file.finish()

    def abandon(self) -> None:
        """Remove the partial table."""
        self._file.abandon()

    def _lines(self, rows: Rows) -> str:
        last: list[Iterable[str]] = [map(self._text, rows.flags)]
        if self.info.is_pictures:
            last.append(map(self._text, rows.sources))
        if self.info.extra:
            last.append(joined(rows.extra, [PIXEL_DECIMALS] * len(self.info.extra)))
        cells = zip(
            map(str, rows.frame.tolist()),
            (number(time_s, SECOND_DECIMALS) for time_s in rows.time_s.tolist()),
            ("" if each == NOBODY else str(each) for each in rows.track_id.tolist()),
            joined(rows.numbers, self._decimals),
            *last,
            strict=True,
        )
        return "".join(",".join(line) + "\n" for line in cells)

    def _text(self, text: str) -> str:
        """Return a text as a cell, in quotes where CSV needs them."""
        if text not in self._quoted:
            if len(self._quoted) > 10_000:  # names of pictures: each comes once
                self._quoted.clear()
            buffer = io.StringIO()
            csv.writer(buffer, lineterminator="").writerow(["", text])
            self._quoted[text] = buffer.getvalue()[1:]
        return self._quoted[text]
