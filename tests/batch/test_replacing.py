"""Only earlier results are overwritten."""

from __future__ import annotations

import pytest

from sadinet.batch.naming import Outputs
from sadinet.batch.replacing import check_replaceable
from sadinet.errors import OutputError
from sadinet.tables.schema import FRAME_COLUMNS, PERSON_COLUMNS
from sadinet.tables.sidecar import Sidecar, SourceRecord, WeightsRecord, write_sidecar

HEAD = ",".join((*FRAME_COLUMNS, *PERSON_COLUMNS))
SIDECAR = Sidecar(
    source=SourceRecord("a.mp4", 1, ""),
    frames=1,
    skipped_frames=0,
    problems=(),
    skeleton="body19",
    weights=WeightsRecord("w", ""),
    engine="e",
    device="d",
    precision="fp32",
    settings={},
    version="1",
)


@pytest.fixture
def outputs(tmp_path):
    formats = ("csv", "parquet", "openpose", "coco", "trc", "c3d")
    return Outputs(tmp_path, "walk", formats, tmp_path / "walk.mp4", has_page=True)


FILES = ("walk.csv", "walk.parquet", "walk_coco.json", "walk_person1.trc", "walk_person-7.c3d", "walk.mp4", "walk.html")


@pytest.mark.parametrize("name", [*FILES, "walk.json"])
def test_a_file_of_somebody_else_stays(outputs, name):
    (outputs.folder / name).write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="no earlier result") as raised:
        check_replaceable(outputs, ())
    assert name in str(raised.value)


def test_a_folder_of_somebody_else_stays_unless_it_is_empty(outputs):
    folder = outputs.folder / "walk_json"
    folder.mkdir()
    check_replaceable(outputs, ())
    (folder / "notes.txt").touch()
    with pytest.raises(OutputError, match="walk_json"):
        check_replaceable(outputs, ())


def test_an_empty_file_is_no_loss(outputs):
    (outputs.folder / "walk.csv").touch()
    check_replaceable(outputs, ())


@pytest.mark.parametrize("name", ["walk_person1.csv", "walk_person1.trc.txt", "walk_personal.trc", "walk2_person1.trc"])
def test_files_that_are_not_in_the_way_do_not_matter(outputs, name):
    (outputs.folder / name).write_text("mine", encoding="utf-8")
    check_replaceable(outputs, ())


def test_what_was_recorded_is_replaced(outputs):
    for name in (*FILES, "walk.json"):
        (outputs.folder / name).write_text("half", encoding="utf-8")
    # Persons' files are recorded by what they belong to, before it is known who they will be.
    check_replaceable(outputs, {path.name for path in outputs.paths})


def test_without_a_record_a_sidecar_of_ours_vouches_for_its_companions(outputs):
    for name in FILES[1:]:
        (outputs.folder / name).write_text("?", encoding="utf-8")
    write_sidecar(outputs.sidecar, SIDECAR)
    check_replaceable(outputs, ())


def test_with_a_record_it_does_not(outputs):
    write_sidecar(outputs.sidecar, SIDECAR)
    (outputs.folder / "walk.mp4").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"walk\.mp4"):
        check_replaceable(outputs, {"walk.csv", "walk.json"})


def test_a_table_is_known_by_its_head(outputs):
    (outputs.folder / "walk.csv").write_text(HEAD + ",nose_x\n", encoding="utf-8")
    check_replaceable(outputs, ())
