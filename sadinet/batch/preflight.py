"""Look at all inputs before the work begins: what cannot be read, what is unusual, how long it will take."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from sadinet.batch.naming import Job, check_formats, input_files
from sadinet.batch.state import told_error
from sadinet.errors import OutputError, SadinetError
from sadinet.media.inspection import inspect_video
from sadinet.media.pictures import read_picture
from sadinet.media.source import open_source
from sadinet.pipeline.stages import People
from sadinet.tables.writer import check_format

TRIAL_FRAMES = 6
"""Frames of the first input that are run to foretell the time; the first two only warm up."""

_BYTES_A_ROW = 2000  # of a table with smoothed joints, its part and its page
_OVERLAY_BITS_A_PIXEL = 0.12


@dataclass(frozen=True, slots=True)
class Check:
    """What was seen of one input.

    Attributes:
        job: the input.
        frames: how many are to be expected, None where nobody knows.
        notes: what is unusual, one line each.
        error: why it cannot be read, None if it can.
        needed_bytes: a rough guess of what its results take.
    """

    job: Job
    frames: int | None
    notes: tuple[str, ...] = ()
    error: SadinetError | None = None
    needed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all inputs.

    Attributes:
        inputs: how many.
        unreadable: how many of them cannot be read.
        frames: of the others.
        seconds: about how long it will take; None where there was nothing to try.
        needed_bytes: about how much the results take.
        free_bytes: on the disk of the results.
    """

    inputs: int
    unreadable: int
    frames: int
    seconds: float | None
    needed_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be done.

    Attributes:
        checks: one for each input.
        totals: of all.
    """

    checks: tuple[Check, ...]
    totals: Totals

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each input that cannot be read."""
        return tuple(
            str(each.error) if each.job.where in str(each.error) else f"{each.job.where}: {each.error}"
            for each in self.checks
            if each.error is not None
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """What to say before it begins."""
        totals = self.totals
        lines = [f"{each.job.where}: {note}" for each in self.checks for note in each.notes]
        if totals.seconds is not None:
            inputs = "1 input" if totals.inputs == 1 else f"{totals.inputs} inputs"
            lines.append(f"{inputs}, {totals.frames} frames, about {_clock(totals.seconds)}")
        return tuple(lines)


def check_inputs(jobs: Sequence[Job], folder: Path, people: People, *, processes: int = 1) -> Plan:
    """Look at all inputs.

    Args:
        jobs: the inputs.
        folder: of the results; must be there.
        people: the models, for a trial.
        processes: how many will share the work.

    Raises:
        OutputError: if the disk has less space than the results will take, or the library of a format is missing.
    """
    for name in dict.fromkeys(name for job in jobs for name in job.outputs.formats):
        check_format(name)
    checks = tuple(map(check_input, jobs))
    needed = sum(each.needed_bytes for each in checks)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"the results take about {_megabytes(needed)}, and {folder} has {_megabytes(free)} left",
            "free some space, choose another disk, or leave out --overlay",
        )
    frames = sum(each.frames or 0 for each in checks if each.error is None)
    readable = [each for each in checks if each.error is None]
    a_frame_s = _trial(readable[0].job, people) if readable else None
    seconds = None if a_frame_s is None else frames * a_frame_s / processes
    return Plan(checks, Totals(len(checks), len(checks) - len(readable), frames, seconds, needed, free))


def check_input(job: Job) -> Check:
    """Look at one input, without decoding more than a frame."""
    try:
        check_formats(job)
        return _check_video(job) if job.kind == "video" else _check_pictures(job)
    except Exception as error:  # noqa: BLE001
        # Whatever is strange about one input, the others are to be done.
        return Check(job, None, error=told_error(job, error))


def _check_pictures(job: Job) -> Check:
    files = input_files(job)
    if job.kind == "picture":
        read_picture(files[0])
    overlays = sum(path.stat().st_size for path in files) if job.outputs.overlay is not None else 0
    return Check(job, len(files), needed_bytes=_still_needed(job, overlays + len(files) * _BYTES_A_ROW))


def _check_video(job: Job) -> Check:
    input_files(job)
    found = inspect_video(job.where)
    width, height = found.info.size_wh
    overlay = width * height * _OVERLAY_BITS_A_PIXEL / 8 if job.outputs.overlay is not None else 0
    needed = int(found.frames * (overlay + _BYTES_A_ROW * (1 + len(job.outputs.formats))))
    return Check(job, found.frames, found.warnings, needed_bytes=_still_needed(job, needed))


def _still_needed(job: Job, needed: int) -> int:
    """Return what is needed beyond what an earlier run has written already."""
    there = sum(path.stat().st_size for path in job.outputs.paths if path.is_file())
    return max(0, needed - there)


def _trial(job: Job, people: People) -> float | None:
    """Return about how many seconds a frame takes; None where it cannot be told."""
    follower = people.follower()
    spent = []
    try:
        with open_source(job.where) as source:
            for frame in islice(source, TRIAL_FRAMES):
                began = time.perf_counter()
                follower(frame)
                spent.append(time.perf_counter() - began)
    except Exception as error:  # noqa: BLE001
        told_error(job, error)
        return None  # the run itself will say what is wrong
    later = spent[2:] or spent
    return float(np.mean(later)) if later else None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
