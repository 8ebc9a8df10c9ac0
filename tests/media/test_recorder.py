"""A recording opens whatever becomes of the program or the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from sadinet.errors import InputError, OutputError
from sadinet.media.recorder import VideoRecorder
from sadinet.media.video import VideoReader

ROOT = Path(__file__).parents[2]

WRITE = """
    import os, sys, time, signal
    import numpy as np
    from sadinet.errors import OutputError
    from sadinet.media.recorder import VideoRecorder

    def picture(number, size_wh=(320, 240)):
        image = np.random.default_rng(number).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
        image[:40, :] = 255 if number % 2 else 0
        return image
"""


def picture(number: int, size_wh: tuple[int, int] = (96, 64)) -> np.ndarray:
    image = np.full((size_wh[1], size_wh[0], 3), 20 + 9 * number % 200, np.uint8)
    image[:, : size_wh[0] // 2, 2] = 255 - 7 * number % 200
    return image


def child(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WRITE) + textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )


def read(path: Path) -> list:
    with VideoReader(path) as reader:
        return list(reader)


def test_frames_keep_their_own_times(tmp_path):
    times = [12.5, 12.533, 12.6, 13.4, 13.401]
    with VideoRecorder(tmp_path / "a.mkv") as recorder:
        told = [recorder.write(picture(k), time_s) for k, time_s in enumerate(times)]
    frames = read(tmp_path / "a.mkv")
    assert [frame.time_s for frame in frames] == pytest.approx(told, abs=1e-9)
    assert told == pytest.approx([time_s - 12.5 for time_s in times], abs=5.1e-4)
    for number, frame in enumerate(frames):
        assert np.abs(frame.image.astype(int) - picture(number)).mean() < 6


def test_times_that_do_not_rise_are_moved_behind_the_last(tmp_path):
    with VideoRecorder(tmp_path / "a.mkv") as recorder:
        told = [recorder.write(picture(k), time_s) for k, time_s in enumerate([1.0, 1.0, 0.5, 1.01])]
    assert told == [0.0, 0.001, 0.002, 0.01]
    assert [frame.flags for frame in read(tmp_path / "a.mkv")] == [()] * 4


@pytest.mark.parametrize("size_wh", [(97, 64), (96, 65), (97, 65)])
def test_odd_sizes_are_filled_up_and_nothing_moves(tmp_path, size_wh):
    with VideoRecorder(tmp_path / "a.mkv") as recorder:
        recorder.write(picture(3, size_wh), 0.0)
        assert recorder.size_wh == size_wh
    (frame,) = read(tmp_path / "a.mkv")
    assert frame.size_wh == (size_wh[0] + size_wh[0] % 2, size_wh[1] + size_wh[1] % 2)
    assert np.abs(frame.image[: size_wh[1], : size_wh[0]].astype(int) - picture(3, size_wh)).mean() < 6


def test_another_size_or_no_time_is_refused_and_the_rest_stays(tmp_path):
    with VideoRecorder(tmp_path / "a.mkv") as recorder:
        recorder.write(picture(0), 0.0)
        with pytest.raises(InputError, match="96x64 to 48x64"):
            recorder.write(picture(0, (48, 64)), 0.1)
        with pytest.raises(InputError, match="time"):
            recorder.write(picture(0), float("nan"))
        recorder.write(picture(1), 0.2)
    assert len(read(tmp_path / "a.mkv")) == 2


def test_what_is_there_is_never_written_over(tmp_path):
    (tmp_path / "a.mkv").write_bytes(b"precious")
    with pytest.raises(OutputError, match="already"):
        VideoRecorder(tmp_path / "a.mkv")
    assert (tmp_path / "a.mkv").read_bytes() == b"precious"
    with pytest.raises(OutputError, match="no such"):
        VideoRecorder(tmp_path / "nowhere" / "a.mkv")


def test_without_frames_there_is_no_video(tmp_path):
    with VideoRecorder(tmp_path / "a.mkv"):
        pass
    assert not list(tmp_path.iterdir())


def test_after_a_kill_all_but_half_a_second_opens(tmp_path):
    code = """
        recorder = VideoRecorder(sys.argv[1])
        for number in range(90):
            recorder.write(picture(number), number / 30)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert child(code, tmp_path / "a.mkv").returncode == -signal.SIGKILL
    frames = read(tmp_path / "a.mkv")
    assert 90 - 16 <= len(frames) <= 90
    assert [frame.time_s for frame in frames] == pytest.approx([k / 30 for k in range(len(frames))], abs=5.1e-4)


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are set as on POSIX")
def test_on_a_full_disk_it_says_so_and_what_was_written_opens(tmp_path):
    code = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
        recorder = VideoRecorder(sys.argv[1])
        try:
            for number in range(300):
                recorder.write(picture(number), number / 30)
        except OutputError as error:
            try:
                recorder.close()
            except OutputError:
                pass
            print(number, error)
    """
    done = child(code, tmp_path / "a.mkv")
    assert done.returncode == 0, done.stderr
    number, _, message = done.stdout.partition(" ")
    assert "a.mkv: file too large" in message
    frames = read(tmp_path / "a.mkv")
    assert int(number) - 20 <= len(frames) <= int(number)
    assert len(frames) > 15
