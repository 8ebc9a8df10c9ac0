"""Where a video was cut does not show in what comes out, and memory does not grow with its length."""

from __future__ import annotations

import runpy
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sadinet.batch.describe import BatchSettings
from sadinet.batch.parts import Part, save_part
from sadinet.batch.windows import shown_poses, windows
from sadinet.errors import SourceError
from sadinet.motion.columns import smooth_columns
from sadinet.motion.enrich import enrich
from sadinet.motion.settings import MotionSettings
from sadinet.people.tracker import REFOUND, UNCERTAIN
from sadinet.pipeline.stages import Settings
from sadinet.recording import Recording, concatenate
from sadinet.skeletons import BODY19

walk = runpy.run_path(str(Path(__file__).with_name("walk.py")))["walk"]


def plain(frames: int) -> Recording:
    """Two people who walk, as a tracker gives them."""
    made = walk(frames)
    return replace(made, extra={}, flags=((),) * made.rows)


def cut(whole: Recording, size: int, folder: Path, previews: tuple[tuple[int, bytes], ...] = ()) -> list[Path]:
    """Write the parts of a recording in chunks, each with numbers of its own."""
    paths = []
    folder.mkdir()
    for number, first in enumerate(range(0, whole.frames, size)):
        chunk = whole.part(first, first + size + 1)
        is_last = first + size >= whole.frames
        # As a tracker begins anew: numbers by order of appearance, here from behind to be others.
        ids = {old: 50 - place for place, old in enumerate(dict.fromkeys(chunk.track_ids.tolist()))}
        local = np.array([ids[each] for each in chunk.track_ids.tolist()], dtype=np.int64)
        paths.append(folder / f"{number:06}.npz")
        save_part(paths[-1], Part(replace(chunk, track_ids=local), is_last, previews=previews))
    return paths


def settings(size: int, motion: MotionSettings | None = None) -> BatchSettings:
    return BatchSettings(Settings(chunk_frames=size), motion or MotionSettings(angles=True))


def joined(paths: list[Path], size: int) -> Recording:
    return concatenate([window.recording for window in windows(paths, settings(size), is_pictures=False)])


def without(words: tuple[tuple[str, ...], ...], *left_out: str) -> list[set[str]]:
    return [set(each) - set(left_out) for each in words]


# Where a person is away (frames 60 to 69) there is no seam: who comes back there is the joiner's matter.
@pytest.mark.parametrize(
    ("frames", "size"), [(55, 2), (55, 7), (200, 29), (200, 50), (200, 199), (200, 200), (200, 201)]
)
def test_the_seams_do_not_show(frames, size, tmp_path):
    whole = plain(frames)
    expected = enrich(whole, MotionSettings(angles=True))
    found = joined(cut(whole, size, tmp_path / "parts"), size)
    assert found.index.tolist() == whole.index.tolist()
    assert np.array_equal(found.time_s, whole.time_s)
    assert np.array_equal(found.track_ids, whole.track_ids)
    assert list(found.extra) == list(expected.extra)
    for name, values in expected.extra.items():
        np.testing.assert_allclose(found.extra[name], values, rtol=0, atol=1e-9, err_msg=name)
    # What is doubtful about a seam is told; nothing else differs.
    assert without(found.flags, REFOUND, UNCERTAIN) == without(expected.flags)


def test_a_long_video_comes_out_as_if_it_had_been_in_memory(tmp_path):
    whole = plain(1500)
    expected = enrich(whole, MotionSettings(angles=True))
    found = joined(cut(whole, 250, tmp_path / "parts"), 250)
    for name, values in expected.extra.items():
        np.testing.assert_allclose(found.extra[name], values, rtol=0, atol=1e-6, err_msg=name)
    assert without(found.flags, REFOUND, UNCERTAIN) == without(expected.flags)


def test_windows_are_chunks_with_their_pictures(tmp_path):
    paths = cut(plain(25), 10, tmp_path / "parts", ((0, b"a"), (3, b"b")))
    found = list(windows(paths, settings(10), is_pictures=False))
    assert [window.recording.index.tolist() for window in found] == [[*range(10)], [*range(10, 20)], [*range(20, 25)]]
    assert all(window.previews == ((0, b"a"), (3, b"b")) for window in found)


def peak_bytes(paths: list[Path], size: int) -> int:
    def pass_by(found: Iterator[object]) -> None:
        for _ in found:
            pass

    tracemalloc.start()
    try:
        pass_by(windows(paths, settings(size), is_pictures=False))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_video(tmp_path, monkeypatch):
    monkeypatch.setattr("sadinet.batch.windows.CONTEXT_FRAMES", 50)
    short = peak_bytes(cut(plain(200), 50, tmp_path / "short"), 50)
    long = peak_bytes(cut(plain(600), 50, tmp_path / "long"), 50)
    assert long < 1.1 * short


def test_pictures_are_numbered_over_all_chunks(tmp_path):
    nothing = replace(plain(0))
    chunks = [walk(3, has_times=False), nothing, walk(2, has_times=False)]
    for number, chunk in enumerate(chunks):
        part = Part(replace(chunk, extra={}, flags=((),) * chunk.rows), number == 2)
        save_part(tmp_path / f"{number}.npz", part)
    paths = [tmp_path / f"{number}.npz" for number in range(3)]
    found = list(windows(paths, settings(3), is_pictures=True))
    assert [window.recording.index.tolist() for window in found] == [[0, 1, 2], [3, 4]]


def test_a_part_that_is_gone_is_told(tmp_path):
    paths = cut(plain(25), 10, tmp_path / "parts")
    paths[1].unlink()
    with pytest.raises(SourceError, match="not a part"):
        joined(paths, 10)


def test_drawings_show_smoothed_joints_where_there_are(tmp_path):
    whole = enrich(plain(40), MotionSettings())
    smooth = np.stack([whole.extra[name] for name in smooth_columns(BODY19)], axis=1).reshape(whole.rows, -1, 2)
    rows = whole.rows_of_frame(30)
    poses = shown_poses(whole, 30)
    assert len(poses) == rows.stop - rows.start == 2
    for pose, raw, filtered in zip(poses, whole.joints[rows], smooth[rows], strict=True):
        known = np.isfinite(filtered)
        assert known.mean() > 0.9
        assert np.array_equal(pose.joints[known], filtered[known].astype(np.float32))
        assert np.array_equal(pose.joints[~known], raw[~known])
    raw_alone = replace(whole, extra={})
    assert all(
        np.array_equal(pose.joints, raw)
        for pose, raw in zip(shown_poses(raw_alone, 30), whole.joints[rows], strict=True)
    )
