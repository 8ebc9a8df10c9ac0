"""What is said of the inputs before the work begins."""

from __future__ import annotations

import shutil
import sys
from collections import namedtuple
from fractions import Fraction

import av
import numpy as np
import pytest

from sadinet.batch.naming import Wanted, plan_jobs
from sadinet.batch.preflight import check_inputs
from sadinet.errors import OutputError, SourceError
from sadinet.media.pictures import write_picture

Usage = namedtuple("Usage", "total used free")


def write(path, times_s, *, rotation_deg=0, aspect=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "5", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation_deg:
            stream.set_display_rotation(rotation_deg)
        for number, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * number, np.uint8), format="bgr24")
            frame.pts, frame.time_base = round(time_s * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


EVEN = [number / 25 for number in range(12)]


@pytest.fixture
def check(batches, tmp_path):
    def check(*inputs, wanted=None, processes=1):
        (tmp_path / "out").mkdir(exist_ok=True)
        jobs, _ = plan_jobs([str(each) for each in inputs], tmp_path / "out", wanted or Wanted())
        return check_inputs(jobs, tmp_path / "out", batches.people, processes=processes)

    check.people = batches.people
    return check


def test_a_plain_video_has_one_line_about_the_time(check, tmp_path):
    plan = check(write(tmp_path / "plain.mp4", EVEN))
    (line,) = plan.lines
    assert line.startswith("1 input, 12 frames, about 0:0")
    assert plan.failures == ()
    totals = plan.totals
    assert (totals.inputs, totals.unreadable, totals.frames) == (1, 0, 12)
    assert 0 < totals.seconds < 60
    assert 0 < totals.needed_bytes < totals.free_bytes


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_told(check, tmp_path, degrees):
    plan = check(write(tmp_path / "phone.mp4", EVEN, rotation_deg=degrees))
    assert "phone.mp4: stored turned by" in plan.lines[0]
    assert "upright" in plan.lines[0]


def test_a_varying_rate_is_told_with_its_bounds(check, tmp_path):
    plan = check(write(tmp_path / "phone.mp4", [0, 0.04, 0.08, 0.12, 0.32, 0.36]))
    assert plan.lines[0].endswith("phone.mp4: variable rate, 5.00 to 25.00 frames a second; times are the file's own")


def test_pixels_that_are_not_square_are_told(check, tmp_path):
    plan = check(write(tmp_path / "tape.mp4", EVEN, aspect=Fraction(16, 11)))
    assert "1.45 times as wide as high" in plan.lines[0]


def test_a_rate_that_matroska_rounds_to_milliseconds_is_not_told_as_variable(check, tmp_path):
    plan = check(write(tmp_path / "fast.mkv", [number / 120 for number in range(25)]))
    assert len(plan.lines) == 1
    assert plan.lines[0].startswith("1 input, 25 frames")


def test_frames_without_times_are_counted_and_told(check, tmp_path):
    plan = check(write(tmp_path / "raw.h264", EVEN))
    assert plan.totals.frames == 12
    assert "frames have no times" in plan.lines[0]


def test_a_video_without_frames_or_of_one_frame_is_no_trouble(check, tmp_path):
    assert check(write(tmp_path / "one.mp4", [0.0])).totals.frames == 1


def test_what_cannot_be_read_is_a_failure_and_the_others_are_looked_at(check, tmp_path, clip, walker):
    (tmp_path / "text.mp4").write_bytes(b"no video")
    data = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 3 // 10])
    write_picture(tmp_path / "one.png", walker)
    (tmp_path / "torn.png").write_bytes((tmp_path / "one.png").read_bytes()[:1000])
    names = ("text.mp4", "none.mp4", "torn.png", "cut.mp4", "one.png")
    plan = check(*(tmp_path / name for name in names), "http://example.org/a.mp4")
    assert [next(n for n in (*names, "http") if n in line) for line in plan.failures] == [*names[:3], "http"]
    assert all(str(line).count("\n") == 0 for line in plan.failures)
    assert any("cut.mp4: read from its start, by one process: " in line for line in plan.lines)
    assert (plan.totals.inputs, plan.totals.unreadable) == (6, 4)


def test_strange_faults_of_one_input_stop_nothing(check, tmp_path, monkeypatch):
    bad, good = write(tmp_path / "bad.mp4", EVEN), write(tmp_path / "good.mp4", EVEN)
    from sadinet.batch import preflight

    inspect = preflight.inspect_video

    def fail(where):
        if "bad" in where:
            raise ZeroDivisionError("what nobody thought of")
        return inspect(where)

    monkeypatch.setattr(preflight, "inspect_video", fail)
    plan = check(bad, good)
    assert ["unexpected ZeroDivisionError" in line for line in plan.failures] == [True]
    assert plan.totals.frames == 12


def test_pictures_in_a_format_of_motion_are_a_failure(check, tmp_path, walker):
    write_picture(tmp_path / "one.png", walker)
    video = write(tmp_path / "plain.mp4", EVEN)
    plan = check(tmp_path / "one.png", video, wanted=Wanted(formats=("csv", "trc")))
    (line,) = plan.failures
    assert "one.png: trc holds motion at a rate, and pictures have no time" in line
    assert plan.totals.frames == 12


def test_a_format_without_its_library_is_told_before_the_work(check, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "sadinet.tables.parquet_writer", raising=False)
    with pytest.raises(OutputError, match="Parquet needs pyarrow"):
        check(write(tmp_path / "plain.mp4", EVEN), wanted=Wanted(formats=("csv", "parquet")))


def test_several_processes_are_thought_faster(check, tmp_path, monkeypatch):
    # Two trials need not take equally long, so the second one's time is that of the first.
    video = write(tmp_path / "plain.mp4", EVEN)
    from sadinet.batch import preflight

    once = preflight._trial(plan_jobs([str(video)], tmp_path / "out")[0][0], check.people)
    assert once > 0
    monkeypatch.setattr(preflight, "_trial", lambda job, people: once)
    assert [check(video, processes=processes).totals.seconds for processes in (1, 8)] == [12 * once, 12 * once / 8]


@pytest.fixture
def free(monkeypatch):
    """Says how much space the disk has."""

    def free(size):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - size, size))

    return free


def test_a_disk_without_space_is_refused(check, tmp_path, free):
    video = write(tmp_path / "plain.mp4", EVEN)
    needed = check(video, wanted=Wanted(overlay=True)).totals.needed_bytes
    free(needed)
    check(video, wanted=Wanted(overlay=True))
    free(needed - 1)
    with pytest.raises(OutputError, match="the results take about"):
        check(video, wanted=Wanted(overlay=True))
    check(video)  # without an overlay there is room


def test_what_is_written_already_needs_no_more_space(check, tmp_path, free):
    video = write(tmp_path / "plain.mp4", EVEN)
    check(video)
    (tmp_path / "out" / "plain.csv").write_bytes(bytes(100_000))
    free(0)
    check(video)


def test_the_trial_never_stops_a_run(check, batches, tmp_path, monkeypatch):
    def fail():
        raise SourceError("gone")

    monkeypatch.setattr(type(batches.people), "follower", lambda self: lambda frame: fail())
    plan = check(write(tmp_path / "plain.mp4", EVEN))
    assert plan.totals.seconds is None
    assert plan.lines == ()
