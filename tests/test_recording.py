import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.geometry import Box
from sadinet.recording import Recording, concatenate, record
from sadinet.results import Frame, FrameResult, Pose
from sadinet.skeletons import COCO17, LSP14

IMAGE = np.zeros((48, 64, 3), dtype=np.uint8)


def pose(seed: int, track_id: int | None = None) -> Pose:
    rng = np.random.default_rng(seed)
    joints, sigmas = rng.random((2, 14, 2), dtype=np.float32)
    scores = rng.random(14, dtype=np.float32)
    return Pose(joints, scores, sigmas, Box(1, 2, 3, 4, 0.5), LSP14, track_id, ("jump",) * (seed % 2))


def result(index: int, *poses: Pose) -> FrameResult:
    return FrameResult(Frame(IMAGE, index, index / 10, "a.mp4", ("damaged",) * (index == 1)), poses)


@pytest.fixture
def results() -> list[FrameResult]:
    return [result(0, pose(0, 7), pose(1, 8)), result(1), result(2, pose(3))]


def test_columns_hold_what_results_hold(results: list[FrameResult]) -> None:
    taken = record(results, LSP14)
    assert (taken.frames, taken.rows) == (3, 3)
    assert taken.row_frame.tolist() == [0, 0, 2]
    assert taken.track_ids.tolist() == [7, 8, 0]
    assert taken.sizes_wh.tolist() == [[64, 48]] * 3
    assert taken.frame_flags == ((), ("damaged",), ())
    assert taken.row_times_s.tolist() == [0, 0, 0.2]
    for position, each in enumerate(results):
        for before, after in zip(each.poses, taken.poses(position), strict=True):
            assert np.array_equal(before.joints, after.joints)
            assert np.array_equal(before.sigmas, after.sigmas)
            assert (before.box, before.flags) == (after.box, after.flags)
            assert after.score == pytest.approx(before.score)
    assert taken.row_scores[1] == pytest.approx(results[0].poses[1].score)


def test_parts_put_together_are_the_whole(results: list[FrameResult]) -> None:
    whole = record(results, LSP14)
    again = concatenate([whole.part(0, 1), whole.part(1, 2), whole.part(2, 9)])
    assert_equal(whole, again)
    assert whole.part(1, 2).rows == 0


def test_extra_columns_that_a_part_lacks_are_nan(results: list[FrameResult]) -> None:
    from dataclasses import replace

    whole = record(results, LSP14)
    angled = replace(whole, extra={"angle": np.arange(3.0)})
    assert angled.part(2, 3).extra["angle"].tolist() == [2]
    both = concatenate([angled, whole]).extra["angle"]
    assert np.array_equal(both, [0, 1, 2, np.nan, np.nan, np.nan], equal_nan=True)


def test_nobody_at_all() -> None:
    taken = record([result(0), result(1)], LSP14)
    assert (taken.rows, taken.joints.shape, taken.boxes.shape) == (0, (0, 14, 2), (0, 5))
    assert taken.poses(1) == ()
    assert record([], LSP14).frames == 0


def test_other_skeletons_are_refused(results: list[FrameResult]) -> None:
    with pytest.raises(InputError, match="skeleton"):
        record(results, COCO17)
    with pytest.raises(InputError, match="different"):
        concatenate([record(results, LSP14), record([], COCO17)])
    with pytest.raises(InputError):
        concatenate([])


def assert_equal(a: Recording, b: Recording) -> None:
    for name in ("index", "time_s", "sizes_wh", "row_frame", "track_ids", "boxes", "joints", "scores", "sigmas"):
        assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True), name
    assert (a.frame_flags, a.sources, a.flags) == (b.frame_flags, b.sources, b.flags)
