from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.choice import DEMO, SourceChoice, SourceKind
from app.controller import LOST_NOTE, Controller
from app.finder import Finder, Wishes
from app.loading import ModelChoice, make_blur
from app.state import AnalysisPhase, AppState, Phase
from app.workers import Workers
from sadinet.errors import DeviceError, SourceError, WeightsError

CAMERA = SourceChoice(SourceKind.CAMERA, "one", "One")


def test_pictures_come_before_the_models_are_there_and_people_after(control, made_people, until, people_in):
    go = threading.Event()

    def slow(choice):
        go.wait(30)
        return made_people()

    controller = control(load=slow)
    controller.start(CAMERA)
    seen = []
    until(lambda: seen, "a picture", lambda: seen.extend(filter(None, [controller.tick().live])))
    assert seen[0].result.poses == ()
    assert not controller.state.are_models_ready
    go.set()
    until(lambda: people_in(controller), "somebody")
    assert controller.state.are_models_ready
    assert controller.models.weights == "made-up"


def test_models_that_do_not_load_are_told_and_pictures_go_on(control, until):
    controller = control(people=WeightsError("the model is damaged", "install again"))
    controller.start(CAMERA)
    until(lambda: controller.state.problems, "the error", controller.tick)
    assert (controller.state.problems[0].message, controller.state.problems[0].remedy) == (
        "the model is damaged",
        "install again",
    )
    until(lambda: controller.tick().live is not None, "a picture")


def test_an_unforeseen_error_of_a_runtime_is_told_with_its_traceback(control, until):
    controller = control(people=RuntimeError("bad allocation"))
    controller.start(CAMERA)
    until(lambda: controller.state.problems, "the error", controller.tick)
    assert "bad allocation" in controller.state.problems[0].message
    assert "Traceback" in controller.state.problems[0].details


def test_a_model_that_fails_on_the_way_ends_the_run_and_says_why(control, made_people, until):
    controller = control(people=made_people(error=DeviceError("out of memory on the GPU", "use a smaller model")))
    controller.start(CAMERA)
    until(lambda: controller.state.phase is Phase.FAILED, "the failure", controller.tick)
    assert controller.state.problems[-1].message == "out of memory on the GPU"


def test_a_camera_that_is_in_use_is_told_and_the_demo_clip_is_shown(control, made_camera, until):
    def open_source(choice):
        if choice.kind is SourceKind.CAMERA:
            raise SourceError("camera 'One' does not open", "close other programs that use it")
        return made_camera()

    controller = control(open_source)
    controller.start(CAMERA)
    until(lambda: controller.state.phase is Phase.OPEN, "the demo clip", controller.tick)
    assert controller.state.source == DEMO
    assert controller.state.problems[0].remedy == "close other programs that use it"


def test_a_demo_clip_that_does_not_open_is_told_once(control, until):
    controller = control(SourceError("it is missing", "install again"))
    controller.start(DEMO)
    until(lambda: controller.state.phase is Phase.FAILED, "the failure", controller.tick)
    assert len(controller.state.problems) == 1


def test_a_camera_that_is_unplugged_is_noted_and_the_note_goes_when_it_is_back(control, made_camera, until, people_in):
    camera = made_camera()
    controller = control(camera)
    controller.start(CAMERA)
    until(lambda: people_in(controller), "somebody")
    camera.tell("lost", "camera One gives no picture any more")
    until(lambda: controller.state.problems, "the note", controller.tick)
    assert controller.state.problems[0].message == LOST_NOTE
    assert not controller.state.problems[0].is_error
    camera.tell("connected")
    until(lambda: not controller.state.problems, "the end of the note", controller.tick)
    until(lambda: people_in(controller), "somebody")


def test_a_camera_that_never_comes_back_is_an_error(control, made_camera, until):
    gone = SourceError("camera One did not come back", "plug it in again")
    controller = control(made_camera(error=gone, error_after=5))
    controller.start(CAMERA)
    until(lambda: controller.state.phase is Phase.FAILED, "the failure", controller.tick)
    assert controller.state.problems[-1].remedy == "plug it in again"


def test_a_stream_that_ends_says_so(control, made_camera, until):
    controller = control(made_camera(frames=5))
    controller.start(SourceChoice(SourceKind.STREAM, "rtsp://x/y"))
    until(lambda: controller.state.phase is Phase.FAILED, "the end", controller.tick)
    assert "has ended" in controller.state.problems[-1].message
    assert not controller.state.problems[-1].is_error


def test_what_a_camera_gives_in_place_of_what_was_asked_for_is_noted(control, made_camera, until):
    camera = made_camera()
    camera.notes = ("the camera gives 640x480 in place of 1280x720",)
    controller = control(camera)
    controller.start(CAMERA)
    until(lambda: controller.state.problems, "the note", controller.tick)
    assert "640x480" in controller.state.problems[0].remedy


@pytest.mark.parametrize("moment", ["opening", "reading"])
def test_everything_ends_in_time_while_a_camera_hangs(tmp_path, made_people, made_camera, until, moment, people_in):
    camera = made_camera()
    go = threading.Event()

    def open_source(choice):
        if moment == "opening":
            go.wait(30)
        return camera

    workers = Workers(ModelChoice(), tmp_path, open_source=open_source, load=lambda choice: made_people())
    controller = Controller(workers)
    controller.start(CAMERA)
    if moment == "reading":
        until(lambda: people_in(controller), "somebody")
        camera.hang.set()
    began_s = time.monotonic()
    late = workers.stop(1.0)
    assert time.monotonic() - began_s < 2.0
    assert late
    go.set()
    camera.hang.clear()


def test_a_source_that_opens_after_another_was_chosen_is_closed_again(control, made_camera, until):
    go = threading.Event()
    slow, quick = made_camera(), made_camera()

    def open_source(choice):
        if choice.where == "slow":
            go.wait(30)
            return slow
        return quick

    controller = control(open_source)
    controller.start(SourceChoice(SourceKind.CAMERA, "slow"))
    controller.open(CAMERA)
    until(lambda: controller.state.phase is Phase.OPEN, "the second one", controller.tick)
    go.set()
    until(lambda: slow.is_closed, "the first one's end", controller.tick)
    assert controller.state.source == CAMERA
    assert not quick.is_closed


def test_opening_many_sources_in_a_row_leaves_only_the_last_one_open(control, made_camera, until, people_in):
    cameras = []

    def open_source(choice):
        cameras.append(made_camera())
        return cameras[-1]

    controller = control(open_source)
    controller.start(CAMERA)
    for number in range(10):
        controller.open(SourceChoice(SourceKind.CAMERA, str(number)))
    until(lambda: people_in(controller), "somebody")
    until(lambda: sum(not camera.is_closed for camera in cameras) == 1, "the others' end", controller.tick)
    controller.close()
    until(lambda: all(camera.is_closed for camera in cameras), "the end", controller.tick)
    assert controller.state.phase is Phase.NOTHING


def test_the_newest_frame_wins_where_models_are_slow(control, made_people, made_camera, until):
    camera = made_camera(rate_hz=200)
    controller = control(camera, made_people(takes_s=0.1))
    controller.start(CAMERA)
    seen = []
    until(lambda: len(seen) >= 5, "five pictures", lambda: seen.extend(filter(None, [controller.tick().live])))
    indices = [live.result.frame.index for live in seen]
    assert indices == sorted(indices)
    assert indices[-1] - indices[1] > 10


def test_the_sink_gets_every_result_as_it_was_found(control, until):
    controller = control()
    controller.start(CAMERA)
    until(lambda: controller.state.can_record and controller.state.are_models_ready, "the camera", controller.tick)
    taken = []
    controller.record(taken.append)
    assert controller.state.is_recording
    until(lambda: len(taken) > 10, "ten results", controller.tick)
    controller.record(None)
    assert not controller.state.is_recording
    indices = [result.frame.index for result in taken]
    assert indices == sorted(set(indices))


def test_faces_are_hidden_from_the_first_picture_on_but_not_for_the_recorder(made_people, frame):
    finder = Finder(Wishes(is_blurred=True, is_smooth=False), make_blur)
    grey = frame(50)
    assert not finder(grey).frame.image.any()  # nobody knows yet where faces are
    finder.use(made_people())
    taken = []
    finder.sink = taken.append
    noise = np.random.default_rng(0).integers(0, 255, grey.image.shape, dtype=np.uint8)
    noisy = type(grey)(noise, 51, 51 / 30, "made up")
    shown = finder(noisy)
    x, y = (round(float(at)) for at in shown.poses[0].joints[shown.poses[0].skeleton.index("nose")])
    head = np.s_[y - 8 : y + 8, x - 8 : x + 8]
    assert not np.array_equal(shown.frame.image[head], noise[head])
    assert np.array_equal(shown.frame.image[200:, 300:], noise[200:, 300:])
    assert np.array_equal(taken[0].frame.image, noise)


def test_people_are_followed_anew_after_a_jump_and_not_searched_again_in_the_same_picture(made_people, frame):
    people = made_people()
    finder = Finder(Wishes(is_smooth=False), make_blur)
    finder.use(people)
    frames = [frame(index) for index in (0, 1, 5, 80, 3)]
    results = [finder(each) for each in frames]
    assert people.resets == 2  # at 80, more than a second on, and at 3, back
    assert finder(frames[-1]).poses is results[-1].poses


def test_live_joints_are_smoothed_unless_they_are_not_to_be(made_people, frame):
    finder = Finder(Wishes(is_smooth=True), make_blur)
    finder.use(made_people())
    raw = []
    finder.sink = raw.append
    smooth = [finder(frame(index)) for index in range(20)]
    lag = raw[-1].poses[0].joints[0, 0] - smooth[-1].poses[0].joints[0, 0]
    assert 0 < lag < 10
    finder.wishes = Wishes(is_smooth=False)
    assert finder(frame(20)).poses[0].joints[0, 0] == raw[-1].poses[0].joints[0, 0]


def test_a_file_that_is_missing_is_told_and_is_not_offered_again(control, tmp_path, until):
    missing = str(tmp_path / "gone.mp4")
    controller = control()
    controller.state = AppState(recent=(missing,))
    controller.start(SourceChoice(SourceKind.FILE, missing))
    until(lambda: controller.state.phase is Phase.OPEN, "the demo clip", controller.tick)
    assert "no such file" in controller.state.problems[0].message
    assert controller.state.recent == ()


def test_a_file_is_played_stood_stepped_and_sought(control, clip, until):
    controller = control()
    controller.start(SourceChoice(SourceKind.FILE, str(clip)))
    until(lambda: controller.state.is_file and controller.state.place.is_exact, "the file", controller.tick)
    controller.toggle_play()
    assert not controller.state.is_playing
    for command, frame in (
        (lambda: controller.seek(60), 60),
        (lambda: controller.step(-1), 59),
        (lambda: controller.skip(-1), 29),
        (lambda: controller.seek(10_000), 105),
    ):
        command()
        until(lambda frame=frame: controller.state.place.frame == frame, f"frame {frame}", controller.tick)
    controller.toggle_play()
    until(lambda: controller.state.place.frame < 100, "the beginning", controller.tick)


def test_commands_for_files_do_nothing_to_a_camera(control, until, people_in):
    controller = control()
    controller.start(CAMERA)
    until(lambda: people_in(controller), "somebody")
    before = controller.state
    for command in (controller.toggle_play, lambda: controller.seek(3), lambda: controller.step(1), controller.analyse):
        command()
    controller.skip(1)
    controller.cancel_analysis()
    assert controller.state == before


def test_an_analysis_gives_what_the_command_line_gives_and_is_shown(real, short_clip, tmp_path, until):
    from sadinet.cli.main import main
    from sadinet.recording import Recording

    controller = real
    controller.start(SourceChoice(SourceKind.FILE, str(short_clip)))
    until(lambda: controller.state.can_analyse, "the file", controller.tick, 120)
    controller.analyse()
    assert controller.state.analysis.phase is AnalysisPhase.RUNNING
    until(lambda: controller.analysed is not None, "the analysis", controller.tick, 120)
    analysed = controller.analysed
    assert isinstance(analysed.recording, Recording)
    assert analysed.recording.frames == len(analysed.timeline.people) == 7
    assert controller.state.can_export
    assert main(["run", str(short_clip), "-o", str(tmp_path / "run"), "--angles", "--no-page", "--quiet"]) == 0
    ours = (analysed.folder / "short.csv").read_bytes()
    assert ours == (tmp_path / "run" / "short.csv").read_bytes()
    shown = []
    controller.seek(4)
    until(lambda: shown, "frame 4", lambda: shown.extend(_at(controller.tick(), 4)), 60)
    from sadinet.batch.windows import shown_poses

    wanted = shown_poses(analysed.recording, 4)
    assert [pose.track_id for pose in shown[0].poses] == [pose.track_id for pose in wanted]
    assert all(np.array_equal(a.joints, b.joints) for a, b in zip(shown[0].poses, wanted, strict=True))


def _at(snapshot, number):
    live = snapshot.live
    return [live.result] if live is not None and live.result.frame.index == number else []


def test_an_analysis_can_be_stopped_and_goes_on_from_there(real, clip, until):
    controller = real
    controller.start(SourceChoice(SourceKind.FILE, str(clip)))
    until(lambda: controller.state.can_analyse, "the file", controller.tick, 120)
    controller.analyse()
    until(lambda: controller.state.analysis.done > 2, "the first frames", controller.tick, 120)
    controller.cancel_analysis()
    until(lambda: controller.state.analysis.phase is AnalysisPhase.NONE, "the stop", controller.tick, 60)
    assert controller.analysed is None
    assert controller.state.problems == ()
    assert controller.state.can_analyse


def test_closing_the_file_ends_its_analysis(real, clip, until):
    controller = real
    controller.start(SourceChoice(SourceKind.FILE, str(clip)))
    until(lambda: controller.state.can_analyse, "the file", controller.tick, 120)
    controller.analyse()
    until(lambda: controller.state.analysis.done > 0, "the first frames", controller.tick, 120)
    controller.close()
    names = {"app analysis"}
    until(lambda: not names & {thread.name for thread in threading.enumerate()}, "its end", controller.tick, 60)
    controller.tick()
    assert controller.analysed is None
    assert controller.state.analysis.phase is AnalysisPhase.NONE


def test_an_analysis_begins_even_while_that_of_another_file_is_still_stopping(real, clip, short_clip, until):
    controller = real
    controller.start(SourceChoice(SourceKind.FILE, str(clip)))
    until(lambda: controller.state.can_analyse, "the file", controller.tick, 120)
    controller.analyse()
    until(lambda: controller.state.analysis.done > 0, "the first frames", controller.tick, 120)
    controller.open(SourceChoice(SourceKind.FILE, str(short_clip)))
    until(lambda: controller.state.can_analyse, "the other file", controller.tick, 120)
    controller.analyse()
    until(lambda: controller.analysed is not None, "its analysis", controller.tick, 120)
    assert controller.analysed.where == str(short_clip)


def test_cameras_are_looked_for_again_when_one_may_have_come_but_not_all_the_time(
    control, made_camera, until, people_in
):
    camera = made_camera()
    controller = control(camera)
    looked = []
    controller.workers.find_cameras = lambda: looked.append(time.monotonic())
    controller.start(CAMERA)
    controller.has_cameras = True
    until(lambda: people_in(controller), "somebody")
    camera.tell("lost", "camera One gives no picture any more")
    until(lambda: len(looked) == 2, "the second look", controller.tick)
    for _ in range(5):
        controller.look_for_cameras()
    assert len(looked) == 2


def test_the_schemes_told_early_are_those_of_streams():
    from app.controller import SCHEMES
    from sadinet.media.stream import SCHEMES as KNOWN

    assert SCHEMES == KNOWN


def test_results_of_an_analysis_lie_where_the_same_file_finds_them_again(tmp_path):
    from app.analysis import folder_of

    path = tmp_path / "é.mp4"
    assert folder_of(str(path), tmp_path) == folder_of(str(Path(tmp_path) / "." / "é.mp4"), tmp_path)
    assert folder_of(str(path), tmp_path) != folder_of(str(tmp_path / "e.mp4"), tmp_path)
