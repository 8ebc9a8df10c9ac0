"""Write a table of joints as Parquet: the columns of the CSV table with types, one row group for each window."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import check_writable, commit, discard, output_error, partial_path
from sadinet.errors import OutputError
from sadinet.recording import Recording
from sadinet.tables.rows import Rows, rows_of
from sadinet.tables.schema import FLAGS_COLUMN, NOBODY, SOURCE_COLUMN, columns
from sadinet.tables.writer import TableInfo, TableWriter

try:
    import pyarrow
    from pyarrow import parquet
except ImportError as error:
    raise OutputError("Parquet needs pyarrow, which is not installed", "pip install 'sadinet[parquet]'") from error

_BOX = 4
_TEXT_COLUMNS = (FLAGS_COLUMN, SOURCE_COLUMN)


class ParquetWriter(TableWriter):
    """A Parquet table: numbers unrounded, unknown cells null.

    `frame` and `track_id` are int64, `time_s`, the box and extra columns float64, scores, joints and sigmas float32,
    `flags` and `source` strings. The file's metadata has `sadinet.skeleton`, `sadinet.source` and `sadinet.weights`.

    Raises:
        OutputError: if pyarrow is missing or the folder cannot be written; later, if the disk is full.
    """

    def __init__(self, target: Path, info: TableInfo) -> None:
        self.target, self.info = target, info
        self._schema = _schema(info)
        check_writable(target)
        try:
            self._stream = partial_path(target).open("wb")
            # Dictionaries cost time and space where hardly a number comes twice.
            self._writer = parquet.ParquetWriter(
                self._stream, self._schema, compression="zstd", use_dictionary=["track_id", *_TEXT_COLUMNS]
            )
        except OSError as error:
            raise output_error(target, error) from error

    @property
    def paths(self) -> tuple[Path, ...]:
        """The table."""
        return (self.target,)

    def write(self, window: Recording) -> None:
        """Append the rows of a window as one row group."""
        self.check(window)
        if not window.frames:
            return
        rows = rows_of(window, self.info.extra)
        arrays = [
            pyarrow.array(values, type=kind.type, mask=mask)
            for (values, mask), kind in zip(_cells(rows, self.info), self._schema, strict=True)
        ]
        table = pyarrow.Table.from_arrays(arrays, schema=self._schema)
        try:
            self._writer.write_table(table, row_group_size=max(len(rows), 1))
        except OSError as error:
            raise output_error(self.target, error) from error

    def finish(self) -> None:
        """Close the file, sync it and give it its name."""
        try:
            self._writer.close()
            self._stream.close()
        except OSError as error:
            raise output_error(self.target, error) from error
        commit(self.target)

    def abandon(self) -> None:
        """Remove the partial table."""
        for each in (self._writer, self._stream):
            with contextlib.suppress(OSError, ValueError):  # a full disk takes no footer either
                each.close()
        discard(self.target)


def _schema(info: TableInfo) -> pyarrow.Schema:
    special = {"frame": "int64", "track_id": "int64", "time_s": "float64", "flags": "string", "source": "string"}
    special |= {f"box_{part}": "float64" for part in "xywh"} | dict.fromkeys(info.extra, "float64")
    names = columns(info.skeleton, with_source=info.is_pictures, extra=info.extra)
    fields = [
        pyarrow.field(name, pyarrow.type_for_alias(special.get(name, "float32")), nullable=name != "frame")
        for name in names
    ]
    metadata = {"sadinet.skeleton": info.skeleton.name, "sadinet.source": info.source, "sadinet.weights": info.weights}
    coded = {name.encode(): text.encode("utf-8", errors="backslashreplace") for name, text in metadata.items()}
    return pyarrow.schema(fields, metadata=coded)


def _cells(rows: Rows, info: TableInfo) -> list[tuple[NDArray[np.generic] | list[str], NDArray[np.bool_] | None]]:
    """Return values and the mask of unknown ones for each column."""

    def known(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        return values, ~np.isfinite(values)

    cells: list[tuple[NDArray[np.generic] | list[str], NDArray[np.bool_] | None]] = [
        (rows.frame, None),
        known(rows.time_s),
        (rows.track_id, rows.track_id == NOBODY),
    ]
    for place in range(rows.numbers.shape[1]):
        values, mask = known(np.ascontiguousarray(rows.numbers[:, place]))
        cells.append((values if 0 < place <= _BOX else values.astype(np.float32), mask))
    cells.append((rows.flags, None))
    if info.is_pictures:
        cells.append(([_unicode(name) for name in rows.sources], None))
    return cells + [known(np.ascontiguousarray(rows.extra[:, place])) for place in range(len(info.extra))]


def _unicode(text: str) -> str:
    # A file's name that is not valid Unicode is written in escapes, as in the CSV table.
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")
