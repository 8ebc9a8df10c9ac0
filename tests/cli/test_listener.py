"""What a batch's events look like on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sadinet.batch.naming import Job, Outputs
from sadinet.batch.runner import Outcome
from sadinet.cli.listener import RunListener
from sadinet.errors import SourceError

SUMMARY = {"frames": 10, "most_people": 2, "problems": ["/a/b.mp4 is cut off"], "notes": ["silent"], "files": ["b.csv"]}
JOB = Job("/a/b.mp4", "video", Outputs(Path("out"), "b"), True)


class Notes:
    """A reporter that keeps what it hears: expected and done frames by name."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.state: dict[str, list[int | None]] = {}
        self.ended: list[str] = []
        self.said: list[str] = []
        self.complained: list[str] = []
        self.told: list[dict[str, object]] = []

    def begin(self, name, expected, done=0):
        self.names.append(name)
        self.state[name] = [expected, done]
        return len(self.names) - 1

    def advance(self, number, frames=1):
        self.state[self.names[number]][1] += frames

    def expect(self, number, frames):
        self.state[self.names[number]][0] = frames

    def end(self, number):
        self.ended.append(self.names[number])

    def say(self, line):
        self.said.append(line)

    def complain(self, line):
        self.complained.append(line)

    def tell(self, event, **facts):
        self.told.append({"event": event, **facts})


@pytest.fixture
def notes() -> Notes:
    return Notes()


def test_one_input_has_one_bar_and_another_while_it_is_drawn(notes):
    listener = RunListener(notes, ["/a/b.mp4"], 10, 2)
    listener.began(0, JOB, 10, 0)
    listener.advanced(0, 10, "poses")
    listener.advanced(0, 5, "drawing")
    assert notes.state == {"b.mp4": [10, 10], "b.mp4 (drawing)": [10, 5]}
    listener.ended(0, Outcome(JOB, seconds=5.0, computed_frames=10, summary=SUMMARY))
    assert notes.ended == ["b.mp4", "b.mp4 (drawing)"]
    assert notes.said == [
        "/a/b.mp4: 10 frames, up to 2 at once, 2.0 fps -> out/b.csv (its own name is taken)",
        "/a/b.mp4: silent",
    ]
    assert notes.complained == ["/a/b.mp4 is cut off"]
    (told,) = notes.told
    assert (told["event"], told["name"], told["state"], told["frames"]) == ("end", "/a/b.mp4", "done", 10)


def test_the_sum_of_all_inputs_is_of_what_is_left_to_do(notes):
    listener = RunListener(notes, ["/a/b.mp4", "/a/c.mp4", "/a/d.mp4"], 60, 2)
    every = "all 3 inputs, drawing included"
    assert notes.state[every] == [120, 0]
    listener.began(0, JOB, 20, 20)  # kept
    listener.ended(0, Outcome(JOB, is_kept=True, summary=SUMMARY))
    assert notes.state[every] == [80, 0]
    listener.began(1, JOB, 30, 10)  # gone on with, and some frames have to be done again
    assert notes.said[-1] == "/a/b.mp4: 10 frames are there from an earlier run"
    listener.advanced(1, 15, "poses")
    listener.advanced(1, -5, "poses")
    assert notes.state[every] == [70, 10]
    listener.ended(1, Outcome(JOB, SourceError("it broke", "mend it")))
    assert notes.complained[-1] == "/a/b.mp4: it broke (mend it)"
    assert notes.state[every] == [30, 10]
    listener.began(2, JOB, 10, 0)
    listener.advanced(2, 10, "poses")
    listener.advanced(2, 10, "drawing")
    assert notes.state[every] == [30, 30]
    listener.ended(2, Outcome(JOB, seconds=1, summary=SUMMARY))
    listener.close()
    assert notes.ended.count(every) == 1


def test_an_input_that_fails_before_it_begins(notes):
    listener = RunListener(notes, ["/a/b.mp4", "/a/c.mp4"], 10, 1)
    listener.ended(0, Outcome(JOB, SourceError("no such file: /a/b.mp4")))
    assert notes.complained == ["no such file: /a/b.mp4"]
    assert notes.told[0]["state"] == "failed"
    assert notes.told[0]["reason"] == "no such file: /a/b.mp4"


def test_nothing_left_to_do_ends_the_sum(notes):
    listener = RunListener(notes, ["/a/b.mp4", "/a/c.mp4"], 20, 1)
    for place in (0, 1):
        listener.began(place, JOB, 10, 10)
        listener.ended(place, Outcome(JOB, is_kept=True, summary=SUMMARY))
    assert notes.ended.count("all 2 inputs") == 1
    assert notes.said[-2].endswith("(kept from an earlier run)")
