import time
from dataclasses import replace

import numpy as np
import pytest

from sadinet.motion.enrich import enrich, extra_columns
from sadinet.motion.settings import MotionSettings
from sadinet.recording import Recording, concatenate
from sadinet.skeletons import LSP14, SKELETONS, Skeleton

ALL = MotionSettings(angles=True)
CONTEXT = 600

RATES = {
    "steady": np.arange(1900) / 30,
    "rounded": np.round(np.arange(1900) / 29.97, 3),
    "varying": np.cumsum(np.random.default_rng(0).uniform(0.02, 0.05, 1900)),
    "dropped frames": np.delete(np.arange(2000), np.random.default_rng(0).choice(2000, 100, replace=False)) / 30,
    "steady, then varying": np.cumsum([1 / 30] * 950 + list(np.random.default_rng(0).uniform(0.02, 0.05, 950))),
    "slow": np.arange(1900) / 5,
}


@pytest.mark.parametrize("time_s", RATES.values(), ids=RATES)
def test_windows_with_context_are_the_whole(swinging, time_s):
    recording = with_leaps(swinging(time_s))
    whole = enrich(recording, ALL)
    parts = []
    for first in range(0, recording.frames, 600):
        low, high = max(first - CONTEXT, 0), min(first + 600 + CONTEXT, recording.frames)
        last = min(first + 600, recording.frames)
        parts.append(enrich(recording.part(low, high), ALL, slice(first - low, last - low)))
    joined = concatenate(parts)
    assert tuple(joined.extra) == tuple(whole.extra) == extra_columns(recording.skeleton, ALL)
    assert joined.flags == whole.flags
    assert sum(map(len, whole.flags)) > 50
    for name, values in whole.extra.items():
        np.testing.assert_allclose(joined.extra[name], values, atol=0.01, rtol=0, err_msg=name)


def with_leaps(recording: Recording) -> Recording:
    rng = np.random.default_rng(5)
    joints = recording.joints.copy()
    rows, places = rng.integers(0, recording.rows, 200), rng.integers(0, len(recording.skeleton), 200)
    joints[rows, places] += rng.normal(0, 150, (200, 2)).astype(np.float32)
    return replace(recording, joints=joints)


def test_smoothed_columns_lie_near_the_raw_ones_and_jitter_less(swinging):
    recording = swinging(np.arange(600) / 30, low=0)
    found = enrich(recording, MotionSettings())
    wrist = recording.skeleton.index("left_wrist")
    rows = recording.rows_of_track(1)
    raw = recording.joints[rows, wrist, 0].astype(float)
    smooth = found.extra["left_wrist_x_smooth"][rows]
    assert 1.2 < (raw - smooth).std() < 2
    assert np.diff(smooth, 2).std() < 0.5 * np.diff(raw, 2).std()
    assert np.array_equal(found.joints, recording.joints)


def test_a_short_gap_in_scores_is_filled_and_said_so(swinging):
    recording = swinging(np.arange(200) / 30, people=1, low=0)
    scores = recording.scores.copy()
    scores[50:54, 3] = 0.1
    scores[100:120, 3] = 0.1
    name = f"{recording.skeleton.joints[3]}_x_smooth"
    found = enrich(replace(recording, scores=scores), MotionSettings())
    assert [row for row in range(200) if "filled" in found.flags[row]] == [50, 51, 52, 53]
    assert np.isfinite(found.extra[name][45:60]).all()
    assert np.isnan(found.extra[name][100:120]).all()
    unfilled = enrich(replace(recording, scores=scores), MotionSettings(fill_gaps=False))
    assert np.isnan(unfilled.extra[name][50:54]).all()
    assert not any("filled" in words for words in unfilled.flags)


def test_no_row_is_added_where_a_person_is_away(swinging):
    recording = swinging(np.arange(200) / 30, people=1, low=0)
    away = concatenate([recording.part(0, 50), without_rows(recording.part(50, 53)), recording.part(53, 200)])
    found = enrich(away, MotionSettings())
    whole = enrich(recording, MotionSettings())
    assert (found.frames, found.rows) == (200, 197)
    values, expected = found.extra["nose_x_smooth"], np.delete(whole.extra["nose_x_smooth"], [50, 51, 52])
    assert np.abs(values - expected).max() < 8
    assert not any("filled" in words for words in found.flags)


def without_rows(recording: Recording) -> Recording:
    return replace(concatenate([recording, recording.part(0, 0)]), **empty_rows(recording))


def empty_rows(recording: Recording) -> dict[str, object]:
    names = ("row_frame", "track_ids", "boxes", "joints", "scores", "sigmas", "flags")
    return {name: getattr(recording, name)[:0] for name in names}


def test_angles_come_from_smoothed_joints_where_there_are_some(swinging):
    recording = swinging(np.arange(300) / 30, people=1, low=0, noise_px=4)
    raw = enrich(recording, MotionSettings(smooth=False, angles=True)).extra
    smooth = enrich(recording, ALL).extra
    assert tuple(raw) == extra_columns(recording.skeleton, MotionSettings(smooth=False, angles=True))
    assert np.diff(smooth["angle_left_knee"], 2).std() < 0.5 * np.diff(raw["angle_left_knee"], 2).std()
    bad = replace(recording, scores=np.zeros_like(recording.scores))
    assert np.array_equal(enrich(bad, ALL).extra["angle_left_knee"], raw["angle_left_knee"])


def test_pictures_have_no_time_and_so_neither_smoothed_joints_nor_flags_of_time(swinging):
    recording = with_leaps(swinging(np.full(50, np.nan)))
    found = enrich(recording, ALL)
    assert all(np.isnan(values).all() for name, values in found.extra.items() if name.endswith("_smooth"))
    assert np.isfinite(found.extra["angle_left_knee"]).all()
    assert {word for words in found.flags for word in words} <= {"cut_off", "low_confidence"}


def test_frames_that_lost_their_time_are_left_out_and_the_rest_goes_on(swinging):
    time_s = np.arange(200) / 30
    time_s[[50, 51, 120]] = np.nan
    found = enrich(swinging(time_s, people=1, low=0), ALL)
    assert np.isnan(found.extra["nose_x_smooth"]).nonzero()[0].tolist() == [50, 51, 120]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("settings", [ALL, MotionSettings(smooth=False, quality=False), MotionSettings(smooth=False)])
def test_hardly_any_frames(swinging, count, settings):
    found = enrich(swinging(np.arange(count) / 30), settings)
    assert tuple(found.extra) == extra_columns(found.skeleton, settings)
    assert all(values.shape == (2 * count,) for values in found.extra.values())


@pytest.mark.parametrize("skeleton", [*SKELETONS.values(), Skeleton("head", ("nose",), (), (0.026,))])
def test_every_skeleton(swinging, skeleton):
    found = enrich(swinging(np.arange(40) / 30, skeleton=skeleton), ALL)
    assert tuple(found.extra) == extra_columns(skeleton, ALL)


def test_frames_with_nobody_and_joints_that_the_network_lacks(swinging):
    recording = swinging(np.arange(40) / 30, skeleton=LSP14)
    joints, scores, sigmas = recording.joints.copy(), recording.scores.copy(), recording.sigmas.copy()
    joints[:, 13], scores[:, 13], sigmas[:, 13] = np.nan, np.nan, np.nan
    lacking = replace(recording, joints=joints, scores=scores, sigmas=sigmas)
    found = enrich(concatenate([lacking, without_rows(recording.part(0, 5))]), ALL)
    assert np.isnan(found.extra["head_top_x_smooth"]).all()
    assert found.frames == 45


def test_words_of_earlier_stages_are_kept_and_come_first(swinging):
    recording = swinging(np.arange(30) / 5)
    found = enrich(replace(recording, flags=(("id_uncertain",),) * recording.rows), ALL)
    assert all(words[0] == "id_uncertain" and "unfiltered" in words for words in found.flags)
    again = enrich(found, ALL)
    assert again.flags == found.flags


def test_nothing_that_is_handed_in_changes(swinging):
    recording = with_leaps(swinging(np.arange(100) / 30))
    before = [getattr(recording, name).copy() for name in ("joints", "scores", "sigmas", "time_s", "boxes")]
    enrich(recording, ALL)
    after = [getattr(recording, name) for name in ("joints", "scores", "sigmas", "time_s", "boxes")]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert set(recording.flags) == {()}


def test_half_an_hour_with_two_people_would_take_seconds_of_work(swinging):
    recording = swinging(np.arange(5400) / 30)
    started = time.process_time()
    enrich(recording, ALL)
    assert time.process_time() - started < 2.5  # a tenth of 54,000 frames, with room for slow machines
