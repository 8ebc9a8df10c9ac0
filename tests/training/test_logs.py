"""What a training writes for people to look at."""

from __future__ import annotations

import importlib.util

import cv2
import numpy as np
import pytest

from sadinet.skeletons import BODY19
from sadinet.training.datasets import PersonSet
from sadinet.training.logs import TrainingLog


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
