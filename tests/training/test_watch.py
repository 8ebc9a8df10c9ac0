"""Signs of a training that went wrong are found and named; a sound one is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from sadinet.training.watch import TrainingFailedError, Watch

GOOD = {"total": 3.0, "heatmap": 0.7, "gradient": 1.0, "sigma": 2.0, "map": 64.0, "w": 0.3}


def look(watch, count, **changes):
    for step in range(count):
        watch.look(f"epoch 0, batch {step}", GOOD | changes)


def test_a_sound_course_with_single_leaps_is_left_alone():
    watch = Watch()
    rng = np.random.default_rng(0)
    for step in range(2000):
        leap = 100 if step % 97 == 0 else 1
        watch.look("somewhere", GOOD | {"total": leap * float(rng.lognormal(0, 0.3))})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"total": float("nan"), "rle": float("nan")}, "rle loss is not a number at epoch 0, batch 0"),
        ({"total": float("inf")}, "the loss is not a number"),
        ({"gradient": float("inf")}, "the gradient is not a number"),
        ({"sigma": float("nan")}, "sigma is not a number"),
        ({"total": 1000.0}, "the loss exploded: 1e+03, where it was 3"),
        ({"sigma": 0.05}, "sigma collapsed: 0.05 cells"),
        ({"sigma": 90.0}, "sigma collapsed: 90 cells"),
        ({"w": 0.001}, "the DLM's weight w collapsed: 0.001"),
        ({"w": 0.999}, "the DLM's weight w collapsed: 0.999"),
    ],
)
def test_a_sign_is_named_with_its_place(changes, said):
    watch = Watch()
    look(watch, 100)
    with pytest.raises(TrainingFailedError) as caught:
        look(watch, 30, **changes)
    assert said in str(caught.value)
    assert caught.value.remedy


def test_half_precision_may_find_its_scale():
    watch = Watch(patience=5)
    look(watch, 5, gradient=float("inf"))
    look(watch, 1)
    look(watch, 5, gradient=float("inf"))
    with pytest.raises(TrainingFailedError, match="gradient"):
        look(watch, 1, gradient=float("inf"))


def test_a_network_without_a_dlm_has_no_sigma_to_watch():
    Watch().look("somewhere", {"total": 1.0, "gradient": 1.0})
