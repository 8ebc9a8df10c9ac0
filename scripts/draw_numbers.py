"""Draw docs/pictures/numbers.svg: where whole numbers lie among pixels, and what one standard deviation holds.

python scripts/draw_numbers.py [FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sadinet.atomic import write_bytes

FILE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "numbers.svg"
SIZE_WH = (1080, 400)
INK, FAINT, PAPER = "#25303b", "#b9c2cb", "#ffffff"
INSIDE, OUTSIDE = "#0072b2", "#d55e00"  # tell apart for every eye
FONT = "font-family='Segoe UI, Helvetica, Arial, sans-serif'"
CELL = 62.0
POINTS = 300
SIGMA_PX = (9.0, 5.0)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    options = parser.parse_args(arguments)
    width, height = SIZE_WH
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}'>"
    paper = f"<rect width='{width}' height='{height}' rx='14' fill='{PAPER}'/>"
    parts = [head, paper, *pixels(), *spread(), "</svg>\n"]
    write_bytes(options.file, "\n".join(parts).encode())
    return 0


def pixels() -> Iterator[str]:
    """Yield a corner of a picture: squares, numbers at their centres, and one place between them."""
    left, top = 80.0, 90.0
    yield text(left + 2 * CELL, 40, "whole numbers are the centres of pixels", 17, weight=700)
    for row in range(4):
        for column in range(5):
            x, y = left + column * CELL, top + row * CELL
            yield f"<rect x='{x}' y='{y}' width='{CELL}' height='{CELL}' fill='none' stroke='{FAINT}'/>"
            yield f"<circle cx='{x + CELL / 2}' cy='{y + CELL / 2}' r='2.5' fill='{INK}'/>"
    for column in range(5):
        yield text(left + (column + 0.5) * CELL, top - 12, str(column), 14)
    for row in range(4):
        yield text(left - 16, top + (row + 0.5) * CELL + 5, str(row), 14)
    place = (2.75, 1.5)
    x, y = (left + (place[0] + 0.5) * CELL, top + (place[1] + 0.5) * CELL)
    yield f"<circle cx='{x}' cy='{y}' r='6' fill='{OUTSIDE}'/>"
    yield text(x + 14, y - 10, f"x = {place[0]}, y = {place[1]}", 15, anchor="start", colour=OUTSIDE)
    yield text(left, top + 4 * CELL + 26, "the picture's corner is at -0.5, -0.5", 14, anchor="start")


def spread() -> Iterator[str]:
    """Yield errors drawn from the Gaussian that a sigma stands for, and count those within the ellipse."""
    middle_x, middle_y, scale = 800.0, 210.0, 9.0
    errors = np.random.default_rng(3).normal(size=(POINTS, 2))
    within = (errors**2).sum(axis=1) <= 1
    per_axis = 100 * (np.abs(errors) <= 1).mean(axis=0)
    yield text(middle_x, 40, "sigma_x and sigma_y: one standard deviation", 17, weight=700)
    for (x, y), is_within in zip(errors, within, strict=True):
        cx, cy = middle_x + x * SIGMA_PX[0] * scale, middle_y + y * SIGMA_PX[1] * scale
        colour = INSIDE if is_within else OUTSIDE
        yield f"<circle cx='{cx:.1f}' cy='{cy:.1f}' r='2.6' fill='{colour}' fill-opacity='.7'/>"
    rx, ry = SIGMA_PX[0] * scale, SIGMA_PX[1] * scale
    yield (
        f"<ellipse cx='{middle_x}' cy='{middle_y}' rx='{rx}' ry='{ry}' fill='none' stroke='{INK}' stroke-width='2'/>"
        f"<path d='M{middle_x} {middle_y}h{rx}M{middle_x} {middle_y}v{-ry}' stroke='{INK}' stroke-width='2'/>"
    )
    yield text(middle_x + rx / 2, middle_y + 18, f"{SIGMA_PX[0]:g} px", 14)
    yield text(middle_x - 26, middle_y - ry / 2, f"{SIGMA_PX[1]:g} px", 14)
    yield text(
        middle_x,
        384,
        f"of {POINTS} errors {100 * within.mean():.0f}% lie in the ellipse, {per_axis[0]:.0f}% within sigma_x, "
        f"{per_axis[1]:.0f}% within sigma_y",
        14,
    )


def text(
    x: float, y: float, words: str, size: int, *, weight: int = 400, anchor: str = "middle", colour: str = INK
) -> str:
    """Return writing at a place, in pixels of the drawing."""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {FONT} font-size='{size}' font-weight='{weight}'"
        f" fill='{colour}'>{words}</text>"
    )


if __name__ == "__main__":
    sys.exit(main())
