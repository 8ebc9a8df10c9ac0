"""A run's report for the terminal: a table, and plain lines where there is none."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sadinet.batch.report import BatchReport, InputReport, State
from sadinet.media.chart_ticks import clock

_STYLES = {State.DONE: "green", State.IN_PART: "yellow", State.FAILED: "bold red", State.KEPT: "dim"}


def report_lines(report: BatchReport) -> list[str]:
    """Return one line for each input and problem, and a last one with totals: for pipes and logs."""
    return [line for each in report.inputs for line in _lines(each)] + [summary(report)]


def report_table(report: BatchReport) -> RenderableType:
    """Return the report for a rich console: a table, the problems below it, and totals."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("input", overflow="fold")
    table.add_column("state", no_wrap=True)
    for name in ("frames", "people", "fps", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("result", overflow="fold")
    for each in report.inputs:
        numbers = ("", "", "", "") if each.state is State.FAILED else _numbers(each)
        result = _failure(each) if each.state is State.FAILED else ", ".join(each.outputs)
        # As Text: names may hold what rich would take for its markup.
        cells = [Text(_one_line(each.name)), Text(each.state.value, _STYLES[each.state])]
        table.add_row(*cells, *numbers, Text(_one_line(result)))
    told = ((each.name, line) for each in report.inputs for line in each.problems)
    problems = [Text(f"  {_one_line(name)}: {_one_line(line)}", "yellow") for name, line in told]
    return Group(table, *problems, Text(summary(report), "bold"))


def summary(report: BatchReport) -> str:
    """Return the totals in one line."""
    counts = ", ".join(f"{count} {state.value}" for state, count in report.counts.items()) or "nothing to do"
    inputs = "1 input" if len(report.inputs) == 1 else f"{len(report.inputs)} inputs"
    frames = "1 frame" if report.frames == 1 else f"{report.frames} frames"
    runtime = " on ".join(part for part in (report.engine, report.device) if part)
    parts = [f"{frames} in {clock(report.seconds)}"]
    parts += [f"{report.fps:.1f} fps"] if report.fps else []
    parts += [runtime] if runtime else []
    stopped = "interrupted; " if report.is_interrupted else ""
    return f"{stopped}{inputs}: {counts}; {', '.join(parts)}"


def _lines(each: InputReport) -> Iterator[str]:
    name = _one_line(each.name)
    if each.state is State.FAILED:
        yield f"{name}: failed: {_one_line(_failure(each))}"
    else:
        frames, people, fps, time = _numbers(each)
        speed = f", {fps} fps, {time}" if fps else ""
        where = f" -> {', '.join(map(_one_line, each.outputs))}" if each.outputs else ""
        yield f"{name}: {each.state.value}: frames {frames}, people {people}{speed}{where}"
    for line in each.problems:
        yield f"{name}: {_one_line(line)}"


def _numbers(each: InputReport) -> tuple[str, str, str, str]:
    speed = (f"{each.fps:.1f}", clock(each.seconds)) if each.fps > 0 else ("", "")
    return str(each.frames), str(each.people), *speed


def _failure(each: InputReport) -> str:
    return f"{each.reason} ({each.remedy})" if each.remedy else each.reason


def _one_line(text: str) -> str:
    """Return text without line breaks and terminal controls, with other oddities as escapes."""
    joined = " ".join(text.split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in joined)
