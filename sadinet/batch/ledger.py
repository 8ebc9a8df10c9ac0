"""What of a batch is done: an SQLite file beside the results, written after the files that it speaks of.

A chunk counts as done once its part file has been written, synced and renamed, and then recorded here with its
hash. Whatever the moment at which a run is killed, the next one finds either a whole part or none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sadinet.atomic import output_error
from sadinet.batch.parts import load_part
from sadinet.errors import OutputError, SourceError

LEDGER_VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS chunks (
    key TEXT, number INTEGER, sha256 TEXT NOT NULL, is_last INTEGER NOT NULL, from_start INTEGER NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (key, number)
);
CREATE TABLE IF NOT EXISTS results (
    stem TEXT PRIMARY KEY, key TEXT NOT NULL, files TEXT NOT NULL, summary TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outputs (name TEXT PRIMARY KEY);
"""


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """A chunk that is done.

    Attributes:
        number: which, from 0.
        sha256: of its part file.
        is_last: whether the source ends with it.
        from_start: whether its source was read from the start, as must be all chunks behind it.
        facts: frames, skipped frames, seconds that it took, and such, for reports alone.
    """

    number: int
    sha256: str
    is_last: bool
    from_start: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """An input whose outputs are all written.

    Attributes:
        key: of source and settings, those of the outputs included.
        files: size and SHA-256 of each output, by its name in the folder.
        summary: what the report tells about it.
    """

    key: str
    files: Mapping[str, tuple[int, str]]
    summary: Mapping[str, Any]


class Ledger:
    """The record of one folder of results; a context manager, used by one process and thread.

    Attributes:
        notes: what had to be mended, one line each.

    Args:
        folder: where the record and the parts lie; made if missing.

    Raises:
        OutputError: if the folder cannot be written, or a later version of the program wrote the record.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self._path = folder / "ledger.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error
        is_new = not self._path.is_file() or not self._path.stat().st_size
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError:
            is_new = True
            self._set_aside()
            self._connection = self._open()
        if is_new:
            self._find_parts()

    def part_path(self, key: str, number: int) -> Path:
        """Return where the part of a chunk lies or will lie; its folder is made."""
        folder = self._part_folder(key)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error
        return _part_in(folder, number)

    def chunks(self, key: str) -> dict[int, ChunkRecord]:
        """Return the chunks that are done and whose parts are still what was recorded, by number."""
        rows = self._connection.execute(
            "SELECT number, sha256, is_last, from_start, facts FROM chunks WHERE key = ? ORDER BY number", (key,)
        ).fetchall()
        found = {}
        folder = self._part_folder(key)
        for number, sha256, is_last, from_start, facts in rows:
            if _sha256(_part_in(folder, number)) == sha256:
                record = ChunkRecord(int(number), sha256, bool(is_last), bool(from_start), json.loads(facts))
                found[int(number)] = record
            else:
                self.drop_chunks(key, number, number)
        return found

    def add_chunk(self, key: str, record: ChunkRecord) -> None:
        """Record a chunk whose part file is in its place."""
        row = (key, record.number, record.sha256, record.is_last, record.from_start, json.dumps(record.facts))
        self._write("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?)", row)

    def drop_chunks(self, key: str, first: int, last: int | None = None) -> None:
        """Forget the chunks from `first` to `last`, or to the end, so that they are computed again."""
        self._write(
            "DELETE FROM chunks WHERE key = ? AND number >= ? AND number <= ?",
            (key, first, 2**62 if last is None else last),
        )

    def result(self, stem: str) -> ResultRecord | None:
        """Return what was recorded of the input whose outputs begin with `stem`."""
        row = self._connection.execute("SELECT key, files, summary FROM results WHERE stem = ?", (stem,)).fetchone()
        if row is None:
            return None
        files = {name: (int(size), str(sha256)) for name, (size, sha256) in json.loads(row[1]).items()}
        return ResultRecord(row[0], files, json.loads(row[2]))

    def add_result(self, stem: str, record: ResultRecord) -> None:
        """Record an input all of whose outputs are in their places."""
        row = (stem, record.key, json.dumps(record.files), json.dumps(record.summary))
        self._write("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", row)

    def add_outputs(self, names: Iterable[str]) -> None:
        """Record files as ours, before the first byte of them is written: a run that is killed must know them again."""
        self._write_all("INSERT OR IGNORE INTO outputs VALUES (?)", [(name,) for name in names])

    def outputs(self) -> set[str]:
        """Return the names of all files in the folder of results that earlier runs wrote, or were about to write."""
        return {name for (name,) in self._connection.execute("SELECT name FROM outputs").fetchall()}

    def forget_parts(self, key: str) -> None:
        """Remove the parts of an input and their records."""
        self._write("DELETE FROM chunks WHERE key = ?", (key,))
        shutil.rmtree(self._part_folder(key), ignore_errors=True)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path)
        except sqlite3.OperationalError as error:
            raise OutputError(f"cannot write {self._path}: {error}", "choose another folder") from error
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > LEDGER_VERSION:
                raise OutputError(
                    f"{self._path} was written by a later version of the program",
                    "use that version, or choose another folder",
                )
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("damaged")
            connection.execute("PRAGMA synchronous = FULL")
            with connection:
                connection.executescript(_TABLES)
                connection.execute(f"PRAGMA user_version = {LEDGER_VERSION}")
            connection.execute("SELECT key, number, sha256, is_last, from_start, facts FROM chunks LIMIT 1").fetchall()
            connection.execute("SELECT stem, key, files, summary FROM results LIMIT 1").fetchall()
            connection.execute("SELECT name FROM outputs LIMIT 1").fetchall()
        except sqlite3.OperationalError as error:
            connection.close()
            if "no such column" in str(error):
                raise sqlite3.DatabaseError("damaged") from error
            raise OutputError(
                f"cannot write {self._path}: {error}", "free some space or choose another disk"
            ) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _part_folder(self, key: str) -> Path:
        return self.folder / "parts" / key

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        self._write_all(statement, [values])

    def _write_all(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            with self._connection:
                self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise OutputError(
                f"cannot write {self._path}: {error}", "free some space or choose another disk"
            ) from error

    def _set_aside(self) -> None:
        number = 1
        while (aside := self._path.with_name(f"ledger-damaged-{number}.sqlite")).exists():
            number += 1
        try:
            self._path.replace(aside)
            for suffix in ("-journal", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise output_error(self._path, error) from error
        self.notes.append(f"the record of earlier work is damaged; it was set aside as {aside}, and parts are kept")

    def _find_parts(self) -> None:
        """Record the whole parts that lie there: each tells by itself what it is, and its folder by what key."""
        for key, number, path in _parts_in(self.folder / "parts"):
            with contextlib.suppress(SourceError):
                part = load_part(path)
                facts = {"frames": part.recording.frames - (not part.is_last)}
                # How it was read is no longer known: what is missing is read from the start, which is always right.
                self.add_chunk(key, ChunkRecord(number, _sha256(path), part.is_last, from_start=True, facts=facts))


def _part_in(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.npz"


def _parts_in(folder: Path) -> Iterator[tuple[str, int, Path]]:
    for path in sorted(folder.glob("*/*.npz")):
        if path.stem.isdecimal():
            yield path.parent.name, int(path.stem), path


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
