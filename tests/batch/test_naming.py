"""Which files results go to: nothing is overwritten, and names depend on the inputs' order alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sadinet.batch.fingerprint import fingerprint
from sadinet.batch.naming import Wanted, input_files, plan_jobs
from sadinet.errors import SourceError


def make(*paths: Path) -> list[str]:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return [str(path) for path in paths]


def names(jobs) -> list[str]:
    return [job.outputs.table.name for job in jobs]


def test_each_kind_of_input_has_its_overlay(tmp_path):
    inputs = make(tmp_path / "walk.mp4", tmp_path / "shot.PNG", tmp_path / "shots" / "a.jpg")
    out = tmp_path / "out"
    jobs, repeated = plan_jobs([*inputs[:2], str(tmp_path / "shots")], out, Wanted(overlay=True))
    assert [job.kind for job in jobs] == ["video", "picture", "pictures"]
    assert [job.outputs.overlay.name for job in jobs] == ["walk.mp4", "shot-overlay.png", "shots-overlay"]
    assert [job.outputs.sidecar.name for job in jobs] == ["walk.json", "shot.json", "shots.json"]
    assert repeated == ()
    assert not any(job.is_renamed for job in jobs)
    assert jobs[0].outputs.paths == (out / "walk.csv", out / "walk.json", out / "walk.mp4")


def test_equal_names_get_numbers_in_the_order_given(tmp_path):
    inputs = make(
        tmp_path / "a" / "walk.mp4", tmp_path / "b" / "walk.mp4", tmp_path / "walk.avi", tmp_path / "WALK.png"
    )
    jobs, _ = plan_jobs(inputs, tmp_path / "out")
    assert names(jobs) == ["walk.csv", "walk-2.csv", "walk-3.csv", "WALK-4.csv"]
    assert [job.is_renamed for job in jobs] == [False, True, True, True]


def test_a_number_never_takes_another_inputs_name(tmp_path):
    inputs = make(tmp_path / "a" / "walk.mp4", tmp_path / "walk-2.mp4", tmp_path / "b" / "walk.mp4")
    jobs, _ = plan_jobs(inputs, tmp_path / "out")
    assert names(jobs) == ["walk.csv", "walk-2.csv", "walk-3.csv"]


def test_the_same_file_is_done_once_whatever_path_leads_to_it(tmp_path):
    (walk,) = make(tmp_path / "walk.mp4")
    again = f"{tmp_path}{os.sep}.{os.sep}walk.mp4"
    jobs, repeated = plan_jobs([walk, again], tmp_path / "out")
    assert names(jobs) == ["walk.csv"]
    assert repeated == (again,)


def test_an_overlay_never_replaces_the_video_itself(tmp_path):
    (walk,) = make(tmp_path / "walk.mp4")
    (job,), _ = plan_jobs([walk], tmp_path, Wanted(overlay=True))
    assert job.outputs.overlay.name == "walk-overlay.mp4"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_an_overlay_never_replaces_an_input_that_a_link_leads_to(tmp_path):
    (walk,) = make(tmp_path / "archive" / "walk.mp4")
    out = tmp_path / "out"
    out.symlink_to(tmp_path / "archive")
    (job,), _ = plan_jobs([walk], out, Wanted(overlay=True))
    assert job.outputs.overlay.name == "walk-overlay.mp4"


def test_an_overlay_never_replaces_another_input(tmp_path):
    inputs = make(tmp_path / "walk.avi", tmp_path / "walk.mp4", tmp_path / "walk-overlay.mp4")
    jobs, _ = plan_jobs(inputs, tmp_path, Wanted(overlay=True))
    written = [path for job in jobs for path in job.outputs.paths]
    assert len(set(written)) == len(written)
    assert not {str(path) for path in written} & set(inputs)


def test_an_overlay_folder_is_never_a_folder_of_inputs(tmp_path):
    make(tmp_path / "shots" / "a.png", tmp_path / "shots-overlay" / "a.png")
    folders = [str(tmp_path / "shots"), str(tmp_path / "shots-overlay")]
    jobs, _ = plan_jobs(folders, tmp_path, Wanted(overlay=True))
    assert not {str(job.outputs.overlay) for job in jobs} & set(folders)


def test_a_download_that_is_not_finished_is_no_place_for_a_partial_file(tmp_path):
    (part,) = make(tmp_path / "walk.mp4.part")
    (video,) = make(tmp_path / "in" / "walk.mp4")
    jobs, _ = plan_jobs([video, part], tmp_path, Wanted(overlay=True))
    assert jobs[0].outputs.overlay.name == "walk-overlay.mp4"


def test_a_pattern_of_pictures_is_one_input_named_after_its_folder(tmp_path):
    make(tmp_path / "shots" / "a.png", tmp_path / "shots" / "b.jpg")
    (job,), _ = plan_jobs([str(tmp_path / "shots" / "*")], tmp_path / "out", Wanted(overlay=True))
    assert (job.kind, names([job])) == ("pictures", ["shots.csv"])


def test_a_pattern_of_videos_is_its_videos_in_natural_order(tmp_path):
    inputs = make(tmp_path / "run 10.mp4", tmp_path / "run 9.mp4")
    jobs, _ = plan_jobs([str(tmp_path / "*.mp4")], tmp_path / "out")
    assert [job.where for job in jobs] == [inputs[1], inputs[0]]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_folder_without_videos_and_pictures_says_so(tmp_path):
    make(tmp_path / "holiday" / "day1" / "beach.mp4", tmp_path / "holiday" / "notes.txt")
    (job,) = plan_jobs([str(tmp_path / "holiday")], tmp_path / "out")[0]
    with pytest.raises(SourceError, match="neither videos nor pictures"):
        input_files(job)
    (inside,) = plan_jobs([str(tmp_path / "holiday" / "**" / "*.mp4")], tmp_path / "out")[0]
    assert [path.name for path in input_files(inside)] == ["beach.mp4"]


def test_a_folder_tells_of_links_to_what_is_not_there_and_passes_over_what_is_no_file(tmp_path):
    # Macs leave a hidden companion beside each file on other systems' disks.
    for name in ("walk 2.mp4", ".hidden.mp4", "._shot.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "walk 10.mp4").symlink_to(tmp_path / "not mounted" / "walk.mp4")
    jobs, _ = plan_jobs([str(tmp_path)], tmp_path / "out")
    assert [job.where for job in jobs] == [str(tmp_path / name) for name in ("walk 2.mp4", "walk 10.mp4")]
    with pytest.raises(SourceError, match="no such file"):
        fingerprint(input_files(jobs[1]))


def test_a_pattern_that_matches_nothing_stays_and_will_be_told(tmp_path):
    (job,), _ = plan_jobs([str(tmp_path / "*.mp4")], tmp_path / "out")
    assert job.where.endswith("*.mp4")


def test_a_name_with_a_bracket_that_is_there_is_no_pattern(tmp_path):
    inputs = make(tmp_path / "walk [1].mp4")
    (job,), _ = plan_jobs(inputs, tmp_path / "out")
    assert (job.where, job.kind, names([job])) == (inputs[0], "video", ["walk [1].csv"])


def test_the_folder_that_one_is_in_has_a_name_too(tmp_path, monkeypatch):
    make(tmp_path / "here" / "a.png")
    monkeypatch.chdir(tmp_path / "here")
    jobs, _ = plan_jobs([".", "*.png"], tmp_path / "out")
    assert names(jobs) == ["here.csv", "here-2.csv"]


def test_an_input_called_as_the_report_gets_another_name(tmp_path):
    inputs = make(tmp_path / "sadinet-report.mp4")
    (job,), _ = plan_jobs(inputs, tmp_path / "out")
    assert job.outputs.sidecar.name == "sadinet-report-2.json"


@pytest.mark.parametrize(
    "name",
    ["http://example.org/a.mp4", "rtsp://camera/1", "rtsp://me:secret@camera/stream?id=*", "https://host/still.png"],
)
def test_an_address_is_told_with_the_way_for_streams_and_without_its_password(tmp_path, name):
    (job,), _ = plan_jobs([name], tmp_path)
    with pytest.raises(SourceError, match="is an address, not a file") as raised:
        input_files(job)
    assert "sadinet-app" in raised.value.remedy
    assert "secret" not in f"{raised.value} {job}"


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_colon_and_slashes_alone_are_no_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c:").mkdir()
    (job,), _ = plan_jobs(make(tmp_path / "c:" / "walk.mp4"), tmp_path / "out")
    (other,), _ = plan_jobs(["c://walk.mp4"], tmp_path / "out")
    assert input_files(job)[0].samefile(input_files(other)[0])
