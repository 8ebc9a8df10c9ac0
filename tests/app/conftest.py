"""What every test of the desktop program gets: no real settings, no boxes, nothing left behind; and made-up people."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import threading
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QEvent, QTimer
from PyQt6.QtWidgets import QDialog, QMessageBox

from sadinet.engines.session import Runtime
from sadinet.geometry import Box
from sadinet.media.live_source import Captured, SourceState
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import BODY19

_GRACE_S = 20.0


@pytest.fixture(scope="session")
def x_display():
    """Name of an X display without a screen, on which windows are real ones."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (Debian: apt-get install xvfb)")
    reading, writing = os.pipe()
    # It chooses a free number itself, and tells it once it can be used.
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as told:
                number = told.readline().strip()
            if not number:
                pytest.skip("Xvfb does not start here")
            yield f":{number}"
        finally:
            server.terminate()


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory, monkeypatch):
    """Nothing of the user's is read or written."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "HOME", "APPDATA"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(autouse=True)
def _no_boxes(monkeypatch):
    """A box that nobody expects would wait for ever."""

    def refuse(*args, **kwargs):
        pytest.fail(f"a modal box was shown: {args}")

    monkeypatch.setattr(QDialog, "exec", refuse)
    for name in ("exec", "open", "about", "critical", "information", "question", "warning"):
        monkeypatch.setattr(QMessageBox, name, refuse)


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    """Threads end with the test that began them, and no timer goes on."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + _GRACE_S
    late = [thread for thread in threading.enumerate() if thread not in before]
    for thread in late:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = [thread.name for thread in late if thread.is_alive()]
    assert not late, f"threads left behind: {late}"
    if _running_timers():
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        assert not _running_timers(), f"timers left behind: {_running_timers()}"


@pytest.fixture(name="running_timers")
def _timers_fixture():
    """Finds the timers that run now."""
    return _running_timers


def _running_timers():
    found = [each for each in gc.get_objects() if issubclass(type(each), QTimer)]
    return [timer for timer in found if not sip.isdeleted(timer) and timer.isActive()]


CPU = Runtime("made up", "1", "cpu", "fp32", "a test asked for it")


def made_pose(number=1, at=(160.0, 120.0), height=160.0) -> Pose:
    """Somebody who stands there, arms down."""
    places = {
        "head_top": (0, -0.5), "nose": (0, -0.42), "neck": (0, -0.33),
        "shoulder": (0.11, -0.3), "elbow": (0.14, -0.14), "wrist": (0.15, 0.02),
        "hip": (0.07, 0.02), "knee": (0.08, 0.26), "ankle": (0.08, 0.5), "eye": (0.02, -0.44), "ear": (0.04, -0.43),
    }  # fmt: skip
    joints = np.empty((len(BODY19), 2), np.float32)
    for place, name in enumerate(BODY19.joints):
        side, _, plain = name.rpartition("_") if name not in places else ("", "", name)
        x, y = places[plain]
        joints[place] = at[0] + (-x if side == "right" else x) * height, at[1] + y * height
    box = Box(at[0] - 0.25 * height, at[1] - 0.55 * height, 0.5 * height, 1.1 * height, 0.9)
    scores = np.full(len(BODY19), 0.9, np.float32)
    return Pose(joints, scores, np.full((len(BODY19), 2), 2.0, np.float32), box, BODY19, number)


def made_frame(index=0, size_wh=(320, 240), source="made up", rate_hz=30.0) -> Frame:
    """A grey picture, brighter from frame to frame."""
    image = np.full((size_wh[1], size_wh[0], 3), 60 + index % 100, np.uint8)
    return Frame(image, index, index / rate_hz, source)


class MadePeople:
    """Models that need no time: one person in every frame, who goes to the right."""

    class _Estimator:
        skeleton = BODY19
        runtime = CPU

        class weights:  # noqa: N801
            name = "made-up"

    class _Detector:
        runtime = CPU

    estimator = _Estimator()
    detector = _Detector()
    settings = None

    def __init__(self, takes_s=0.0, error=None):
        self._takes_s, self._error = takes_s, error
        self.resets = 0

    def follower(self):
        return self._Follower(self)

    class _Follower:
        def __init__(self, people):
            self._people = people
            self.detection_interval = 3

        def reset(self):
            self._people.resets += 1

        def __call__(self, frame):
            if self._people._error is not None:
                raise self._people._error
            time.sleep(self._people._takes_s)
            pose = made_pose(at=(40.0 + frame.index % 240, 120.0))
            return FrameResult(frame, (pose,), {"detect": 1.0, "pose": 2.0, "track": 0.1})


class MadeCamera:
    """A camera with faults: it may hang when it is opened or read, stand still, be lost and return, or end.

    Args:
        rate_hz: frames a second.
        size_wh: of its pictures.
        frames: after how many it ends, None for never.
        error: raised in place of frames, from `error_after` frames on.
    """

    def __init__(self, rate_hz=60.0, size_wh=(320, 240), frames=None, error=None, error_after=0):
        self.name = "made-up camera"
        self.notes = ()
        self.dropped = 0
        self.state = SourceState("connected", time.monotonic())
        self.given = 0
        self.is_closed = False
        self.hang = threading.Event()  # set: reading and closing wait until it is cleared
        self._step_s = 1 / rate_hz
        self._size_wh = size_wh
        self._frames, self._error, self._error_after = frames, error, error_after

    def read(self, timeout_s=0.5):
        while self.hang.is_set():
            time.sleep(0.01)
        if self._error is not None and self.given >= self._error_after:
            self.state = SourceState("failed", time.monotonic(), str(self._error))
            raise self._error
        if self.state.kind == "lost":
            time.sleep(0.02)
            return None
        if self.is_closed or self.given == self._frames:
            self.state = SourceState("ended", time.monotonic())
            return None
        time.sleep(self._step_s)
        self.given += 1
        return Captured(made_frame(self.given - 1, self._size_wh, self.name), time.monotonic())

    def tell(self, kind, message=""):
        self.state = SourceState(kind, time.monotonic(), message)

    def close(self):
        while self.hang.is_set():
            time.sleep(0.01)
        self.is_closed = True


@pytest.fixture
def made_people():
    """Makes models that need no time."""
    return MadePeople


@pytest.fixture
def made_camera():
    """Makes cameras with faults."""
    return MadeCamera


@pytest.fixture
def pose():
    """Makes somebody who stands somewhere."""
    return made_pose


@pytest.fixture
def frame():
    """Makes a grey picture."""
    return made_frame


@pytest.fixture
def until():
    """Waits until something holds, doing something in the meantime."""

    def wait(holds, what="it", step=lambda: None, seconds=30.0):
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                state = getattr(getattr(step, "__self__", None), "state", "")
                pytest.fail(f"{what} did not come {state}")
            step()
            time.sleep(0.005)

    return wait


@pytest.fixture
def control(tmp_path, made_people, made_camera):
    """Makes controllers over made-up sources and models, and ends their threads."""
    from app.controller import Controller
    from app.loading import ModelChoice
    from app.workers import Workers

    made = []

    def make(source=None, people=None, load=None):
        def open_source(choice):
            if isinstance(source, Exception):
                raise source
            return source(choice) if callable(source) else source or made_camera()

        def load_made(choice):
            if isinstance(people, Exception):
                raise people
            return people or made_people()

        workers = Workers(ModelChoice(), tmp_path / "cache", open_source=open_source, load=load or load_made)
        made.append(Controller(workers))
        return made[-1]

    yield make
    for each in made:
        assert each.workers.stop(5.0) == ()


@pytest.fixture
def real(tmp_path):
    """A controller over the shipped models."""
    from app.controller import Controller
    from app.loading import ModelChoice
    from app.workers import Workers

    controller = Controller(Workers(ModelChoice(), tmp_path / "cache"))
    yield controller
    controller.workers.stop(10.0)


@pytest.fixture
def people_in():
    """Says whether a controller's next picture has somebody in it."""

    def look(controller):
        live = controller.tick().live
        return live is not None and len(live.result.poses) > 0

    return look


@pytest.fixture
def make_window(qapp, tmp_path, made_people, made_camera):
    """Makes windows over made-up sources and models, and closes them."""
    from app import theme
    from app.choice import DEMO
    from app.controller import Controller
    from app.loading import ModelChoice
    from app.main_window import MainWindow
    from app.settings import AppSettings
    from app.workers import Workers

    made = []

    def make(source=DEMO, settings=None, camera=None, people=None, load=None):
        workers = Workers(
            ModelChoice(),
            tmp_path / "cache",
            open_source=lambda choice: camera or made_camera(),
            load=load or (lambda choice: people or made_people()),
        )
        workers.find_cameras = lambda: None  # the machine's own are none of a test's business
        settings = settings or AppSettings(folder=str(tmp_path / "results"))
        window = MainWindow(Controller(workers), settings, tmp_path / "data")
        made.append(window)
        window.show()
        if source is not None:
            window.controller.start(source)
        return window

    yield make
    for window in made:
        window.close()
        window.side.stop(5.0)
        window.desk.finish(5.0)
        window.deleteLater()
    # Windows that only wait for their end would be painted anew with every change of colours.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    theme.apply(qapp, theme.DARK)


@pytest.fixture
def wait(until, qapp):
    """Waits with the window's events going on."""
    return lambda holds, what="it", seconds=60.0: until(holds, what, qapp.processEvents, seconds)
