"""Gather what the page of a video needs while its recording passes, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sadinet.batch.joint_names import ANGLE, SIGMA, angle_names
from sadinet.batch.page import AngleCourse, Course, FlagCourse, Page, PersonCourse, Shot
from sadinet.batch.spans import SEVERAL, FlagSpan, fewer
from sadinet.batch.thinning import Bins, Values
from sadinet.media.chart import XKind
from sadinet.recording import Recording

PERSONS_SHOWN = 6
PERSONS_KEPT = 12
SPANS_SHOWN = 300
"""Marks on the page, of all flags together."""

ANGLE_BINS = 512

_WHOLE = 1e6  # sums are of millionths, whole numbers, so that they do not depend on the order
_PLACE = {"first": "low", "last": "high", "first_s": "low", "last_s": "high"}
_SCORE = {"score_sum": "sum", "score_count": "sum", "score_low": "low", "score_high": "high"}
_COURSE = {**_PLACE, **_SCORE, "people_low": "low", "people_high": "high"}
_FLAG = {**_PLACE, "frames": "sum", "person_low": "low", "person_high": "high"}


class PageBuilder:
    """Takes the windows of a recording in their order, then makes the page.

    The result does not depend on where the windows are cut, except for which people are kept once there are
    more than `PERSONS_KEPT`: then those with the fewest frames, who are not in view any more, make room.
    """

    def __init__(self) -> None:
        self._frames = 0
        self._flagged = 0
        self._ids: set[int] = set()
        self._course = Bins(_COURSE)
        self._flags: dict[str, Bins] = {}
        self._persons: dict[int, _Person] = {}

    def add(self, window: Recording) -> None:
        """Take the next frames."""
        positions = np.arange(window.frames, dtype=np.int64) + self._frames
        self._course.add(positions, **_place(window, np.arange(window.frames)), **_people(window))
        scores = window.row_scores
        self._course.add(window.row_frame + self._frames, **_scores(scores))
        self._add_flags(window)
        self._add_persons(window, scores)
        self._frames += window.frames

    def finish(
        self,
        title: str,
        facts: Mapping[str, str],
        *,
        shots: Sequence[Shot] = (),
        meanings: Mapping[str, str] | None = None,
        skipped_frames: int = 0,
        problems: Sequence[str] = (),
        video: str = "",
    ) -> Page:
        """Return the page.

        Args:
            title: the video's name.
            facts: name -> text, in the order to show.
            shots: pictures with skeletons drawn, see `shot_positions`.
            meanings: what each flag's word says.
            skipped_frames: frames that could not be read.
            problems: what was wrong with the source, one line each.
            video: where the video with the skeletons lies, relative to the page; empty for none.
        """
        course = self._course_of()
        persons = sorted(self._persons.values(), key=lambda each: (-each.rows, each.person))[:PERSONS_SHOWN]
        return Page(
            title=title,
            facts=dict(facts),
            frames=self._frames,
            skipped_frames=skipped_frames,
            flagged_frames=self._flagged,
            people=len(self._ids),
            course=course,
            persons=tuple(each.course(course.kind) for each in persons),
            flags=tuple(self._flag_courses(meanings or {})),
            shots=tuple(shots),
            problems=tuple(problems),
            video=video,
        )

    def _add_flags(self, window: Recording) -> None:
        found: dict[str, dict[int, list[float]]] = {}
        for place, words in enumerate(window.frame_flags):
            for word in words:
                found.setdefault(word, {}).setdefault(place, [])
        for row, words in enumerate(window.flags):
            for word in words:
                place = int(window.row_frame[row])
                found.setdefault(word, {}).setdefault(place, []).append(float(window.track_ids[row]))
        for word, people in found.items():
            places = np.array(list(people), dtype=np.intp)
            bins = self._flags.setdefault(word, Bins(_FLAG))
            bins.add(
                places + self._frames,
                **_place(window, places),
                frames=np.ones(len(places)),
                person_low=np.array([min(ids, default=np.nan) for ids in people.values()]),
                person_high=np.array([max(ids, default=np.nan) for ids in people.values()]),
            )
        self._flagged += len({place for people in found.values() for place in people})

    def _add_persons(self, window: Recording, scores: Values) -> None:
        present = np.unique(window.track_ids).tolist()
        self._ids.update(present)
        for person in present:
            rows = window.rows_of_track(person)
            if person not in self._persons:
                self._make_room(set(present))
                first = int(window.row_frame[rows[0]]) + self._frames
                self._persons[person] = _Person(person, first, angle_names(window))
            self._persons[person].add(window, rows, self._frames, scores)

    def _make_room(self, present: set[int]) -> None:
        while len(self._persons) >= PERSONS_KEPT:
            least = min(self._persons.values(), key=lambda each: (each.person in present, each.rows, -each.person))
            del self._persons[least.person]

    def _course_of(self) -> Course:
        get = self._course.get
        has_times = bool(np.isfinite(get("first_s")).all()) and self._frames > 0
        names = ("first_s", "last_s") if has_times else ("first", "last")
        x, ends = get(names[0]), get(names[1])
        kind: XKind = "time" if has_times else "number"
        lines = [get(name).copy() for name in ("people_low", "people_high", "score_low", "score_high")]
        people_low, people_high, score_low, score_high = lines
        mean = _mean(get("score_sum"), get("score_count"))
        end = float(ends[-1]) if len(ends) else 0.0
        return Course(x.copy(), kind, end, people_low, people_high, mean, score_low, score_high)

    def _flag_courses(self, meanings: Mapping[str, str]) -> list[FlagCourse]:
        limit = max(SPANS_SHOWN // max(len(self._flags), 1), 5)
        courses = []
        for word, bins in sorted(self._flags.items()):
            spans = fewer(_spans(bins), limit)
            courses.append(FlagCourse(word, meanings.get(word, ""), int(bins.get("frames").sum()), tuple(spans)))
        return courses


class _Person:
    """One person's frames and angles; stretches are counted from the person's first frame."""

    def __init__(self, person: int, first: int, angles: tuple[str, ...]) -> None:
        self.person = person
        self.rows = 0
        self._start = first
        self._angles = angles
        self._bins = Bins({**_PLACE, **_SCORE}, ANGLE_BINS)
        parts = {"low": "low", "high": "high", "from": "low", "to": "high", "sum": "sum", "count": "sum"}
        self._angle_bins = Bins(
            {f"{angle} {part}": rule for angle in angles for part, rule in parts.items()}, ANGLE_BINS
        )

    def add(self, window: Recording, rows: NDArray[np.intp], before: int, scores: Values) -> None:
        """Take the person's rows of a window that has `before` frames before it."""
        self.rows += len(rows)
        frames = window.row_frame[rows]
        positions = frames + (before - self._start)
        self._bins.add(positions, **_place(window, frames), **_scores(scores[rows]))
        values: dict[str, Values] = {}
        for angle in self._angles:
            nothing = np.full(window.rows, np.nan)
            degrees = window.extra.get(ANGLE + angle, nothing)[rows]
            sigmas = np.nan_to_num(window.extra.get(ANGLE + angle + SIGMA, nothing)[rows])
            values |= {f"{angle} low": degrees, f"{angle} high": degrees, f"{angle} sum": _whole(degrees)}
            values |= {f"{angle} count": np.isfinite(degrees).astype(np.float64)}
            values |= {f"{angle} from": degrees - sigmas, f"{angle} to": degrees + sigmas}
        self._angle_bins.add(positions, **values)

    def course(self, kind: XKind) -> PersonCourse:
        """Return what is known of the person."""
        get = self._bins.get
        count = get("score_count").sum()
        score = float(get("score_sum").sum() / _WHOLE / count) if count else float("nan")
        x = get("first_s" if kind == "time" else "first")
        return PersonCourse(
            self.person,
            self.rows,
            int(np.nanmin(get("first"))),
            int(np.nanmax(get("last"))),
            float(np.fmin.reduce(get("first_s"))),
            float(np.fmax.reduce(get("last_s"))),
            score,
            tuple(self._angle(name, x) for name in self._angles),
        )

    def _angle(self, name: str, x: Values) -> AngleCourse:
        parts = ("sum", "count", "low", "high", "from", "to")
        sums, counts, *edges = (self._angle_bins.get(f"{name} {part}") for part in parts)
        return AngleCourse(name, x.copy(), _mean(sums, counts), *(edge.copy() for edge in edges))


def _place(window: Recording, frames: NDArray[np.integer]) -> dict[str, Values]:
    index = window.index[frames].astype(np.float64)
    time_s = window.time_s[frames]
    return {"first": index, "last": index, "first_s": time_s, "last_s": time_s}


def _people(window: Recording) -> dict[str, Values]:
    counts = np.bincount(window.row_frame, minlength=window.frames).astype(np.float64)
    return {"people_low": counts, "people_high": counts}


def _scores(scores: Values) -> dict[str, Values]:
    known = np.isfinite(scores)
    return {
        "score_sum": _whole(scores),
        "score_count": known.astype(np.float64),
        "score_low": scores,
        "score_high": scores,
    }


def _whole(values: Values) -> Values:
    """Return values as whole millionths, 0 for NaN."""
    return np.rint(np.nan_to_num(values) * _WHOLE)


def _mean(sums: Values, counts: Values) -> Values:
    return np.where(counts > 0, sums / _WHOLE / np.maximum(counts, 1), np.nan)


def _spans(bins: Bins) -> list[FlagSpan]:
    columns = [bins.get(name) for name in ("first", "last", "first_s", "last_s", "frames", "person_low", "person_high")]
    spans = []
    for first, last, first_s, last_s, frames, low, high in zip(*(each.tolist() for each in columns), strict=True):
        if frames:
            person = None if np.isnan(low) else int(low) if low == high else SEVERAL
            spans.append(FlagSpan(int(first), int(last), first_s, last_s, int(frames), person))
    return spans
