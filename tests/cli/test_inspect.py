from __future__ import annotations

import argparse
import json

import av
import numpy as np
import pytest

from sadinet.cli import inspect


@pytest.fixture
def run(capsys):
    """The subcommand in this process: exit code, lines printed, lines complained."""

    def run(*arguments):
        parser = argparse.ArgumentParser()
        inspect.add_arguments(parser)
        code = inspect.main(parser.parse_args([str(argument) for argument in arguments]))
        printed, complained = capsys.readouterr()
        return code, printed.splitlines(), complained.splitlines()

    return run


def facts(lines):
    """Names and values of the lines that are set in by four."""
    return dict(line.strip().split(maxsplit=1) for line in lines if line.startswith("    "))


def test_the_demo_clip_is_told(run, clip):
    code, lines, complaints = run(clip, "--fps", "50", "--decode")
    assert (code, complaints, lines[0]) == (0, [], str(clip))
    assert [line.strip() for line in lines if line.startswith("  ") and line[2] != " "] == [
        "claims",
        "holds",
        "would give",
    ]
    told = facts(lines)
    assert told["picture"] == "960x384"
    assert told["codec"] == "h264"
    assert told["packets"] == "106"
    assert told["decoded"].startswith("106 frames; 0 lost, 0 damaged")
    assert told["sound"] == "none"
    assert told["time"] == "about 0:02 at 50 frames a second"
    assert "106 in 1 chunk" in "\n".join(lines)


def test_several_videos_go_on_after_one_that_cannot_be_read(run, clip, tmp_path):
    (tmp_path / "bad.mp4").write_text("no video" * 50)
    code, lines, complaints = run(clip, tmp_path / "bad.mp4", clip)
    assert code == 1
    assert sum(line == str(clip) for line in lines) == 2
    (complaint,) = complaints
    assert complaint.startswith(f"sadinet: {tmp_path / 'bad.mp4'} is not a video")


def test_json_is_one_object_a_line(run, clip, tmp_path):
    code, lines, _ = run("--json", clip, tmp_path / "missing.mp4", "--fps", 30)
    video, missing = map(json.loads, lines)
    assert code == 1
    assert (video["claims"]["codec"], video["holds"]["frames"], video["would"]["chunks"]) == ("h264", 106, 1)
    assert video["would"]["seconds"] == pytest.approx(106 / 30)
    assert video["warnings"] == []
    assert missing["path"] == str(tmp_path / "missing.mp4")
    assert "no such file" in missing["error"]


def test_what_is_unusual_is_noted(run, tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.set_display_rotation(90)
        for stamp in (0, 1, 2, 3, 60, 61, 63):
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), stamp, np.uint8), format="bgr24")
            frame.pts = stamp
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    code, lines, _ = run(path)
    assert code == 0
    notes = lines[lines.index("  note") + 1 :]
    assert [note.split()[0] for note in notes] == ["stored", "variable", "1"]
    assert facts(lines)["gaps"] == "1.90 s after 0.10 s"
    assert facts(lines)["picture"] == "120x160, stored turned by 90 degrees"


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "fast"])
def test_a_rate_that_makes_no_sense_is_refused(run, clip, value, capsys):
    with pytest.raises(SystemExit):
        run(clip, "--fps", value)
