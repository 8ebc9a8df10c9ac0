"""What is wrong with a video, counted so that the stretches of a file add up to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SizeAt = tuple[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Defects:
    """What is wrong with a stretch of a video.

    Everything belongs to a frame that was given: frames that did not decode to the next one that did, and to the
    end of the file if none came. So what holds for frames a to b and for b to c adds up to what holds for a to c.

    Attributes:
        skipped: frames that did not decode.
        damaged: frames of which the decoder guessed parts.
        timeless: frames whose time is missing or not after that of the frame before.
        sizes: number and upright (width, height) of the stretch's first frame, and of each at which it changes.
        endings: one line each on how the file ends, if it is not as it should be; only of a stretch that reaches
            the end.
    """

    skipped: int = 0
    damaged: int = 0
    timeless: int = 0
    sizes: tuple[SizeAt, ...] = ()
    endings: tuple[str, ...] = ()

    def __add__(self, later: Defects) -> Defects:
        """Return the defects of this stretch and the one right behind it."""
        is_known = bool(self.sizes and later.sizes) and later.sizes[0][1] == self.sizes[-1][1]
        return Defects(
            self.skipped + later.skipped,
            self.damaged + later.damaged,
            self.timeless + later.timeless,
            self.sizes + later.sizes[is_known:],
            self.endings + later.endings,
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each kind of defect, for people."""
        lines = []
        if self.skipped:
            lines.append(f"{_frames(self.skipped)} could not be decoded and {_were(self.skipped)} left out")
        if self.damaged:
            lines.append(f"{_frames(self.damaged)} {_were(self.damaged)} damaged and decoded in part")
        if self.timeless:
            lines.append(f"{_frames(self.timeless)} had no time of presentation or one that does not rise")
        lines += [f"the picture's size becomes {w}x{h} at frame {index}" for index, (w, h) in self.sizes[1:]]
        return (*lines, *self.endings)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON takes them."""
        return {
            "skipped": self.skipped,
            "damaged": self.damaged,
            "timeless": self.timeless,
            "sizes": [[index, *size_wh] for index, size_wh in self.sizes],
            "endings": list(self.endings),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Defects:
        """Return what `to_dict` told."""
        return cls(
            int(values["skipped"]),
            int(values["damaged"]),
            int(values["timeless"]),
            tuple((int(index), (int(width), int(height))) for index, width, height in values["sizes"]),
            tuple(str(line) for line in values["endings"]),
        )


def add_up(stretches: Iterable[Defects]) -> Defects:
    """Return the defects of stretches that follow each other."""
    return sum(stretches, Defects())


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
