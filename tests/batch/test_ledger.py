"""The record of a folder of results: what is in it, and what happens when it is damaged."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from sadinet.batch.ledger import LEDGER_VERSION, ChunkRecord, Ledger, ResultRecord
from sadinet.batch.parts import Part, save_part
from sadinet.errors import OutputError
from sadinet.recording import record
from sadinet.skeletons import BODY19

KEY = "0123456789abcdef"


def add(ledger: Ledger, number: int, key: str = KEY, *, is_last: bool = False, from_start: bool = False) -> ChunkRecord:
    import hashlib

    data = save_part(ledger.part_path(key, number), Part(record([], BODY19), is_last))
    chunk = ChunkRecord(number, hashlib.sha256(data).hexdigest(), is_last, from_start, {"frames": number, "x": [1.5]})
    ledger.add_chunk(key, chunk)
    return chunk


def test_chunks_come_back_by_their_key(tmp_path):
    with Ledger(tmp_path / "new" / "record") as ledger:
        first, third = add(ledger, 0), add(ledger, 2, is_last=True, from_start=True)
        other = add(ledger, 0, "other")
    with Ledger(tmp_path / "new" / "record") as ledger:
        assert ledger.chunks(KEY) == {0: first, 2: third}
        assert ledger.chunks("other") == {0: other}
        assert ledger.chunks("none") == {}
        assert ledger.notes == []


def test_asking_for_chunks_makes_no_folder(tmp_path):
    with Ledger(tmp_path) as ledger:
        assert ledger.chunks(KEY) == {}
        assert not (tmp_path / "parts").exists()


def test_chunks_are_dropped_from_a_number_on(tmp_path):
    with Ledger(tmp_path) as ledger:
        chunks = {number: add(ledger, number) for number in range(5)}
        ledger.drop_chunks(KEY, 1, 1)
        assert set(ledger.chunks(KEY)) == {0, 2, 3, 4}
        ledger.drop_chunks(KEY, 3)
        assert ledger.chunks(KEY) == {0: chunks[0], 2: chunks[2]}


def test_a_chunk_whose_part_is_not_what_was_recorded_does_not_count(tmp_path):
    with Ledger(tmp_path) as ledger:
        for number in range(3):
            add(ledger, number)
        ledger.part_path(KEY, 0).unlink()
        ledger.part_path(KEY, 1).write_bytes(b"other")
        assert set(ledger.chunks(KEY)) == {2}
    with Ledger(tmp_path) as ledger:
        assert set(ledger.chunks(KEY)) == {2}


def test_results_are_replaced_by_later_ones(tmp_path):
    first = ResultRecord("a", {"x.csv": (3, "00"), "näme\udcff.csv": (4, "01")}, {"frames": 7, "problems": ["ü"]})
    with Ledger(tmp_path) as ledger:
        assert ledger.result("x") is None
        ledger.add_result("x", first)
    with Ledger(tmp_path) as ledger:
        assert ledger.result("x") == first
        ledger.add_result("x", ResultRecord("b", {}, {}))
        assert ledger.result("x") == ResultRecord("b", {}, {})
        assert ledger.result("X") is None


def test_outputs_stay_known_whatever_is_written_later(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.add_outputs(["x.csv", "x.json"])
        ledger.add_outputs(["x.csv", "x.parquet"])
        ledger.add_result("x", ResultRecord("b", {"x.csv": (1, "")}, {}))
    with Ledger(tmp_path) as ledger:
        assert ledger.outputs() == {"x.csv", "x.json", "x.parquet"}


def test_forgetting_removes_parts_and_records(tmp_path):
    with Ledger(tmp_path) as ledger:
        add(ledger, 0)
        kept = add(ledger, 0, "other")
        ledger.forget_parts(KEY)
        assert ledger.chunks(KEY) == {}
        assert not (tmp_path / "parts" / KEY).exists()
        assert ledger.chunks("other") == {0: kept}


def spoil(path, how: str) -> None:
    if how == "garbage":
        path.write_bytes(b"\0no data base" * 1000)
    elif how == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])
    elif how == "holes":
        data = bytearray(path.read_bytes())
        data[4096:8192] = bytes(4096)
        path.write_bytes(data)
    else:
        path.unlink()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE results (mine TEXT)")
            connection.commit()


@pytest.mark.parametrize("how", ["garbage", "half", "holes", "other tables"])
def test_a_damaged_ledger_is_set_aside_and_the_parts_are_found(tmp_path, how):
    with Ledger(tmp_path) as ledger:
        chunks = [add(ledger, number, is_last=number == 2) for number in range(3)]
        add(ledger, 0, "other")
        ledger.part_path("other", 1).write_bytes(b"half a part")
    for number in (1, 2):
        spoil(tmp_path / "ledger.sqlite", how)
        spoilt = (tmp_path / "ledger.sqlite").read_bytes()
        with Ledger(tmp_path) as ledger:
            assert "set aside" in ledger.notes[0]
            found = ledger.chunks(KEY)
            assert {each: chunk.sha256 for each, chunk in found.items()} == {c.number: c.sha256 for c in chunks}
            assert [chunk.is_last for chunk in found.values()] == [False, False, True]
            assert all(chunk.from_start for chunk in found.values())
            assert set(ledger.chunks("other")) == {0}
        aside = (tmp_path / f"ledger-damaged-{number}.sqlite").read_bytes()
        assert aside == spoilt or (how == "other tables" and b"mine TEXT" in aside)


@pytest.mark.parametrize("how", ["removed", "empty"])
def test_parts_are_found_where_there_is_no_ledger(tmp_path, how):
    with Ledger(tmp_path) as ledger:
        add(ledger, 0)
    (tmp_path / "ledger.sqlite").unlink()
    if how == "empty":
        (tmp_path / "ledger.sqlite").touch()
    with Ledger(tmp_path) as ledger:
        assert set(ledger.chunks(KEY)) == {0}
        assert ledger.notes == []


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path):
    Ledger(tmp_path).close()
    path = tmp_path / "ledger.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {LEDGER_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(OutputError, match="later version") as raised:
        Ledger(tmp_path)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.sqlite"]


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(OutputError, match="cannot write"):
        Ledger(tmp_path / "file")
    (tmp_path / "record" / "ledger.sqlite").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot write"):
        Ledger(tmp_path / "record")


def test_a_ledger_that_cannot_grow_is_one_line(tmp_path):
    with Ledger(tmp_path) as ledger:
        pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
        ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutputError, match="free some space"):
            ledger.add_result("x", ResultRecord("k", {}, {"text": "x" * 100_000}))
        assert ledger.result("x") is None
