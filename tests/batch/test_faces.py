"""Faces that are covered: in the video with skeletons, on the page, and in what is kept of a run."""

from __future__ import annotations

import base64
import re
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from sadinet.batch.describe import BatchSettings
from sadinet.batch.faces import with_heads
from sadinet.batch.naming import Wanted
from sadinet.batch.windows import Window, windows
from sadinet.media.blur import cover
from sadinet.media.heads import Head
from sadinet.media.pictures import read_picture, write_picture
from sadinet.media.source import open_source

walk = runpy.run_path(str(Path(__file__).with_name("walk.py")))["walk"]

SHOWN = Wanted(overlay=True, page=True)
COVERED = Wanted(overlay=True, page=True, blur_faces=True)


def heads_of_windows(recording, size):
    cuts = range(0, recording.frames, size)
    parts = [Window(recording.part(first, min(first + size, recording.frames)), ()) for first in cuts]
    given = list(with_heads(parts, is_blurred=True, are_pictures=False))
    assert [window for window, _ in given] == parts
    return [heads for _, each in given for heads in each]


def test_heads_are_known_over_the_seams_of_windows():
    people = walk()
    whole = heads_of_windows(people, 200)
    assert len(whole) == 200
    assert heads_of_windows(people, 7) == heads_of_windows(people, 1) == whole
    counts = [len(heads) for heads in whole]
    # The second person comes at frame 20 and is covered for half a second before. The first is away for frames 60
    # to 69, and covered where they were and where they will be.
    assert counts[:7] == [1] * 7
    assert (min(counts[8:]), counts[64]) == (2, 3)


def test_without_times_heads_are_remembered_all_the_same_and_none_is_waited_for_ever():
    people = walk(has_times=False)
    counts = [len(heads) for heads in heads_of_windows(people, 10)]
    assert (min(counts[8:]), counts[64]) == (2, 3)
    # In frames without times, as many are taken ahead as half a second has at 25 frames a second.
    taken = []

    def parts():
        for first in range(0, 200, 10):
            taken.append(first)
            yield Window(people.part(first, first + 10), ())

    given = with_heads(parts(), is_blurred=True, are_pictures=False)
    next(given)
    assert len(taken) <= 3


def test_pictures_know_nothing_of_each_other():
    people = walk()
    (given,) = with_heads([Window(people, ())], is_blurred=True, are_pictures=True)
    assert [len(heads) for heads in given[1]] == [len(people.poses(place)) for place in range(200)]


def test_nothing_is_covered_unasked():
    people = walk()
    (given,) = with_heads([Window(people, ())], is_blurred=False, are_pictures=False)
    assert given[1] == ((),) * 200


@pytest.fixture(scope="module")
def runs(batches, stroll, tmp_path_factory):
    """The same video with faces shown and with faces covered."""
    folders = {}
    for name, wanted in (("shown", SHOWN), ("covered", COVERED)):
        folders[name] = tmp_path_factory.mktemp(name) / "out"
        assert batches.one(stroll, folders[name], wanted=wanted).error is None
    return folders


@pytest.fixture(scope="module")
def heads(runs, batches):
    """What is to be covered in each frame of the stroll."""
    parts = sorted((runs["shown"] / ".sadinet" / "parts").rglob("*.npz"))
    settings = BatchSettings(batches.with_chunks(4).settings)
    found = with_heads(windows(parts, settings, is_pictures=False), is_blurred=True, are_pictures=False)
    return [circles for _, each in found for circles in each]


def inside_of(circles, shape, scale=1.0):
    """Which pixels lie in circles of a picture that is `scale` times as large as the frame."""
    y, x = ((places + 0.5) / scale - 0.5 for places in np.mgrid[: shape[0], : shape[1]])
    return np.logical_or.reduce([np.hypot(x - head.x, y - head.y) < 0.8 * head.radius for head in circles])


def apart(one, other):
    """How far the pixels of two pictures differ, in shades."""
    return np.abs(one.astype(int) - other).mean(axis=2)


def test_every_frame_of_the_video_has_the_head_covered_below_the_skeleton(runs, heads, stroll):
    films = [open_source(stroll), *(open_source(runs[name] / "stroll.mp4") for name in ("shown", "covered"))]
    seen = 0
    for plain, shown, covered, circles in zip(*films, heads, strict=True):
        inside = inside_of(circles, plain.image.shape)
        assert apart(shown.image, covered.image)[~inside].mean() < 3, "only heads are changed"
        # Between the lines of the skeleton.
        bare = inside & (apart(shown.image, plain.image) < 15)
        expected = cover(plain.image, circles)
        if bare.sum() > 20 and apart(expected, plain.image)[bare].mean() > 12:
            seen += 1
            assert apart(covered.image, expected)[bare].mean() < 0.7 * apart(covered.image, plain.image)[bare].mean()
    assert seen >= 8


def shots_of(page):
    found = re.findall(r"data:image/(?:jpeg|png|webp);base64,([A-Za-z0-9+/=]+)", page.read_text(encoding="utf-8"))
    return [cv2.imdecode(np.frombuffer(base64.b64decode(each), np.uint8), cv2.IMREAD_COLOR) for each in found]


def test_every_picture_of_the_page_has_the_head_covered(runs, heads):
    shown, covered = (shots_of(runs[name] / "stroll.html") for name in ("shown", "covered"))
    assert len(shown) == len(covered) >= 4
    width = 480
    places = [each for each in range(len(shown)) if shown[each].shape[1] >= 200]
    assert len(places) >= 4
    # All heads of all frames lie in this, as nobody knows here which frame a picture is of.
    x, y = (np.array([getattr(head, axis) for each in heads for head in each]) for axis in "xy")
    radius = max(head.radius for each in heads for head in each)
    around = [Head(float(x.mean()), float(y.mean()), float(np.ptp(x) / 2 + np.ptp(y) / 2 + radius))]
    for place in places:
        inside = inside_of(around, shown[place].shape, shown[place].shape[1] / width)
        changes = apart(shown[place], covered[place])
        assert changes[inside].mean() > 2
        assert changes[~inside].mean() < 0.5


def test_tables_are_the_same_and_no_small_pictures_stay(runs):
    tables = [(runs[name] / "stroll.csv").read_bytes() for name in ("shown", "covered")]
    assert tables[0] == tables[1]
    assert list((runs["shown"] / ".sadinet").rglob("*.npz"))
    assert not list((runs["covered"] / ".sadinet").rglob("*.npz"))


def test_given_again_it_is_kept_and_faces_shown_are_another_result(runs, batches, stroll, digests):
    out = runs["covered"]
    before = digests(out)
    assert batches.one(stroll, out, wanted=COVERED).is_kept
    assert digests(out) == before
    outcome = batches.one(stroll, out, wanted=SHOWN)
    assert (outcome.is_kept, outcome.error) == (False, None)
    assert digests(out) == digests(runs["shown"])
    # Back again: from the parts that are there, which are removed then.
    outcome = batches.one(stroll, out, wanted=COVERED)
    assert (outcome.is_kept, outcome.computed_frames) == (False, 0)
    assert digests(out) == before
    assert not list((out / ".sadinet").rglob("*.npz"))


def test_a_picture_is_covered_as_well(batches, walker, tmp_path):
    write_picture(tmp_path / "one.png", walker)
    for wanted, name in ((SHOWN, "shown"), (COVERED, "covered")):
        assert batches.one(tmp_path / "one.png", tmp_path / name, wanted=wanted).error is None
    shown, covered = (read_picture(tmp_path / name / "one-overlay.png") for name in ("shown", "covered"))
    changed = (shown != covered).any(axis=2)
    assert 100 < changed.sum() < changed.size / 20
