"""Charts as SVG: a file of its own, or a part of an HTML page."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator

import numpy as np

from sadinet.atomic import AtomicText
from sadinet.media.chart import LIGHT, Figure, Values
from sadinet.media.chart_layout import lay_out
from sadinet.media.chart_scene import Area, Dot, Item, Mark, Scene, Stroke, Words

FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"

_WORD_ANCHORS = {"start": "", "middle": ' text-anchor="middle"', "end": ' text-anchor="end"'}


def escaped(text: str) -> str:
    """Return text for HTML and XML; what neither may hold is told as a backslash escape."""
    allowed = "".join(char if _is_allowed(char) else char.encode("unicode_escape").decode() for char in text)
    return html.escape(allowed, quote=True)


def svg(figure: Figure) -> str:
    """Return a figure as an SVG element without a background.

    Colours are CSS variables named after the tones (`--left`, `--ink` ...), so that a page may have light and
    dark ones; where it says nothing, they are those of light paper.
    """
    return "".join(_lines(lay_out(figure), paper=False))


def write_svg(path: str | os.PathLike[str], figure: Figure) -> None:
    """Write a figure as an SVG file on light paper.

    Raises:
        OutputError: if the folder cannot be written or the disk is full.
    """
    with AtomicText(path) as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        for line in _lines(lay_out(figure), paper=True):
            file.write(line)


def _is_allowed(char: str) -> bool:
    code = ord(char)
    is_control = code < 0x20 or 0x7F <= code < 0xA0
    return (not is_control or char in "\n\t") and not 0xD800 <= code < 0xE000 and code not in (0xFFFE, 0xFFFF)


def _lines(scene: Scene, *, paper: bool) -> Iterator[str]:
    width, height = _number(scene.width), _number(scene.height)
    size = f' width="{width}" height="{height}"' if paper else ""
    has_links = any(isinstance(item, Mark) and item.link for item in scene.items)
    # A picture as a whole has one description; one with links in it must let them be reached.
    role = "group" if has_links else "img"
    label = f' aria-label="{escaped(scene.description)}"' if scene.description else ""
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"{size} role="{role}"{label}'
    yield f' font-family="{FONT}" fill="none" stroke-linejoin="round" stroke-linecap="round">\n'
    if paper:
        yield f'<rect width="{width}" height="{height}" fill="{_colour("paper", is_fixed=True)}"/>\n'
    for item in scene.items:
        yield _element(item, is_fixed=paper) + "\n"
    yield "</svg>\n"


def _element(item: Item, *, is_fixed: bool) -> str:
    tone = _colour(item.tone, is_fixed=is_fixed)
    match item:
        case Stroke():
            return f'<path d="{_path(item.points)}" stroke="{tone}" stroke-width="{_number(item.width)}"/>'
        case Area():
            return f'<path d="{_path(item.points)}Z" fill="{tone}" fill-opacity="{_number(item.opacity)}"/>'
        case Dot():
            at = f'cx="{_number(item.x)}" cy="{_number(item.y)}"'
            return f'<circle {at} r="{_number(item.radius)}" fill="{tone}"/>'
        case Words():
            weight = ' font-weight="600"' if item.is_bold else ""
            at = f'x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size)}"'
            return f'<text {at} fill="{tone}"{weight}{_WORD_ANCHORS[item.anchor]}>{escaped(item.text)}</text>'
        case Mark():
            return _mark(item, tone)


def _mark(mark: Mark, tone: str) -> str:
    place = f'x="{_number(mark.left)}" y="{_number(mark.top)}"'
    size = f'width="{_number(mark.width)}" height="{_number(mark.height)}"'
    title = f"<title>{escaped(mark.note)}</title>" if mark.note else ""
    rectangle = f'<rect {place} {size} rx="1.5" fill="{tone}">{title}</rect>'
    if not mark.link:
        return rectangle
    label = f' aria-label="{escaped(mark.note)}"' if mark.note else ""
    return f'<a href="{escaped(mark.link)}"{label}>{rectangle}</a>'


def _colour(tone: str, *, is_fixed: bool) -> str:
    return LIGHT[tone] if is_fixed else f"var(--{tone},{LIGHT[tone]})"


def _path(points: Values) -> str:
    """Return path commands, relative and in tenths of a pixel: a third of the bytes of absolute ones."""
    tenths = np.rint(points * 10).astype(np.int64)
    moved = np.concatenate([[True], np.any(np.diff(tenths, axis=0) != 0, axis=1)])
    tenths = tenths[moved] if moved.sum() > 1 else tenths[:2]
    steps = np.diff(tenths, axis=0)
    start = f"M{_number(tenths[0, 0] / 10)} {_number(tenths[0, 1] / 10)}"
    return start + "l" + " ".join(f"{_number(x / 10)} {_number(y / 10)}" for x, y in steps.tolist())


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
