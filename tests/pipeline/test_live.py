"""The live pipeline: newest frame wins, failures are values, and it stops whatever hangs."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from sadinet.errors import DeviceError, SourceError
from sadinet.media.live_source import Captured, SourceState
from sadinet.media.playback import Playback
from sadinet.pipeline.live import IntervalLimits, LivePipeline
from sadinet.pipeline.live_status import IntervalControl
from sadinet.results import Frame, FrameResult


class Clockwork:
    """A live source that needs no file: a frame every period, until told otherwise."""

    name = "clockwork"
    notes = ("a note",)

    def __init__(self, period_s: float = 0.01, frames: int = 10**9) -> None:
        self.period_s = period_s
        self.frames = frames
        self.index = 0
        self.dropped = 0
        self.fails = False
        self.hangs = threading.Event()
        self.freed = threading.Event()
        self.is_closed = False
        self.state = SourceState("connected", time.monotonic())

    def read(self, timeout_s: float = 0.5) -> Captured | None:
        if self.hangs.is_set():
            self.freed.wait(60)
        if self.fails:
            raise SourceError("unplugged", "plug it in")
        if self.index >= self.frames or self.is_closed:
            self.state = SourceState("ended", time.monotonic())
            return None
        time.sleep(self.period_s)
        image = np.full((4, 4, 3), self.index % 256, np.uint8)
        frame = Frame(image, self.index, self.index * self.period_s, self.name)
        self.index += 1
        return Captured(frame, time.monotonic())

    def close(self) -> None:
        if self.hangs.is_set():
            self.freed.wait(60)
        self.is_closed = True


class Work:
    """Frame -> nobody, taking a while; with a detection at every n-th frame."""

    def __init__(self, other_s: float = 0.0, detect_s: float = 0.0, interval: int = 1) -> None:
        self.other_s = other_s
        self.detect_s = detect_s
        self.detection_interval = interval
        self.since = 10**9
        self.error: Exception | None = None

    def __call__(self, frame: Frame) -> FrameResult:
        if self.error is not None:
            raise self.error
        self.since += 1
        spent_s = 0.0
        if self.since >= self.detection_interval:
            self.since, spent_s = 0, self.detect_s
        time.sleep(self.other_s + spent_s)
        return FrameResult(frame, (), {"detect": spent_s * 1e3, "pose": self.other_s * 1e3})


@pytest.fixture
def source():
    source = Clockwork()
    yield source
    source.freed.set()


def until(condition, limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_result_carries_its_frame_and_capture_time(source):
    source.frames = 30
    with LivePipeline(source, Work()) as live:
        results = list(live.results())
        assert live.status.error is None
    assert results[-1].result.frame.index == 29  # the last frame is not lost at the end
    for item in results:
        assert int(item.result.frame.image[0, 0, 0]) == item.result.frame.index
        assert item.captured_s <= item.finished_s
        assert item.latency_ms == pytest.approx((item.finished_s - item.captured_s) * 1e3)
        assert set(item.result.timings_ms) == {"wait", "detect", "pose"}


def test_slow_work_drops_frames_and_never_falls_behind(source):
    began = {}

    def work(frame: Frame) -> FrameResult:
        began[frame.index] = time.monotonic()
        # Slow by the source's clock, not by that of a machine that is busy.
        until(lambda: source.index > frame.index + 5 or source.is_closed)
        return FrameResult(frame, (), {})

    with LivePipeline(source, work, interval=None) as live:
        taken = list(itertools.islice(live.results(), 15))
        status = live.status
    steps = np.diff([item.result.frame.index for item in taken])
    # Each time the newest comes: queued up, it would be the next one. The very last may be on its way yet.
    assert steps.min() >= 4
    for item in taken:
        waited_ms = (began[item.result.frame.index] - item.captured_s) * 1e3
        assert 0 <= item.result.timings_ms["wait"] <= waited_ms
    assert status.dropped >= steps.sum() - len(steps)
    assert status.captured > taken[-1].result.frame.index
    assert status.unseen == 0


def test_results_that_nobody_takes_are_replaced_by_newer_ones(source):
    with LivePipeline(source, Work()) as live:
        until(lambda: live.status.unseen >= 5)
        assert live.latest().result.frame.index >= 5
        assert live.latest() is None or live.latest() is None


def test_the_status_tells_rates_latency_and_stages(source):
    source.dropped = 7
    with LivePipeline(source, Work(other_s=0.02), interval=None) as live:
        shown = sum(1 for _ in itertools.islice(live.results(), 40))
        status = live.status
        assert status.is_running
    assert shown == 40
    assert status.source.kind == "connected"
    # 10 and 20 ms a frame at least; a busy machine takes longer.
    assert 1 < status.source_fps < 110
    assert 1 < status.shown_fps < 55
    assert 20 <= status.latency_ms < 10_000
    assert 0 <= status.age_s < 10
    assert status.dropped >= 7
    assert status.timings_ms["pose"] == pytest.approx(20)
    assert status.detection_interval == 1
    assert status.notes == ("a note",)
    after = live.status
    assert not after.is_running


def test_before_the_first_frame_the_status_says_nothing_rather_than_zero(source):
    status = LivePipeline(source, Work()).status
    assert not status.is_running
    assert np.isnan([status.source_fps, status.shown_fps, status.latency_ms, status.age_s]).all()
    assert (status.captured, status.dropped, dict(status.timings_ms)) == (0, 0, {})


def test_smoothing_is_plugged_in_and_timed(source):
    def smooth(result: FrameResult) -> FrameResult:
        time.sleep(0.005)
        return replace(result, frame=replace(result.frame, flags=("smooth",)))

    with LivePipeline(source, Work(), smooth=smooth) as live:
        item = next(live.results())
    assert item.result.frame.flags == ("smooth",)
    assert item.result.timings_ms["smooth"] >= 5


def test_a_source_that_fails_ends_the_results_and_its_error_is_a_value(source):
    with LivePipeline(source, Work()) as live:
        results = live.results()
        next(results)
        source.fails = True
        list(results)
        status = live.status
    assert str(status.error) == "unplugged (plug it in)"
    until(lambda: not live.status.is_running)


def test_models_that_fail_end_the_results_and_the_error_is_a_value(source, caplog):
    work = Work()
    with LivePipeline(source, work) as live:
        results = live.results()
        next(results)
        work.error = DeviceError("the card is gone", "use the CPU")
        list(results)
        assert live.status.error is work.error
        until(lambda: not live.status.is_running)
    work.error = ValueError("a bug")
    with caplog.at_level(logging.CRITICAL, "sadinet"), LivePipeline(Clockwork(), work) as live:
        list(live.results())
        assert live.status.error.message == "finding people failed: ValueError: a bug"


def test_stopping_ends_whoever_waits_for_results(source):
    source.period_s = 0.2
    live = LivePipeline(source, Work())
    live.start()
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(live.results()))
    reader.start()
    time.sleep(0.3)
    assert live.stop(deadline_s=60) == ()
    reader.join(20)
    assert not reader.is_alive()
    assert source.is_closed
    assert live.status.error is None
    assert live.stop() == ()


def test_stopping_before_the_start_and_at_any_moment_leaves_nothing_running(clip):
    assert LivePipeline(Clockwork(), Work()).stop() == ()
    for wait_s in (0.0, 0.001, 0.02, 0.1):
        source = Playback(clip, rate_hz=200)
        live = LivePipeline(source, Work(other_s=0.005))
        live.start()
        time.sleep(wait_s)
        assert live.stop(deadline_s=60) == ()
        assert not live.status.is_running
        assert source.state.is_over
    # Those of other tests, whose deadline was shorter, end as well.
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith(("live", "playback"))])


def test_stopping_keeps_its_deadline_while_the_camera_hangs_and_names_what_hangs(source, caplog):
    with caplog.at_level(logging.CRITICAL, "sadinet"):
        live = LivePipeline(source, Work())
        live.start()
        next(live.results())
        source.hangs.set()
        time.sleep(0.05)
        began = time.monotonic()
        late = live.stop(deadline_s=0.3)
        assert time.monotonic() - began < 20
    assert late == ("live closing", "live capture")
    source.freed.set()
    until(lambda: not live.status.is_running)


class Steady(Clockwork):
    """Numbers its frames by the clock, as a device does of which a busy machine misses some."""

    def __init__(self, period_s: float) -> None:
        super().__init__(period_s)
        self.began_s = time.monotonic()

    def read(self, timeout_s: float = 0.5) -> Captured | None:
        self.index = max(self.index, int((time.monotonic() - self.began_s) / self.period_s))
        return super().read(timeout_s)


def test_the_detection_interval_grows_until_the_work_keeps_pace():
    # 20 ms between frames; 5 + 30 / n ms of work: at n = 3, three quarters of it.
    work = Work(other_s=0.005, detect_s=0.03)
    with LivePipeline(Steady(0.02), work, interval=IntervalLimits(every_s=0.1)) as live:
        until(lambda: work.detection_interval >= 3)
        assert live.status.detection_interval >= 3


def choose(control: IntervalControl, current: int, detect_ms: float, other_ms: float, fps: float = 30.0) -> int:
    for number in range(60):
        # The detector's turn costs its time; a glance at the scene costs a little in every frame.
        control.note({"wait": 50.0, "detect": detect_ms if number % current == 0 else 0.5, "pose": other_ms})
    choose.now_s += 1.0
    return control.choose(current, fps, choose.now_s)


choose.now_s = 0.0


def test_the_interval_is_as_long_as_needed_and_no_longer():
    control = IntervalControl(1, IntervalLimits(most=15, load=0.75))
    assert choose(control, 1, detect_ms=10, other_ms=8) == 1
    assert choose(control, 1, detect_ms=40, other_ms=8) == 3  # 40 / 3 + 8 = 21.3 of 25 ms
    assert choose(control, 3, detect_ms=40, other_ms=8) == 3
    assert choose(control, 3, detect_ms=40, other_ms=30) == 15  # no room at all
    assert choose(control, 15, detect_ms=40, other_ms=8) == 14  # and back, step by step
    assert choose(control, 3, detect_ms=33, other_ms=8) == 3  # two would do, barely: no swinging
    assert choose(control, 3, detect_ms=20, other_ms=8) == 2
    assert choose(control, 3, detect_ms=20, other_ms=8, fps=float("nan")) == 3


def test_the_interval_is_never_below_what_was_chosen_for_accuracy_and_changes_once_a_period():
    control = IntervalControl(4, IntervalLimits(every_s=1.0))
    assert choose(control, 4, detect_ms=1, other_ms=1) == 4
    control.note({"detect": 500.0})
    assert control.choose(4, 30.0, choose.now_s + 0.5) == 4
    assert control.choose(4, 30.0, choose.now_s + 1.1) == 15


def test_people_are_found_live_in_a_played_file(clip, people):
    from sadinet.people.following import Follower

    follower = Follower(people.detector, people.estimator)
    with LivePipeline(Playback(clip, rate_hz=40), follower) as live:
        results = list(live.results())
        assert live.status.error is None
    assert len(results) >= 3  # of 106; how many depends on the machine
    assert sum(bool(item.result.poses) for item in results) > 0.8 * len(results)
    assert all(pose.track_id is not None for item in results for pose in item.result.poses)
    assert all({"wait", "detect", "pose", "track"} <= set(item.result.timings_ms) for item in results)
