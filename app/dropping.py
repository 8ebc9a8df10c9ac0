"""What is dropped on the page that compares: tables, recordings, and what they are of. No Qt in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.state import Problem

TABLES = (".csv", ".parquet")
"""How tables end that can be compared."""

_KEYPOINTS = "keypoints.csv"  # of a recording, see `app.recording_files`


@dataclass(frozen=True, slots=True)
class Dropped:
    """What dropped paths stand for.

    Attributes:
        a, b: tables for the two sides; None leaves what is chosen.
        source: what the tables are of; None leaves what is chosen.
        problem: what could not be used, None if everything was.
    """

    a: Path | None = None
    b: Path | None = None
    source: Path | None = None
    problem: Problem | None = None


def sort_dropped(paths: Sequence[Path], side: str | None, has: Sequence[str] = ()) -> Dropped:
    """Say what dropped paths stand for.

    A table is of the side on which it falls; elsewhere it fills the side that is empty, or else B. Two tables fill
    both. A folder is a recording if it has its table, and pictures if not; any other file is the video.

    Args:
        paths: files and folders.
        side: "A" or "B" if they fell on one of the two pictures.
        has: sides that have a table already.
    """
    tables: list[Path] = []
    sources: list[Path] = []
    for path in paths:
        table = path / _KEYPOINTS if path.is_dir() else path
        if table.suffix.lower() in TABLES and table.is_file():
            tables.append(table)
        else:
            sources.append(path)
    left_out = [*tables[2:], *sources[1:]]
    problem = None
    if left_out:
        names = ", ".join(path.name for path in left_out)
        problem = Problem(f"Not used: {names}", "two tables and one video are compared", is_error=False)
    source = sources[0] if sources else None
    if len(tables) >= 2:
        return Dropped(tables[0], tables[1], source, problem)
    if not tables:
        return Dropped(source=source, problem=problem)
    chosen = side or ("A" if "A" not in has else "B")
    return Dropped(**{chosen.lower(): tables[0]}, source=source, problem=problem)
