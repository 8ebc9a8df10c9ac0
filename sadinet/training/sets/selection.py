"""Which pictures of a set: by number, or a fold of a cross-validation."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from sadinet.errors import InputError


@dataclass(frozen=True, slots=True)
class Selection:
    """Pictures by number, or one of several equal parts of them: a fold of a cross-validation.

    Attributes:
        first, last: picture numbers, both included; for COCO these are its picture ids.
        part, parts: every `parts`-th picture, beginning with number `part`; 1 of 1 is all.
    """

    first: int = 0
    last: int = sys.maxsize
    part: int = 1
    parts: int = 1

    @classmethod
    def parse(cls, text: str | None = None, fold: str | None = None) -> Selection:
        """Read numbers such as "8501:9000" and a fold such as "2/5", all where one is None.

        Raises:
            InputError: for anything else.
        """
        first, last, part, parts = 0, sys.maxsize, 1, 1
        if text is not None:
            first, last = _two(text, ":") or (1, 0)
            if first > last:
                raise InputError(f"selection {text!r}", "first:last picture number, as in 8501:9000")
        if fold is not None:
            part, parts = _two(fold, "/") or (0, 0)
            if not 1 <= part <= parts:
                raise InputError(f"fold {fold!r}", "number/of how many, as in 2/5")
        return cls(first, last, part, parts)

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last and number % self.parts == self.part % self.parts

    def __str__(self) -> str:
        return self._in_part("all" if self.last == sys.maxsize else f"{self.first}:{self.last}")

    def names(self, form: str) -> str:
        """Return which files these are, their names being `form` with the number put in."""
        first = form.format(max(self.first, 1))
        return self._in_part(f"{first} .." if self.last == sys.maxsize else f"{first} to {form.format(self.last)}")

    def _in_part(self, text: str) -> str:
        return text if self.parts == 1 else f"{text}, part {self.part} of {self.parts}"


def _two(text: str, between: str) -> tuple[int, int] | None:
    found = re.fullmatch(rf"(\d+){between}(\d+)", text.strip())
    return (int(found[1]), int(found[2])) if found else None
