"""Files that are not what they claim: cut off, damaged in the middle, or no video at all."""

from __future__ import annotations

import numpy as np
import pytest

from app.choice import SourceChoice, SourceKind
from app.controller import Controller
from app.loading import ModelChoice
from app.state import Phase
from app.workers import Workers
from sadinet.media.recorder import VideoRecorder

FRAMES = 90


@pytest.fixture
def whole(tmp_path):
    """A video of noise, whose every frame takes its share of the file."""
    path = tmp_path / "whole.mkv"
    rng = np.random.default_rng(7)
    with VideoRecorder(path) as video:
        for number in range(FRAMES):
            video.write(rng.integers(0, 255, (96, 128, 3), dtype=np.uint8), number / 30)
    return path


@pytest.fixture
def control(tmp_path, made_people, made_camera):
    """A controller over made-up models; its demo clip is a made-up camera."""
    workers = Workers(
        ModelChoice(),
        tmp_path / "cache",
        open_source=lambda choice: made_camera(),
        load=lambda choice: made_people(),
    )
    controller = Controller(workers)
    controller.set_looped(False)
    yield controller
    assert workers.stop(10.0) == ()


def test_a_file_that_is_cut_off_plays_to_where_it_ends_and_stands_there(control, whole, tmp_path, until):
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    control.start(SourceChoice(SourceKind.FILE, str(path)))
    until(lambda: control.state.is_file, "the file", control.tick)
    control.set_speed(4.0)
    until(lambda: not control.state.is_playing, "its end", control.tick, seconds=120)
    assert FRAMES // 3 < control.state.place.frame < FRAMES - 10
    last = control.state.place.frame
    control.seek(FRAMES - 1)
    control.seek(5)
    until(lambda: control.state.place.frame == 5, "a seek back", control.tick)
    control.seek(last)
    until(lambda: control.state.place.frame == last, "the last frame", control.tick)
    assert control.state.phase is Phase.OPEN


def test_a_file_with_a_hole_plays_over_it(control, whole, tmp_path, until):
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path = tmp_path / "hole.mkv"
    path.write_bytes(data)
    control.start(SourceChoice(SourceKind.FILE, str(path)))
    until(lambda: control.state.is_file, "the file", control.tick)
    control.set_speed(4.0)
    until(
        lambda: control.state.phase is Phase.FAILED or control.state.place.frame > FRAMES * 3 // 4,
        "what lies behind the hole, or word of it",
        control.tick,
        seconds=120,
    )
    assert control.state.phase is Phase.OPEN or control.state.problems


@pytest.mark.parametrize("content", [b"", b"\x00" * 50_000, b"This is no video.\n" * 900])
def test_what_is_no_video_is_told_in_one_line_and_the_demo_clip_is_shown(control, tmp_path, until, content):
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    control.start(SourceChoice(SourceKind.FILE, str(path)))
    until(lambda: control.state.phase is Phase.OPEN, "the demo clip", control.tick)
    assert control.state.source.kind is SourceKind.DEMO
    (problem,) = control.state.problems
    assert "notes.mp4" in problem.message
    assert "\n" not in problem.message
    assert "Traceback" not in problem.details
    assert str(path) not in control.state.recent
