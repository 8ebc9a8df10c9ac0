"""One person's charts."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sadinet.batch.charts import LEAST_SCORE, PlotOptions, plot_figure
from sadinet.batch.spans import SEVERAL, FlagSpan, fewer, flag_spans
from sadinet.errors import InputError
from sadinet.recording import record
from sadinet.skeletons import BODY19

walk = runpy.run_path(str(Path(__file__).with_name("walk.py")))["walk"]


def charts(recording, **options):
    return [chart for row in plot_figure(recording, PlotOptions(**options)).rows for chart in row]


def titled(found, start):
    (chart,) = (chart for chart in found if chart.title.startswith(start))
    return chart


@pytest.fixture(scope="module")
def walked():
    return walk()


def test_the_person_with_most_frames_is_drawn_unless_another_is_asked_for(walked):
    assert plot_figure(walked, PlotOptions()).subtitle.startswith("Person 1 of 2 people in the table; 190 frames")
    other = titled(charts(walked, person=2), "wrist x")
    assert other.x_range == (20 / 25, 199 / 25)
    with pytest.raises(InputError, match="no person 9"):
        charts(walked, person=9)


def test_joints_over_time_are_the_smoothed_ones_with_sigma_around_the_raw(walked):
    chart = titled(charts(walked, joints=("left_knee",)), "knee y")
    rows = walked.rows_of_track(1)
    frames = walked.row_frame[rows]
    smooth = next(each for each in chart.series if each.tone == "left")
    assert np.array_equal(smooth.y[frames], walked.extra["left_knee_y_smooth"][rows])
    assert np.isnan(smooth.y[60:70]).all()
    joint = BODY19.index("left_knee")
    half = (chart.bands[0].high - chart.bands[0].low)[frames] / 2
    assert np.allclose(half, walked.sigmas[rows, joint, 1], atol=1e-4)
    ghost = next(each for each in chart.series if each.tone == "ghost")
    assert np.allclose(ghost.y[frames], walked.joints[rows, joint, 1])
    assert chart.is_y_down


def test_without_smoothed_columns_the_raw_joints_are_drawn(walked):
    chart = titled(charts(replace(walked, extra={}), joints=("nose",)), "nose x")
    (series,) = chart.series
    assert np.allclose(series.y[:60], walked.joints[walked.rows_of_track(1)[:60], BODY19.index("nose"), 0])


def test_names_without_a_side_mean_both(walked):
    path = charts(walked, joints=("knee", "left_wrist"))[0]
    assert [each.name for each in path.series] == ["", "left knee", "right knee", "left wrist"]
    assert [each.tone for each in path.series[1:]] == ["left", "right", "left_2"]
    with pytest.raises(InputError, match="no joint 'tail'"):
        charts(walked, joints=("tail",))


def test_paths_leave_out_what_drawings_leave_out(walked):
    scores = walked.scores.copy()
    rows = walked.rows_of_track(1)[80:90]
    scores[rows, BODY19.index("left_ankle")] = LEAST_SCORE / 2
    path = charts(replace(walked, scores=scores))[0]
    trail = next(each for each in path.series if each.name == "left ankle")
    assert np.isnan(trail.y).sum() == 20
    assert path.is_equal
    assert path.is_y_down


def test_angles_have_left_and_right_together_with_their_sigma(walked):
    knee = titled(charts(walked, has_angles=True), "knee angle")
    assert [each.name for each in knee.series] == ["left", "right"]
    rows = walked.rows_of_track(1)
    sigma = (knee.bands[1].high - knee.bands[1].low)[walked.row_frame[rows]] / 2
    assert np.allclose(sigma, walked.extra["angle_right_knee_sigma"][rows])
    assert titled(charts(walked, has_angles=True), "trunk lean angle").series[0].name == ""
    with pytest.raises(InputError, match="no angles"):
        charts(replace(walked, extra={}), has_angles=True)


def test_times_choose_a_part(walked):
    chart = titled(charts(walked, start_s=1.0, end_s=3.0), "Confidence")
    assert chart.x_range == (1.0, 3.0)
    for start, end in ((100.0, None), (None, -1.0)):
        with pytest.raises(InputError, match="no frame from"):
            charts(walked, start_s=start, end_s=end)


def test_pictures_are_drawn_over_their_numbers(walked):
    pictures = replace(walked, time_s=np.full(walked.frames, np.nan))
    chart = titled(charts(pictures), "Confidence")
    assert (chart.x_kind, chart.x_label, chart.x_range) == ("number", "frame", (0.0, 199.0))
    assert chart.lanes[1].notes[0] == "jump: frames 30 to 34, person 1"
    with pytest.raises(InputError, match="no times"):
        charts(pictures, start_s=1.0)


def test_nobody_is_told():
    with pytest.raises(InputError, match="nobody"):
        charts(record([], BODY19))


def test_one_frame_is_enough(walked):
    assert charts(walked.part(0, 1))


def test_flags_are_stretches_of_frames(walked):
    spans = flag_spans(walked, 1)
    assert list(spans) == ["damaged", "jump", "left_right"]
    assert [(span.first, span.last, span.frames) for span in spans["jump"]] == [(30, 34, 5), (100, 100, 1)]
    assert spans["jump"][0].text("jump") == "jump: 0:01.20 to 0:01.36, frames 30 to 34, person 1"
    assert spans["damaged"][0].person_text == "whole frame"
    assert list(flag_spans(walked, 2)) == ["damaged"]
    marks = titled(charts(walked), "Confidence").lanes[2]
    assert (marks.name, marks.starts.tolist()) == ("left right", [4.0])


def test_stretches_that_touch_become_one():
    spans = [FlagSpan(at, at + 1, at / 10, at / 10 + 0.1, 2, person) for at, person in ((0, 1), (2, 1), (20, 2))]
    joined = fewer(spans, 10)
    assert [(span.first, span.last, span.frames, span.person) for span in joined] == [(0, 3, 4, 1), (20, 21, 2, 2)]
    (one,) = fewer(spans, 1)
    assert (one.person, one.last_s, one.frames) == (SEVERAL, 2.1, 6)


def test_too_many_stretches_stay_spread_over_the_video():
    found = fewer([FlagSpan(at, at, at / 25, at / 25, 1, 1) for at in range(0, 10_000, 10)], 100)
    assert 50 <= len(found) <= 100
    assert sum(span.frames for span in found) == 1000
    assert np.diff([span.first for span in found]).max() < 200


def test_long_recordings_are_thinned():
    chart = titled(charts(walk(6000, (1,))), "wrist x")
    assert max(len(each.x) for each in chart.series) <= 2000
