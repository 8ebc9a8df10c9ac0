"""Sizes of the input as they are given on a command line."""

from __future__ import annotations

import re

from sadinet.errors import InputError


def parse_size(text: str) -> tuple[int, int]:
    """Read "256", the side of a square, or "192x256", width x height, in pixels; raises `InputError` for all else."""
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text.strip())
    if match is None:
        raise InputError(f"size {text!r}", "a side in pixels, or width x height, as in 192x256")
    return int(match[1]), int(match[2] or match[1])
