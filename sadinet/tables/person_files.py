"""What formats of motion laboratories share: one file for each person, at one rate, in millimetres, y up."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.recording import Recording
from sadinet.tables.clock import Clock
from sadinet.tables.scratch import make_scratch, remove, sync, told_as
from sadinet.tables.writer import TableInfo, TableWriter

BLOCK = 2048
"""Frames that are laid out at once when a person's file is written."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person from the first frame to the last, n frames, gaps included.

    Attributes:
        index: (n,) int64, numbers of the frames.
        time_s: (n,) float64.
        rate_hz: the one rate of the recording.
        spool: file of this person's rows.
        row: type of a row there.
        start: position of the first frame in the recording.
    """

    index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    rate_hz: float
    spool: Path
    row: np.dtype[np.void]
    start: int

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield (m, K, 3) float32 of consecutive frames: x and y up in millimetres, sigma; NaN where unknown."""
        with self.spool.open("rb") as stream:
            ahead = np.fromfile(stream, self.row, BLOCK)
            for first in range(0, len(self.index), BLOCK):
                last = min(first + BLOCK, len(self.index))
                values = np.full((last - first, *self.row["values"].shape), np.nan, np.float32)
                # At most one row a frame: a block's rows lie in what was read, or follow it at once.
                if len(ahead) < BLOCK:
                    ahead = np.concatenate([ahead, np.fromfile(stream, self.row, BLOCK - len(ahead))])
                count = int(np.searchsorted(ahead["at"], self.start + last))
                values[ahead["at"][:count] - self.start - first] = ahead["values"][:count]
                ahead = ahead[count:]
                yield values


class PersonFiles(TableWriter):
    """Collects each person's rows in a file of their own, and writes the real files at the end.

    Smoothed joints (`NAME_x_smooth`, `NAME_y_smooth`) are taken where these columns were announced, raw ones
    otherwise. `y` is turned up and counted from the lowest pixel row of the first frame. A pixel is
    `info.metres_per_pixel`; without that one millimetre stands for one pixel. A person's file goes from the first to
    the last frame that has the person.

    Raises:
        OutputError: if the folder cannot be written.
    """

    def __init__(self, target: Path, info: TableInfo) -> None:
        self.target, self.info = target, info
        self._clock = Clock()
        self._bottom: float | None = None
        self._spans: dict[int, list[int]] = {}
        self._paths: tuple[Path, ...] = ()
        self._notes: tuple[str, ...] = ()
        self._row = np.dtype([("at", "<i8"), ("values", "<f4", (len(info.skeleton), 3))])
        self._scratch = make_scratch(target)

    @property
    def mm_per_pixel(self) -> float:
        """Millimetres that stand for a pixel."""
        return 1.0 if self.info.metres_per_pixel is None else 1000.0 * self.info.metres_per_pixel

    @property
    def paths(self) -> tuple[Path, ...]:
        """One file for each person, after the `with` block; no file where nobody was seen."""
        return self._paths

    @property
    def notes(self) -> tuple[str, ...]:
        """What the format cannot hold of the times."""
        return self._notes

    def write(self, window: Recording) -> None:
        """Append the rows of a window to each person's."""
        self.check(window)
        if window.frames and self._bottom is None:
            self._bottom = float(max(window.sizes_wh[0, 1] - 1, 0))
        places = self._clock.frames + window.row_frame
        rows = np.empty(window.rows, self._row)
        rows["at"] = places
        rows["values"] = self._values(window)
        for person in np.unique(window.track_ids).tolist():
            mine = rows[window.rows_of_track(person)]
            span = self._spans.setdefault(person, [int(mine["at"][0]), 0])
            span[1] = int(mine["at"][-1])
            # Opened anew each time: people may be more than the system opens files.
            with told_as(self.target), self._spool(person).open("ab") as stream:
                stream.write(mine.tobytes())
        self._clock.add(window)

    def finish(self) -> None:
        """Write each person's file, then give all of them their names, and remove those of an earlier run."""
        index, time_s = self._clock.index, self._clock.time_s
        rate_hz = self._clock.rate_hz(self.info.rate_hz) or 1.0
        self._notes = tuple(self._times_note(rate_hz))
        paths = []
        for person, (start, last) in sorted(self._spans.items()):
            path = self.target.with_name(f"{self.target.stem}_person{person}{self.target.suffix}")
            span = slice(start, last + 1)
            track = Track(index[span], time_s[span], rate_hz, self._spool(person), self._row, start)
            with told_as(path):
                self._write_person(self._scratch / path.name, track)
                sync(self._scratch / path.name)
            paths.append(path)
        with told_as(self.target):
            for path in paths:
                (self._scratch / path.name).replace(path)
            for stale in self._earlier():
                if stale not in paths:
                    stale.unlink()
            sync(self.target.parent)
        self._paths = tuple(paths)
        remove(self._scratch)

    def abandon(self) -> None:
        """Remove what was collected."""
        remove(self._scratch)

    @abstractmethod
    def _write_person(self, path: Path, track: Track) -> None:
        """Write one person's file under `path`, as it will be read under the same name elsewhere."""

    def _spool(self, person: int) -> Path:
        return self._scratch / f"{person}.rows"

    def _earlier(self) -> Iterator[Path]:
        pattern = re.compile(re.escape(f"{self.target.stem}_person") + r"-?\d+" + re.escape(self.target.suffix))
        return (each for each in self.target.parent.iterdir() if pattern.fullmatch(each.name))

    def _values(self, window: Recording) -> NDArray[np.float32]:
        """Return (R, K, 3): x and y up in millimetres and sigma, NaN where one of x and y is unknown."""
        joints = window.joints.astype(np.float64)
        for place, name in enumerate(window.skeleton.joints):
            for axis, letter in enumerate("xy"):
                smooth = f"{name}_{letter}_smooth"
                if smooth in self.info.extra:
                    joints[:, place, axis] = window.extra.get(smooth, np.nan)
        joints[~np.isfinite(joints).all(axis=2)] = np.nan
        joints[..., 1] = (self._bottom or 0.0) - joints[..., 1]
        spread = np.sqrt(np.mean(np.square(window.sigmas, dtype=np.float64), axis=2, keepdims=True))
        return (np.concatenate([joints, spread], axis=2) * self.mm_per_pixel).astype(np.float32)

    def _times_note(self, rate_hz: float) -> Iterator[str]:
        kind, drift_s = self.target.suffix[1:], self._clock.drift_s(rate_hz)
        if not self._clock.has_times and self._clock.frames > 1:
            whose = "as the source claims" if self.info.rate_hz else "as nobody knows better"
            yield f"{kind} holds one rate; frames have no times, so it is {rate_hz:.6g} Hz, {whose}"
        elif drift_s > 0.5 / rate_hz:
            yield f"{kind} holds one rate, {rate_hz:.6g} Hz; times differ from it by up to {drift_s:.3f} s"
