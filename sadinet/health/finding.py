"""One thing that was looked at."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "missing"]
"""Fine; not fine, but the command line works without it; or the command line does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing.

    Attributes:
        name: the thing.
        text: what was found, one line.
        state: whether that is fine.
        remedy: what to do about it, one line; empty where there is nothing to do.
        packages: Debian packages that are missing.
    """

    name: str
    text: str
    state: State = "ok"
    remedy: str = ""
    packages: tuple[str, ...] = ()


def is_installed(module: str) -> bool:
    """Say whether a top-level module can be found; nothing is imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # half removed, or in the way of itself
        return False


def first_line(error: BaseException) -> str:
    """Return an error's first line, or its type where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
