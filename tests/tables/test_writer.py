"""What holds for the writer of every format."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import pytest

from sadinet.errors import InputError, OutputError
from sadinet.skeletons import COCO17, SKELETONS
from sadinet.tables.writer import FORMATS, open_table

pytest.importorskip("pyarrow", reason="Parquet is one of the formats")

every_format = pytest.mark.parametrize("name", FORMATS)
PER_PERSON = [name for name, each in FORMATS.items() if each.is_per_person]


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


@every_format
def test_a_table_is_what_its_paths_say_and_nothing_else(tables, tmp_path, name):
    target = tables.target(tmp_path, name)
    table = tables.write(name, target, [tables.recording()])
    assert names_in(tmp_path) == sorted(path.name for path in table.paths)
    assert len(table.paths) == (len(tables.spans) if FORMATS[name].is_per_person else 1)
    assert FORMATS[name].is_per_person or table.paths == (target,)


@every_format
def test_many_windows_are_one_window_and_each_run_is_the_same(tables, tmp_path, name):
    whole = tables.recording()
    windows = {"one": [whole], "again": [whole], "two": [whole.part(0, 5), whole.part(5, 12)]}
    windows["each"] = [whole.part(first, first + 1) for first in range(whole.frames)]
    found = {}
    for run, parts in windows.items():
        (tmp_path / run).mkdir()
        tables.write(name, tables.target(tmp_path / run, name), parts)
        found[run] = tables.bytes_under(tmp_path / run)
    assert found["again"] == found["one"]
    assert list(found["two"]) == list(found["each"]) == list(found["one"])
    if name != "parquet":  # each window is a row group there; its own test compares the values
        assert found["two"] == found["each"] == found["one"]


@every_format
def test_a_recording_with_nobody_and_one_without_frames_are_tables_too(tables, tmp_path, name):
    whole = tables.recording()
    for stem, windows in (("nobody", [whole.part(7, 8)]), ("empty", [whole.part(0, 0)]), ("nothing", [])):
        table = tables.write(name, tables.target(tmp_path, name, stem), windows)
        assert all(path.exists() for path in table.paths)
        assert len(table.paths) == (0 if FORMATS[name].is_per_person else 1)


@every_format
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_run_that_breaks_off_leaves_everything_as_it_was(tables, tmp_path, name, error):
    target = tables.target(tmp_path, name)
    tables.write(name, target, [tables.recording(seed=1)])
    before = tables.bytes_under(tmp_path)

    def fail():
        with open_table(name, target, tables.info()) as table:
            table.write(tables.recording(seed=2))
            raise error

    with pytest.raises(error):
        fail()
    assert tables.bytes_under(tmp_path) == before


@every_format
def test_it_appears_only_when_it_is_whole(tables, tmp_path, name):
    target = tables.target(tmp_path, name)
    with open_table(name, target, tables.info()) as table:
        table.write(tables.recording())
        assert all(entry.endswith(".part") for entry in names_in(tmp_path))
    assert table.paths
    assert not any(entry.endswith(".part") for entry in names_in(tmp_path))


@every_format
def test_an_earlier_table_and_what_a_killed_run_left_are_replaced(tables, tmp_path, name):
    folder, left = tmp_path / "out", tmp_path / "left"
    folder.mkdir()
    target = tables.target(folder, name)
    tables.write(name, target, [tables.recording()])
    expected = tables.bytes_under(folder)
    tables.write(name, target, [tables.recording(seed=5)])
    assert tables.bytes_under(folder) != expected
    with contextlib.suppress(RuntimeError), open_table(name, target, tables.info()) as killed:
        killed.write(tables.recording(seed=6))
        shutil.copytree(folder, left)
        raise RuntimeError
    shutil.rmtree(folder)
    left.rename(folder)
    assert any(entry.endswith(".part") for entry in names_in(folder))
    tables.write(name, target, [tables.recording()])
    assert tables.bytes_under(folder) == expected


@every_format
@pytest.mark.parametrize("largest", [100, 1500, 3000, 6000, 12000])
def test_a_disk_that_fills_up_is_told_and_leaves_nothing(tables, tmp_path, name, largest):
    def fill():
        with tables.small_disk(largest):
            tables.write(name, tables.target(tmp_path, name), [tables.recording().part(0, 6)])

    if largest == 100:
        with pytest.raises(OutputError, match="cannot write") as told:
            fill()
        assert told.value.remedy
        assert names_in(tmp_path) == []
        return
    with contextlib.suppress(OutputError):  # from some size on it fits
        fill()
    entries = names_in(tmp_path)
    assert not any(entry.endswith((".part", ".old")) for entry in entries)
    assert len(entries) in (0, 2 if FORMATS[name].is_per_person else 1)


@every_format
def test_folders_that_cannot_be_written_are_told(tables, tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(OutputError, match="cannot write") as told:
            open_table(name, tables.target(folder, name), tables.info())
        assert told.value.remedy
    assert names_in(tmp_path) == ["file"]


@every_format
def test_a_window_that_does_not_fit_is_refused(tables, tmp_path, name):
    target = tables.target(tmp_path, name)
    with pytest.raises(InputError, match="coco17"), open_table(name, target, tables.info()) as table:
        table.write(tables.recording(COCO17))
    with (
        pytest.raises(InputError, match="left_knee_x_smooth"),
        open_table(name, target, tables.info(extra=())) as table,
    ):
        table.write(tables.recording())
    assert names_in(tmp_path) == []


@every_format
@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_skeleton_is_written(tables, tmp_path, name, skeleton):
    recording = replace(tables.recording(skeleton), extra={})
    table = tables.write(name, tables.target(tmp_path, name), [recording], tables.info(skeleton, extra=()))
    assert all(path.exists() for path in table.paths)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - set(PER_PERSON)))
def test_pictures_are_written(tables, tmp_path, name):
    table = tables.write(name, tables.target(tmp_path, name), [tables.recording()], tables.info(is_pictures=True))
    assert all(path.exists() for path in table.paths)


@pytest.mark.parametrize("name", PER_PERSON)
def test_formats_at_a_rate_refuse_pictures(tables, tmp_path, name):
    with pytest.raises(InputError, match="pictures have no time"):
        open_table(name, tables.target(tmp_path, name), tables.info(is_pictures=True))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", PER_PERSON)
def test_files_of_people_of_an_earlier_run_go_and_others_stay(tables, tmp_path, name):
    suffix = FORMATS[name].suffix
    for stem in ("walk_person99", "walk_person7", "walk_persons", "other_person99", "walk_person1_person99"):
        (tmp_path / (stem + suffix)).write_text("earlier")
    table = tables.write(name, tmp_path / f"walk{suffix}", [tables.recording()])
    ours = [f"walk_person{person}{suffix}" for person in tables.spans]
    assert [path.name for path in table.paths] == ours
    others = [f"walk_persons{suffix}", f"other_person99{suffix}", f"walk_person1_person99{suffix}"]
    assert names_in(tmp_path) == sorted([*ours, *others])


@every_format
def test_memory_does_not_grow_with_the_video(tables, tmp_path, name, monkeypatch):
    monkeypatch.setattr("sadinet.tables.person_files.BLOCK", 64)
    whole = tables.recording()

    def peak(windows):
        target = tables.target(tmp_path, name, str(windows))
        tracemalloc.start()
        with open_table(name, target, tables.info()) as table:
            for start in range(windows):
                table.write(replace(whole, index=whole.index + 12 * start, time_s=whole.time_s + 2 * start))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)
    few, many = peak(8), peak(32)
    # Frames' numbers and times, for formats that need them at the end; Parquet's own list of row groups and columns.
    a_window = 20_000 if name == "parquet" else 2_000
    assert many < 1.15 * few + 24 * a_window


def test_formats_are_known_without_their_libraries():
    code = "import sys; from sadinet.tables.writer import FORMATS; print(*FORMATS, 'pyarrow' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["csv", "parquet", "openpose", "coco", "trc", "c3d", "False"]


def test_suffixes_keep_the_formats_and_the_sidecar_apart():
    suffixes = [each.suffix for each in FORMATS.values()]
    assert len(set(suffixes)) == len(suffixes)
    assert ".json" not in suffixes


def test_an_unknown_format_names_the_known_ones(tables, tmp_path):
    with pytest.raises(InputError, match=r"xlsx.*parquet"):
        open_table("xlsx", tmp_path / "a.xlsx", tables.info())


def test_a_library_that_is_not_there_says_what_to_install(tables, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "sadinet.tables.parquet_writer", raising=False)
    with pytest.raises(OutputError, match=r"pip install 'sadinet\[parquet\]'"):
        open_table("parquet", tmp_path / "a.parquet", tables.info())
    assert names_in(tmp_path) == []
