"""What a training writes for people to look at."""

from __future__ import annotations

import errno
import importlib.util
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest

from sadinet.errors import OutputError
from sadinet.skeletons import BODY19
from sadinet.training.datasets import PersonSet
from sadinet.training.logs import TrainingLog, append_row, draw_sheet

ROOT = Path(__file__).resolve().parents[2]


def standing(count):
    """So many people on grey ground, their joints on a circle."""
    angles = np.linspace(0, 2 * np.pi, 19)
    circle = 45 + 30 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pictures = [np.full((90, 90, 3), 120, np.uint8)] * count
    joints = np.repeat(circle[None], count, axis=0).astype(np.float32)
    return PersonSet("round", pictures, joints, np.ones((count, 19), np.float32), [str(i) for i in range(count)])


@pytest.fixture
def without_opencv(monkeypatch):
    """A machine on which OpenCV is not installed."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "cv2" else real(name, *rest))


def test_each_epoch_has_a_picture_of_what_was_found(tmp_path):
    lines = []
    held_out = standing(3)
    with TrainingLog(tmp_path, lines.append, bar=False) as log:
        for epoch in (1, 2):
            log.picture(epoch, held_out, held_out.joints, BODY19)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["epoch-001.jpg", "epoch-002.jpg"]
    drawn = cv2.imread(str(tmp_path / "pictures" / "epoch-001.jpg"))
    assert drawn.shape == (256, 1024, 3)
    assert np.ptp(drawn[:, :768]) > 100
    assert lines == []


def test_labels_are_ringed(tmp_path):
    """Joints that are not labelled have no ring; those that were found lie elsewhere here."""
    people = standing(1)
    people.weight[0, 5:] = 0
    sheet = draw_sheet(people, np.full_like(people.joints, 10), BODY19, tile_px=180).astype(int)
    is_green = (sheet[..., 1] > sheet[..., 0] + 60) & (sheet[..., 1] > sheet[..., 2] + 60)
    for place, (x, y) in enumerate((people.joints[0] + 0.5) * 2 - 0.5):
        near = is_green[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7]
        assert near.any() == (place < 5 or place == 18)  # the last one lies where the first does


def test_without_opencv_it_is_said_once_that_there_are_no_pictures(tmp_path, without_opencv):
    lines, held_out = [], standing(3)
    with TrainingLog(tmp_path, lines.append, bar=False) as log:
        for epoch in (1, 2):
            log.picture(epoch, held_out, held_out.joints, BODY19)
    assert len(lines) == 1
    assert "no pictures of predictions" in lines[0]
    assert "opencv" in lines[0]
    assert not (tmp_path / "pictures").exists()


def test_other_processes_than_the_first_say_nothing_of_pictures(tmp_path, without_opencv):
    lines, held_out = [], standing(3)
    with TrainingLog(tmp_path, lines.append, active=False) as log:
        log.picture(1, held_out, held_out.joints, BODY19)
    assert lines == []


def a_folder(path):
    path.mkdir()


IN_THE_WAY = {
    "log.csv, a folder": ("log.csv", a_folder),
    "log.csv, binary": ("log.csv", lambda path: path.write_bytes(b"\xff\xfe\x00\x81" * 50)),
    "log.csv, one long field": ("log.csv", lambda path: path.write_text("epoch\n" + "9" * 200_000)),
    "log.csv, another table": ("log.csv", lambda path: path.write_text("name,price\napple,2\n")),
    "pictures, a file": ("pictures", lambda path: path.write_text("")),
    "tensorboard, a file": ("tensorboard", lambda path: path.write_text("")),
}


@pytest.mark.parametrize(("name", "make"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_lies_in_the_way_is_one_line_before_the_training(tmp_path, name, make):
    if name == "tensorboard":
        pytest.importorskip("tensorboard")
    make(tmp_path / name)
    with pytest.raises(OutputError, match=rf"cannot (add to|write|make folder) .*{name}: ") as caught:
        TrainingLog(tmp_path, pytest.fail, bar=False)
    assert "\n" not in str(caught.value)
    TrainingLog(tmp_path, pytest.fail, active=False)


def test_what_comes_in_the_way_later_is_one_line_too(tmp_path):
    held_out = standing(1)
    with TrainingLog(tmp_path, lambda line: None, bar=False) as log:
        (tmp_path / "pictures").write_text("")
        with pytest.raises(OutputError, match=r"cannot make folder .*pictures"):
            log.picture(1, held_out, held_out.joints, BODY19)
        (tmp_path / "log.csv").mkdir()
        with pytest.raises(OutputError, match=r"cannot write .*log\.csv: is a directory"):
            append_row(tmp_path / "log.csv", {"epoch": 1})


CALLS = {
    "progress": lambda log: log.progress(0, 50, 100, {"total": 2.5}, step=50),
    "epoch": lambda log: log.epoch({"epoch": 1, "pck02": 61.5}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_disk_that_takes_no_more_numbers_is_one_line(tmp_path, monkeypatch, call):
    pytest.importorskip("tensorboard")
    from tensorboard.summary.writer.record_writer import RecordWriter

    def refuse(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with TrainingLog(tmp_path, lambda line: None, bar=False) as log:
        monkeypatch.setattr(RecordWriter, "write", refuse)
        with pytest.raises(OutputError, match=r"cannot write .*tfevents.*: no space left on device \(free some space"):
            call(log)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_file_of_events_that_grows_too_large_leaves_no_traceback(tmp_path):
    """The system itself stops the write."""
    pytest.importorskip("tensorboard")
    code = """
        import resource, signal, sys
        from pathlib import Path
        from sadinet.errors import OutputError
        from sadinet.training.logs import TrainingLog

        try:
            with TrainingLog(Path(sys.argv[1]), print, bar=False) as log:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
                for step in range(50, 5000, 50):
                    log.progress(0, step, 5000, {"total": 2.5}, step=step)
        except OutputError as error:
            print(error, file=sys.stderr)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    (told,) = done.stderr.splitlines()
    assert told.startswith("cannot write ")
    assert ": file too large" in told
