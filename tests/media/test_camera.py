"""Cameras that work, and cameras with every fault: slow, hung, unplugged, frozen, absent, in use."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from sadinet.errors import InputError, SourceError
from sadinet.media.camera import CameraInfo, list_cameras, open_camera
from sadinet.media.camera_list import find_camera, lasting_identities
from sadinet.media.live_source import LiveSource

FRONT = CameraInfo(0, "Front Cam", "usb-front")
DESK = CameraInfo(2, "Desk Cam", "usb-desk")
TWINS = (CameraInfo(4, "Twin", "usb-left"), CameraInfo(6, "Twin", "usb-right"))
RATE_HZ = 100.0


@dataclass
class Device:
    """A camera as hardware: what it does is set from outside, while it runs.

    Everything that is opened on it shares its faults, as with a plug that is pulled.
    """

    info: CameraInfo = FRONT
    size_wh: tuple[int, int] = (64, 48)
    opening_s: float = 0.0
    is_plugged: bool = True
    is_busy: bool = False
    is_frozen: bool = False
    hangs: threading.Event = field(default_factory=threading.Event)
    freed: threading.Event = field(default_factory=threading.Event)  # lets go of whoever hangs
    opened: list[int] = field(default_factory=list)
    released: int = 0

    def listed(self) -> tuple[CameraInfo, ...]:
        return (self.info,) if self.is_plugged else ()

    def open(self, info: CameraInfo) -> Picture:
        self.opened.append(info.index)
        time.sleep(self.opening_s)
        return Picture(self)


class Picture:
    """What `cv2.VideoCapture` is to OpenCV."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.numbers = itertools.count()
        self.image: np.ndarray | None = None
        self.wishes: dict[int, float] = {}

    def isOpened(self) -> bool:  # noqa: N802
        return self.device.is_plugged and not self.device.is_busy

    def set(self, prop: int, value: float, /) -> bool:
        self.wishes[prop] = value
        return False

    def get(self, prop: int, /) -> float:
        return RATE_HZ if prop == cv2.CAP_PROP_FPS else 0.0

    def grab(self) -> bool:
        if self.device.hangs.is_set():
            self.device.freed.wait(60)
        time.sleep(1 / RATE_HZ)
        return self.device.is_plugged

    def retrieve(self) -> tuple[bool, np.ndarray]:
        if self.image is None or not self.device.is_frozen:
            width, height = self.device.size_wh
            self.image = np.full((height, width, 3), next(self.numbers) % 256, np.uint8)
        return True, self.image.copy()

    def release(self) -> None:
        self.device.released += 1


@pytest.fixture
def device():
    device = Device()
    yield device
    device.freed.set()


def opened(device: Device, camera: CameraInfo | int | str = 0, **changes):
    # Far above what a busy machine needs between two pictures.
    limits = {"timeout_s": 10.0, "stall_s": 2.0, "return_s": 0.0} | changes
    return open_camera(camera, factory=device.open, cameras=device.listed, **limits)


def wait_for(source, kind: str, limit_s: float = 20.0):
    deadline = time.monotonic() + limit_s
    while source.state.kind != kind:
        assert time.monotonic() < deadline, source.state
        source.read(0.02)
    return source.state


def read_on(source, limit_s: float = 30.0):
    """Read until it raises."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        source.read(0.05)


def next_frame(source, limit_s: float):
    deadline = time.monotonic() + limit_s
    while (captured := source.read(0.1)) is None:
        assert time.monotonic() < deadline, source.state
    return captured


def test_frames_come_in_order_with_the_time_of_their_grab(device):
    source = opened(device)
    assert isinstance(source, LiveSource)
    taken = [source.read(1.0) for _ in range(12)]
    source.close()
    times = np.array([item.frame.time_s for item in taken])
    grabs = np.array([item.captured_s for item in taken])
    assert times[0] >= 0
    np.testing.assert_allclose(np.diff(times), np.diff(grabs), atol=1e-9)
    assert (np.diff(times) > 0).all()
    # The picture belongs to the index: the fake numbers its pictures.
    assert [int(item.frame.image[0, 0, 0]) for item in taken] == [item.frame.index for item in taken]
    assert taken[0].frame.source == "camera Front Cam"
    assert taken[-1].captured_s <= time.monotonic()


def test_whoever_is_slow_gets_the_newest_frame_and_the_rest_is_counted(device):
    source = opened(device)
    first = source.read(1.0)
    time.sleep(1.0)
    late = source.read(1.0)
    age_s = time.monotonic() - late.captured_s
    source.close()
    assert late.frame.index - first.frame.index > 5
    assert source.dropped == late.frame.index - first.frame.index - 1 + first.frame.index
    assert age_s < 0.8, "the oldest would be a second old"


def test_what_the_camera_gives_in_place_of_what_was_asked_is_told(device):
    source = opened(device, size_wh=(1280, 720), rate_hz=30)
    source.close()
    assert source.notes == (
        "the camera gives 64x48 in place of 1280x720",
        "the camera gives 100 frames a second in place of 30",
    )
    source = opened(device, size_wh=(64, 48), rate_hz=100)
    source.close()
    assert source.notes == ()


def test_a_large_picture_is_asked_for_compressed_and_nothing_may_wait_in_the_driver(device):
    asked = []

    def open_and_keep(info):
        asked.append(device.open(info))
        return asked[-1]

    open_camera(0, size_wh=(1280, 720), factory=open_and_keep, cameras=device.listed).close()
    (capture,) = asked
    assert next(iter(capture.wishes)) == cv2.CAP_PROP_FOURCC  # a size set before it would be that of raw pictures
    assert capture.wishes[cv2.CAP_PROP_BUFFERSIZE] == 1


def test_a_camera_that_opens_slowly_is_told_in_time_and_let_go_of_later(device):
    device.opening_s = 2.0
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"camera Front Cam gave no picture within 0.2 s"):
        opened(device, timeout_s=0.2)
    assert time.monotonic() - began < 1.8
    deadline = time.monotonic() + 20
    while not device.released:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_camera_that_is_in_use_is_told(device):
    device.is_busy = True
    with pytest.raises(SourceError, match=r"0 'Front Cam' does not open \(close other programs"):
        opened(device)
    assert device.released == 1


def test_a_read_that_hangs_is_told_after_a_time_and_closing_does_not_wait_for_it(device):
    source = opened(device, stall_s=0.3)
    source.read(1.0)
    device.hangs.set()
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"has given no picture for 0.3 s \(plug it in again"):
        read_on(source)
    assert 0.2 < time.monotonic() - began < 20
    assert source.state.kind == "failed"
    with pytest.raises(SourceError):
        source.read(0.0)
    began = time.monotonic()
    source.close()
    assert time.monotonic() - began < 20
    device.freed.set()


def test_closing_while_a_read_waits_and_the_camera_hangs_ends_the_read(device):
    source = opened(device, stall_s=90)
    source.read(1.0)
    device.hangs.set()
    answers = []
    reader = threading.Thread(target=lambda: answers.append([source.read(60) for _ in range(3)][-1]))
    reader.start()
    time.sleep(0.1)
    began = time.monotonic()
    source.close()
    reader.join(20)
    assert not reader.is_alive()
    assert answers == [None]
    assert time.monotonic() - began < 20
    assert source.state.kind == "closed"
    source.close()


def test_an_overdue_frame_is_told_before_the_camera_counts_as_lost(device):
    source = opened(device, stall_s=10.0)
    source.read(1.0)
    device.hangs.set()
    assert wait_for(source, "waiting").message == "the next picture is overdue"
    device.freed.set()
    device.hangs.clear()
    wait_for(source, "connected")
    source.close()


def test_an_unplugged_camera_comes_back_by_its_identity_under_another_number(device):
    source = opened(device, return_s=20.0)
    before = source.read(1.0)
    device.is_plugged = False
    state = wait_for(source, "lost")
    assert "0 'Front Cam' gives no picture any more" in state.message
    assert state.since_s <= time.monotonic()
    device.info = CameraInfo(3, "Front Cam", "usb-front")
    device.is_plugged = True
    after = next_frame(source, 20.0)
    assert source.state.kind == "connected"
    assert after.frame.flags == ("after_gap",)
    assert after.frame.time_s - before.frame.time_s == pytest.approx(after.captured_s - before.captured_s, abs=1e-9)
    assert after.frame.index > before.frame.index
    assert source.read(1.0).frame.flags == ()
    assert (device.opened[0], device.opened[-1]) == (0, 3)
    source.close()


def test_another_camera_in_its_place_is_not_taken_for_it(device):
    source = opened(device, return_s=1.2)
    device.is_plugged = False
    wait_for(source, "lost")
    device.info, device.is_plugged = CameraInfo(0, "Front Cam", "usb-other"), True
    with pytest.raises(SourceError, match=r"did not come back within 1.2 s"):
        read_on(source)
    assert device.opened == [0]
    source.close()


def test_a_picture_that_stands_still_is_flagged_and_told_while_the_camera_is_there(device):
    source = opened(device)
    device.is_frozen = True
    state = wait_for(source, "waiting")
    assert state.message.startswith("the picture stands still")
    assert source.read(1.0).frame.flags == ("frozen",)
    device.is_frozen = False
    wait_for(source, "connected")
    assert source.read(1.0).frame.flags == ()
    source.close()


def test_a_picture_that_stands_still_of_a_camera_no_longer_listed_is_a_loss(device):
    listed = [FRONT]
    source = open_camera(0, stall_s=0.3, return_s=0, factory=device.open, cameras=lambda: tuple(listed))
    device.is_frozen = True
    listed.clear()
    with pytest.raises(SourceError, match="is unplugged"):
        read_on(source)
    source.close()


def test_grey_pictures_become_three_channels(device):
    device.size_wh = (40, 30)
    plain = Picture.retrieve

    class Grey(Picture):
        def retrieve(self):
            whole, image = plain(self)
            return whole, image[:, :, 0]

    source = open_camera(0, factory=lambda info: Grey(device), cameras=device.listed)
    assert source.read(1.0).frame.image.shape == (30, 40, 3)
    source.close()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(0, FRONT), ("2", DESK), ("usb-desk", DESK), ("Desk Cam", DESK), ("front", FRONT), ("usb-right", TWINS[1])],
)
def test_a_camera_is_found_by_number_name_part_or_identity(wanted, found):
    assert find_camera(wanted, (FRONT, DESK, *TWINS)) == found


def test_a_camera_that_is_not_there_is_told_in_one_line_with_those_that_are():
    for wanted in (7, "7", "Attic", ""):
        with pytest.raises(SourceError) as raised:
            find_camera(wanted, (FRONT, DESK))
        assert str(raised.value) == f"there is no camera {wanted!r} (there is 0 'Front Cam', 2 'Desk Cam')"
    with pytest.raises(SourceError, match=r"there is no camera 0 \(no camera was found; plug one in\)"):
        find_camera(0, ())


def test_two_cameras_of_one_name_have_to_be_told_apart():
    with pytest.raises(SourceError, match="4 'Twin' is usb-left, 6 'Twin' is usb-right"):
        find_camera("Twin", TWINS)


def test_an_absent_camera_is_told_at_once_when_opening(device):
    with pytest.raises(SourceError, match=r"there is no camera 5 \(there is 0 'Front Cam'\)"):
        opened(device, 5)
    assert device.opened == []


def test_where_cameras_cannot_be_listed_a_number_is_tried(device):
    def unlisted():
        raise SourceError("this system's cameras cannot be listed")

    source = open_camera(1, factory=device.open, cameras=unlisted)
    assert source.read(1.0) is not None
    source.close()
    assert device.opened == [1]
    with pytest.raises(SourceError, match="cannot be listed"):
        open_camera("front", factory=device.open, cameras=unlisted)


@pytest.mark.parametrize("wrong", [{"size_wh": (0, 480)}, {"rate_hz": -1}, {"timeout_s": 0}, {"return_s": -1}])
def test_wishes_that_make_no_sense_are_refused(device, wrong):
    with pytest.raises(InputError, match="above 0"):
        opened(device, **wrong)


def test_on_linux_the_identity_is_the_serial_number_else_the_socket(tmp_path):
    for number in range(3):
        (tmp_path / f"video{number}").touch()
    for kind, name, number in [
        ("by-path", "pci-1", 0), ("by-path", "pci-2", 1), ("by-id", "usb-Maker_0042", 0)
    ]:  # fmt: skip
        (tmp_path / "v4l" / kind).mkdir(parents=True, exist_ok=True)
        (tmp_path / "v4l" / kind / name).symlink_to(tmp_path / f"video{number}")
    plain = [CameraInfo(number, "Cam", str(tmp_path / f"video{number}")) for number in range(3)]
    named = lasting_identities(plain, tmp_path / "v4l")
    assert [camera.identity.removeprefix(str(tmp_path)) for camera in named] == [
        "/v4l/by-id/usb-Maker_0042", "/v4l/by-path/pci-2", "/video2"
    ]  # fmt: skip
    # A device's path finds the camera that is listed by a link.
    assert find_camera(str(tmp_path / "video1"), named) == named[1]


def test_the_system_lists_its_cameras_and_an_absent_one_is_told_for_real():
    there = list_cameras()
    assert len({camera.identity for camera in there}) == len(there)
    with pytest.raises(SourceError, match="there is no camera 97"):
        open_camera(97)
