from __future__ import annotations

import pytest

from sadinet.errors import SourceError
from sadinet.media.probe import probe


def test_probe_tells_what_the_file_claims(tmp_path, clips):
    path = clips.write_clip(tmp_path / "a.mp4", clips.even_times(50), rotation_deg=90)
    info = probe(path)
    assert (info.size_wh, info.rotation_deg, info.is_mirrored) == ((120, 160), 90, False)
    assert (info.codec, info.frames, info.expected_frames, info.has_audio) == ("h264", 50, 50, False)
    assert info.duration_s == pytest.approx(2.0, abs=0.05)
    assert info.rate_hz == pytest.approx(25.0, abs=0.6)
    assert (info.path, info.file_bytes, info.pixel_aspect) == (str(path), path.stat().st_size, 1.0)


def test_without_a_claimed_count_one_is_expected_from_duration_and_rate(tmp_path, clips):
    info = probe(clips.write_clip(tmp_path / "a.mkv", clips.even_times(50)))
    assert info.frames is None
    assert info.expected_frames == 50


def test_probe_of_sound_says_so(tmp_path, clips):
    with pytest.raises(SourceError, match="sound but no video"):
        probe(clips.write_sound(tmp_path / "a.m4a"))
