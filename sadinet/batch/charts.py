"""Charts of one person in a recording: paths, joints over time, angles, confidence and flags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sadinet.batch.joint_names import ANGLE, SIGMA, angle_names, plain_name, side_of
from sadinet.batch.spans import FlagSpan, flag_spans
from sadinet.batch.thinning import thin, thin_band, thin_trail
from sadinet.errors import InputError
from sadinet.media.chart import Band, Chart, Figure, Marks, Series, Values, XKind
from sadinet.recording import Recording

DEFAULT_JOINTS = ("wrist", "knee", "ankle")
LEAST_SCORE = 0.3
"""Paths and ghosts leave out joints with a lower score, as drawings do."""

GHOSTS = 5
"""Skeletons that show the body behind the paths."""

_SHADES = ("", "_2", "_3")


@dataclass(frozen=True, slots=True)
class PlotOptions:
    """What to draw.

    Attributes:
        person: whose joints; None for the one with the most frames.
        joints: names, with a side ("left_knee") or without ("knee", both); none for `DEFAULT_JOINTS`.
        has_angles: draw the angles too.
        start_s: first time; None for the beginning.
        end_s: last time; None for the end.
        title: above all.
    """

    person: int | None = None
    joints: tuple[str, ...] = ()
    has_angles: bool = False
    start_s: float | None = None
    end_s: float | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """One person from the first to the last frame, with NaN where the person is not seen; N frames."""

    recording: Recording
    person: int
    x: Values
    kind: XKind
    where: NDArray[np.intp]
    rows: NDArray[np.intp]

    def spread(self, values: NDArray[np.floating]) -> Values:
        """Return values of rows (R, ...) on the frames (N, ...)."""
        result = np.full((len(self.x), *values.shape[1:]), np.nan)
        result[self.where] = values[self.rows]
        return result

    @property
    def x_label(self) -> str:
        """Unit of x."""
        if self.kind == "number":
            return "frame"
        return "min" if self.x[-1] >= 60 else "s"


def plot_figure(recording: Recording, options: PlotOptions) -> Figure:
    """Return one person's charts.

    Raises:
        InputError: if there is nobody, or no such person, joint, time or angle.
    """
    part = _between(recording, options)
    track = _track(part, options.person)
    groups = _groups(part, options.joints)
    rows: list[tuple[Chart, ...]] = [(_path_chart(track, groups),)]
    rows += [_joint_charts(track, name, joints) for name, joints in groups.items()]
    if options.has_angles:
        charts = list(_angle_charts(track))
        rows += [tuple(charts[place : place + 2]) for place in range(0, len(charts), 2)]
    rows.append((_score_chart(track),))
    subtitle = _subtitle(recording, part, track)
    described = f"Joint paths, joints over time and confidence of person {track.person}. {subtitle}"
    return Figure(tuple(rows), options.title, subtitle, description=described)


def _time_axis(time_s: Values, index: NDArray[np.int64]) -> tuple[Values, XKind]:
    """Return what to draw frames over: their times, or their numbers where they have no times."""
    return (time_s, "time") if np.isfinite(time_s).all() else (index.astype(np.float64), "number")


def _angle_charts(track: _Track) -> Iterator[Chart]:
    """Yield a chart for each angle, left and right together."""
    extra = track.recording.extra
    names = angle_names(track.recording)
    if not names:
        raise InputError("the table has no angles", "make it again with --angles")
    for plain in dict.fromkeys(map(plain_name, names)):
        series, bands = [], []
        for name in (each for each in names if plain_name(each) == plain):
            values = track.spread(extra[ANGLE + name])
            sigmas = extra.get(ANGLE + name + SIGMA)
            spread = np.full_like(values, np.nan) if sigmas is None else track.spread(sigmas)
            bands.append(_band(track, values, spread, side_of(name)))
            series.append(_line(track, values, _side_name(name), side_of(name)))
        yield _over_time(track, f"{plain} angle, degrees", series, bands)


def _between(recording: Recording, options: PlotOptions) -> Recording:
    if options.start_s is None and options.end_s is None:
        return recording
    if not np.isfinite(recording.time_s).all():
        raise InputError("the table has no times to choose from", "leave out --from and --to")
    low = -np.inf if options.start_s is None else options.start_s
    high = np.inf if options.end_s is None else options.end_s
    first, last = np.searchsorted(recording.time_s, low, "left"), np.searchsorted(recording.time_s, high, "right")
    part = recording.part(int(first), int(last))
    if not part.frames:
        ends = f"{recording.time_s[0]:.2f} s to {recording.time_s[-1]:.2f} s" if recording.frames else "no frame"
        raise InputError(f"the table has no frame from {low:g} s to {high:g} s", f"it has {ends}")
    return part


def _track(recording: Recording, person: int | None) -> _Track:
    ids, counts = np.unique(recording.track_ids, return_counts=True)
    if not len(ids):
        raise InputError("nobody is in this part of the table", "choose other times or another table")
    chosen = int(ids[counts.argmax()]) if person is None else person
    rows = recording.rows_of_track(chosen)
    if not len(rows):
        known = ", ".join(str(each) for each in ids[np.argsort(-counts, kind="stable")][:10])
        raise InputError(f"there is no person {chosen} in this part of the table", f"there are: {known}")
    frames = recording.row_frame[rows]
    first, last = int(frames[0]), int(frames[-1])
    x, kind = _time_axis(recording.time_s[first : last + 1], recording.index[first : last + 1])
    return _Track(recording, chosen, x, kind, (frames - first).astype(np.intp), rows)


def _groups(recording: Recording, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return plain names of joints with the joints that they stand for."""
    known = recording.skeleton.joints
    groups: dict[str, tuple[str, ...]] = {}
    for name in names or DEFAULT_JOINTS:
        sided = tuple(joint for joint in (f"left_{name}", f"right_{name}") if joint in known)
        joints = (name,) if name in known else sided
        if not joints:
            recording.skeleton.index(name)
        groups[plain_name(joints[0])] = tuple(dict.fromkeys((*groups.get(plain_name(joints[0]), ()), *joints)))
    return groups


def _subtitle(whole: Recording, part: Recording, track: _Track) -> str:
    people = len(np.unique(whole.track_ids))
    others = f" of {people} people in the table" if people > 1 else ""
    frames = f"{len(track.rows)} frame" + "s" * (len(track.rows) != 1)
    span = f", {track.x[0]:.2f} s to {track.x[-1]:.2f} s" if track.kind == "time" else ""
    return f"Person {track.person}{others}; {frames}{span}. Bands: ± one standard deviation (sigma)."


def _path_chart(track: _Track, groups: dict[str, tuple[str, ...]]) -> Chart:
    joints = [joint for group in groups.values() for joint in group]
    series = [_ghosts(track)]
    for number, group in enumerate(groups.values()):
        for joint in group:
            points = _positions(track, joint)
            low = track.spread(track.recording.scores)[:, track.recording.skeleton.index(joint)] < LEAST_SCORE
            points[low] = np.nan
            thinned = thin_trail(points)
            name = joint.replace("_", " ") if len(joints) <= 6 else ""
            tone = side_of(joint) + _SHADES[number % len(_SHADES)]
            series.append(Series(name, thinned[:, 0], thinned[:, 1], tone, 2.0, is_trail=True))
    wide, high = (float(np.ptp(known)) if known.size else 1.0 for known in _known(series))
    height = float(np.clip(940.0 * high / max(wide, 1e-6), 220.0, 460.0))
    title = "Paths in the picture, pixels (ring: start, dot: end)"
    return Chart(title, tuple(series), height=height, is_equal=True, is_y_down=True)


def _known(series: Sequence[Series]) -> Iterator[Values]:
    for axis in ("x", "y"):
        values = np.concatenate([getattr(each, axis) for each in series])
        yield values[np.isfinite(values)]


def _ghosts(track: _Track) -> Series:
    """Return some of the person's skeletons, at equal distances, as one broken line."""
    recording = track.recording
    rows = track.rows[np.unique(np.linspace(0, len(track.rows) - 1, GHOSTS).round().astype(int))]
    gap = np.full((1, 2), np.nan)
    parts = [gap]
    for row in rows:
        points = np.where(recording.scores[row, :, None] < LEAST_SCORE, np.nan, recording.joints[row]).astype(float)
        for start, end in recording.skeleton.limb_indices:
            limb = points[[start, end]]
            if np.isfinite(limb).all():
                parts += [limb, gap]
    line = np.concatenate(parts)
    return Series("", line[:, 0], line[:, 1], "ghost", 1.4)


def _joint_charts(track: _Track, name: str, joints: Sequence[str]) -> tuple[Chart, ...]:
    charts = []
    for axis, letter in enumerate("xy"):
        series: list[Series] = []
        bands: list[Band] = []
        for joint in joints:
            place = track.recording.skeleton.index(joint)
            raw = track.spread(track.recording.joints[:, place, axis])
            bands.append(_band(track, raw, track.spread(track.recording.sigmas[:, place, axis]), side_of(joint)))
            smooth = track.recording.extra.get(f"{joint}_{letter}_smooth")
            if smooth is not None:
                series.insert(0, _line(track, raw, "", "ghost", 1.0))
            series.append(_line(track, _position(track, joint, axis), _side_name(joint), side_of(joint)))
        # Upwards in the picture is upwards in the chart.
        charts.append(_over_time(track, f"{name} {letter}, pixels", series, bands, is_y_down=letter == "y"))
    return tuple(charts)


def _positions(track: _Track, joint: str) -> Values:
    return np.column_stack([_position(track, joint, axis) for axis in range(2)])


def _position(track: _Track, joint: str, axis: int) -> Values:
    """Return a joint's smoothed x or y, (N,); the raw one where there is no smoothed."""
    smooth = track.recording.extra.get(f"{joint}_{'xy'[axis]}_smooth")
    raw = track.recording.joints[:, track.recording.skeleton.index(joint), axis]
    return track.spread(raw if smooth is None else smooth)


def _side_name(name: str) -> str:
    return "" if side_of(name) == "middle" else side_of(name)


def _line(track: _Track, values: Values, name: str, tone: str, width: float = 1.6) -> Series:
    # Many points in one place become a block in which thick lines hide each other.
    return Series(name, *thin(track.x, values), tone=tone, width=width if len(values) < 800 else 0.8)


def _band(track: _Track, values: Values, sigmas: Values, tone: str) -> Band:
    return Band(*thin_band(track.x, values - sigmas, values + sigmas), tone=tone)


def _over_time(
    track: _Track, title: str, series: Sequence[Series], bands: Sequence[Band], *, is_y_down: bool = False
) -> Chart:
    return Chart(
        title,
        tuple(series),
        tuple(bands),
        x_kind=track.kind,
        x_label=track.x_label,
        x_range=(float(track.x[0]), float(track.x[-1])),
        is_y_down=is_y_down,
    )


def _score_chart(track: _Track) -> Chart:
    scores = track.spread(track.recording.scores)
    low, high = np.fmin.reduce(scores, axis=1), np.fmax.reduce(scores, axis=1)
    mean = track.spread(track.recording.row_scores)
    return Chart(
        "Confidence: mean of all joints (band: lowest to highest joint)",
        (_line(track, mean, "", "score"),),
        (Band(*thin_band(track.x, low, high), tone="score"),),
        tuple(lane(word, spans, track.kind) for word, spans in flag_spans(track.recording, track.person).items()),
        track.kind,
        track.x_label,
        (float(track.x[0]), float(track.x[-1])),
        (0.0, 1.0),
        height=100.0,
    )


def lane(word: str, spans: Sequence[FlagSpan], kind: XKind, links: Sequence[str] = ()) -> Marks:
    """Return a flag's marks over time, or over frames where there is no time."""
    edges = np.array(
        [(span.first_s, span.last_s) if kind == "time" else (float(span.first), float(span.last)) for span in spans],
        dtype=np.float64,
    ).reshape(-1, 2)
    notes = tuple(span.text(word) for span in spans)
    return Marks(word.replace("_", " "), edges[:, 0], edges[:, 1], "flag", notes, tuple(links))
