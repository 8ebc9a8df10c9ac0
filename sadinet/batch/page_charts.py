"""The figures of a video's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sadinet.batch.charts import lane
from sadinet.batch.joint_names import plain_name, side_of
from sadinet.batch.page import AngleCourse, Course, Page, PersonCourse
from sadinet.media.chart import Band, Chart, Figure, Series, XKind
from sadinet.media.chart_ticks import padded


def anchor(flag: int, span: int) -> str:
    """Return the id of a flag's stretch on the page."""
    return f"flag-{flag}-{span}"


def overview(page: Page) -> Figure:
    """Return confidence, people in view and flags over the whole video."""
    course = page.course
    span = (float(course.x[0]), course.end) if len(course.x) else (0.0, 1.0)
    lanes = tuple(
        lane(flag.word, flag.spans, course.kind, [f"#{anchor(number, each)}" for each in range(len(flag.spans))])
        for number, flag in enumerate(page.flags)
    )
    label = x_label(course.kind, course.end)
    charts = [_confidence(course, span), _people(course, span, "" if lanes else label, has_labels=not lanes)]
    if lanes:
        title = "Flags (a mark leads to its line in the list below)"
        charts.append(Chart(title, lanes=lanes, x_kind=course.kind, x_label=label, x_range=span))
    return Figure(tuple((chart,) for chart in charts), description=_described(page))


def person_figure(person: PersonCourse, kind: XKind) -> Figure:
    """Return one person's angles, left and right together."""
    charts = list(_angle_charts(person.angles, kind))
    rows = tuple(tuple(charts[place : place + 2]) for place in range(0, len(charts), 2))
    names = ", ".join(dict.fromkeys(plain_name(each.name) for each in person.angles))
    return Figure(rows, description=f"Angles of person {person.person} over time in degrees: {names}")


def x_label(kind: XKind, end: float) -> str:
    """Return the unit of x."""
    if kind == "number":
        return "frame"
    return "s" if end < 60 else "min:s" if end < 3600 else "h:min:s"


def _confidence(course: Course, span: tuple[float, float]) -> Chart:
    return Chart(
        "Confidence: mean of the people in view (band: lowest to highest person)",
        (Series("", course.x, course.score_mean, "score"),),
        (Band(course.x, course.score_low, course.score_high, "score"),),
        x_kind=course.kind,
        x_range=span,
        y_range=(0.0, 1.0),
        height=120.0,
        has_x_labels=False,
    )


def _people(course: Course, span: tuple[float, float], label: str, *, has_labels: bool) -> Chart:
    # A stretch reaches to the beginning of the next, the last one to the end of the video.
    x = np.append(course.x, course.end) if len(course.x) else course.x
    low, high = (
        np.append(counts, counts[-1]) if len(counts) else counts for counts in (course.people_low, course.people_high)
    )
    most = float(np.fmax.reduce(high, initial=1.0))
    return Chart(
        "People in view (band: from none to the fewest)",
        (Series("", x, high, "people", 1.2, "steps"),),
        (Band(x, np.zeros_like(low), low, "people", "steps"),),
        x_kind=course.kind,
        x_label=label,
        x_range=span,
        y_range=(0.0, most * 1.12),
        height=60.0 if most < 5 else 90.0,
        has_x_labels=has_labels,
    )


def _angle_charts(angles: Sequence[AngleCourse], kind: XKind) -> Iterator[Chart]:
    for plain in dict.fromkeys(plain_name(each.name) for each in angles):
        group = [each for each in angles if plain_name(each.name) == plain]
        x = group[0].x[np.isfinite(group[0].x)]
        end = float(x[-1]) if len(x) else 1.0
        yield Chart(
            f"{plain} angle, degrees",
            tuple(Series(_side_name(each.name), each.x, each.mean, side_of(each.name)) for each in group),
            tuple(band for each in group for band in _angle_bands(each)),
            x_kind=kind,
            x_label=x_label(kind, end),
            x_range=(float(x[0]), end) if len(x) else None,
            y_range=_angle_range(group),
        )


def _angle_bands(angle: AngleCourse) -> Iterator[Band]:
    side = side_of(angle.name)
    yield Band(angle.x, angle.sigma_low, angle.sigma_high, side)
    if not np.array_equal(angle.low, angle.high, equal_nan=True):
        yield Band(angle.x, angle.low, angle.high, side)


def _angle_range(angles: Sequence[AngleCourse]) -> tuple[float, float] | None:
    """Return a range that holds every value, and sigma as far as there is room."""
    low = min(float(np.fmin.reduce(each.low, initial=np.inf)) for each in angles)
    high = max(float(np.fmax.reduce(each.high, initial=-np.inf)) for each in angles)
    return padded(low, high, 0.12) if low <= high else None


def _side_name(name: str) -> str:
    return "" if side_of(name) == "middle" else side_of(name)


def _described(page: Page) -> str:
    course = page.course
    if not len(course.x):
        return "No frame, so nothing to show over time"
    people = int(np.fmax.reduce(course.people_high))
    parts = [f"Over {page.frames} frames: at most {people} people in view"]
    if np.isfinite(course.score_low).any():
        low, high = np.fmin.reduce(course.score_low), np.fmax.reduce(course.score_high)
        parts.append(f"confidence of a person from {low:.2f} to {high:.2f}")
    parts += [f"{flag.word} in {flag.frames} frames" for flag in page.flags]
    return "; ".join(parts)
