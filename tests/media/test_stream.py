"""Streams from a real server on this machine, which dies, comes back, and does not."""

from __future__ import annotations

import http.server
import itertools
import socket
import subprocess
import sys
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from sadinet.errors import InputError, SourceError
from sadinet.media.live_source import FrameTimes
from sadinet.media.stream import is_stream, open_stream, without_password

RATE = 50.0
SIZE_WH = (160, 120)


class Sender:
    """An HTTP server of an endless MPEG-TS, in real time, made while it is sent; or of a file.

    Attributes:
        is_mute: accept, answer, and send nothing more.
        served: requests so far.
    """

    def __init__(self, clips, port: int = 0) -> None:
        self.clips = clips
        self.is_dying = threading.Event()
        self.is_mute = threading.Event()
        self.served = 0
        self.file: bytes | None = None
        self.status = 200
        sender = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                sender.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/live.ts"

    def answer(self, request) -> None:
        self.served += 1
        request.send_response(self.status)
        if self.file is not None:
            request.send_header("Content-Length", str(len(self.file)))
        request.end_headers()
        if self.status != 200:
            return
        try:
            if self.file is None:
                self.stream(request.wfile)
            else:
                request.wfile.write(self.file)
        except (OSError, av.error.FFmpegError):
            pass  # whoever watched has gone

    def stream(self, to) -> None:
        # Intra frames, and no delay: what is sent can be shown.
        with av.open(Unseekable(to), "w", format="mpegts", options={"flush_packets": "1"}) as output:
            stream = output.add_stream("mpeg2video", rate=50, options={"g": "1", "bf": "0"})
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE_WH, "yuv420p", 4_000_000
            began = time.monotonic()
            for number in itertools.count():
                while self.is_mute.is_set() and not self.is_dying.is_set():
                    time.sleep(0.02)
                if self.is_dying.is_set():
                    return
                time.sleep(max(0.0, began + number / RATE - time.monotonic()))
                picture = av.VideoFrame.from_ndarray(self.clips.numbered(number % 256, SIZE_WH), format="bgr24")
                picture.pts, picture.time_base = number, Fraction(1, 50)
                output.mux(stream.encode(picture))

    def die(self) -> None:
        self.is_dying.set()
        self.server.shutdown()
        self.server.server_close()


class Unseekable:
    """The part of a file that a muxer writes to."""

    def __init__(self, to) -> None:
        self.to = to

    def write(self, data: bytes) -> int:
        self.to.write(data)
        self.to.flush()
        return len(data)


@pytest.fixture
def sender(clips):
    senders = [Sender(clips)]

    def again() -> Sender:
        senders.append(Sender(clips, senders[0].port))
        return senders[-1]

    senders[0].again = again
    yield senders[0]
    for each in senders:
        if not each.is_dying.is_set():
            each.die()


def take(source, count: int, limit_s: float = 30.0) -> list:
    taken = []
    deadline = time.monotonic() + limit_s
    while len(taken) < count:
        assert time.monotonic() < deadline, (source.state, len(taken))
        captured = source.read(0.1)
        if captured is not None:
            taken.append(captured)
    return taken


def read_on(source, limit_s: float = 30.0) -> None:
    """Read until it raises."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        source.read(0.05)


def test_a_live_stream_gives_its_pictures_at_its_own_times(sender, clips):
    source = open_stream(sender.address)
    taken = take(source, 25)
    assert source.state.kind == "connected"
    source.close()
    times = np.array([item.frame.time_s for item in taken])
    numbers = np.array([clips.number_in(item.frame.image) for item in taken])
    # Each step in time is that of the burnt-in numbers, dropped frames included, whatever the clock says.
    np.testing.assert_allclose(np.diff(times), np.diff(numbers) / RATE, atol=1e-4)
    assert [item.frame.index - taken[0].frame.index for item in taken] == list(numbers - numbers[0])
    assert all(item.frame.flags == () for item in taken)
    assert taken[0].frame.size_wh == SIZE_WH


def test_what_is_shown_is_what_was_just_sent(sender, clips):
    source = open_stream(sender.address)
    began = time.monotonic()
    (first,) = take(source, 1)
    time.sleep(1.5)
    (late,) = take(source, 1)
    took_s = time.monotonic() - began
    source.close()
    sent = (clips.number_in(late.frame.image) - clips.number_in(first.frame.image)) % 256
    # Out of a queue the next one would come; a busy sender may be behind.
    assert 0.5 < sent / RATE < took_s + 0.5
    assert source.dropped > 10


def test_a_stream_that_dies_and_comes_back_goes_on_with_rising_times(sender):
    source = open_stream(sender.address, return_s=20.0)
    before = take(source, 10)[-1]
    sender.die()
    deadline = time.monotonic() + 20
    while source.state.kind != "lost":
        assert time.monotonic() < deadline, source.state
        before = source.read(0.05) or before
    told = source.state
    assert "broke off" in told.message
    assert before.captured_s <= told.since_s + 0.1 <= time.monotonic() + 0.1
    time.sleep(0.3)
    revived = sender.again()
    after, *more = take(source, 6)
    source.close()
    assert revived.served == 1
    assert after.frame.flags == ("after_gap",)
    assert all(item.frame.flags == () for item in more)
    # The gap is as long as the clock says, and the revived stream's stamps, which begin anew, count from there.
    assert after.frame.time_s - before.frame.time_s == pytest.approx(after.captured_s - before.captured_s, abs=1e-6)
    times = [item.frame.time_s for item in (before, after, *more)]
    assert times == sorted(set(times))
    steps = np.diff([item.frame.time_s for item in more]) * RATE
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)


def test_a_stream_that_never_comes_back_is_given_up_with_a_message(sender):
    source = open_stream(sender.address, return_s=1.0)
    take(source, 3)
    sender.die()
    began = time.monotonic()
    with pytest.raises(SourceError) as raised:
        read_on(source)
    assert time.monotonic() - began > 0.8
    assert "nobody answers at this address and did not come back within 1 s" in str(raised.value)
    assert "check that the sender runs" in str(raised.value)
    assert source.state.is_over
    source.close()


def test_a_sender_that_falls_silent_is_told_and_closing_does_not_wait(sender):
    source = open_stream(sender.address, stall_s=0.6, return_s=0)
    take(source, 3)
    sender.is_mute.set()
    with pytest.raises(SourceError, match=r"has given no picture for 0\.6 s|no answer in time"):
        read_on(source)
    began = time.monotonic()
    source.close()
    assert time.monotonic() - began < 10, "the sender is silent for ever"


def test_a_server_that_accepts_and_never_answers_is_told_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"does not open: no answer in time"):
            open_stream(f"http://127.0.0.1:{silent.getsockname()[1]}/x.ts", timeout_s=0.5)
    assert time.monotonic() - began < 20


def test_nobody_there_a_wrong_path_a_password_and_no_video_are_told_apart(sender):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(SourceError, match="nobody answers at this address"):
        open_stream(f"http://127.0.0.1:{port}/x.ts")
    for status, words in ((404, "is not there"), (401, "asks for a password")):
        sender.status = status
        with pytest.raises(SourceError, match=words):
            open_stream(sender.address)
    sender.status, sender.file = 200, b"<html>It works!</html>" * 100
    with pytest.raises(SourceError, match="what it sends is not a video"):
        open_stream(sender.address)


def test_a_recording_on_a_server_plays_at_its_own_times_and_ends(sender, clips, tmp_path):
    path = clips.write_clip(tmp_path / "clip.mp4", [0, 0.1, 0.3, 0.4, 0.8], muxer={"movflags": "faststart"})
    sender.file = path.read_bytes()
    began = time.monotonic()
    source = open_stream(sender.address)
    taken = []
    while not source.state.is_over and time.monotonic() < began + 30:
        if (captured := source.read(0.1)) is not None:
            taken.append(captured)
    assert source.state.kind == "ended"
    assert source.read(0.1) is None
    source.close()
    assert time.monotonic() - began > 0.75
    numbers = [clips.number_in(item.frame.image) for item in taken]
    assert len(taken) + source.dropped == 5
    assert numbers[-1] == 4
    assert [item.frame.index for item in taken] == numbers
    times = np.array([0, 0.1, 0.3, 0.4, 0.8])[numbers]
    np.testing.assert_allclose([item.frame.time_s for item in taken], times, atol=1e-3)


def test_a_recording_cut_off_on_its_way_is_a_loss_not_an_end(sender, clips, tmp_path):
    path = clips.write_clip(tmp_path / "clip.mp4", [n / 25 for n in range(50)], muxer={"movflags": "faststart"})
    whole = path.read_bytes()

    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(whole)))
        request.end_headers()
        request.wfile.write(whole[: len(whole) * 2 // 3])

    sender.answer = answer
    source = open_stream(sender.address, return_s=0)
    with pytest.raises(SourceError, match="broke off"):
        read_on(source)
    source.close()


def test_a_stream_by_udp_is_read(clips):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    is_over = threading.Event()

    def send():
        with av.open(f"udp://127.0.0.1:{port}?pkt_size=1316", "w", format="mpegts") as output:
            stream = output.add_stream("mpeg2video", rate=50, options={"g": "5", "bf": "0"})
            stream.width, stream.height, stream.pix_fmt = *SIZE_WH, "yuv420p"
            for number in itertools.count():
                if is_over.wait(1 / RATE):
                    return
                picture = av.VideoFrame.from_ndarray(clips.numbered(number % 256, SIZE_WH), format="bgr24")
                picture.pts, picture.time_base = number, Fraction(1, 50)
                output.mux(stream.encode(picture))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        source = open_stream(f"udp://127.0.0.1:{port}", timeout_s=30)
        taken = take(source, 5)
        source.close()
    finally:
        is_over.set()
        thread.join(2)
    assert taken[-1].frame.size_wh == SIZE_WH
    assert taken[-1].frame.time_s > 0


# FFmpeg's RTSP reader can play the server to which a sender connects. The sender is another process, as PyAV
# holds the interpreter while it shakes hands.
RTSP_SENDER = """
import sys, time
from fractions import Fraction
import av, numpy as np
for attempt in range(100):
    try:
        output = av.open(sys.argv[1], "w", format="rtsp", options={"rtsp_transport": "tcp"})
        stream = output.add_stream("mpeg4", rate=25, options={"g": "5"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        output.start_encoding()
        break
    except OSError:
        time.sleep(0.05)
for number in range(20):
    picture = av.VideoFrame.from_ndarray(np.full((120, 160, 3), 12 * number, np.uint8), format="bgr24")
    picture.pts, picture.time_base = number, Fraction(1, 25)
    output.mux(stream.encode(picture))
    time.sleep(0.04)
output.close()
"""


def test_a_stream_by_rtsp_is_read_and_its_end_is_told():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"rtsp://127.0.0.1:{probe.getsockname()[1]}/live"
    with subprocess.Popen([sys.executable, "-c", RTSP_SENDER, address]) as sending:
        try:
            listen = {"rtsp_flags": "listen", "listen_timeout": "20"}
            source = open_stream(address, timeout_s=20, return_s=0, options=listen)
            taken = take(source, 5)
            with pytest.raises(SourceError, match="broke off"):
                read_on(source)
            source.close()
        finally:
            sending.kill()
    # Brightness tells the number.
    numbers = np.array([item.frame.image.mean() / 12 for item in taken])
    times = np.array([item.frame.time_s for item in taken])
    np.testing.assert_allclose(np.diff(times) * 25, np.diff(numbers), atol=0.7)


def test_what_is_no_address_is_refused_and_passwords_are_not_shown():
    for wrong in ("walk.mp4", "ftp://host/x", "rtsp://", "C:\\video.mp4"):
        assert not is_stream(wrong)
        with pytest.raises(InputError, match="not a stream's address"):
            open_stream(wrong)
    with pytest.raises(InputError, match="above 0"):
        open_stream("http://127.0.0.1/x", timeout_s=0)
    assert is_stream("RTSP://host/1")
    assert without_password("rtsp://me:se@cret@host:554/a@b?c=d") == "rtsp://me@host:554/a@b?c=d"
    assert without_password("http://host/a") == "http://host/a"
    with pytest.raises(SourceError) as raised:
        open_stream("http://me:secret@127.0.0.1:9/x", timeout_s=1)
    assert "secret" not in str(raised.value)


def test_times_follow_sane_stamps_and_the_clock_else():
    times = FrameTimes(most_ahead_s=10)
    told = [
        times.next(stamp, arrived, is_after_gap=gap)
        for stamp, arrived, gap in [
            (1000.0, 50.0, False),
            (1000.04, 50.2, False),  # arrives late: the stamp counts
            (1000.08, 50.21, False),
            (None, 50.31, False),  # none: 0.1 s by the clock
            (1000.20, 50.35, False),  # counts on from the last stamp
            (990.0, 50.45, False),  # backwards
            (990.04, 50.46, False),  # from there on
            (5000.0, 50.56, False),  # far ahead
            (5000.04, 50.6, False),
            (3.0, 60.6, True),  # after a gap
            (3.04, 60.7, False),
        ]
    ]
    expected = [
        (0, False), (0.04, False), (0.08, False), (0.18, True), (0.20, False), (0.30, True), (0.34, False),
        (0.44, True), (0.48, False), (10.48, False), (10.52, False),
    ]  # fmt: skip
    assert [by_clock for _, by_clock in told] == [by_clock for _, by_clock in expected]
    np.testing.assert_allclose([time_s for time_s, _ in told], [time_s for time_s, _ in expected], atol=1e-9)


def test_times_without_any_stamp_follow_the_clock():
    times = FrameTimes()
    assert [times.next(None, arrived) for arrived in (5.0, 5.5, 5.5)] == [(0.0, True), (0.5, True), (0.500001, True)]
