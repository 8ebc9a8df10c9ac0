from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np

from app.choice import SourceChoice, SourceKind
from app.loading import load_people
from sadinet.errors import WeightsError
from sadinet.skeletons import BODY19

CAMERA = SourceChoice(SourceKind.CAMERA, "one", "One")


class Choices:
    """Loads made-up models that are called as they were chosen; "slow" waits, "broken" does not load."""

    def __init__(self, make):
        self._make = make
        self.go_on = threading.Event()

    def __call__(self, choice):
        if choice.weights == "slow":
            self.go_on.wait(30)
        if choice.weights == "broken":
            raise WeightsError("the model is damaged", "install again")
        people = self._make()
        people.estimator = type("Estimator", (), {"skeleton": BODY19, "runtime": people.estimator.runtime})
        people.estimator.weights = type("Named", (), {"name": choice.weights})
        return people


def test_another_model_takes_over_and_one_that_does_not_load_leaves_the_one_before(
    control, made_people, until, people_in
):
    controller = control(load=Choices(made_people))
    controller.start(CAMERA)
    until(lambda: people_in(controller), "somebody")
    assert controller.models.weights == controller.workers.weights == "default"
    controller.choose_model("other")
    until(lambda: controller.models.weights == "other", "the other", controller.tick)
    controller.choose_model("broken")
    until(lambda: controller.state.problems, "the error", controller.tick)
    assert controller.state.problems[0].message == "the model is damaged"
    assert controller.state.are_models_ready
    assert controller.models.weights == controller.workers.weights == "other"
    until(lambda: people_in(controller), "somebody still")


def test_the_model_chosen_last_is_the_one_however_long_another_takes(control, made_people, until):
    load = Choices(made_people)
    controller = control(load=load)
    controller.start(CAMERA)
    until(lambda: controller.models is not None, "the models", controller.tick)
    controller.choose_model("slow")
    controller.choose_model("quick")
    until(lambda: controller.models.weights == "quick", "the quick one", controller.tick)
    load.go_on.set()
    for _ in range(20):
        controller.tick()
        time.sleep(0.01)
    assert controller.models.weights == controller.workers.weights == "quick"


def test_a_recording_keeps_its_model(control, made_people, until):
    controller = control(load=Choices(made_people))
    controller.start(CAMERA)
    until(lambda: controller.state.can_record and controller.models is not None, "the camera", controller.tick)
    controller.state = replace(controller.state, is_recording=True)
    controller.choose_model("other")
    assert controller.workers.weights == "default"
    assert "recording" in controller.state.problems[0].line


def test_no_recording_begins_while_models_change(control, made_people, until):
    load = Choices(made_people)
    controller = control(load=load)
    controller.start(CAMERA)
    until(lambda: controller.state.can_record and controller.models is not None, "the camera", controller.tick)
    controller.choose_model("slow")
    assert not controller.state.can_record
    controller.choose_model("broken")
    until(lambda: controller.state.problems, "the error", controller.tick)
    assert controller.state.can_record  # the one before goes on
    controller.choose_model("slow")
    controller.tick()
    assert not controller.state.can_record
    load.go_on.set()
    until(lambda: controller.state.can_record, "the slow one", controller.tick)
    assert controller.models.weights == "slow"


def test_an_analysis_is_put_away_for_another_model_and_found_again_with_its_own(real, short_clip, until):
    real.start(SourceChoice(SourceKind.FILE, str(short_clip)))

    def analysed_by(name):
        until(lambda: real.models is not None and real.models.weights == name, name, real.tick)
        until(lambda: real.state.can_analyse, "the file", real.tick)
        real.analyse()
        until(lambda: real.analysed is not None, "the analysis", real.tick)
        return real.analysed

    first = analysed_by("sadinet-s")
    real.choose_model("sadinet-t")
    second = analysed_by("sadinet-t")
    assert second.models.weights.name == "sadinet-t"
    assert not np.array_equal(first.recording.joints, second.recording.joints)
    real.choose_model("sadinet-s")
    again = analysed_by("sadinet-s")
    np.testing.assert_array_equal(again.recording.joints, first.recording.joints)


def test_the_menu_offers_the_pose_models_and_marks_the_one_that_finds_people(make_window, wait):
    window = make_window()
    wait(lambda: window.controller.models is not None and window.shown is not None, "the models")
    window.tick()
    chosen = []
    window.model_menu.chosen.disconnect()
    window.model_menu.chosen.connect(chosen.append)
    window.model_menu.aboutToShow.emit()
    entries = {action.text(): action for action in window.model_menu.actions()}
    assert {"sadinet-s", "sadinet-t", "made-up"} == set(entries)
    assert [name for name, action in entries.items() if action.isChecked()] == ["made-up"]
    entries["made-up"].trigger()
    assert chosen == []
    entries["sadinet-t"].trigger()
    assert chosen == ["sadinet-t"]


def test_a_model_that_was_chosen_finds_people_and_is_remembered(make_window, clip, wait):
    window = make_window(SourceChoice(SourceKind.FILE, str(clip)), load=load_people)
    controller = window.controller
    wait(lambda: controller.models is not None, "the models")
    window.model_menu.aboutToShow.emit()
    next(each for each in window.model_menu.actions() if each.text() == "sadinet-t").trigger()
    wait(lambda: controller.models.weights == "sadinet-t", "the other model")
    wait(lambda: window.shown is not None and window.shown.poses, "somebody")
    assert window.remembered().weights == "sadinet-t"
