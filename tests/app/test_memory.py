"""A GPU that runs out of memory: it is told first, and then the CPU goes on."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from app.choice import SourceChoice, SourceKind
from app.controller import Controller
from app.events import ModelsLoaded, ModelsLost
from app.loading import ModelChoice
from app.main_window import MainWindow
from app.settings import AppSettings
from app.state import AnalysisPhase, Phase
from app.workers import Workers
from sadinet.engines.session import Runtime
from sadinet.errors import DeviceMemoryError

CAMERA = SourceChoice(SourceKind.CAMERA, "one", "One")
FULL = DeviceMemoryError("the GPU ran out of memory", "use --device cpu")
GPU = Runtime("onnxruntime", "1", "cuda", "fp16", "CUDA works")


@pytest.fixture
def on_gpu(made_people):
    """Models on a card that is full after some frames."""

    class OnGpu(made_people):
        class _Estimator(made_people._Estimator):
            runtime = GPU

        class _Detector:
            runtime = GPU

        estimator, detector = _Estimator(), _Detector()

        def __init__(self, frames=5):
            super().__init__()
            self.frames = frames

        def follower(self):
            follow = super().follower()

            class Follower:
                detection_interval = 3

                def reset(self):
                    pass

                def __call__(inner, frame):  # noqa: N805
                    self.frames -= 1
                    if self.frames < 0:
                        raise FULL
                    return follow(frame)

            return Follower()

    return OnGpu


@pytest.fixture
def control(tmp_path, made_people, made_camera, on_gpu):
    """Makes a controller whose models are on a GPU first; what is loaded stands in `loaded`, `go` lets the CPU's in."""
    made = []

    def make(first, device="auto", go=None):
        loaded = []

        def load(choice):
            loaded.append(choice.device)
            if len(loaded) == 1:
                if isinstance(first, Exception):
                    raise first
                return first
            if go is not None:
                go.wait(30)
            return made_people()

        workers = Workers(
            ModelChoice(device=device), tmp_path / "cache", open_source=lambda choice: made_camera(), load=load
        )
        made.append(Controller(workers))
        return made[-1], loaded

    yield make
    for each in made:
        assert each.workers.stop(5.0) == ()


def people_in(snapshot):
    return snapshot.live is not None and len(snapshot.live.result.poses) > 0


def test_it_is_told_before_the_cpu_goes_on(control, on_gpu, until):
    go = threading.Event()
    controller, loaded = control(on_gpu(), go=go)
    controller.start(CAMERA)
    events = []
    until(
        lambda: any(isinstance(event, ModelsLost) for event in events),
        "the note",
        lambda: events.extend(controller.tick().events),
    )
    (problem,) = controller.state.problems
    assert problem.message == "the GPU ran out of memory"
    assert "the CPU goes on" in problem.remedy
    assert not controller.state.are_models_ready
    assert controller.models is None
    # The picture goes on meanwhile, with nobody found.
    seen = []
    until(lambda: len(seen) > 5, "pictures", lambda: seen.extend(filter(None, [controller.tick().live])))
    assert seen[-1].result.poses == ()
    assert controller.state.phase is Phase.OPEN
    go.set()
    until(lambda: people_in(controller.tick()), "somebody")
    assert loaded == ["auto", "cpu"]
    assert controller.state.are_models_ready
    assert controller.models.pose.device == "cpu"
    assert controller.models.pose.why == "the GPU ran out of memory"
    kinds = [type(event) for event in events if isinstance(event, ModelsLoaded | ModelsLost)]
    assert kinds == [ModelsLoaded, ModelsLost]


def test_a_model_that_finds_no_room_at_the_start_is_loaded_on_the_cpu(control, until):
    controller, loaded = control(FULL)
    controller.start(CAMERA)
    until(lambda: people_in(controller.tick()), "somebody")
    assert loaded == ["auto", "cpu"]
    assert [problem.message for problem in controller.state.problems] == ["the GPU ran out of memory"]


def test_below_the_cpu_there_is_nothing(control, until):
    error = DeviceMemoryError("there is too little memory for the model", "close other programs")
    controller, loaded = control(error, device="cpu")
    controller.start(CAMERA)
    until(lambda: controller.state.problems, "the error", controller.tick)
    assert controller.state.problems[0].remedy == "close other programs"
    assert loaded == ["cpu"]


def test_a_cpu_that_runs_out_of_memory_ends_the_run(control, made_people, until):
    error = DeviceMemoryError("there is too little memory for the model", "close other programs")
    controller, loaded = control(made_people(error=error))
    controller.start(CAMERA)
    until(lambda: controller.state.phase is Phase.FAILED, "the failure", controller.tick)
    assert controller.state.problems[-1].message == error.message
    assert loaded == ["auto"]


def test_an_analysis_that_finds_no_room_can_be_begun_again_on_the_cpu(control, on_gpu, clip, until, monkeypatch):
    import app.analysis

    def full(where, cache, settings, tell, *, angles):
        raise FULL

    monkeypatch.setattr(app.analysis, "analyse", full)
    gpu = on_gpu(frames=10**9)
    gpu.settings = object()
    controller, loaded = control(gpu)
    controller.start(SourceChoice(SourceKind.FILE, str(clip)))
    until(lambda: controller.state.can_analyse, "the file", controller.tick)
    controller.analyse()
    until(lambda: loaded == ["auto", "cpu"] and controller.state.can_analyse, "the CPU", controller.tick)
    assert controller.state.analysis.phase is AnalysisPhase.NONE
    assert [problem.message for problem in controller.state.problems] == ["the GPU ran out of memory"]


def test_the_window_shows_a_banner_and_what_runs_now(qtbot, control, on_gpu, tmp_path, until):
    go = threading.Event()
    controller, _ = control(on_gpu(), go=go)
    window = MainWindow(controller, replace(AppSettings(), folder=str(tmp_path)), tmp_path)
    qtbot.addWidget(window)
    window.show()
    controller.start(CAMERA)
    qtbot.waitUntil(lambda: bool(window.notices.messages), timeout=20_000)
    assert "the GPU ran out of memory" in window.notices.messages[0]
    qtbot.waitUntil(lambda: "loading" in window.status.accessibleDescription() or not controller.models, timeout=20_000)
    go.set()
    qtbot.waitUntil(lambda: controller.models is not None, timeout=20_000)
    qtbot.waitUntil(lambda: " · CPU · " in window.status._runtime.text(), timeout=20_000)
    assert "ran out of memory" in window.status._why
    window.close()
