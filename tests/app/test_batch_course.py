"""A queue from one state to the next, and on the disk."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace

import pytest

from app.batch_course import contains, heard, removed, starting
from app.batch_events import Advanced, Began, Ended, Held, Line, Looked, Over, Ready, Reported
from app.batch_file import VERSION, load_queue, save_queue
from app.batch_state import BatchOptions, BatchPhase, BatchState, Fault, Item, ItemState
from app.batch_words import course_text


def course(state: BatchState, *events, every_s: float = 1.0) -> BatchState:
    for number, event in enumerate(events):
        state = heard(state, event, number * every_s)
    return state


@pytest.fixture
def listed() -> BatchState:
    state = BatchState(options=BatchOptions(folder="/out"))
    return course(state, Looked("/v/a.mp4", 100), Looked("/v/b.mp4", 300, ("variable rate",)), Looked("/v/c.mp4", 50))


def state_of(state: BatchState, where: str) -> Item:
    return next(item for item in state.items if item.where == where)


def test_a_run_from_its_start_to_its_end(listed):
    state = course(
        starting(listed),
        Line("models"),
        Ready(),
        Began("/v/a.mp4", 100, 0),
        Advanced("/v/a.mp4", 60, "poses"),
        Advanced("/v/a.mp4", 40, "poses"),
        Advanced("/v/a.mp4", 20, "drawing"),
    )
    assert (state.phase, state.lines) == (BatchPhase.RUNNING, ("models",))
    assert (state.done, state.frames) == (100, 450)
    assert state_of(state, "/v/a.mp4").share == 0.2
    assert state.fps == pytest.approx(100 / 4)
    assert state.left_s == pytest.approx(350 / 25)
    assert course_text(state) == "0 of 3 inputs, 100 of 450 frames, 25.0 fps, about 0:14 left"
    state = course(
        state,
        Ended("/v/a.mp4", ItemState.DONE, 100, 1, outputs=("a.csv", "a.html"), page="a.html"),
        Began("/v/b.mp4", 300, 200),
        Advanced("/v/b.mp4", 100, "poses"),
        Ended("/v/b.mp4", ItemState.IN_PART, 300, 2, notes=("cut off",)),
        Ended("/v/c.mp4", ItemState.FAILED, notes=("no such file",)),
        Reported("3 inputs: 1 done, 1 in part, 1 failed", "/out/report.html"),
        Over(),
    )
    assert state.phase is BatchPhase.IDLE
    assert [item.state for item in state.items] == [ItemState.DONE, ItemState.IN_PART, ItemState.FAILED]
    assert state.done == state.frames == 400
    assert course_text(state).startswith("3 inputs: 1 done")
    assert not state.can_resume
    again = starting(state)
    assert [item.state for item in again.items] == [ItemState.DONE, ItemState.IN_PART, ItemState.WAITING]


def test_time_that_is_paused_does_not_count(listed):
    state = course(starting(listed), Ready(), Began("/v/a.mp4", 100, 0), Advanced("/v/a.mp4", 10, "poses"))
    spent = state.active_s
    state = heard(replace(state, phase=BatchPhase.PAUSING), Held(True), 5.0)
    assert state.phase is BatchPhase.PAUSED
    assert course_text(state).endswith("paused")
    state = heard(state, Held(False), 1000.0)
    state = heard(state, Advanced("/v/a.mp4", 10, "poses"), 1001.0)
    assert (state.phase, state.active_s) == (BatchPhase.RUNNING, spent + 1.0)


def test_a_process_that_dies_leaves_what_was_done(listed):
    state = course(starting(listed), Ready(), Began("/v/a.mp4", 100, 0), Advanced("/v/a.mp4", 10, "poses"))
    state = heard(state, Over(Fault("it died", "start again")), 9.0)
    assert (state.phase, state.fault.message) == (BatchPhase.IDLE, "it died")
    assert state_of(state, "/v/a.mp4").state is ItemState.WAITING
    assert state.can_resume
    assert starting(state).fault is None


def test_a_pause_that_ends_the_process_stays_a_pause(listed):
    state = replace(course(starting(listed), Ready()), phase=BatchPhase.PAUSING)
    assert heard(state, Over(), 1.0).phase is BatchPhase.PAUSED
    assert heard(state, Over(Fault("it died")), 1.0).phase is BatchPhase.IDLE


def test_time_left_is_told_only_when_it_is_known(listed):
    running = course(starting(listed), Ready(), Began("/v/a.mp4", 100, 0))
    assert math.isnan(running.left_s)
    running = heard(running, Advanced("/v/a.mp4", 10, "poses"), 5.0)
    assert running.left_s > 0
    assert math.isnan(course(running, Looked("/v/new.mp4")).left_s)
    assert course(running, Looked("/v/gone.mp4", error="no such file")).left_s > 0


def test_what_is_done_and_removed_keeps_its_name(listed):
    """Its results must not be replaced by those of another file of the same name."""
    state = course(listed, Ended("/v/a.mp4", ItemState.DONE, 100))
    state = removed(state, ["/v/a.mp4", "/v/b.mp4"])
    assert [item.where for item in state.shown] == ["/v/c.mp4"]
    assert [item.where for item in state.items] == ["/v/a.mp4", "/v/c.mp4"]
    assert course(state, Looked("/v/a.mp4", 100)).shown[0].where == "/v/a.mp4"


def test_what_is_being_worked_on_is_not_removed(listed):
    state = course(starting(listed), Ready(), Began("/v/a.mp4", 100, 0))
    state = removed(state, ["/v/a.mp4", "/v/b.mp4"])
    assert [item.where for item in state.shown] == ["/v/a.mp4", "/v/c.mp4"]
    assert [item.where for item in heard(state, Over(), 9.0).items] == ["/v/a.mp4", "/v/c.mp4"]


def test_the_same_file_by_another_path_is_known(tmp_path):
    (tmp_path / "a.mp4").write_text("")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mp4")
    state = course(BatchState(), Looked(str(tmp_path / "a.mp4")))
    assert contains(state, str(tmp_path / "link.mp4"))
    assert not contains(state, str(tmp_path / "b.mp4"))


def test_without_a_folder_or_inputs_there_is_nothing_to_start(listed):
    assert listed.can_start
    assert not replace(listed, options=BatchOptions()).can_start
    assert not BatchState(options=BatchOptions(folder="/out")).can_start


# on the disk


def test_a_queue_comes_back_as_it_was(listed, tmp_path):
    name = os.fsdecode(b"/v/J\xfcrgen.mp4")
    state = course(listed, Ended("/v/a.mp4", ItemState.DONE, 100, 2, outputs=("a.csv",)), Looked(name, 7))
    save_queue(tmp_path / "deep" / "q.json", state)
    assert load_queue(tmp_path / "deep" / "q.json") == (state, "")


def test_a_run_that_was_cut_is_told(listed, tmp_path):
    state = course(starting(listed), Ready(), Began("/v/a.mp4", 100, 0), Advanced("/v/a.mp4", 60, "poses"))
    save_queue(tmp_path / "q.json", state)
    found, note = load_queue(tmp_path / "q.json")
    assert (found.was_cut, note, found.phase) == (True, "", BatchPhase.IDLE)
    assert state_of(found, "/v/a.mp4").state is ItemState.WAITING
    save_queue(tmp_path / "q.json", starting(listed, is_check=True))
    assert not load_queue(tmp_path / "q.json")[0].was_cut


def test_a_file_that_makes_no_sense_gives_an_empty_queue_and_a_line(listed, tmp_path):
    path = tmp_path / "q.json"
    assert load_queue(path) == (BatchState(), "")
    save_queue(path, listed)
    good = json.loads(path.read_text())
    bad = [
        "", "[]", "{", json.dumps({**good, "items": [{}]}), json.dumps({**good, "options": {"formats": 3}}),
        json.dumps({**good, "items": [{**good["items"][0], "state": "strange"}]}),
        json.dumps({**good, "items": [{**good["items"][0], "where": 5}]}),
    ]  # fmt: skip
    for text in bad:
        path.write_text(text)
        found, note = load_queue(path)
        assert (found, "cannot be read" in note) == (BatchState(), True), text
    path.write_text(json.dumps({**good, "version": VERSION + 1}))
    assert "later version" in load_queue(path)[1]
    path.write_text(json.dumps({**good, "options": {**good["options"], "new": 1}}))
    assert load_queue(path)[0].options == listed.options
