"""A run's report as a page that leads to the pages of its videos."""

from __future__ import annotations

import os
from collections.abc import Iterator

from sadinet.atomic import AtomicText
from sadinet.batch.page_html import facts_html, link_to, problems_html, row_html, table_html, tiles_html
from sadinet.batch.page_style import document
from sadinet.batch.report import BatchReport, InputReport, State
from sadinet.batch.report_text import summary
from sadinet.media.chart_svg import escaped
from sadinet.media.chart_ticks import clock

_TITLE = "Joints of people in videos: one run"


def write_index(path: str | os.PathLike[str], report: BatchReport) -> None:
    """Write the page; its links are relative, so that the folder can be moved as a whole.

    Raises:
        OutputError: if the folder cannot be written or the disk is full.
    """
    with AtomicText(path) as file:
        file.write(document(_TITLE, *_sections(report)))


def _sections(report: BatchReport) -> Iterator[str]:
    yield f"<h1>{_TITLE}</h1>\n"
    yield f'<p class="muted">{escaped(summary(report))}</p>\n'
    yield tiles_html(_tiles(report))
    yield problems_html([f"{each.name}: {line}" for each in report.inputs for line in each.problems])
    yield "<h2>Inputs</h2>\n"
    heads = (
        ("input", ""), ("state", "t"), ("frames", "n"), ("people", "n"), ("fps", "n"), ("time", "n"), ("result", ""),
    )  # fmt: skip
    caption = "; ".join(f"{state.value}: {state.meaning}" for state in report.counts)
    yield from table_html(caption, heads, (row_html(_cells(each)) for each in report.inputs))
    yield "<h2>How this was made</h2>\n" + facts_html(_facts(report))


def _tiles(report: BatchReport) -> Iterator[tuple[str, str]]:
    yield "inputs", f"{len(report.inputs):,}"
    for state, count in report.counts.items():
        yield state.value, f"{count:,}"
    yield "frames", f"{report.frames:,}"
    yield "frames a second", f"{report.fps:.1f}"
    yield "time", clock(report.seconds)


def _facts(report: BatchReport) -> dict[str, str]:
    return {
        "started": report.started,
        "ended": report.ended + (" (interrupted)" if report.is_interrupted else ""),
        "weights": report.weights,
        "engine": report.engine,
        "device": report.device,
        "precision": report.precision,
        "version": report.version,
    }


def _cells(each: InputReport) -> list[tuple[str, str]]:
    name = escaped(each.name)
    if each.page:
        name = f'<a href="{escaped(link_to(each.page))}">{name}</a>'
    if each.state is State.FAILED:
        reason = escaped(each.reason) + (f"<br>{escaped(each.remedy)}" if each.remedy else "")
        return [(name, "w"), ("failed", "t failed"), ("", "n"), ("", "n"), ("", "n"), ("", "n"), (reason, "w")]
    links = (f'<a href="{escaped(link_to(output))}">{escaped(output)}</a>' for output in each.outputs)
    speed = [(f"{each.fps:.1f}", "n"), (clock(each.seconds), "n")] if each.fps > 0 else [("", "n"), ("", "n")]
    counts = [(f"{each.frames:,}", "n"), (f"{each.people:,}", "n")]
    return [(name, "w"), (each.state.value, "t"), *counts, *speed, ("<br>".join(links), "w")]
