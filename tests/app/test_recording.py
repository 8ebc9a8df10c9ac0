"""Recordings: the frames at their own times, whole after any end, and faces covered if wished."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.recording import RecordingController
from app.recording_files import RecordingOptions, SourceFacts, recorded_in, recording_folder
from sadinet.geometry import Box
from sadinet.media.video import VideoReader
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import BODY19, COCO17, Skeleton
from sadinet.tables.read import read_recording

ROOT = Path(__file__).parents[2]
WEBCAM = SourceFacts("Webcam", "camera", 30.0)


def pose(skeleton: Skeleton = BODY19, x: float = 60.0, **more) -> Pose:
    joints = np.array([(x + 3 * (k % 4), 20 + 3 * k) for k in range(len(skeleton))], np.float32)
    scores = np.full(len(skeleton), 0.8, np.float32)
    sigmas = np.full((len(skeleton), 2), 1.5, np.float32)
    return Pose(joints, scores, sigmas, Box(x - 10, 10, 40, 90), skeleton, **more)


def result(index: int, time_s: float | None = None, poses: tuple[Pose, ...] = (), size_wh=(160, 120)) -> FrameResult:
    image = np.random.default_rng(index).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    return FrameResult(Frame(image, index, index / 30 if time_s is None else time_s, "Webcam"), poses)


def add_all(recorder: RecordingController, results: list[FrameResult]) -> None:
    for each in results:
        deadline = time.monotonic() + 5
        while not recorder.add(each) and recorder.status.error is None and time.monotonic() < deadline:
            time.sleep(0.01)


@pytest.fixture
def recorder():
    before = threading.active_count()
    recorder = RecordingController()
    yield recorder
    recorder.stop(60)
    assert threading.active_count() == before


def test_everything_lies_in_the_folder(recorder, tmp_path):
    times = [5.0, 5.04, 5.1, 5.5, 5.533]
    given = [result(k, time_s, (pose(track_id=3),) if k != 1 else ()) for k, time_s in enumerate(times)]
    settings = {"detection_interval": 3}
    recorder.start(tmp_path / "r", WEBCAM, RecordingOptions(weights="sadinet-s", settings=settings))
    add_all(recorder, given)
    summary = recorder.stop()
    assert (summary.frames, summary.dropped, summary.missed, summary.error) == (5, 0, 0, None)
    assert summary.is_complete
    assert summary.text == f"5 frames in 0.5 s → {tmp_path / 'r'}"

    with VideoReader(tmp_path / "r" / "video.mkv") as video:
        stored = [frame.time_s for frame in video]
    assert stored == pytest.approx([time_s - 5.0 for time_s in times], abs=5.1e-4)
    table = read_recording(tmp_path / "r" / "keypoints.csv")
    assert table.index.tolist() == [0, 1, 2, 3, 4]
    assert table.time_s == pytest.approx(stored, abs=1e-9)
    assert table.row_frame.tolist() == [0, 2, 3, 4]
    assert table.track_ids.tolist() == [3] * 4
    assert table.joints[0] == pytest.approx(given[0].poses[0].joints, abs=0.005)
    stamps = list(csv.DictReader((tmp_path / "r" / "timestamps.csv").read_text().splitlines()))
    assert [float(row["source_time_s"]) for row in stamps] == times
    assert abs(float(stamps[0]["clock_s"]) - time.time()) < 60
    facts = json.loads((tmp_path / "r" / "settings.json").read_text())
    assert facts["state"] == "complete"
    assert (facts["frames"], facts["weights"], facts["settings"]) == (5, "sadinet-s", settings)
    assert facts["source"] == {"name": "Webcam", "kind": "camera", "rate_hz": 30.0}


def test_frames_that_the_source_had_and_nobody_saw_are_counted(recorder, tmp_path):
    recorder.start(tmp_path / "r", WEBCAM)
    add_all(recorder, [result(k) for k in (10, 11, 14, 15, 17)])
    summary = recorder.stop()
    assert (summary.frames, summary.missed) == (5, 3)
    assert "3 of the source's frames are missing" in summary.text


def test_a_slow_encoder_makes_frames_drop_not_the_program_wait(recorder, tmp_path, monkeypatch):
    from sadinet.media.recorder import VideoRecorder

    write = VideoRecorder.write

    go = threading.Event()

    def slow(self, image, time_s):
        assert go.wait(60)
        return write(self, image, time_s)

    monkeypatch.setattr(VideoRecorder, "write", slow)
    monkeypatch.setattr("app.recording._QUEUE_BYTES", 0)
    recorder.start(tmp_path / "r", WEBCAM)
    # Whoever waited for the encoder would wait for ever.
    taken = [recorder.add(result(k)) for k in range(20)]
    assert not go.is_set()
    go.set()
    summary = recorder.stop(60)
    assert summary.frames == sum(taken) < 20
    assert summary.dropped == 20 - sum(taken)
    assert summary.missed == 0


def test_before_the_first_person_the_skeleton_may_be_unknown(recorder, tmp_path):
    recorder.start(tmp_path / "r", WEBCAM)
    add_all(recorder, [result(0), result(1), result(2, poses=(pose(COCO17, track_id=0),)), result(3)])
    recorder.stop()
    table = read_recording(tmp_path / "r" / "keypoints.csv")
    assert table.skeleton == COCO17
    assert (table.index.tolist(), table.row_frame.tolist()) == ([0, 1, 2, 3], [2])


def test_nobody_at_all_makes_a_table_too(recorder, tmp_path):
    recorder.start(tmp_path / "r", WEBCAM)
    add_all(recorder, [result(0), result(1)])
    assert recorder.stop().error is None
    assert read_recording(tmp_path / "r" / "keypoints.csv").frames == 2


def test_two_recordings_do_not_mix(recorder, tmp_path):
    recorder.start(tmp_path / "a", WEBCAM)
    add_all(recorder, [result(0)])
    recorder.start(tmp_path / "b", WEBCAM)
    add_all(recorder, [result(1), result(2)])
    assert recorder.stop().frames == 2
    assert recorded_in(tmp_path / "b").facts["frames"] == 2
    recorder.start(tmp_path / "b", WEBCAM)
    add_all(recorder, [result(1)])
    summary = recorder.stop()
    assert "already" in str(summary.error)
    assert recorded_in(tmp_path / "b").facts["frames"] == 2


def test_what_goes_wrong_is_a_value(recorder, tmp_path):
    (tmp_path / "file").write_text("")
    recorder.start(tmp_path / "file" / "r", WEBCAM)
    summary = recorder.stop()
    assert "choose another folder" in summary.error.remedy
    assert not recorder.add(result(0))

    recorder.start(tmp_path / "r", WEBCAM)
    add_all(recorder, [result(0), result(1, size_wh=(80, 60))])
    summary = recorder.stop()
    assert "size changed" in str(summary.error)
    facts = recorded_in(tmp_path / "r").facts
    assert (facts["state"], facts["frames"]) == ("ended by an error", 1)
    assert "size changed" in facts["error"]
    with VideoReader(tmp_path / "r" / "video.mkv") as video:
        assert len(list(video)) == 1


def test_a_disk_with_little_room_is_left_alone(recorder, tmp_path):
    recorder.start(tmp_path / "r", WEBCAM, RecordingOptions(least_free_bytes=2**62))
    summary = recorder.stop()
    assert "MB left" in str(summary.error)
    assert not (tmp_path / "r" / "video.mkv").exists()


def test_with_faces_covered_only_such_pictures_are_written(recorder, tmp_path):
    """Somebody is found in the fourth frame; in the three before the head is there too."""
    size_wh = (320, 240)
    given = [result(k, k / 10, (pose(x=150, track_id=1),) if k >= 3 else (), size_wh) for k in range(8)]
    recorder.start(tmp_path / "r", WEBCAM, RecordingOptions(blur_faces=True))
    add_all(recorder, given)
    assert recorder.stop().frames == 8
    assert recorded_in(tmp_path / "r").facts["faces_covered"] is True
    assert {path.name for path in (tmp_path / "r").iterdir()} == {
        "video.mkv", "keypoints.csv", "timestamps.csv", "settings.json",
    }  # fmt: skip
    from sadinet.media.heads import heads_of

    (head,) = heads_of(given[3].poses[0])
    reach = int(head.radius / 2)
    inside = np.s_[int(head.y) - reach : int(head.y) + reach, int(head.x) - reach : int(head.x) + reach]
    away = np.s_[180:, :80]

    def likeness(frame: np.ndarray, other: np.ndarray, part) -> float:
        # Of brightness: colours are stored more coarsely.
        return float(np.corrcoef(frame[part].mean(axis=2).ravel(), other[part].mean(axis=2).ravel())[0, 1])

    with VideoReader(tmp_path / "r" / "video.mkv") as video:
        for frame, each in zip(video, given, strict=True):
            assert likeness(frame.image, each.frame.image, inside) < 0.5
            assert likeness(frame.image, each.frame.image, away) > 0.6
    assert recorded_in(tmp_path / "r").keypoints is not None
    assert read_recording(tmp_path / "r" / "keypoints.csv").rows == 5


def test_names_of_folders_are_not_taken_and_hold_no_path(tmp_path):
    first = recording_folder(tmp_path, "rtsp://cam/../x: 1")
    assert first.parent == tmp_path
    first.mkdir()
    second = recording_folder(tmp_path, "rtsp://cam/../x: 1")
    assert second != first
    assert not second.exists()


_CHILD = """
    import os, signal, sys, time
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from test_recording import WEBCAM, pose, result
    from app.recording import RecordingController
    from app.recording_files import RecordingOptions

    recorder = RecordingController()
"""


def child(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(_CHILD) + textwrap.dedent(code),
            str(folder),
            str(Path(__file__).parent),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=100,
    )


def check_it_opens(folder: Path, at_least: int) -> None:
    recorded = recorded_in(folder)
    with VideoReader(recorded.video) as video:
        times = [frame.time_s for frame in video]
    assert len(times) >= at_least
    table = read_recording(recorded.keypoints)
    assert table.frames >= at_least
    shared = min(table.frames, len(times))
    assert table.time_s[:shared] == pytest.approx(times[:shared], abs=1e-9)
    stamps = (folder / "timestamps.csv").read_text().splitlines()
    assert len(stamps) - 1 >= at_least
    assert all(line.count(",") == 4 for line in stamps)


@pytest.mark.slow
def test_after_a_kill_everything_opens_and_can_be_done_again(tmp_path):
    code = """
        recorder.start(Path(sys.argv[1]), WEBCAM)
        for k in range(45):
            while not recorder.add(result(k, poses=(pose(track_id=0),))):
                time.sleep(0.01)
        while recorder.status.frames < 40:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert child(code, tmp_path / "r").returncode == -signal.SIGKILL
    check_it_opens(tmp_path / "r", 24)
    assert recorded_in(tmp_path / "r").facts["state"] == "recording"

    from sadinet.cli.main import main

    assert main(["run", str(tmp_path / "r" / "video.mkv"), "-o", str(tmp_path / "out"), "--quiet", "--no-page"]) == 0
    again = read_recording(tmp_path / "out" / "video.csv")
    assert again.time_s == pytest.approx([k / 30 for k in range(again.frames)], abs=5.1e-4)


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are set as on POSIX")
def test_on_a_full_disk_it_is_told_and_everything_opens(tmp_path):
    code = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
        recorder.start(Path(sys.argv[1]), WEBCAM)
        for k in range(300):
            while not recorder.add(result(k, poses=(pose(track_id=0),))) and recorder.status.error is None:
                time.sleep(0.01)
        summary = recorder.stop(30)
        print(summary.frames, summary.is_complete, summary.error)
    """
    done = child(code, tmp_path / "r")
    assert done.returncode == 0, done.stderr
    frames, is_complete, message = done.stdout.split(" ", 2)
    assert is_complete == "True"
    assert "file too large" in message
    assert 10 < int(frames) < 300
    check_it_opens(tmp_path / "r", int(frames) - 25)
    assert recorded_in(tmp_path / "r").facts["state"] == "ended by an error"
