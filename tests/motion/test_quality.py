"""Each flag against errors that were put in on purpose; `pytest -s` shows how often it hits and is wrong."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sadinet.motion.angles import ANGLES
from sadinet.motion.enrich import enrich
from sadinet.motion.quality import FLAGS, add_words, join_timelines, quality, timeline
from sadinet.motion.settings import MotionSettings, QualityLimits

ROOT = Path(__file__).resolve().parents[2]
VIDEOS = ROOT / ".." / "shared" / "videos"

# Errors found, and wrongly flagged rows in a thousand. What is measured (docs/quality.md) lies well above the bars.
MADE_UP = {
    "legs exchanged": (92, 1),
    "ankles exchanged": (75, 1),
    "arms exchanged": (88, 1),
    "body exchanged": (95, 1),
    "joint away for 1 to 5 rows": (85, 1),
    "joint away for 20 rows": (80, 1),
    "limb grows": (75, 5),
    "another person": (75, 1),
}


@pytest.fixture(scope="module")
def measuring():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield importlib.import_module("measure_quality")


def check(title, scores, wrong, errors, bars):
    lines = [f"\n{title}"]
    failed: list[str] = []
    for name, (least, most) in bars.items():
        score, words = scores[name], errors[name][0]
        false = sum(wrong[word] for word in words)
        lines.append(f"  {name:28} {score.errors:4} errors, hit {score.hit:5.1f}%, false {false:5.2f} / 1000 rows")
        failed += [name] * (score.hit < least or false > most)
    sys.stdout.write("\n".join(lines) + "\n")
    assert not failed


def test_errors_in_made_up_motion_are_found_with_few_false_alarms(measuring):
    rng = np.random.default_rng(11)
    motions = [measuring.made_up(rng) for _ in range(6)]
    scores, wrong = measuring.measure(motions, MotionSettings())
    check("made-up motion", scores, wrong, measuring.ERRORS, MADE_UP)


@pytest.mark.slow
def test_errors_in_real_motion_are_found(measuring, clip, people):
    recording = measuring.found(clip, people)
    motions = list(measuring.made_smooth(recording))
    assert sum(map(len, motions)) == 106
    scores, wrong = measuring.measure(motions * 20, MotionSettings())
    bars = {
        "legs exchanged": (40, 1), "arms exchanged": (80, 1), "body exchanged": (70, 1),
        "joint away for 1 to 5 rows": (85, 1), "joint away for 20 rows": (80, 1), "another person": (70, 1),
    }  # fmt: skip
    check("the bundled clip's walker", scores, wrong, measuring.ERRORS, bars)


def test_people_cut_off_or_covered_in_real_pictures_are_found(measuring, clip, people):
    seen = measuring.on_pictures([clip], people, MotionSettings(), every=8)
    sys.stdout.write(f"\n{seen}\n")
    assert seen.people >= 8
    assert seen.cut_hit >= 90
    assert seen.cut_false <= 10
    assert seen.covered_hit >= 60
    assert seen.covered_false <= 15


@pytest.mark.slow
@pytest.mark.skipif(not VIDEOS.is_dir(), reason="the videos to share are not there")
def test_errors_in_the_motion_of_other_videos_are_found(measuring, people):
    recording = measuring.found(VIDEOS / "tfjs_pose_squats.mp4", people)
    motions = list(measuring.made_smooth(recording))
    scores, wrong = measuring.measure(motions * 20, MotionSettings())
    bars = {"arms exchanged": (80, 1), "joint away for 1 to 5 rows": (85, 1), "another person": (70, 1)}
    check("squats", scores, wrong, measuring.ERRORS, bars)


def words_of(recording, word, settings=None):
    return quality(recording, settings or MotionSettings())[word].nonzero()[0].tolist()


def still(swinging, frames=120, rate=30):
    return swinging(np.arange(frames) / rate, people=1, low=0, noise_px=0.3)


def test_a_swap_is_flagged_where_it_is_and_nowhere_else(swinging):
    recording = still(swinging)
    joints = recording.joints.copy()
    left, right = recording.skeleton.index("left_wrist"), recording.skeleton.index("right_wrist")
    joints[40:46, [left, right]] = joints[40:46, [right, left]]
    spoiled = replace(recording, joints=joints)
    assert words_of(spoiled, "swap_arms") == list(range(40, 46))
    assert words_of(spoiled, "jump") == []
    assert words_of(spoiled, "swap_legs") == words_of(spoiled, "swap_body") == []


def test_a_swap_that_lasts_is_flagged_where_it_begins(swinging):
    recording = still(swinging, 300)
    joints = recording.joints.copy()
    left, right = recording.skeleton.index("left_ankle"), recording.skeleton.index("right_ankle")
    joints[100:, [left, right]] = joints[100:, [right, left]]
    assert words_of(replace(recording, joints=joints), "swap_legs") == [100]


@pytest.mark.parametrize(("rows", "expected"), [((50, 53), [50, 51, 52]), ((50, 120), [50])])
def test_a_jump_is_flagged_until_it_returns_or_where_it_begins(swinging, rows, expected):
    recording = still(swinging)
    joints = recording.joints.copy()
    joints[slice(*rows), recording.skeleton.index("left_knee")] += 200
    assert words_of(replace(recording, joints=joints), "jump") == expected


def test_joints_of_low_score_are_no_ground_for_flags(swinging):
    recording = still(swinging)
    joints, scores = recording.joints.copy(), recording.scores.copy()
    joints[50, 4] += 300
    scores[50, 4] = 0.1
    assert words_of(replace(recording, joints=joints, scores=scores), "jump") == []


def test_a_wide_sigma_makes_a_jump_less_of_a_surprise(swinging):
    recording = still(swinging)
    joints = recording.joints.copy()
    joints[50, 4] += 80
    spoiled = replace(recording, joints=joints)
    assert words_of(spoiled, "jump") == [50]
    assert words_of(replace(spoiled, sigmas=np.full_like(spoiled.sigmas, 300)), "jump") == []


def test_camera_cuts_and_absences_longer_than_a_gap_are_not_compared(swinging):
    recording = still(swinging)
    time_s = recording.time_s.copy()
    time_s[60:] += 2
    joints = recording.joints.copy()
    joints[60:] += 300
    masks = quality(replace(recording, time_s=time_s, joints=joints), MotionSettings())
    assert not any(masks[word].any() for word in ("jump", "id_change", "swap_body", "swap_legs", "swap_arms"))


@pytest.mark.parametrize(
    ("box", "joint", "expected"),
    [
        ((100, 100, 200, 400), (200, 200), False),
        ((100, 240, 200, 399.5), (200, 300), True),
        ((-0.5, 100, 200, 400), (100, 200), True),
        ((100, 100, 200, 400), (200, 645), True),
        ((100, 100, 200, 400), (-3, 300), True),
    ],
)
def test_cut_off_is_told_by_the_box_and_by_joints(swinging, box, joint, expected):
    recording = still(swinging, 1)
    boxes = np.array([[*box, 1.0]])
    joints = np.full_like(recording.joints, 250)
    joints[0, 0] = joint
    found = words_of(replace(recording, boxes=boxes, joints=joints), "cut_off")
    assert found == ([0] if expected else [])


def test_low_confidence_is_a_quarter_of_the_joints(swinging):
    recording = still(swinging, 3)
    scores = np.full_like(recording.scores, 0.8)
    scores[0, :4], scores[1, :5], scores[2] = 0.1, 0.1, np.nan
    assert words_of(replace(recording, scores=scores), "low_confidence") == [1]


def test_limits_are_the_settings(swinging):
    recording = still(swinging)
    joints = recording.joints.copy()
    joints[50, 4] += 80
    lax = MotionSettings(limits=QualityLimits(jump=1.0))
    assert words_of(replace(recording, joints=joints), "jump", lax) == []


def test_words_come_once_and_in_the_order_of_the_table():
    masks = {word: np.array([True, False]) for word in reversed(FLAGS)}
    assert add_words([("jump", "own"), ()], masks) == (("jump", "own", *(w for w in FLAGS if w != "jump")), ())


def test_the_timeline_counts_people_confidence_and_words(swinging):
    recording = swinging(np.arange(4) / 30, low=0)
    flags = (("jump",), (), ("jump", "filled"), ("jump", "id_uncertain"), (), (), (), ())
    marked = replace(recording, flags=flags, frame_flags=((), ("damaged",), (), ()))
    names = ("row_frame", "track_ids", "boxes", "joints", "scores", "sigmas", "flags")
    marked = replace(marked, **{name: getattr(marked, name)[:7] for name in names})
    course = timeline(marked)
    assert course.people.tolist() == [2, 2, 2, 1]
    assert course.counts["jump"].tolist() == [1, 2, 0, 0]
    assert course.counts["damaged"].tolist() == [0, 1, 0, 0]
    assert tuple(course.counts) == (*FLAGS, "damaged", "id_uncertain")
    assert course.confidence == pytest.approx(np.full(4, 0.8))


def test_timelines_of_parts_put_together_are_the_whole(swinging):
    recording = enrich(swinging(np.arange(90) / 30, low=0.3), MotionSettings())
    marked = replace(recording, frame_flags=(("damaged",), *recording.frame_flags[1:]))
    whole = timeline(marked)
    joined = join_timelines([timeline(marked.part(0, 40)), timeline(marked.part(40, 90))])
    assert tuple(joined.counts) == tuple(whole.counts)
    for word, counts in whole.counts.items():
        assert np.array_equal(joined.counts[word], counts)
    assert np.array_equal(joined.confidence, whole.confidence)
    assert np.array_equal(joined.time_s, whole.time_s)


def test_a_frame_with_nobody_has_no_confidence(swinging):
    nobody = swinging(np.arange(3) / 30, people=0)
    course = timeline(enrich(nobody, MotionSettings()))
    assert course.people.tolist() == [0, 0, 0]
    assert np.isnan(course.confidence).all()


def test_the_docs_tell_of_every_flag_and_angle():
    quality_page, angles_page = ((ROOT / "docs" / name).read_text("utf-8") for name in ("quality.md", "angles.md"))
    assert all(f"| `{word}` |" in quality_page for word in FLAGS)
    assert all(f"`angle_{name}`" in angles_page for name in ANGLES)
