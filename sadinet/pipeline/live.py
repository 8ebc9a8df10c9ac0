"""Live: the newest frame wins; one that comes too early is dropped, none is delayed.

    capture thread -> newest frame -> inference thread -> newest result -> whoever shows it

Each arrow holds one item, and a new one replaces it, so that what is shown is never older than the work on it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from sadinet.errors import SadinetError
from sadinet.media.live_source import Captured, LiveSource
from sadinet.media.mailbox import Mailbox
from sadinet.pipeline.live_status import IntervalControl, IntervalLimits, LiveResult, LiveStatus, Meter
from sadinet.results import Frame, FrameResult

__all__ = ["IntervalLimits", "LivePipeline", "LiveResult", "LiveStatus"]

_log = logging.getLogger(__name__)

_GLANCE_S = 0.25  # how long a read of the source may wait before a stop is looked for
_USUAL = IntervalLimits()


@runtime_checkable
class HasInterval(Protocol):
    """Whatever finds people and looks for new ones at every n-th frame only."""

    detection_interval: int


class LivePipeline:
    """People in what a live source shows now.

        with LivePipeline(open_camera(), follower) as live:
            for live_result in live.results():
                print(live_result.latency_ms, len(live_result.result.poses))

    Nothing raises out of its threads: a failure of the source or of the models ends the run, and `status.error`
    tells it. It is used once.

    Args:
        source: where frames come from; closed at the end.
        follower: frame -> people. If its `detection_interval` can be set, it is raised as far as needed to keep
            pace with the source.
        smooth: changes results for the view, such as a One-Euro filter; its time is "smooth" in the timings.
        interval: limits of the detection interval; None leaves it alone.
    """

    def __init__(
        self,
        source: LiveSource,
        follower: Callable[[Frame], FrameResult],
        *,
        smooth: Callable[[FrameResult], FrameResult] | None = None,
        interval: IntervalLimits | None = _USUAL,
    ) -> None:
        self.source = source
        self._follower = follower
        self._smooth = smooth
        candidate: object = follower
        self._settable = candidate if isinstance(candidate, HasInterval) else None
        self._control: IntervalControl | None = None
        if self._settable is not None and interval is not None:
            self._control = IntervalControl(self._settable.detection_interval, interval)
        self._meter = Meter()
        self._frames: Mailbox[Captured] = Mailbox()
        self._results: Mailbox[LiveResult] = Mailbox()
        self._error: SadinetError | None = None
        self._stopping = threading.Event()
        self._is_started = False
        self._capture = threading.Thread(target=self._run_capture, name="live capture", daemon=True)
        self._inference = threading.Thread(target=self._run_inference, name="live inference", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._is_started = True
        self._capture.start()
        self._inference.start()

    def latest(self) -> LiveResult | None:
        """Return the newest result if it was not taken yet, without waiting; for a screen that polls."""
        return self._taken(self._results.take())

    def results(self) -> Iterator[LiveResult]:
        """Yield each newest result as it comes, until the source ends, fails, or the run is stopped."""
        while (live := self._taken(self._results.take(None))) is not None:
            yield live

    @property
    def dropped(self) -> int:
        """Frames so far that were replaced by a newer one before their turn."""
        return self.source.dropped + self._frames.replaced

    @property
    def status(self) -> LiveStatus:
        """How it is doing just now."""
        figures = self._meter.figures()
        return LiveStatus(
            is_running=self._capture.is_alive() or self._inference.is_alive(),
            source=self.source.state,
            source_fps=figures["source_fps"],
            shown_fps=figures["shown_fps"],
            latency_ms=figures["latency_ms"],
            age_s=figures["age_s"],
            captured=self._meter.frames,
            dropped=self.dropped,
            unseen=self._results.replaced,
            timings_ms=self._meter.timings_ms(),
            detection_interval=None if self._settable is None else self._settable.detection_interval,
            notes=self.source.notes,
            error=self._error,
        )

    def stop(self, deadline_s: float = 2.0) -> tuple[str, ...]:
        """End the run and close the source, from any thread and at any moment.

        Args:
            deadline_s: how long to wait for the threads; one that hangs in a device is left behind.

        Returns:
            Names of the threads that did not end in time.
        """
        deadline = time.monotonic() + deadline_s
        self._stopping.set()
        self._frames.close()
        self._results.close()
        closing = threading.Thread(target=self._close_source, name="live closing", daemon=True)
        closing.start()
        threads = [closing, self._capture, self._inference] if self._is_started else [closing]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        late = tuple(thread.name for thread in threads if thread.is_alive())
        if late:
            _log.warning("not ended within %g s: %s", deadline_s, ", ".join(late))
        return late

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run_capture(self) -> None:
        with self._guarded("reading the source"):
            while not self._stopping.is_set():
                captured = self.source.read(_GLANCE_S)
                if captured is not None:
                    self._meter.note_capture(captured)
                    self._frames.put(captured)
                elif self.source.state.is_over:
                    break
        self._frames.close(keep=True)

    def _run_inference(self) -> None:
        with self._guarded("finding people"):
            while (captured := self._frames.take(None)) is not None:
                live = self._find(captured)
                self._meter.note_result(live)
                self._results.put(live)
                self._adapt(live)
        self._stopping.set()
        self._results.close(keep=True)

    def _find(self, captured: Captured) -> LiveResult:
        began_s = time.monotonic()
        result = self._follower(captured.frame)
        timings_ms = {"wait": (began_s - captured.captured_s) * 1e3, **result.timings_ms}
        if self._smooth is not None:
            found_s = time.monotonic()
            result = self._smooth(result)
            timings_ms["smooth"] = (time.monotonic() - found_s) * 1e3
        return LiveResult(replace(result, timings_ms=timings_ms), captured.captured_s, time.monotonic())

    def _adapt(self, live: LiveResult) -> None:
        if self._control is None or self._settable is None:
            return
        self._control.note(live.result.timings_ms)
        current = self._settable.detection_interval
        chosen = self._control.choose(current, self._meter.source_fps(), live.finished_s)
        if chosen != current:
            self._settable.detection_interval = chosen

    def _taken(self, live: LiveResult | None) -> LiveResult | None:
        if live is not None:
            self._meter.note_shown()
        return live

    def _close_source(self) -> None:
        with self._guarded("closing the source"):
            self.source.close()

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        """Turn what is raised in a thread into the run's error."""
        try:
            yield
        except SadinetError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  nobody above a thread would see it
            _log.exception("%s failed", what)
            remedy = "please report what the log shows"
            self._fail(SadinetError(f"{what} failed: {type(error).__name__}: {error}", remedy))

    def _fail(self, error: SadinetError) -> None:
        # What comes after a stop, or after a first failure, is its consequence.
        if self._error is None and not self._stopping.is_set():
            self._error = error
