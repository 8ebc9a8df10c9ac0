"""The state put on the window: only what changed is touched."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from typing import TYPE_CHECKING

from app.events import Snapshot
from app.panels.sources import CameraEntry
from app.state import AppState, Phase, Problem

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from sadinet.pipeline.live_status import LiveStatus
    from sadinet.results import FrameResult

_LATE = 60  # pictures of which the latency is taken
_TABLE_S = 0.1  # how often numbers that are read change while frames run
_FILE_ACTIONS = ("play", "step_back", "step_on", "skip_back", "skip_on", "first", "last")


class Rendering:
    """Remembers what the window shows, to know what is new.

    Attributes:
        shown: pictures so far.
        last: the last one, None where nothing is open.
        has_heatmap: whether a heatmap lies over it.
        status: how the open source was doing last; None where nothing is open.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._control = window.controller
        self._state: AppState | None = None
        self._models: object = None
        self._analysed: object = None
        self._has_cameras: object = None
        self._table_s = 0.0
        self._late_ms: deque[float] = deque(maxlen=_LATE)
        self._untaken_ms: deque[float] = deque(maxlen=_LATE)
        self.has_heatmap = False
        self.shown = 0
        self.last: FrameResult | None = None
        self.status: LiveStatus | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show what is new."""
        state, window = self._control.state, self._window
        if state is not self._state:
            before, self._state = self._state, state
            self._show_state(before, state)
        if snapshot.live is not None and state.phase is Phase.OPEN:
            self._show_picture(snapshot)
        self.status = (snapshot.status or self.status) if state.phase is Phase.OPEN else None
        is_standing = snapshot.place is not None and not snapshot.is_playing
        if snapshot.status is not None and is_standing:
            # What stands is neither late nor slow.
            window.status.set_live(None)
        elif snapshot.status is not None and state.phase is Phase.OPEN:
            late_ms = statistics.median(self._late_ms) if self._late_ms else math.nan
            window.status.set_live(snapshot.status, draw_ms=window.viewer.canvas.paint_ms, screen_ms=late_ms)
            window.side.add_status(snapshot.status, window.viewer.canvas.paint_ms, late_ms)
        if self._control.cameras is not self._has_cameras:
            self._has_cameras = self._control.cameras
            entries = [CameraEntry(camera.name, camera.identity) for camera in self._control.cameras]
            window.viewer.sources.set_cameras(entries, self._control.camera_note)
            window.viewer.sources.set_current(state.source)
            window.actions_by_name["open_camera"].setEnabled(bool(entries))

    def take_latencies(self) -> list[float]:
        """Return the milliseconds from capture to screen of the pictures since the last time."""
        taken = list(self._untaken_ms)
        self._untaken_ms.clear()
        return taken

    def _show_picture(self, snapshot: Snapshot) -> None:
        assert snapshot.live is not None  # noqa: S101  asked before
        result, viewer, heatmap = snapshot.live.result, self._window.viewer, snapshot.heatmap
        if heatmap is None:
            viewer.canvas.set_heatmap(None, None)
        else:
            viewer.canvas.set_heatmap(heatmap.values, heatmap.matrix)
        viewer.canvas.show_result(result)
        # It is painted as soon as this is over.
        late_ms = (time.monotonic() - snapshot.live.captured_s) * 1e3 + viewer.canvas.paint_ms
        self._late_ms.append(late_ms)
        self._untaken_ms.append(late_ms)
        self.has_heatmap = heatmap is not None
        self.shown += 1
        self.last = result
        self._window.side.add_result(result)
        state = self._control.state
        if (now_s := time.monotonic()) - self._table_s > _TABLE_S or not state.is_playing:
            self._table_s = now_s
            chosen = next((pose for pose in result.poses if pose.track_id == state.selected), None)
            viewer.joints.set_pose(chosen or (result.poses[0] if result.poses else None))

    def _show_state(self, before: AppState | None, state: AppState) -> None:
        window = self._window
        if before is None or (before.source, before.phase) != (state.source, state.phase):
            self._show_source(state)
        if before is None or before.recent != state.recent:
            window.viewer.sources.set_recent(state.recent)
            window.viewer.sources.set_current(state.source)
        if before is None or before.selected != state.selected:
            window.viewer.canvas.set_selected(state.selected)
            window.side.set_person(state.selected)
        if before is None or before.problems != state.problems:
            self._show_problems(() if before is None else before.problems, state.problems)
        if self._control.models is not self._models:
            self._show_models()
        if self._control.analysed is not self._analysed:
            self._show_analysed(state)
        self._show_transport(state)
        self._enable(state)

    def _show_problems(self, before: tuple[Problem, ...], now: tuple[Problem, ...]) -> None:
        banner = self._window.notices
        for problem in before:
            if problem not in now:
                banner.remove(problem.line)
        for problem in now:
            if problem in before:
                continue
            if problem.is_error:
                banner.show_error(problem.message, problem.remedy, problem.details)
            else:
                banner.show_note(problem.line)

    def _show_source(self, state: AppState) -> None:
        window, name = self._window, "" if state.source is None else state.source.name
        texts = {
            Phase.NOTHING: "Open a camera or a file, or drop a video here",
            Phase.OPENING: f"Opening {name} …",
            Phase.FAILED: f"{name} is not open",
            Phase.OPEN: "",
        }
        window.setWindowTitle(f"{name} – SADI-NET" if name else "SADI-NET")
        window.header.set_source(state)
        window.viewer.sources.set_current(state.source)
        window.viewer.set_file_mode(state.is_file, self._control.analysed is not None)
        window.viewer.canvas.set_placeholder(texts[state.phase])
        if state.phase is not Phase.OPEN:
            self.last = None
            window.viewer.canvas.show_result(None)
            window.viewer.joints.set_pose(None)
            window.status.set_live(None)

    def _show_models(self) -> None:
        models = self._models = self._control.models
        self._window.model_menu.set_current("" if models is None else models.weights)
        if models is None:
            self._window.status.set_loading()
        else:
            self._window.status.set_runtime(models.pose, models.detector, models.weights)
            self._window.viewer.view.set_joints(models.joints)

    def _show_analysed(self, state: AppState) -> None:
        analysed = self._analysed = self._control.analysed
        self._window.viewer.set_file_mode(state.is_file, analysed is not None)
        self._window.side.set_analysed(analysed)
        if analysed is not None:
            self._window.viewer.timeline.set_timeline(analysed.timeline, analysed.recording.time_s)

    def _show_transport(self, state: AppState) -> None:
        viewer = self._window.viewer
        viewer.transport.set_place(state.place)
        viewer.transport.set_playing(state.is_playing)
        viewer.transport.set_speed(state.speed)
        viewer.transport.set_analysis(state.analysis)
        viewer.timeline.set_position(state.place.frame)

    def _enable(self, state: AppState) -> None:
        actions = self._window.actions_by_name
        for name in _FILE_ACTIONS:
            actions[name].setEnabled(state.is_file)
        actions["analyse"].setEnabled(state.can_analyse)
        actions["export"].setEnabled(state.can_export)
        actions["record"].setEnabled(state.can_record)
        actions["record"].setChecked(state.is_recording)
        actions["snapshot"].setEnabled(state.phase is Phase.OPEN)
        actions["close"].setEnabled(state.source is not None)
        actions["loop"].setChecked(state.is_looped)
