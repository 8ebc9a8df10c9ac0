"""Write the page of a video: one HTML file that holds everything it shows."""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from sadinet.atomic import AtomicText
from sadinet.batch.page import Page, PersonCourse, Shot
from sadinet.batch.page_charts import anchor, overview, person_figure
from sadinet.batch.page_style import document
from sadinet.media.chart_svg import escaped, svg
from sadinet.media.chart_ticks import clock

SHOT_WIDTH = 440
SHOT_QUALITY = 82

_MEANING = """\
<p>Confidence is the height of the network's heatmap at a joint, from 0 to 1, as the mean over a person's joints: it
puts results in order, and is no probability. Sigma, the bands around the angles, is one standard deviation as the
network states it: for joints it was adjusted on pictures that were not trained on so that about two of three errors
along each axis are smaller, and angles have what follows from that for small errors.</p>
<p class="muted">A flag marks what is worth a look; it changes no value. Long videos are drawn by the lowest and the
highest value of each short stretch, so that nothing short is lost; the table has every frame.</p>
"""


def write_page(path: str | os.PathLike[str], page: Page) -> None:
    """Write the page; equal pages are equal bytes.

    Raises:
        OutputError: if the folder cannot be written or the disk is full.
    """
    with AtomicText(path) as file:
        file.write(document(page.title, *_sections(page)))


def link_to(name: str) -> str:
    """Return a path, mostly relative to the page, as an address; names need not be valid Unicode."""
    path = quote(os.fsencode(name.replace(os.sep, "/")), safe="/")
    if Path(name).is_absolute():
        return "file:///" + path.lstrip("/")
    # The dot keeps a colon in a name from looking like a protocol.
    return "./" + path


def table_html(
    caption: str, heads: Sequence[tuple[str, str]], rows: Iterable[str], *, is_long: bool = False
) -> Iterator[str]:
    """Yield a table.

    Args:
        caption: what it holds.
        heads: name and class ("n" for numbers) of each column.
        rows: whole `<tr>` elements.
        is_long: give it a scroll bar of its own.
    """
    if is_long:
        yield '<div class="long" tabindex="0" role="region" aria-label="' + escaped(caption) + '">\n'
    yield f"<table>\n<caption>{escaped(caption)}</caption>\n<thead><tr>"
    for name, kind in heads:
        yield (
            f'<th scope="col" class="{kind}">{escaped(name)}</th>' if kind else f'<th scope="col">{escaped(name)}</th>'
        )
    yield "</tr></thead>\n<tbody>\n"
    yield from rows
    yield "</tbody>\n</table>\n"
    if is_long:
        yield "</div>\n"


def row_html(cells: Sequence[tuple[str, str]], row_id: str = "") -> str:
    """Return a row of cells: HTML and class of each."""
    inner = "".join(f"<td{_class(kind)}>{cell}</td>" for cell, kind in cells)
    return f'<tr id="{row_id}">{inner}</tr>\n' if row_id else f"<tr>{inner}</tr>\n"


def tiles_html(tiles: Iterable[tuple[str, str]]) -> str:
    """Return large numbers, each with what it counts."""
    inner = (f'<div class="tile"><b>{escaped(value)}</b><span>{escaped(name)}</span></div>' for name, value in tiles)
    return f'<div class="tiles">{"".join(inner)}</div>\n'


def facts_html(facts: Mapping[str, str]) -> str:
    """Return names and texts in two columns."""
    lines = (f"<dt>{escaped(name)}</dt><dd>{escaped(text)}</dd>\n" for name, text in facts.items())
    return f"<dl>\n{''.join(lines)}</dl>\n"


def problems_html(problems: Sequence[str]) -> str:
    """Return a list of what went wrong; empty where nothing did."""
    if not problems:
        return ""
    lines = "".join(f"<li>{escaped(line)}</li>" for line in problems)
    return f'<div class="warn"><h2>Problems</h2><ul>{lines}</ul></div>\n'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _sections(page: Page) -> Iterator[str]:
    yield f"<h1>{escaped(page.title)}</h1>\n"
    yield '<p class="muted">Joints of the people in this video, and how far to trust them.</p>\n'
    yield tiles_html(_tiles(page))
    yield problems_html(page.problems)
    yield facts_html(page.facts)
    yield from _shots(page)
    yield '<h2>Over time</h2>\n<div class="chart">' + svg(overview(page)) + "</div>\n"
    yield from _flags(page)
    yield from _persons(page)
    yield "<h2>What the numbers mean</h2>\n" + _MEANING


def _tiles(page: Page) -> Iterator[tuple[str, str]]:
    course = page.course
    yield "frames", f"{page.frames:,}"
    yield "people at once, at most", str(int(np.fmax.reduce(course.people_high, initial=0.0)))
    yield "people over time (ids)", f"{page.people:,}"
    known = course.score_mean[np.isfinite(course.score_mean)]
    # A median of short stretches: the whole mean would be that of the busiest ones.
    yield "confidence, median over time", f"{float(np.median(known)):.2f}" if known.size else "–"
    yield "frames with a flag", _share(page.flagged_frames, page.frames)
    yield "frames skipped", f"{page.skipped_frames:,}"


def _share(part: int, whole: int) -> str:
    if not whole or not part:
        return str(part)
    share = 100 * part / whole
    return f"{part:,} ({share:.0f}%)" if share >= 1 else f"{part:,} (<1%)"


def _shots(page: Page) -> Iterator[str]:
    if not page.shots:
        return
    yield '<h2>Contact sheet</h2>\n<div class="sheet">\n'
    for shot in page.shots:
        at = f"frame {shot.index}" + (f", {clock(shot.time_s, 2)}" if math.isfinite(shot.time_s) else "")
        who = "" if shot.people is None else ", " + _people(shot.people)
        data = base64.b64encode(_jpeg(shot)).decode()
        yield f'<figure><img src="data:image/jpeg;base64,{data}" alt="Picture at {at}{who}, skeletons drawn">'
        yield f"<figcaption>{at}{who}</figcaption></figure>\n"
    yield "</div>\n"


def _people(count: int) -> str:
    return "nobody" if not count else "1 person" if count == 1 else f"{count} people"


def _jpeg(shot: Shot) -> bytes:
    height, width = shot.image.shape[:2]
    # Portraits are limited by their height, or a page would be mostly one of them.
    scale = min(1.0, SHOT_WIDTH / width, SHOT_WIDTH / height)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(shot.image, size_wh, interpolation=cv2.INTER_AREA) if scale < 1 else shot.image
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, SHOT_QUALITY])
    return data.tobytes()


def _flags(page: Page) -> Iterator[str]:
    yield "<h2>Flags</h2>\n"
    if not page.flags:
        yield "<p>No frame has a flag.</p>\n"
        return
    counts = (
        row_html(
            [
                (f"<code>{escaped(flag.word)}</code>", "t"),
                (f"{flag.frames:,}", "n"),
                (f"{100 * flag.frames / max(page.frames, 1):.1f}%", "n"),
                (escaped(flag.meaning or "–"), "w"),
            ]
        )
        for flag in page.flags
    )
    heads = (("flag", "t"), ("frames", "n"), ("share", "n"), ("what it says", ""))
    yield from table_html("How many frames have each flag", heads, counts)
    yield "<h3>Where they are</h3>\n"
    columns = [("flag", "t"), ("time", "t"), ("frames", "t"), ("with the flag", "n"), ("whose", "t")]
    columns += [("in the video", "t")] if page.video else []
    yield from table_html("Stretches with a flag", columns, _spans(page), is_long=True)


def _spans(page: Page) -> Iterator[str]:
    for number, flag in enumerate(page.flags):
        for place, span in enumerate(flag.spans):
            cells = [
                (f"<code>{escaped(flag.word)}</code>", "t"),
                (escaped(span.time_text or "–"), "t"),
                (span.frames_text, "t"),
                (str(span.frames), "n"),
                (span.person_text, "t"),
            ]
            if page.video:
                cells.append((_watch(page.video, span.first_s), "t"))
            yield row_html(cells, anchor(number, place))


def _watch(video: str, time_s: float) -> str:
    # Browsers begin a file at the time after #t=; a second earlier, so that one sees it coming.
    at = f"#t={max(time_s - 1.0, 0.0):.2f}" if math.isfinite(time_s) else ""
    return f'<a href="{escaped(link_to(video))}{at}">watch</a>'


def _persons(page: Page) -> Iterator[str]:
    if not page.persons:
        return
    yield "<h2>People</h2>\n"
    rows = (row_html(_person_cells(person)) for person in page.persons)
    heads = (("person", "n"), ("frames", "n"), ("from", "t"), ("to", "t"), ("mean confidence", "n"))
    shown = len(page.persons)
    caption = f"The {shown} of {page.people:,} people with the most frames" if page.people > shown else "Everybody"
    yield from table_html(caption, heads, rows)
    for person in page.persons:
        if person.angles:
            yield f"<h3>Angles of person {person.person}</h3>\n"
            yield '<div class="chart">' + svg(person_figure(person, page.course.kind)) + "</div>\n"


def _person_cells(person: PersonCourse) -> list[tuple[str, str]]:
    score = f"{person.score:.2f}" if math.isfinite(person.score) else "–"
    start, end = (
        f"frame {index}" + (f", {clock(time_s, 2)}" if math.isfinite(time_s) else "")
        for index, time_s in ((person.first, person.first_s), (person.last, person.last_s))
    )
    return [(str(person.person), "n"), (f"{person.frames:,}", "n"), (start, "t"), (end, "t"), (score, "n")]
