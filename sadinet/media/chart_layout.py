"""Lay a figure out: from charts to strokes, areas and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sadinet.media.chart import Chart, Figure, Marks, Series, Values
from sadinet.media.chart_scene import Area, Dot, Frame, Item, Mark, Scene, Stroke, Words, words_width
from sadinet.media.chart_ticks import padded, ticks

EDGE = 16.0
GUTTER = 22.0
TITLE_SIZE, SUBTITLE_SIZE, HEAD_SIZE, TICK_SIZE = 19.0, 12.5, 12.5, 11.0
LANE_PITCH, LANE_HEIGHT = 19.0, 11.0
LEAST_MARK_WIDTH = 3.0
BAND_OPACITY = 0.2


def lay_out(figure: Figure) -> Scene:
    """Return the scene of a figure."""
    items: list[Item] = []
    y = EDGE
    for text, size, tone, is_bold in (
        (figure.title, TITLE_SIZE, "ink", True),
        (figure.subtitle, SUBTITLE_SIZE, "muted", False),
    ):
        if text:
            y += size
            items.append(Words(text, EDGE, y, size, tone, is_bold=is_bold))
            y += size * 0.45
    y += 10.0 if figure.title or figure.subtitle else 0.0
    margins = _margins(figure)
    for row in figure.rows:
        pitch = (figure.width - 2 * EDGE + GUTTER) / len(row)
        heights = []
        for column, chart in enumerate(row):
            left = EDGE + column * pitch + margins[len(row), column]
            width = pitch - GUTTER - margins[len(row), column]
            heights.append(_height(chart))
            items += _chart(chart, left, y, width)
        y += max(heights, default=0.0) + 14.0
    return Scene(figure.width, y - 14.0 + EDGE if figure.rows else y + EDGE, tuple(items), figure.description)


def _margins(figure: Figure) -> Mapping[tuple[int, int], float]:
    """Return the room left of each column's plots, so that those below each other share their axis."""
    margins: dict[tuple[int, int], float] = {}
    for row in figure.rows:
        for column, chart in enumerate(row):
            key = len(row), column
            margins[key] = max(margins.get(key, 26.0), _margin(chart))
    return margins


def _margin(chart: Chart) -> float:
    labels = [words_width(lane.name, TICK_SIZE) for lane in chart.lanes]
    if _has_plot(chart):
        low, high = _y_range(chart)
        labels += [words_width(label, TICK_SIZE) for _, label in ticks(low, high, _y_ticks(chart))]
    return max(labels, default=0.0) + 10.0


def _has_plot(chart: Chart) -> bool:
    return bool(chart.series or chart.bands) or not chart.lanes


def _height(chart: Chart) -> float:
    head = HEAD_SIZE + 8.0 if chart.title or _legend(chart) else 0.0
    plot = chart.height if _has_plot(chart) else 0.0
    return (
        head + plot + (TICK_SIZE + 8.0) * chart.has_x_labels + len(chart.lanes) * LANE_PITCH + 4.0 * bool(chart.lanes)
    )


def _y_ticks(chart: Chart) -> int:
    return max(3, int(chart.height / 28))


def _chart(chart: Chart, left: float, top: float, width: float) -> Iterator[Item]:
    yield from _head(chart, left, top, width)
    top += HEAD_SIZE + 8.0 if chart.title or _legend(chart) else 0.0
    height = chart.height if _has_plot(chart) else 0.0
    frame = _frame(chart, left, top, width, height)
    at_most = max(2, int(width / 80))
    places = [(float(frame.x(np.array(value))), label) for value, label in _x_ticks(frame, at_most, chart)]
    bottom = top + height
    lanes_top = bottom + 4.0
    floor = lanes_top + len(chart.lanes) * LANE_PITCH if chart.lanes else bottom
    for place, _ in places:
        yield Stroke(np.array([[place, top], [place, floor]]), "grid", 1.0)
    if _has_plot(chart):
        yield from _plot(chart, frame)
    for number, lane in enumerate(chart.lanes):
        yield from _lane(lane, frame, lanes_top + number * LANE_PITCH)
    if chart.has_x_labels:
        yield from _x_labels(chart, frame, places, floor)


def _head(chart: Chart, left: float, top: float, width: float) -> Iterator[Item]:
    base = top + HEAD_SIZE - 1.0
    if chart.title:
        yield Words(chart.title, left, base, HEAD_SIZE, "ink", is_bold=True)
    right = left + width
    for each in reversed(_legend(chart)):
        right -= words_width(each.name, TICK_SIZE)
        yield Words(each.name, right, base, TICK_SIZE, "muted")
        yield Stroke(np.array([[right - 20.0, base - 3.5], [right - 6.0, base - 3.5]]), each.tone, 3.0)
        right -= 34.0


def _legend(chart: Chart) -> list[Series]:
    return [each for each in chart.series if each.name]


def _frame(chart: Chart, left: float, top: float, width: float, height: float) -> Frame:
    first, last = _x_range(chart)
    low, high = _y_range(chart)
    if chart.is_equal and height > 0:
        scale = max((last - first) / width, (high - low) / height)
        first, last = (first + last - scale * width) / 2, (first + last + scale * width) / 2
        low, high = (low + high - scale * height) / 2, (low + high + scale * height) / 2
    bottom, up = (high, low) if chart.is_y_down else (low, high)
    return Frame(left, top, width, height, first, last, bottom, up)


def _x_range(chart: Chart) -> tuple[float, float]:
    if chart.x_range is not None and chart.x_range[0] < chart.x_range[1]:
        return chart.x_range
    low, high = _extent([each.x[np.isfinite(each.y)] for each in chart.series] or [band.x for band in chart.bands])
    if chart.is_equal:
        return padded(low, high)
    return (low, high) if high > low else padded(low, high)


def _y_range(chart: Chart) -> tuple[float, float]:
    if chart.y_range is not None:
        return chart.y_range
    lines = [each.y for each in chart.series]
    if not any(np.isfinite(line).any() for line in lines):
        lines = [edge for band in chart.bands for edge in (band.low, band.high)]
    # Bands may leave the plot: one joint that is quite unknown must not flatten the line that is to be seen.
    low, high = padded(*_extent(lines), share=0.12)
    return low, high


def _extent(arrays: list[Values]) -> tuple[float, float]:
    finite = [array[np.isfinite(array)] for array in arrays]
    known = [array for array in finite if array.size]
    if not known:
        return 0.0, 1.0
    return min(float(array.min()) for array in known), max(float(array.max()) for array in known)


def _x_ticks(frame: Frame, at_most: int, chart: Chart) -> tuple[tuple[float, str], ...]:
    return ticks(frame.first, frame.last, at_most, chart.x_kind)


def _plot(chart: Chart, frame: Frame) -> Iterator[Item]:
    right, bottom = frame.left + frame.width, frame.top + frame.height
    for value, label in ticks(min(frame.bottom, frame.up), max(frame.bottom, frame.up), _y_ticks(chart)):
        y = float(frame.y(np.array(value)))
        yield Stroke(np.array([[frame.left, y], [right, y]]), "grid", 1.0)
        yield Words(label, frame.left - 6.0, y + TICK_SIZE * 0.36, TICK_SIZE, "muted", "end")
    if chart.level is not None:
        y = float(frame.y(np.array(chart.level)))
        yield Stroke(np.array([[frame.left, y], [right, y]]), "muted", 1.0)
    for band in chart.bands:
        for run in _runs(band.low + band.high):
            x, low = _shaped(frame.x(band.x[run]), frame.y(band.low[run]), band.shape)
            _, high = _shaped(frame.x(band.x[run]), frame.y(band.high[run]), band.shape)
            outline = np.concatenate([np.column_stack([x, low]), np.column_stack([x, high])[::-1]])
            yield Area(outline, band.tone, BAND_OPACITY)
    for each in chart.series:
        yield from _series(each, frame)
    yield Stroke(np.array([[frame.left, frame.top], [frame.left, bottom], [right, bottom]]), "axis", 1.0)


def _series(series: Series, frame: Frame) -> Iterator[Item]:
    runs = list(_runs(series.x + series.y))
    for run in runs:
        x, y = _shaped(frame.x(series.x[run]), frame.y(series.y[run]), series.shape)
        if len(x) == 1:
            # Alone between two gaps: no line, yet it must be seen.
            yield Dot(float(x[0]), float(y[0]), series.width * 0.8, series.tone)
        else:
            yield Stroke(np.column_stack([x, y]), series.tone, series.width)
    if series.is_trail and runs:
        ends = [(runs[0].start, 5.0, "paper"), (runs[-1].stop - 1, 5.0, "")]
        for place, radius, inside in ends:
            at = float(frame.x(series.x[place])), float(frame.y(series.y[place]))
            yield Dot(*at, radius, series.tone)
            if inside:
                yield Dot(*at, radius - 1.8, inside)


def _runs(values: Values) -> Iterator[slice]:
    """Yield the stretches without NaN."""
    known = np.concatenate([[False], np.isfinite(values), [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        yield slice(int(start), int(stop))


def _shaped(x: Values, y: Values, shape: str) -> tuple[Values, Values]:
    if shape == "line" or len(x) < 2:
        return x, y
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def _lane(lane: Marks, frame: Frame, top: float) -> Iterator[Item]:
    middle = top + LANE_PITCH / 2
    yield Words(lane.name, frame.left - 6.0, middle + TICK_SIZE * 0.36, TICK_SIZE, "muted", "end")
    yield Stroke(np.array([[frame.left, middle], [frame.left + frame.width, middle]]), "grid", 1.0)
    starts, ends = frame.x(lane.starts), frame.x(lane.ends)
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        width = max(end - start, LEAST_MARK_WIDTH)
        left = min((start + end - width) / 2, frame.left + frame.width - width)
        note, link = (lines[number] if lines else "" for lines in (lane.notes, lane.links))
        yield Mark(left, middle - LANE_HEIGHT / 2, width, LANE_HEIGHT, lane.tone, note, link)


def _x_labels(chart: Chart, frame: Frame, places: list[tuple[float, str]], floor: float) -> Iterator[Item]:
    base = floor + TICK_SIZE + 4.0
    right = frame.left + frame.width
    room = right - words_width(chart.x_label, TICK_SIZE) - 8.0 if chart.x_label else right + EDGE
    for place, label in places:
        half = words_width(label, TICK_SIZE) / 2
        if place + half <= room:
            yield Words(label, place, base, TICK_SIZE, "muted", "middle")
    if chart.x_label:
        yield Words(chart.x_label, right, base, TICK_SIZE, "muted", "end")
