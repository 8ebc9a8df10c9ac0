from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import state as states
from app.choice import DEMO, SourceChoice, SourceKind, choice_of
from app.state import Analysis, AnalysisPhase, AppState, Phase, Place, Problem

SCHEMES = ("rtsp", "http")
FILE = SourceChoice(SourceKind.FILE, "/videos/walk.mp4")
CAMERA = SourceChoice(SourceKind.CAMERA, "/dev/v4l/by-id/one", "One")


def open_state(choice=FILE) -> AppState:
    return states.opened(states.opening(AppState(), choice))


@pytest.mark.parametrize(
    ("text", "kind", "where"),
    [
        ("demo", SourceKind.DEMO, ""),
        ("0", SourceKind.CAMERA, "0"),
        ("camera", SourceKind.CAMERA, "0"),
        ("camera:Logi", SourceKind.CAMERA, "Logi"),
        ("rtsp://10.0.0.2/one", SourceKind.STREAM, "rtsp://10.0.0.2/one"),
        ("walk.mp4", SourceKind.FILE, "walk.mp4"),
        ("walk.PNG", SourceKind.PICTURES, "walk.PNG"),
        ("a: b://c.mp4", SourceKind.FILE, "a: b://c.mp4"),
    ],
)
def test_a_text_stands_for_a_source(text, kind, where):
    choice = choice_of(text, SCHEMES)
    assert (choice.kind, choice.where) == (kind, where)


def test_a_folder_stands_for_its_pictures(tmp_path):
    assert choice_of(str(tmp_path), SCHEMES).kind is SourceKind.PICTURES


def test_a_password_in_an_address_is_kept_but_never_shown():
    choice = choice_of("rtsp://me:secret@host/one", SCHEMES)
    assert "secret" in choice.where
    assert choice.name == "rtsp://me@host/one"


def test_a_file_that_is_open_can_be_sought_and_analysed_but_not_recorded():
    state = states.replace(open_state(), are_models_ready=True)
    assert state.is_file
    assert state.can_analyse
    assert not state.can_record
    assert not state.can_export
    assert state.is_playing


def test_a_camera_that_is_open_can_be_recorded_but_not_sought():
    state = open_state(CAMERA)
    assert state.is_live
    assert state.can_record
    assert states.placed(state, Place(5)) is state
    assert states.analysing(state) is state


def test_nothing_can_be_done_while_a_source_is_being_opened():
    state = states.replace(states.opening(AppState(), FILE), are_models_ready=True)
    assert not any((state.is_file, state.is_live, state.can_analyse, state.can_record))


def test_another_source_takes_place_analysis_and_choice_of_the_last_one_along():
    state = states.analysed(states.placed(open_state(), Place(7, 0.2, 10, 0.3, True)), 10)
    state = states.selected(state, 3)
    again = states.opening(state, CAMERA)
    assert (again.place, again.analysis, again.selected) == (Place(), Analysis(), None)


def test_files_and_streams_are_remembered_the_last_one_first_and_once_each():
    state = AppState()
    for where in ("a.mp4", "b.mp4", "a.mp4"):
        state = states.opened(states.opening(state, SourceChoice(SourceKind.FILE, where)))
    for choice in (CAMERA, DEMO):
        state = states.opened(states.opening(state, choice))
    assert state.recent == ("a.mp4", "b.mp4")


def test_a_file_that_does_not_open_is_not_offered_again():
    state = states.opening(AppState(recent=("bad.mp4", "good.mp4")), SourceChoice(SourceKind.FILE, "bad.mp4"))
    state = states.failed(state, Problem("it is damaged"))
    assert state.recent == ("good.mp4",)
    assert state.phase is Phase.FAILED
    assert [problem.message for problem in state.problems] == ["it is damaged"]


def test_the_same_problem_is_told_once_and_old_ones_make_room():
    state = AppState()
    for message in "abcabdef":
        state = states.told(state, Problem(message))
    assert [problem.message for problem in state.problems] == ["b", "d", "e", "f"]
    assert [problem.message for problem in states.dismissed(state, "d").problems] == ["b", "e", "f"]


def test_a_note_is_one_line_with_its_remedy():
    note = Problem("the camera is lost", "plug it in", is_error=False)
    state = states.told(AppState(), note)
    assert note.line == "the camera is lost: plug it in"
    assert states.dismissed(state, note.line).problems == ()


def test_choosing_the_same_person_again_lets_go():
    state = states.selected(open_state(), 4)
    assert state.selected == 4
    assert states.selected(state, 4).selected is None


def test_an_analysis_that_stops_may_begin_again():
    state = states.analysing(states.replace(open_state(), are_models_ready=True), 5, 10)
    assert not state.can_analyse
    state = states.not_analysed(state, Problem("the disk is full"))
    assert state.can_analyse
    assert state.problems[-1].message == "the disk is full"


def test_an_analysis_that_is_done_can_be_exported():
    state = states.analysed(open_state(), 10)
    assert state.can_export
    assert state.analysis == Analysis(AnalysisPhase.DONE, 10, 10)


@given(st.lists(st.integers(-20, 20)))
def test_speeds_stay_among_those_that_there_are(steps):
    state = AppState()
    for step in steps:
        state = states.faster(state, step)
    assert state.speed in states.SPEEDS


@given(st.floats(0, 100))
def test_any_speed_becomes_the_nearest_there_is(speed):
    chosen = states.sped(AppState(), speed).speed
    assert all(abs(chosen - speed) <= abs(each - speed) for each in states.SPEEDS)


def test_an_unknown_time_is_not_a_number():
    assert math.isnan(Place().time_s)


def test_state_controller_and_player_know_no_qt():
    code = "import sys, app.state, app.controller, app.player; sys.exit(any('PyQt' in m for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
