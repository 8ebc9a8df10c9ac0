"""Commands of the user and events of the threads in, the state to show out. Knows no Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app import state as states
from app.choice import DEMO, SourceChoice, SourceKind, choice_of
from app.events import (
    AnalysisDone,
    AnalysisMoved,
    AnalysisStopped,
    CamerasFound,
    Event,
    ModelsFailed,
    ModelsLoaded,
    ModelsLost,
    Snapshot,
    SourceEnded,
    SourceFailed,
    SourceNote,
    SourceOpened,
    Told,
)
from app.finder import Wishes
from app.state import AnalysisPhase, AppState, Phase, Problem
from app.view_options import ViewOptions
from app.workers import Workers

if TYPE_CHECKING:
    from app.analysis import Analysed
    from sadinet.media.camera_list import CameraInfo
    from sadinet.results import FrameResult

# As `sadinet.media.stream.SCHEMES`, told here so that no decoder is loaded before the window is there.
SCHEMES = ("rtsp", "rtsps", "http", "https", "udp", "rtp", "srt", "tcp", "rtmp", "rtmps")

_LOOK_S = 3.0

LOST_NOTE = "The source is waited for"


class Controller:
    """Holds the state and steers the threads; used by one thread.

    Args:
        workers: the threads.
        state: to begin with.

    Attributes:
        state: what the window shows.
        analysed: of the open file, None before it is analysed.
        models: what is loaded, None before.
        cameras: that are there.
        camera_note: why nobody knows, if so.
        has_cameras: whether they have been looked for.
    """

    def __init__(self, workers: Workers, state: AppState | None = None) -> None:
        self.workers = workers
        self.state = state or AppState()
        self.analysed: Analysed | None = None
        self.models: ModelsLoaded | None = None
        self.cameras: tuple[CameraInfo, ...] = ()
        self.camera_note = ""
        self.has_cameras = False
        self._wishes = Wishes()
        self._looked_s = 0.0
        workers.files.set_speed(self.state.speed)
        workers.files.set_looped(self.state.is_looped)

    def start(self, choice: SourceChoice) -> None:
        """Begin: open a source, load the models, look for cameras."""
        self.open(choice)
        self.workers.load_models()
        self.workers.find_cameras()

    def choose_model(self, name: str) -> None:
        """Find people with another pose model; once it is loaded, an analysis by the one before is put away."""
        if self.state.is_recording:
            self.tell(Problem("A recording has one model", "stop it, then choose another model", is_error=False))
        else:
            self.workers.choose_model(name)
            self.state = replace(self.state, is_model_changing=True)

    def look_for_cameras(self) -> None:
        """Look which cameras are there, unless that was just done; for moments at which one may have come."""
        if self.has_cameras and time.monotonic() - self._looked_s > _LOOK_S:
            self._looked_s = time.monotonic()
            self.workers.find_cameras()

    def open(self, choice: SourceChoice) -> None:
        """Open a source in place of what is open."""
        self.analysed = None
        self.state = states.opening(self.state, choice)
        self.workers.open(choice)

    def open_text(self, text: str) -> None:
        """Open what a text stands for."""
        self.open(choice_of(text, SCHEMES))

    def close(self) -> None:
        """Close what is open."""
        self.analysed = None
        self.workers.close()
        self.state = states.closed(self.state)

    def toggle_play(self) -> None:
        """Let a file run on, or stand."""
        self._play(not self.state.is_playing)

    def _play(self, is_playing: bool) -> None:
        if self.state.is_file:
            self.state = states.played(self.state, is_playing)
            self.workers.files.play(is_playing)

    def seek(self, frame: int) -> None:
        """Show this frame of a file."""
        if self.state.is_file:
            self.workers.files.seek(frame)

    def step(self, frames: int) -> None:
        """Stand, and go so many frames on, or back."""
        if self.state.is_file:
            self.state = states.played(self.state, False)
            self.workers.files.step(frames)

    def skip(self, seconds: float) -> None:
        """Go so many seconds on, or back."""
        place = self.state.place
        if not self.state.is_file or place.frames < 2:
            return
        per_s = (place.frames - 1) / place.duration_s if place.duration_s > 0 else 1.0
        self.workers.files.seek(place.frame + round(seconds * per_s))

    def set_speed(self, speed: float) -> None:
        """Play files at another speed."""
        self.state = states.sped(self.state, speed)
        self.workers.files.set_speed(self.state.speed)

    def change_speed(self, steps: int) -> None:
        """Play files so many steps faster, or slower."""
        self.set_speed(states.faster(self.state, steps).speed)

    def set_looped(self, is_looped: bool) -> None:
        """Let files begin again at their end, or not."""
        self.state = states.looped(self.state, is_looped)
        self.workers.files.set_looped(is_looped)

    def select(self, track_id: int | None) -> None:
        """Choose a person."""
        self.state = states.selected(self.state, track_id)
        self._wish(replace(self._wishes, selected=self.state.selected))

    def set_view(self, options: ViewOptions) -> None:
        """Do with each frame what the view needs."""
        self._wish(replace(self._wishes, is_blurred=options.blur, heatmap_joint=options.heatmap_joint))

    def set_smooth(self, is_smooth: bool) -> None:
        """Smooth live joints, or not."""
        self._wish(replace(self._wishes, is_smooth=is_smooth))

    def _wish(self, wishes: Wishes) -> None:
        if wishes != self._wishes:
            self._wishes = wishes
            self.workers.set_wishes(wishes)

    def analyse(self) -> None:
        """Analyse the open file."""
        if self.state.can_analyse:
            self.state = states.analysing(states.played(self.state, False))
            self.workers.analyse()

    def cancel_analysis(self) -> None:
        """Stop the analysis."""
        if self.state.analysis.phase is AnalysisPhase.RUNNING:
            self.workers.cancel_analysis()

    def record(self, sink: Callable[[FrameResult], None] | None) -> None:
        """Hand each result to a recorder, or to nobody any more."""
        self.workers.set_sink(sink)
        self.state = states.recording(self.state, sink is not None)

    def tell(self, problem: Problem) -> None:
        """Show a banner."""
        self.state = states.told(self.state, problem)

    def dismiss(self, line: str) -> None:
        """Take a banner away."""
        self.state = states.dismissed(self.state, line)

    def tick(self) -> Snapshot:
        """Take what the threads have to say; returns what there is to show."""
        snapshot = self.workers.poll()
        for event in snapshot.events:
            self._hear(event)
        if snapshot.place is not None and self.state.is_file:
            if snapshot.place != self.state.place:
                self.state = states.placed(self.state, snapshot.place)
            if snapshot.is_playing != self.state.is_playing:
                self.state = states.played(self.state, snapshot.is_playing)
        return snapshot

    def _hear(self, event: Event) -> None:
        if isinstance(event, ModelsLoaded | ModelsFailed):
            self.state = replace(self.state, is_model_changing=self.workers.is_loading_model)
        if isinstance(event, ModelsLoaded):
            self._take_models(event)
        elif isinstance(event, ModelsLost):
            self.models = None
            self.state = states.told(replace(self.state, are_models_ready=False), event.problem)
        elif isinstance(event, ModelsFailed | Told):
            self.state = states.told(self.state, event.problem)
        elif isinstance(event, CamerasFound):
            self.cameras, self.camera_note, self.has_cameras = event.cameras, event.note, True
        elif isinstance(event, AnalysisMoved | AnalysisDone | AnalysisStopped):
            self._hear_of_analysis(event)
        else:
            self._hear_of_source(event)

    def _take_models(self, event: ModelsLoaded) -> None:
        is_other = self.models is not None and self.models.weights != event.weights
        self.models = event
        self.state = replace(self.state, are_models_ready=True)
        if is_other and self.state.source is not None and self.state.analysis.phase is not AnalysisPhase.NONE:
            # Shown or begun by the one before; it is kept, and found again when that one analyses the file again.
            self.open(self.state.source)

    def _hear_of_source(self, event: SourceOpened | SourceFailed | SourceEnded | SourceNote) -> None:
        if isinstance(event, SourceOpened):
            self.state = states.dismissed(states.opened(self.state), LOST_NOTE)
        elif isinstance(event, SourceFailed):
            self._fail(event.problem)
        elif isinstance(event, SourceEnded):
            name = self.state.source.name if self.state.source is not None else "The source"
            self.state = states.failed(
                self.state, Problem(f"{name} has ended", "open it again, or another one", "", False)
            )
        elif event.text:
            self.look_for_cameras()
            note = Problem(LOST_NOTE, event.text, is_error=False)
            self.state = states.told(states.dismissed(self.state, LOST_NOTE), note)
        else:
            self.state = states.dismissed(self.state, LOST_NOTE)

    def _fail(self, problem: Problem) -> None:
        """Tell it; what does not open makes room for the demo clip, so that there is something to see."""
        was_opening = self.state.phase is Phase.OPENING
        self.state = states.failed(states.dismissed(self.state, LOST_NOTE), problem)
        is_demo = self.state.source is not None and self.state.source.kind is SourceKind.DEMO
        if was_opening and not is_demo:
            self.open(DEMO)

    def _hear_of_analysis(self, event: AnalysisMoved | AnalysisDone | AnalysisStopped) -> None:
        if self.state.analysis.phase is not AnalysisPhase.RUNNING:
            return
        if isinstance(event, AnalysisMoved):
            self.state = states.analysing(self.state, event.done, event.frames)
        elif isinstance(event, AnalysisDone):
            self.analysed = event.analysed
            self.state = states.analysed(self.state, event.analysed.recording.frames)
        else:
            self.state = states.not_analysed(self.state, event.problem)
