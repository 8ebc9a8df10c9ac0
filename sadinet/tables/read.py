"""Read a table of joints back."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.tables.schema import FRAME_COLUMNS, PERSON_COLUMNS

NOBODY = -1
"""`track_id` of the row of a frame with nobody in it."""

_TEXT = {"flags", "source"}
_REMEDY = "give a table that this program wrote"


def read_table(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the columns of a CSV table by name, each (rows,).

    `frame` and `track_id` are int64, where `track_id` is -1 in the row of a frame with nobody; `flags` and
    `source` are strings; all others are float64, with NaN for empty cells.

    Raises:
        SourceError: if the file is missing, not such a table, or cut off in the middle of a row.
    """
    name = os.fspath(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream, strict=True))
    except FileNotFoundError as error:
        raise SourceError(f"no such file: {name}", "check the name and the folder") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{name} is not a table of joints", _REMEDY) from error
    head, body = (lines[0], lines[1:]) if lines else ([], [])
    if not {*FRAME_COLUMNS, *PERSON_COLUMNS} <= set(head):
        raise SourceError(f"{name} is not a table of joints", _REMEDY)
    for row, line in enumerate(body, start=2):
        if len(line) != len(head):
            raise SourceError(f"{name}, line {row}: {len(line)} cells under {len(head)} column names", _REMEDY)
    try:
        return {column: _array(column, [line[place] for line in body]) for place, column in enumerate(head)}
    except ValueError as error:
        raise SourceError(f"{name} has a cell that is not a number: {error}", _REMEDY) from error


def _array(column: str, cells: list[str]) -> NDArray[Any]:
    if column in _TEXT:
        return np.array(cells, dtype=np.str_)
    if column == "frame":
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    if column == "track_id":
        return np.array([int(cell) if cell else NOBODY for cell in cells], dtype=np.int64)
    return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
