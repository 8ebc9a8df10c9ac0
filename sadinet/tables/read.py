"""Read a table of joints back, column by column or as a recording."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import OutputError, SourceError
from sadinet.recording import Recording, Words
from sadinet.skeletons import SKELETONS, Skeleton
from sadinet.tables.schema import (
    FLAGS_COLUMN,
    FRAME_COLUMNS,
    JOINT_PARTS,
    NOBODY,
    PERSON_COLUMNS,
    SOURCE_COLUMN,
    columns,
)

_TEXT = {FLAGS_COLUMN, SOURCE_COLUMN}
_REMEDY = "give a table that this program wrote"
_LINES = 512
"""Lines that are taken apart at once: cells as text take much more memory than as numbers."""

Table = dict[str, NDArray[Any]]
"""Columns by name, each (rows,)."""


def read_table(path: str | os.PathLike[str]) -> Table:
    """Return the columns of a CSV table by name, each (rows,).

    `frame` and `track_id` are int64, where `track_id` is -1 in the row of a frame with nobody; `flags` and
    `source` are strings; all others are float64, with NaN for empty cells.

    Raises:
        SourceError: if the file is missing, not such a table, or cut off in the middle of a row.
    """
    name = os.fspath(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(stream, strict=True)
            head = next(lines, [])
            _check_head(head, name)
            parts = list(_parts(lines, head, name))
    except FileNotFoundError as error:
        raise SourceError(f"no such file: {name}", "check the name and the folder") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{name} is not a table of joints", _REMEDY) from error
    empty = [_array(column, []) for column in head]
    return {column: np.concatenate([empty[place], *(p[place] for p in parts)]) for place, column in enumerate(head)}


def read_recording(path: str | os.PathLike[str]) -> Recording:
    """Return a CSV or Parquet table as a recording.

    What the table does not have stays unknown: sizes of frames are 0, boxes have NaN as confidence, and the words of
    a frame are those of its rows. Joints that no skeleton of ours has in this order make one called "table".

    Raises:
        SourceError: if the file is missing or not such a table.
        OutputError: if it is Parquet and pyarrow is not installed.
    """
    name = os.fspath(path)
    table = _read_parquet(path) if Path(path).suffix.lower() == ".parquet" else read_table(path)
    frame = table["frame"]
    if np.any(np.diff(frame) < 0):
        raise SourceError(f"{name} is not in the order of frames", _REMEDY)
    index, first = np.unique(frame, return_index=True)
    somebody = table["track_id"] != NOBODY
    words: list[Words] = [tuple(filter(None, text.split(";"))) for text in table[FLAGS_COLUMN].tolist()]
    skeleton = _skeleton(tuple(table))
    values = _stacked(table, [f"{j}_{part}" for j in skeleton.joints for part in JOINT_PARTS])[somebody]
    values = values.reshape(len(values), len(skeleton), len(JOINT_PARTS)).astype(np.float32)
    known = {*columns(skeleton, with_source=True)}
    sources = table[SOURCE_COLUMN][first].tolist() if SOURCE_COLUMN in table else [""] * len(index)
    boxes = _stacked(table, ["box_x", "box_y", "box_w", "box_h"])[somebody]
    return Recording(
        skeleton=skeleton,
        index=index,
        time_s=table["time_s"][first],
        sizes_wh=np.zeros((len(index), 2), np.int64),
        frame_flags=tuple(() if somebody[at] else words[at] for at in first.tolist()),
        sources=tuple(sources),
        row_frame=np.searchsorted(index, frame[somebody]).astype(np.int64),
        track_ids=table["track_id"][somebody],
        boxes=np.column_stack([boxes, np.full(len(boxes), np.nan)]),
        joints=values[..., :2],
        scores=values[..., 2],
        sigmas=values[..., 3:],
        flags=tuple(words[at] for at in np.flatnonzero(somebody).tolist()),
        extra={column: cells[somebody] for column, cells in table.items() if column not in known},
    )


def _read_parquet(path: str | os.PathLike[str]) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise OutputError("Parquet needs pyarrow, which is not installed", "pip install 'sadinet[parquet]'") from error
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as stream:
            found = parquet.read_table(stream)
    except FileNotFoundError as error:
        raise SourceError(f"no such file: {name}", "check the name and the folder") from error
    except (OSError, pyarrow.ArrowException) as error:
        raise SourceError(f"{name} is not a table of joints", _REMEDY) from error
    _check_head(found.column_names, name)
    return {column: _plain(column, found[column]) for column in found.column_names}


def _plain(column: str, cells: Any) -> NDArray[Any]:
    """Return a column of pyarrow's as `read_table` does."""
    if column in _TEXT:
        return np.array(cells.to_pylist(), dtype=np.str_)
    if column in ("frame", "track_id"):
        return np.asarray(cells.fill_null(NOBODY)).astype(np.int64)
    return np.asarray(cells.fill_null(float("nan"))).astype(np.float64)


def _check_head(head: Sequence[str], name: str) -> None:
    if not {*FRAME_COLUMNS, *PERSON_COLUMNS, FLAGS_COLUMN} <= {*head}:
        raise SourceError(f"{name} is not a table of joints", _REMEDY)


def _parts(lines: Iterator[list[str]], head: Sequence[str], name: str) -> Iterator[list[NDArray[Any]]]:
    row = 2
    while part := list(islice(lines, _LINES)):
        for at, line in enumerate(part, start=row):
            if len(line) != len(head):
                raise SourceError(f"{name}, line {at}: {len(line)} cells under {len(head)} column names", _REMEDY)
        try:
            yield [_array(column, cells) for column, cells in zip(head, zip(*part, strict=True), strict=True)]
        except ValueError as error:
            raise SourceError(f"{name} has a cell that is not a number: {error}", _REMEDY) from error
        row += len(part)


def _array(column: str, cells: Sequence[str]) -> NDArray[Any]:
    if column in _TEXT:
        return np.array(cells, dtype=np.str_)
    if column == "frame":
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    if column == "track_id":
        return np.array([int(cell) if cell else NOBODY for cell in cells], dtype=np.int64)
    return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)


def _skeleton(head: tuple[str, ...]) -> Skeleton:
    """Return the skeleton whose joints a table names."""
    joints = tuple(
        name.removesuffix("_sigma_y")
        for name in head
        if name.endswith("_sigma_y") and {f"{name.removesuffix('_sigma_y')}_{part}" for part in JOINT_PARTS} <= {*head}
    )
    ours = [skeleton for skeleton in SKELETONS.values() if skeleton.joints == joints]
    return ours[0] if ours else Skeleton("table", joints, (), (float("nan"),) * len(joints))


def _stacked(table: Table, names: Sequence[str]) -> NDArray[np.float64]:
    rows = len(table["frame"])
    return np.column_stack([table[name] for name in names]) if names else np.zeros((rows, 0))
