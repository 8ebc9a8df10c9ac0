"""The record button and the snapshot: what the window has to do with them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from app.recording import RecordingController, RecordingStatus
from app.state import Problem, problem_of

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.view_options import ViewOptions
    from sadinet.results import FrameResult


class RecordingDesk:
    """Begins and ends recordings of the window's source, and tells what became of them.

    Attributes:
        recorder: records.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._control = window.controller
        self.recorder = RecordingController()
        self._is_telling = False

    def record(self, is_wanted: bool) -> None:
        """Begin, or end."""
        if is_wanted and self._control.state.can_record:
            self._begin()
        elif self._control.state.is_recording:
            self._end()

    def restart(self) -> None:
        """Begin another recording, as faces are to be covered from now on, or not any more."""
        if self._control.state.is_recording:
            self._control.record(None)
            self._begin()

    def tick(self) -> None:
        """Tell how far the recording is, and how it ended once it has."""
        if not self._is_telling:
            return
        state, status = self._control.state, self.recorder.status
        if state.is_recording and status.error is not None:
            self._control.record(None)
        elif self.is_orphaned:
            # Its source is gone.
            self._control.record(None)
            self.recorder.finish()
        self._window.status.set_text(_course(status))
        if not status.is_busy and not self._control.state.is_recording:
            self._is_telling = False
            self._window.status.set_text("")
            self._tell()

    @property
    def is_orphaned(self) -> bool:
        """Whether a recording runs whose source is not open any more."""
        return self.recorder.status.is_recording and not self._control.state.is_recording

    def close(self) -> None:
        """End; what waits is written by its own thread."""
        self._control.record(None)
        self.recorder.finish()

    def finish(self, deadline_s: float) -> tuple[str, ...]:
        """Wait until everything is written; returns what did not end in time."""
        summary = self.recorder.stop(deadline_s)
        return () if summary is None or summary.is_complete else ("recording",)

    def snapshot(self) -> None:
        """Save the picture that is shown, in a thread."""
        result = self._window.shown
        if result is None:
            return
        view, models, source = self._window.settings.view, self._control.models, self._control.state.source
        folder = self._window.folder / "snapshots"
        name, weights = "" if source is None else source.name, "" if models is None else models.weights
        self._control.workers.run("snapshot", lambda: _saved(result, folder, view, name, weights))

    def _begin(self) -> None:
        from app.recording_files import RecordingOptions, SourceFacts, recording_folder

        source, models = self._control.state.source, self._control.models
        assert source is not None  # noqa: S101  a source can be recorded
        options = RecordingOptions(
            blur_faces=self._window.settings.view.blur,
            weights="" if models is None else models.weights,
            settings={} if models is None else {"pose": asdict(models.pose), "detector": asdict(models.detector)},
        )
        folder = recording_folder(self._window.folder / "recordings", source.name)
        self.recorder.start(folder, SourceFacts(source.name, source.kind.value, source.rate_hz), options)
        self._control.record(self._take)
        self._is_telling = True

    def _take(self, result: FrameResult) -> None:
        self.recorder.add(result)

    def _end(self) -> None:
        self._control.record(None)
        self.recorder.finish()

    def _tell(self) -> None:
        status = self.recorder.status
        summary = self.recorder.stop(0.0)
        if status.error is not None:
            self._control.tell(problem_of(status.error))
        if summary is not None and summary.frames:
            self._control.tell(Problem("Recorded", summary.text, is_error=False))


def _course(status: RecordingStatus) -> str:
    lost = status.dropped + status.missed
    missing = f", {lost} missing" if lost else ""
    doing = "recording" if status.is_recording else "writing the recording"
    return f"{doing}: {status.seconds:.0f} s, {status.frames} frames{missing}"


def _saved(result: FrameResult, folder: Path, view: ViewOptions, source: str, weights: str) -> Problem:
    from app.snapshot import SnapshotOptions, save_snapshot

    paths = save_snapshot(result, folder, SnapshotOptions(view.blur, view.threshold, source, weights))
    names = ", ".join(path.name for path in paths)
    return Problem("Snapshot saved", f"{names} in {folder}", is_error=False)
