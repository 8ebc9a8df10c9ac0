"""The window on a camera with every fault; the driver alone is made up, what opens and watches it is the real thing."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from app.choice import SourceChoice, SourceKind
from app.controller import LOST_NOTE, Controller
from app.loading import ModelChoice
from app.main_window import MainWindow
from app.settings import AppSettings
from app.state import Phase
from app.workers import Workers
from sadinet.media.camera import CameraInfo, open_camera

DESK = CameraInfo(2, "Desk Cam", "usb-desk")
CHOICE = SourceChoice(SourceKind.CAMERA, DESK.identity, DESK.name)
STALL_S = 4.0  # longer than a busy machine may keep a thread from its work
PATIENCE_MS = 60_000


@dataclass
class Device:
    """A camera as hardware, whose faults are switched while it runs."""

    info: CameraInfo = DESK
    is_plugged: bool = True
    is_busy: bool = False
    is_frozen: bool = False
    may_open: threading.Event = field(default_factory=threading.Event)  # cleared: opening hangs
    may_read: threading.Event = field(default_factory=threading.Event)  # cleared: reading hangs
    opened: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.may_open.set()
        self.may_read.set()

    def listed(self):
        return (self.info,) if self.is_plugged else ()

    def capture(self, info):
        self.opened.append(info.index)
        self.may_open.wait(120)
        return Capture(self)


class Capture:
    """What OpenCV's capture object is to the program."""

    def __init__(self, device):
        self._device = device
        self._numbers = itertools.count()
        self._image = None

    def isOpened(self):  # noqa: N802
        return self._device.is_plugged and not self._device.is_busy

    def set(self, prop, value):
        return False

    def get(self, prop):
        return 0.0

    def grab(self):
        self._device.may_read.wait(120)
        time.sleep(0.02)
        return self._device.is_plugged

    def retrieve(self):
        if self._image is None or not self._device.is_frozen:
            self._image = np.full((120, 160, 3), next(self._numbers) % 256, np.uint8)
        return True, self._image.copy()

    def release(self):
        pass


@pytest.fixture
def device():
    device = Device()
    yield device
    device.may_open.set()
    device.may_read.set()


@pytest.fixture
def window(qtbot, device, made_people, made_camera, tmp_path, monkeypatch):
    """A window on the camera; its demo clip is a camera without faults."""
    import sadinet.media.camera_list

    monkeypatch.setattr(sadinet.media.camera_list, "list_cameras", device.listed)

    def open_source(choice):
        if choice.kind is not SourceKind.CAMERA:
            return made_camera()
        return open_camera(
            choice.where,
            factory=device.capture,
            cameras=device.listed,
            timeout_s=30.0,
            stall_s=STALL_S,
            return_s=60.0,
        )

    workers = Workers(ModelChoice(), tmp_path / "cache", open_source=open_source, load=lambda choice: made_people())
    window = MainWindow(Controller(workers), AppSettings(folder=str(tmp_path)), tmp_path)
    window.on_close = lambda: None
    qtbot.addWidget(window)
    window.show()
    yield window
    device.may_open.set()
    device.may_read.set()
    window.close()
    assert workers.stop(10.0) == ()


def goes_on(qtbot, window):
    """Wait until pictures with somebody in them come."""
    shown = window.rendering.shown
    qtbot.waitUntil(
        lambda: window.rendering.shown > shown + 3 and window.shown is not None and bool(window.shown.poses),
        timeout=PATIENCE_MS,
    )


def is_told(window, words):
    return any(words in message for message in window.notices.messages)


def test_a_camera_that_opens_slowly_leaves_the_window_alive_and_is_shown_when_it_is_there(qtbot, window, device):
    device.may_open.clear()
    window.controller.start(CHOICE)
    qtbot.waitUntil(lambda: device.opened == [2], timeout=PATIENCE_MS)
    beats = window.heartbeat.beats
    qtbot.waitUntil(lambda: window.heartbeat.beats > beats + 20, timeout=PATIENCE_MS)
    assert window.controller.state.phase is Phase.OPENING
    device.may_open.set()
    goes_on(qtbot, window)
    assert window.controller.state.phase is Phase.OPEN
    assert not window.notices.messages


def test_a_window_is_closed_at_once_while_its_camera_hangs(qtbot, window, device):
    device.may_open.clear()
    window.controller.start(CHOICE)
    qtbot.waitUntil(lambda: device.opened == [2], timeout=PATIENCE_MS)
    window.close()
    assert not window.isVisible()
    late = window.controller.workers.stop(0.3)
    assert late, "nobody waits for a driver that hangs; what is left is named"
    device.may_open.set()


def test_a_picture_that_stands_still_is_told_until_it_moves_again(qtbot, window, device):
    window.controller.start(CHOICE)
    goes_on(qtbot, window)
    device.is_frozen = True
    qtbot.waitUntil(lambda: is_told(window, "the picture stands still"), timeout=PATIENCE_MS)
    assert window.controller.state.phase is Phase.OPEN
    device.is_frozen = False
    qtbot.waitUntil(lambda: not is_told(window, LOST_NOTE), timeout=PATIENCE_MS)
    goes_on(qtbot, window)


def test_an_unplugged_camera_is_told_and_comes_back_under_another_number(qtbot, window, device):
    window.controller.start(CHOICE)
    goes_on(qtbot, window)
    device.is_plugged = False
    qtbot.waitUntil(lambda: is_told(window, LOST_NOTE), timeout=PATIENCE_MS)
    device.info = CameraInfo(5, DESK.name, DESK.identity)
    device.is_plugged = True
    goes_on(qtbot, window)
    qtbot.waitUntil(lambda: not is_told(window, LOST_NOTE), timeout=PATIENCE_MS)
    assert device.opened[-1] == 5
    assert window.controller.state.source == CHOICE


def test_a_camera_that_hangs_while_it_is_read_is_told_and_opened_again(qtbot, window, device):
    window.controller.start(CHOICE)
    goes_on(qtbot, window)
    device.may_read.clear()
    qtbot.waitUntil(lambda: is_told(window, LOST_NOTE), timeout=PATIENCE_MS)
    device.may_read.set()
    goes_on(qtbot, window)
    qtbot.waitUntil(lambda: not is_told(window, LOST_NOTE), timeout=PATIENCE_MS)


def test_a_busy_camera_is_told_with_its_remedy_and_the_demo_clip_is_shown(qtbot, window, device):
    device.is_busy = True
    window.controller.start(CHOICE)
    qtbot.waitUntil(lambda: is_told(window, "does not open"), timeout=PATIENCE_MS)
    assert "close other programs" in window.controller.state.problems[0].remedy
    goes_on(qtbot, window)
    assert window.controller.state.source.kind is SourceKind.DEMO
