from __future__ import annotations

from pathlib import Path

import sadinet
from sadinet.media.video import VideoReader

DEMO = Path(sadinet.__file__).parent / "_demo"


def test_the_bundled_clip_is_small_whole_and_has_its_notice():
    clip = DEMO / "walk.mp4"
    assert clip.stat().st_size < 1_000_000
    with VideoReader(clip) as reader:
        frames = list(reader)
    assert 3.0 <= frames[-1].time_s <= 4.0
    assert len(frames) == reader.expected_frames
    assert (reader.skipped, reader.problems, reader.info.codec) == (0, (), "h264")
    assert reader.size_wh[0] <= 960
    notice = (DEMO / "NOTICE.md").read_text(encoding="utf-8")
    for words in ("BSD 3-Clause License", "Copyright (c) 2022, perfanalytics", "David Pagnon", "AS IS"):
        assert words in notice
