from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.choice import SourceChoice, SourceKind
from app.clips import PictureClip, VideoClip, open_clip
from app.player import FilePlayer
from sadinet.errors import SourceError
from sadinet.media.pictures import write_picture
from sadinet.media.recorder import VideoRecorder
from sadinet.media.video import VideoReader


@pytest.fixture
def play():
    """Starts players, and ends them."""
    running = []

    def start(clip, **options):
        player = FilePlayer(clip, **options)
        thread = threading.Thread(target=player.run, daemon=True)
        thread.start()
        running.append((player, thread))
        return player

    yield start
    for player, thread in running:
        player.close()
        thread.join(10)


@pytest.fixture(scope="module")
def frames(clip):
    """All frames of the bundled clip as a reading from the start gives them: number, time, sum of pixels."""
    with VideoReader(clip) as reader:
        return {frame.index: (frame.time_s, int(frame.image.sum())) for frame in reader}


def next_frame(player, seconds=20.0):
    captured = player.read(seconds)
    assert captured is not None, "no frame came"
    return captured.frame


def frame_at(player, number, seconds=20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        captured = player.read(0.5)
        if captured is not None and captured.frame.index == number:
            return captured.frame
    pytest.fail(f"frame {number} did not come")


@pytest.mark.parametrize("is_indexed", [False, True])
def test_every_frame_that_is_sought_is_the_one_a_reading_from_the_start_gives(play, clip, frames, is_indexed):
    video = VideoClip(str(clip))
    if is_indexed:
        video.look_through()
    player = play(video, is_playing=False)
    assert next_frame(player).index == 0
    for number in (70, 3, 105, 50, 49, 48, 52, 0):
        player.seek(number)
        frame = frame_at(player, number)
        assert (frame.time_s, int(frame.image.sum())) == frames[number]
        assert player.place.frame == number


def test_steps_go_frame_by_frame_both_ways_and_stop_at_the_ends(play, clip):
    player = play(VideoClip(str(clip)), is_playing=True)
    player.step(0)
    player.seek(30)
    frame_at(player, 30)
    seen = []
    for step in (1, 1, -1, -1, -1, -1, 40, 1000, 1, -1000, -1):
        player.step(step)
        seen.append(next_frame(player).index)
    assert seen == [31, 32, 31, 30, 29, 28, 68, 105, 105, 0, 0]
    assert not player.is_playing


def test_of_many_places_that_are_asked_for_in_a_row_the_last_one_is_shown(play, clip):
    player = play(VideoClip(str(clip)), is_playing=False)
    next_frame(player)
    for number in range(100):
        player.seek(number)
    frame_at(player, 99)
    assert player.read(0.3) is None


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_frames_come_when_they_are_due(play, clip, speed):
    player = play(VideoClip(str(clip)), speed=speed, is_looped=False)
    first = next_frame(player)
    began_s = time.monotonic()
    last = first
    while (captured := player.read(2.0)) is not None and last.index < 60:
        last = captured.frame
    seconds = time.monotonic() - began_s
    # A machine that is busy may be late, but never early.
    assert seconds >= (last.time_s - first.time_s) / speed - 0.05


def test_a_file_stands_at_its_end_and_begins_again_when_it_is_played(play, clip, until):
    player = play(VideoClip(str(clip)), speed=4.0, is_looped=False)
    player.seek(100)
    frame_at(player, 105, 60)
    until(lambda: not player.is_playing)
    player.set_speed(0.1)  # so that it is not at its end again before anybody looks
    player.play()
    until(lambda: player.place.frame < 100)
    assert player.is_playing


def test_a_file_that_is_looped_goes_on_from_its_first_frame(play, clip, until):
    player = play(VideoClip(str(clip)), speed=4.0, is_looped=True)
    player.seek(100)
    frame_at(player, 105, 60)
    until(lambda: player.place.frame < 50)
    assert player.is_playing


@pytest.mark.parametrize("is_indexed", [False, True])
def test_a_short_file_is_looped_for_ever_though_all_of_it_is_kept(play, short_clip, until, is_indexed):
    video = VideoClip(str(short_clip))
    if is_indexed:
        video.look_through()
    player = play(video, speed=4.0, is_looped=True)
    begun, last = 0, -1
    deadline = time.monotonic() + 60
    while begun < 4 and time.monotonic() < deadline:
        captured = player.read(0.5)
        if captured is not None:
            begun += captured.frame.index <= last
            last = captured.frame.index
    assert begun == 4
    assert player.state.kind == "connected"


def test_beyond_its_last_frame_a_file_has_none(clip):
    video = VideoClip(str(clip))
    video.look_through()
    assert list(video.frames_from(106)) == []
    assert [frame.index for frame in video.frames_from(105)] == [105]
    assert video.frames == 106


def test_a_standing_file_can_be_shown_again(play, clip):
    player = play(VideoClip(str(clip)), is_playing=False)
    first = next_frame(player)
    player.show_again()
    assert next_frame(player).image is first.image


def test_frames_are_estimated_first_and_counted_then(clip):
    video = VideoClip(str(clip))
    assert not video.is_exact
    assert video.frames == pytest.approx(106, abs=3)
    video.look_through()
    assert video.is_exact
    assert video.frames == 106
    assert video.duration_s == pytest.approx(3.5, abs=0.01)


def test_a_file_that_is_cut_off_gives_what_it_has_and_then_knows_how_much(play, tmp_path, frame, until):
    whole, path = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    noise = np.random.default_rng(0)
    with VideoRecorder(whole) as writer:
        for number in range(40):
            writer.write(noise.integers(0, 255, (120, 160, 3), dtype=np.uint8), number / 30)
    data = whole.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    player = play(VideoClip(str(path)), is_playing=False)
    next_frame(player)
    player.seek(39)
    until(lambda: player.place.frame > 0, "the last frame", lambda: player.read(0.1))
    assert 10 < player.place.frame < 30
    assert player.place.is_exact
    assert player.place.frames == player.place.frame + 1


def test_a_file_that_vanishes_ends_with_an_error_that_has_a_remedy(play, clip, tmp_path, until):
    path = tmp_path / "gone.mp4"
    path.write_bytes(Path(clip).read_bytes())
    video = VideoClip(str(path))
    video.look_through()
    player = play(video, is_playing=False)
    next_frame(player)
    path.unlink()
    player.seek(90)
    until(lambda: player.state.kind == "failed")
    with pytest.raises(SourceError) as error:
        player.read(1.0)
    assert error.value.remedy


@pytest.fixture
def pictures(tmp_path):
    """A folder of three pictures, of which the middle one is damaged."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (1, 3):
        write_picture(folder / f"{number}.png", np.full((20, 30, 3), number, np.uint8))
    (folder / "2.png").write_bytes(b"no picture")
    return folder


def test_pictures_are_gone_through_without_those_that_are_damaged(play, pictures):
    player = play(open_clip(SourceChoice(SourceKind.PICTURES, str(pictures))), is_playing=False)
    assert next_frame(player).index == 0
    player.step(1)
    frame = next_frame(player)
    assert (frame.index, Path(frame.source).name) == (2, "3.png")


def test_a_single_picture_that_is_damaged_is_told_at_once(pictures):
    with pytest.raises(SourceError):
        PictureClip(str(pictures / "2.png"))


def test_closing_wakes_whoever_reads(play, clip):
    player = play(VideoClip(str(clip)), is_playing=False)
    next_frame(player)
    threading.Timer(0.2, player.close).start()
    began_s = time.monotonic()
    assert player.read(20.0) is None
    assert time.monotonic() - began_s < 10
