"""One numbering for a whole video: the numbers that each chunk gave its people, joined chunk by chunk."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.geometry import box_iou
from sadinet.people.appearance import BINS, PARTS
from sadinet.people.assignment import assign, close_calls
from sadinet.people.clock import Clock
from sadinet.people.following import NO_TIME
from sadinet.people.motion_model import Track
from sadinet.people.similarity import Bodies, alone, bodies_of_arrays, body_likeness, oks, stack
from sadinet.people.tracker import REFOUND, UNCERTAIN, Tracking
from sadinet.recording import Recording, Words

_RECENT_S = 1.0  # what a person did before is not needed to expect them


class Joiner:
    """Turns numbers that count anew in each chunk into numbers of the whole video.

    The last frame of a chunk is the first of the next one, computed twice: people who lie in the same place in
    both keep their number. People who were lost shortly before are found again by place and size, as a tracker
    would; everybody else gets the next number, in order of appearance. The chunks are given in their order, and
    what is remembered of them does not grow.

    Args:
        config: as the chunks were tracked.
    """

    def __init__(self, config: Tracking | None = None) -> None:
        self.config = config or Tracking()
        self._clock = Clock()
        self._next = 1
        self._tracks: dict[int, Track] = {}
        # Of the frame that is computed twice.
        self._index: int | None = None
        self._time_s = 0.0
        self._frame_flags: Words = ()
        self._shared: Bodies | None = None
        self._shared_numbers: tuple[int, ...] = ()

    def add(self, chunk: Recording, *, is_last: bool = False) -> Recording:
        """Number the next chunk.

        Args:
            chunk: its frames, the last of which is the first of the next chunk.
            is_last: no chunk follows.

        Returns:
            The chunk, without its last frame unless it is the video's last, with the video's numbers. Rows whose
            number bridges a gap, or could nearly have been another, are flagged.

        Raises:
            InputError: if the chunk has no frame, or does not begin with the frame that the one before ended with.
        """
        if chunk.frames == 0 or (self._index is not None and self._index != chunk.index[0]):
            begin = "no frame" if chunk.frames == 0 else f"frame {chunk.index[0]}"
            raise InputError(
                f"a chunk begins with {begin}, the one before ended with frame {self._index}",
                "add all chunks in their order; neighbours share one frame",
            )
        kept = chunk.part(0, chunk.frames if is_last else chunk.frames - 1)
        if not is_last:
            self._index = int(chunk.index[-1])
        if _are_pictures(chunk):
            return kept
        times_s = self._times_s(chunk)
        numbers, words = self._match(kept, times_s)
        self._remember(chunk, times_s, numbers)
        flags = tuple(flags + words.get(row, ()) for row, flags in enumerate(kept.flags))
        ids = np.array([numbers[int(local)] for local in kept.track_ids], dtype=np.int64)
        if kept.frames:
            extra = tuple(flag for flag in self._frame_flags if flag not in kept.frame_flags[0])
            kept = replace(kept, frame_flags=(kept.frame_flags[0] + extra, *kept.frame_flags[1:]))
        self._frame_flags = chunk.frame_flags[-1]
        return replace(kept, track_ids=ids, flags=flags)

    def _times_s(self, chunk: Recording) -> NDArray[np.float64]:
        """Return rising times of the chunk's frames, continuing those of the chunk before; (F,)."""
        given = [float(time_s) for time_s in chunk.time_s]
        if self._shared is None:
            times = [self._clock.tick(time_s) for time_s in given]
        else:
            times = [self._time_s, *(self._clock.tick(time_s) for time_s in given[1:])]
        self._time_s = times[-1]
        return np.array(times)

    def _match(self, chunk: Recording, times_s: NDArray[np.float64]) -> tuple[dict[int, int], dict[int, Words]]:
        """Return the video's number of each of the chunk's, and flags of single rows."""
        numbers: dict[int, int] = {}
        words: dict[int, Words] = {}
        if chunk.frames and self._shared is not None and len(self._shared):
            self._match_shared(chunk, numbers, words)
        _, first_rows = np.unique(chunk.track_ids, return_index=True)
        for position in np.unique(chunk.row_frame[first_rows]):
            rows = [int(row) for row in first_rows if chunk.row_frame[row] == position]
            rows = [row for row in rows if int(chunk.track_ids[row]) not in numbers]
            if rows:
                time_s = float(times_s[position])
                self._find_again(chunk, rows, time_s, self._lost(chunk, times_s, time_s, numbers), numbers, words)
            for row in rows:
                if int(chunk.track_ids[row]) not in numbers:
                    numbers[int(chunk.track_ids[row])] = self._next
                    self._next += 1
        return numbers, words

    def _lost(
        self, chunk: Recording, times_s: NDArray[np.float64], time_s: float, numbers: dict[int, int]
    ) -> list[Track]:
        """Return who is remembered from before the chunk and not in sight, by number.

        Of somebody who is in the chunk for a few frames only, its tracker, which knew nothing of the time before,
        forgot too soon; those belong to the lost as well.
        """
        taken = set()
        known = dict(self._tracks)
        for local, number in numbers.items():
            rows = chunk.rows_of_track(local)
            if (
                number not in known
                or len(rows) >= self.config.probation
                or times_s[chunk.row_frame[rows[-1]]] >= time_s
            ):
                taken.add(number)
                continue
            known[number] = replace(known[number])
            for row in rows:
                body = _bodies(chunk, np.array([row]))
                known[number].follow(body, float(chunk.row_scores[row]), float(times_s[chunk.row_frame[row]]))
        return [
            track
            for number, track in sorted(known.items())
            if number not in taken and time_s - track.last_s <= self.config.memory_of(track.seen)
        ]

    def _match_shared(self, chunk: Recording, numbers: dict[int, int], words: dict[int, Words]) -> None:
        """Link people by the frame that both chunks have."""
        rows = chunk.rows_of_frame(0)
        now = _bodies(chunk, np.arange(rows.start, rows.stop))
        if self._shared is None or not len(now):
            return
        likeness = 0.5 * box_iou(self._shared.boxes, now.boxes) + 0.5 * oks(self._shared, now)
        pairs = assign(likeness, self.config.least)
        for place in sorted(close_calls(likeness, pairs, self.config.close)):
            words[rows.start + place] = (UNCERTAIN,)
        for place, before in pairs.items():
            numbers[int(chunk.track_ids[rows.start + place])] = self._shared_numbers[before]

    def _find_again(
        self,
        chunk: Recording,
        rows: list[int],
        time_s: float,
        lost: list[Track],
        numbers: dict[int, int],
        words: dict[int, Words],
    ) -> None:
        """Link people who appear in these rows to those who were lost."""
        if not lost:
            return
        gap = np.array([time_s - track.last_s for track in lost])[:, None]
        now = _bodies(chunk, np.array(rows))
        likeness = body_likeness(stack([track.expected(time_s) for track in lost]), now, gap)
        likeness *= self.config.fading(gap)
        pairs = assign(likeness, self.config.least_after(gap))
        doubtful = close_calls(likeness, pairs, self.config.close)
        for place, before in pairs.items():
            numbers[int(chunk.track_ids[rows[place]])] = lost[before].number
            is_gap = bool(gap[before, 0] > self.config.refound_s)
            words[rows[place]] = (UNCERTAIN,) * (place in doubtful) + (REFOUND,) * is_gap

    def _remember(self, chunk: Recording, times_s: NDArray[np.float64], numbers: dict[int, int]) -> None:
        """Keep what the next chunk needs: everybody's last second, and the frame that both have."""
        end_s = float(times_s[-1])
        counts = Counter(numbers[int(local)] for local in chunk.track_ids if int(local) in numbers)
        last_s = {numbers[local]: float(times_s[chunk.row_frame[chunk.track_ids == local][-1]]) for local in numbers}
        recent = {number for number, time_s in last_s.items() if end_s - time_s <= self.config.memory_s}
        seen = {number: self._tracks[number].seen for number in recent if number in self._tracks}
        replayed: dict[int, Track] = {}
        for position in range(chunk.frames):
            self._replay(chunk, position, float(times_s[position]), numbers, last_s, recent, replayed)
        for number, track in replayed.items():
            track.seen = counts[number] + seen.get(number, 0)
        known = self._tracks | replayed
        self._tracks = {
            number: track for number, track in sorted(known.items()) if end_s - track.last_s <= self.config.memory_s
        }
        rows = chunk.rows_of_frame(chunk.frames - 1)
        known_rows = [row for row in range(rows.start, rows.stop) if int(chunk.track_ids[row]) in numbers]
        self._shared = _bodies(chunk, np.array(known_rows, dtype=np.intp))
        self._shared_numbers = tuple(numbers[int(chunk.track_ids[row])] for row in known_rows)

    def _replay(
        self,
        chunk: Recording,
        position: int,
        time_s: float,
        numbers: dict[int, int],
        last_s: dict[int, float],
        recent: set[int],
        replayed: dict[int, Track],
    ) -> None:
        """Let tracks follow one frame, for those whose last second it belongs to."""
        rows = chunk.rows_of_frame(position)
        wanted = []
        for place, local in enumerate(chunk.track_ids[rows]):
            number = numbers.get(int(local))
            if number in recent and last_s[number] - time_s <= _RECENT_S:
                wanted.append((place, number))
        if not wanted:
            return
        bodies = _bodies(chunk, np.arange(rows.start, rows.stop))
        clear = alone(bodies)
        scores = chunk.row_scores[rows]
        for place, number in wanted:
            body, score = bodies.take([place]), float(scores[place])
            if number not in replayed and number in self._tracks:
                replayed[number] = replace(self._tracks[number])
            if number in replayed:
                replayed[number].follow(body, score, time_s, is_alone=bool(clear[place]))
            else:
                replayed[number] = Track.begin(number, body, score, np.full((PARTS, BINS), np.nan), time_s)


def _bodies(chunk: Recording, rows: NDArray[np.intp]) -> Bodies:
    return bodies_of_arrays(chunk.boxes[rows, :4], chunk.joints[rows], chunk.scores[rows], chunk.skeleton)


def _are_pictures(chunk: Recording) -> bool:
    timeless = np.isnan(chunk.time_s)
    return all(timeless) and not any(NO_TIME in flags for flags in chunk.frame_flags)
