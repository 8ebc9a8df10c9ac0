"""The picture of who imports whom, drawn from the code: packages in the layers of the import contract."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import grimp

WIDTH, ROW, BOX_HEIGHT = 1080, 74, 34
INK, FAINT, PAPER, FILL = "#25303b", "#8fa3b5", "#ffffff", "#e8eef4"
FONT = "font-family='Segoe UI, Helvetica, Arial, sans-serif'"

Edges = set[tuple[str, str]]
Place = tuple[float, float, float]


def imports_svg(root: Path) -> str:
    """Return the picture of the packages of the checkout at `root`."""
    layers = _layers(root / "pyproject.toml")
    edges = _direct(_edges([name for layer in layers for name in layer]))
    places = _places(layers)
    height = ROW * len(layers) + 30
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}'>",
        "<defs><marker id='a' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
        f"<path d='M0 0 8 4 0 8z' fill='{FAINT}'/></marker></defs>",
        f"<rect width='{WIDTH}' height='{height}' rx='14' fill='{PAPER}'/>",
        *(_arrow(places[a], places[b]) for a, b in sorted(edges)),
        *(_box(name, place) for name, place in places.items()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _layers(pyproject: Path) -> list[list[str]]:
    """Read the layers of the import contract, the highest first."""
    settings = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    return [[name.strip() for name in layer.replace("|", ":").split(":")] for layer in layers]


def _edges(names: list[str]) -> Edges:
    """Return which of the named modules and packages import which."""
    graph = grimp.build_graph("sadinet", "app", exclude_type_checking_imports=True, cache_dir=None)
    inside = {name: {name} | graph.find_descendants(name) for name in names}
    home = {module: name for name, modules in inside.items() for module in modules}
    found: Edges = set()
    for module, name in home.items():
        for other in graph.find_modules_directly_imported_by(module):
            if other in home and home[other] != name:
                found.add((name, home[other]))
    return found


def _direct(edges: Edges) -> Edges:
    """Leave out what follows from other arrows, so that the picture can be read."""
    reach = set(edges)
    names = {name for edge in edges for name in edge}
    for middle, a, b in product(names, names, names):
        if (a, middle) in reach and (middle, b) in reach:
            reach.add((a, b))
    return {(a, b) for a, b in edges if not any((a, c) in edges and (c, b) in reach for c in names - {a, b})}


def _places(layers: list[list[str]]) -> dict[str, Place]:
    """Return the middle of each box, x and y, and its width."""
    places: dict[str, Place] = {}
    for row, layer in enumerate(layers):
        widths = [len(_label(name)) * 8.5 + 28 for name in layer]
        gap = min(70.0, (WIDTH - 40 - sum(widths)) / max(1, len(layer) - 1))
        # Rows are shifted in turns, so that an arrow across a row rarely runs through a box.
        x = (WIDTH - sum(widths) - gap * (len(layer) - 1)) / 2 + (190 if row % 2 else -150) * (len(layer) < 3)
        for name, width in zip(layer, widths, strict=True):
            places[name] = (x + width / 2, 15 + ROW * (row + 0.5), width)
            x += width + gap
    return places


def _label(name: str) -> str:
    return name.removeprefix("sadinet.")


def _box(name: str, place: Place) -> str:
    x, y, width = place
    return (
        f"<rect x='{x - width / 2:.1f}' y='{y - BOX_HEIGHT / 2:.1f}' width='{width:.1f}' height='{BOX_HEIGHT}' rx='7'"
        f" fill='{FILL}' stroke='{INK}'/><text x='{x:.1f}' y='{y + 5:.1f}' text-anchor='middle' {FONT} font-size='15'"
        f" fill='{INK}'>{_label(name)}</text>"
    )


def _arrow(start: Place, end: Place) -> str:
    x1, y1, x2, y2 = start[0], start[1] + BOX_HEIGHT / 2, end[0], end[1] - BOX_HEIGHT / 2
    bend = ""
    if start[1] == end[1]:  # in one row: over those between
        y1 = y2
        bend = f"Q{(x1 + x2) / 2:.1f} {y1 - 34:.1f} "
    return (
        f"<path d='M{x1:.1f} {y1:.1f}{bend or 'L'}{x2:.1f} {y2:.1f}' stroke='{FAINT}' fill='none'"
        " marker-end='url(#a)'/>"
    )
