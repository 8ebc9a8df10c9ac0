"""What became of every input of a run, for the terminal, for programs and as a page with links.

Unlike tables and pages, a report is about one run: it has times of day, and two runs differ.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sadinet.atomic import write_bytes

REPORT_SCHEMA = 1
"""Goes up when a field changes its meaning."""


class State(StrEnum):
    """What became of an input."""

    DONE = "done"
    IN_PART = "in part"
    FAILED = "failed"
    KEPT = "kept"

    @property
    def meaning(self) -> str:
        """One line about it."""
        return _MEANINGS[self]


_MEANINGS = {
    State.DONE: "everything was read and written",
    State.IN_PART: "written, but frames were lost or doubtful",
    State.FAILED: "nothing was written",
    State.KEPT: "done by an earlier run, with the same settings",
}


@dataclass(frozen=True, slots=True)
class InputReport:
    """One input.

    Attributes:
        name: as the user named it.
        state: what became of it.
        reason: why it failed, one line; empty where it did not.
        remedy: what to do about that, one line; empty where nothing helps.
        frames: frames in the table.
        skipped_frames: frames that could not be read.
        people: number of different people over time.
        seconds: how long it took in this run.
        fps: frames a second in this run, 0 where none was computed.
        outputs: files written, as paths relative to the report's folder where they lie in it.
        page: which of them is the page; empty for none.
        problems: what was wrong with the source, one line each.
    """

    name: str
    state: State
    reason: str = ""
    remedy: str = ""
    frames: int = 0
    skipped_frames: int = 0
    people: int = 0
    seconds: float = 0.0
    fps: float = 0.0
    outputs: tuple[str, ...] = ()
    page: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A run.

    Attributes:
        inputs: in the order in which they were given.
        started: local time with its offset, ISO 8601.
        ended: the same at the end.
        seconds: from the beginning to the end.
        weights: the pose network's name.
        engine: the runtime that was really used.
        device: the device that was really used.
        precision: the precision that was really used.
        version: of the program.
        is_interrupted: the user stopped it; inputs that are missing were not begun.
        schema: which form the JSON has.
    """

    inputs: tuple[InputReport, ...]
    started: str
    ended: str
    seconds: float
    weights: str
    engine: str
    device: str
    precision: str
    version: str
    is_interrupted: bool = False
    schema: int = field(default=REPORT_SCHEMA)

    @property
    def frames(self) -> int:
        """Frames of all tables."""
        return sum(each.frames for each in self.inputs)

    @property
    def fps(self) -> float:
        """Frames a second of the whole run, those kept from earlier left out."""
        computed = sum(each.frames for each in self.inputs if each.state is not State.KEPT)
        return computed / self.seconds if self.seconds > 0 else 0.0

    def count(self, state: State) -> int:
        """Return how many inputs are in a state."""
        return sum(each.state is state for each in self.inputs)

    @property
    def counts(self) -> dict[State, int]:
        """How many inputs are in each state that there is."""
        return {state: self.count(state) for state in State if self.count(state)}


def report_json(report: BatchReport) -> str:
    """Return a report as indented JSON; numbers that are not finite are null."""
    values = {
        **dataclasses.asdict(report),
        "totals": {
            "inputs": len(report.inputs),
            "frames": report.frames,
            "fps": round(report.fps, 3),
            **{state.value: report.count(state) for state in State},
        },
    }
    return json.dumps(_plain(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_report(path: str | os.PathLike[str], report: BatchReport) -> None:
    """Write a report as JSON, whole or not at all.

    Raises:
        OutputError: if the folder cannot be written or the disk is full.
    """
    # Names need not be valid Unicode; as JSON escapes (\\udcff) they stay what they are.
    text = report_json(report)
    safe = "".join(f"\\u{ord(char):04x}" if 0xD800 <= ord(char) < 0xE000 else char for char in text)
    write_bytes(path, safe.encode("utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
