"""The program tries itself: plays the demo clip, turns every switch, records, analyses, exports, and prints figures.

Steps wait on the window's own timer; nothing is made up, the threads, models and files are the real ones.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from app.choice import SourceChoice, SourceKind
from app.controls import exercise
from app.opening import demo_clip
from app.view_options import ViewOptions

if TYPE_CHECKING:
    from app.main_window import MainWindow

_PATIENCE_S = 240.0
_TICK_MS = 20
_SWITCH_S = 0.15
_MOVE_S = 0.03  # what each control has to itself
# What would open a camera, and what moves by itself while a file plays; each has a step of its own, or none.
_LEFT_ALONE = frozenset({"Camera", "Position in the file"})

Steps = Generator[Callable[[], bool], None, None]


class SelfTest:
    """Runs beside the window's event loop, and quits it.

    Args:
        window: the program's, with the demo clip begun.
        visible_s: seconds from the program's start until the window was there, and of work on the way there.
        began_s: the start, by `time.perf_counter`.
        seconds: how long the live view is measured.
        folder: for everything that is written; whoever made it takes it away.
        json_path: where the figures go, too.

    Attributes:
        code: 0 if everything worked.
        figures: what was measured.
    """

    def __init__(
        self,
        window: MainWindow,
        visible_s: tuple[float, float],
        began_s: float,
        seconds: float,
        folder: Path,
        json_path: Path | None = None,
    ) -> None:
        self.code = 1
        self.figures: dict[str, object] = {"platform": QApplication.platformName()}
        self.figures |= {"window_s": round(visible_s[0], 3), "window_cpu_s": round(visible_s[1], 3)}
        self._window = window
        self._control = window.controller
        self._began_s = began_s
        self._seconds = seconds
        self._json_path = json_path
        self._folder = folder
        self._window.settings = replace(window.settings, folder=str(folder))
        self._steps = self._all_steps()
        self._wait: Callable[[], bool] = lambda: True
        self._deadline_s = time.monotonic() + _PATIENCE_S
        self._step = "start"
        self._timer = QTimer(window)
        self._timer.timeout.connect(self._advance)

    def start(self) -> None:
        """Begin."""
        self._timer.start(_TICK_MS)

    def _advance(self) -> None:
        try:
            if not self._wait():
                if time.monotonic() > self._deadline_s:
                    self._end(f"{self._step}: nothing came of it")
                return
            self._wait = next(self._steps)
            self._deadline_s = time.monotonic() + _PATIENCE_S
        except StopIteration:
            self._end("")
        except Exception as error:  # noqa: BLE001  whatever fails is what the test is for
            self._end(f"{self._step}: {type(error).__name__}: {error}")

    def _end(self, failure: str) -> None:
        self._timer.stop()
        self.code = 1 if failure else 0
        self.figures["result"] = failure or "passed"
        line = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        sys.stdout.write(f"self-test: {line}\n")
        sys.stdout.flush()
        if self._json_path is not None:
            self._json_path.write_text(json.dumps(self.figures, indent=2) + "\n", encoding="utf-8")
        self._window.close()
        QApplication.quit()

    def _all_steps(self) -> Steps:
        yield from self._live()
        yield from self._switches()
        yield from self._record()
        yield from self._file()
        yield from self._analyse()
        yield from self._export()
        yield from self._pages()
        yield from self._close_and_reopen()

    def _live(self) -> Steps:
        self._step = "first picture"
        yield lambda: self._window.shown is not None
        self.figures["first_picture_s"] = self._since_start()
        self._step = "first skeleton"
        yield self._someone_unless_told
        self.figures["first_skeleton_s"] = self._since_start()
        self._step = "live view"
        yield _after(1.0)
        self._window.heartbeat.forget()
        shown, began_s, memory_mb = self._window.rendering.shown, time.monotonic(), _memory_mb()
        late_ms: list[float] = []
        end = _after(self._seconds)
        while not end():
            yield lambda: True
            late_ms += self._window.rendering.take_latencies()
        seconds = time.monotonic() - began_s
        self.figures["memory_mb"] = round(_memory_mb())
        self.figures["memory_growth_mb"] = round(_memory_mb() - memory_mb, 1)
        self.figures["shown_fps"] = round((self._window.rendering.shown - shown) / seconds, 1)
        self.figures["latency_median_ms"] = round(statistics.median(late_ms), 1)
        self.figures["latency_p95_ms"] = round(statistics.quantiles(late_ms, n=20)[-1], 1)
        self.figures["heartbeat_p999_ms"] = self._window.heartbeat.percentile_ms(99.9)
        self.figures["heartbeat_worst_ms"] = round(self._window.heartbeat.worst_ms, 1)
        self.figures["paint_ms"] = round(self._window.viewer.canvas.paint_ms, 2)

    def _switches(self) -> Steps:
        view = self._window.viewer.view
        for name, action in view.switches.items():
            self._step = f"switch {name}"
            for _ in range(2):
                action.toggle()
                yield _after(_SWITCH_S)
        for name in ("light", "smooth", "loop", "full_screen"):
            self._step = f"switch {name}"
            for _ in range(2):
                self._window.actions_by_name[name].toggle()
                yield _after(_SWITCH_S)
        self._step = "heatmap"
        self._window.set_view(ViewOptions(heatmap_joint="nose"))
        yield lambda: self._window.rendering.has_heatmap
        self._window.set_view(ViewOptions())
        self.figures["switches"] = len(view.switches) + 5
        tabs = self._window.viewer.tabs
        for place in range(tabs.count()):
            tabs.setCurrentIndex(place)
            yield _after(_SWITCH_S)
            yield from self._controls(tabs)
        tabs.setCurrentIndex(0)
        yield from self._controls(self._window.viewer.sources)

    def _controls(self, part: QWidget) -> Steps:
        """Move every control of a part of the window."""
        for name in exercise(part, _LEFT_ALONE):
            self._step = f"control {name}"
            self.figures["controls"] = int(str(self.figures.get("controls", 0))) + 1
            yield _after(_MOVE_S)

    def _record(self) -> Steps:
        from app.recording_files import recorded_in

        self._step = "snapshot"
        self._window.actions_by_name["snapshot"].trigger()
        yield lambda: len(list((self._folder / "snapshots").glob("*"))) == 3
        self._step = "recording"
        self._window.actions_by_name["record"].trigger()
        yield lambda: self._window.desk.recorder.status.frames >= 10
        self._window.actions_by_name["record"].trigger()
        yield lambda: not self._window.desk.recorder.status.is_busy
        status = self._window.desk.recorder.status
        if status.error is not None or status.folder is None or recorded_in(status.folder) is None:
            raise RuntimeError(f"nothing was recorded: {status}")
        self.figures["recorded_frames"] = status.frames

    def _file(self) -> Steps:
        self._step = "opening a file"
        self._control.open(SourceChoice(SourceKind.FILE, str(demo_clip())))
        yield lambda: self._control.state.is_file and self._someone()
        actions = self._window.actions_by_name
        self._step = "steps and seeking"
        actions["play"].trigger()
        yield lambda: not self._control.state.is_playing
        for frame in (50, 10, 100):
            self._control.seek(frame)
            yield self._at(frame)
        for name, frame in (("step_back", 99), ("step_on", 100), ("last", 105), ("first", 0)):
            actions[name].trigger()
            yield self._at(frame)
        for name in ("faster", "slower", "normal_speed"):
            actions[name].trigger()
        actions["play"].trigger()
        yield lambda: self._control.state.place.frame > 5
        yield from self._controls(self._window.viewer.transport)

    def _analyse(self) -> Steps:
        self._step = "analysis"
        began_s = time.monotonic()
        self._window.actions_by_name["analyse"].trigger()
        yield lambda: self._control.analysed is not None
        self.figures["analysis_s"] = round(time.monotonic() - began_s, 2)
        analysed = self._control.analysed
        assert analysed is not None  # noqa: S101  waited for
        self.figures["analysed_frames"] = analysed.recording.frames
        if self._window.viewer.timeline.isHidden():
            raise RuntimeError("the timeline is not shown")

    def _export(self) -> Steps:
        self._step = "export"
        self._window.actions_by_name["export"].trigger()
        page, analysed = self._window.side.export, self._control.analysed
        assert page is not None  # noqa: S101  just shown
        assert analysed is not None  # noqa: S101  analysed before
        page.start()
        yield lambda: not page.state.is_busy and (page.state.exported is not None or page.state.fault is not None)
        if page.state.fault is not None:
            raise RuntimeError(page.state.fault.message)
        name = analysed.job.outputs.table.name
        written = self._folder / "exports" / name
        if written.read_bytes() != (analysed.folder / name).read_bytes():
            raise RuntimeError(f"{name} is not what the analysis wrote")
        self.figures["exported_bytes"] = written.stat().st_size

    def _pages(self) -> Steps:
        for name in ("batch", "compare", "export", "viewer"):
            self._step = f"page {name}"
            self._window.show_page(name)
            if self._window.side.current != name:
                raise RuntimeError("it does not show")
            yield _after(_SWITCH_S)
            if name in ("batch", "export"):
                yield from self._controls(self._window.pages.currentWidget() or self._window)

    def _close_and_reopen(self) -> Steps:
        self._step = "closing the source"
        self._control.close()
        yield lambda: self._window.shown is None

    def _someone(self) -> bool:
        shown = self._window.shown
        return shown is not None and len(shown.poses) > 0

    def _someone_unless_told(self) -> bool:
        """As `_someone`; what is told in the window, as that a model is missing, ends the wait."""
        errors = [problem.line for problem in self._control.state.problems if problem.is_error]
        if errors and not self._someone():
            raise RuntimeError("; ".join(errors))
        return self._someone()

    def _at(self, frame: int) -> Callable[[], bool]:
        return lambda: self._window.shown is not None and self._window.shown.frame.index == frame

    def _since_start(self) -> float:
        return round(time.perf_counter() - self._began_s, 3)


def _memory_mb() -> float:
    """Return the memory that the program takes just now; 0 where the system does not tell it like Linux."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _after(seconds: float) -> Callable[[], bool]:
    """Return what holds once so much time is over."""
    end_s = time.monotonic() + seconds
    return lambda: time.monotonic() >= end_s
