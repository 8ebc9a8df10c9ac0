"""The optional ultralytics detector: its boxes, and what is said where it is missing."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from sadinet.errors import DeviceError
from sadinet.geometry import Box
from sadinet.people.detector import open_detector
from sadinet.people.ultralytics_detector import boxes_from_corners


@pytest.mark.skipif(importlib.util.find_spec("ultralytics") is not None, reason="ultralytics is installed")
@pytest.mark.parametrize("name", ["yolo11n.pt", "folder/own.pt"])
def test_missing_ultralytics_is_told_with_the_remedy(name):
    with pytest.raises(DeviceError, match="needs ultralytics") as error:
        open_detector(name)
    assert "sadinet[torch]" in error.value.remedy


def test_boxes_are_clipped_sorted_and_count_from_pixel_centres():
    corners = np.array([[-5, 10, 20, 500], [0, 0, 640, 480], [700, 10, 800, 20]], np.float32)
    boxes = boxes_from_corners(corners, np.array([0.5, 0.75, 0.9], np.float32), (640, 480))
    assert boxes == (Box(-0.5, -0.5, 640, 480, 0.75), Box(-0.5, 9.5, 20, 470, 0.5))


def test_no_boxes_are_no_boxes():
    assert boxes_from_corners(np.empty((0, 4)), np.empty(0), (640, 480)) == ()
