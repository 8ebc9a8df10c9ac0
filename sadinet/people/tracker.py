"""People's numbers over time: poses of consecutive frames, linked by place, joints, size and colour."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError
from sadinet.geometry import box_iou
from sadinet.people.appearance import BINS, PARTS, blend, colour_likeness, colours
from sadinet.people.assignment import assign, close_calls
from sadinet.people.motion_model import Track
from sadinet.people.similarity import Bodies, Floats, alone, bodies_of, body_likeness, oks, stack
from sadinet.results import Pose

UNCERTAIN = "id_uncertain"
"""Flag of a pose whose number could nearly as well have been another."""
REFOUND = "id_refound"
"""Flag of a person's first pose after a gap."""

_OVERLAP = 0.2
_MIXED_S = 0.5
_SAME_PLACE = 0.5
_NEW_COLOUR = 0.1


@dataclass(frozen=True, slots=True)
class Tracking:
    """How poses become tracks; each value changes results.

    Attributes:
        memory_s: how long a person who is not seen is remembered.
        probation: poses after which a track is trusted; until then it is remembered for `probation_s` only.
        probation_s: memory of a track on probation.
        least: least likeness, in [0, 1], of a pose to the track that it continues.
        close: a number is uncertain where another assignment would have been this near in likeness.
        refound_s: gap after which a person counts as found again.
        weak_score: poses of a lower mean score continue tracks of the last moment only.
        use_colour: compare the colours of clothes.
        least_colour: least likeness of colours, in [0, 1], where a person is found again.
    """

    memory_s: float = 3.0
    probation: int = 3
    probation_s: float = 0.5
    least: float = 0.3
    close: float = 0.1
    refound_s: float = 0.3
    weak_score: float = 0.2
    use_colour: bool = True
    least_colour: float = 0.75

    def memory_of(self, seen: int) -> float:
        """Return for how many seconds somebody of so many poses is remembered."""
        return self.memory_s if seen >= self.probation else self.probation_s

    def least_after(self, gap_s: Floats) -> Floats:
        """Return the least likeness after gaps: somebody seen a moment ago has to be much more alike."""
        result: Floats = self.least + 0.2 * np.exp(-gap_s / 0.15)
        return result

    def fading(self, gap_s: Floats) -> Floats:
        """Return by what likeness is multiplied after gaps: who was seen lately comes first."""
        result: Floats = 1 - 0.3 * gap_s / self.memory_s
        return result


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A frame's N people, and where the T tracks expect theirs.

    Attributes:
        time_s: of the frame.
        people: in an order that depends on their places alone.
        bodies: the same as arrays.
        clear: (N,) nobody else is mixed up with them.
        shades: (N, 2, 30) colours, NaN where unknown.
        expected: T bodies, None for none.
        gap_s: (T, 1) seconds since each was seen.
    """

    time_s: float
    people: tuple[Pose, ...]
    bodies: Bodies
    clear: NDArray[np.bool_]
    shades: Floats
    expected: Bodies | None
    gap_s: Floats


class Tracker:
    """Gives each person a number that stays: 1, 2, 3 .. in order of appearance, from left to right.

    Numbers do not depend on the order in which a frame's poses are listed.

    Args:
        config: thresholds.
    """

    def __init__(self, config: Tracking | None = None) -> None:
        self.config = config or Tracking()
        self._tracks: list[Track] = []
        self._numbers = itertools.count(1)
        self._time_s = -np.inf

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Everybody who is remembered, by number."""
        return tuple(self._tracks)

    def reset(self) -> None:
        """Forget everybody; numbers begin with 1 again."""
        self._tracks = []
        self._numbers = itertools.count(1)
        self._time_s = -np.inf

    def update(
        self, poses: Sequence[Pose], time_s: float, image: NDArray[np.uint8] | None = None, *, is_cut: bool = False
    ) -> tuple[Pose, ...]:
        """Continue the tracks by the poses of the next frame.

        Args:
            poses: people of one frame, of one skeleton.
            time_s: seconds, later than in the call before.
            image: (H, W, 3) uint8 BGR, the frame itself; without it colours are not compared.
            is_cut: the scene changes here: only people whose joints lie where they were expected stay.

        Returns:
            The poses in their order, with `track_id` and flags.

        Raises:
            InputError: if time does not go forward.
        """
        if not np.isfinite(time_s) or time_s <= self._time_s:
            raise InputError(f"a frame at {time_s} s after one at {self._time_s} s", "give frames in their order")
        self._time_s = time_s
        self._tracks = [track for track in self._tracks if time_s - track.last_s <= self.config.memory_of(track.seen)]
        if not poses:
            self._tracks = [] if is_cut else self._tracks
            return ()
        order = sorted(range(len(poses)), key=lambda place: _canonical(poses[place]))
        scene = self._scene([poses[place] for place in order], time_s, image)
        if is_cut:
            scene = self._after_cut(scene)
        likeness = self._likeness(scene)
        pairs = assign(likeness, self.config.least_after(scene.gap_s))
        doubtful = close_calls(likeness, pairs, self.config.close)
        numbered = self._continue(scene, pairs, doubtful)
        return tuple(pose for _, pose in sorted(zip(order, numbered, strict=True), key=lambda item: item[0]))

    def _scene(self, people: Sequence[Pose], time_s: float, image: NDArray[np.uint8] | None) -> _Scene:
        bodies = bodies_of(people, people[0].skeleton)
        expected = [track.expected(time_s) for track in self._tracks]
        gap = np.array([time_s - track.last_s for track in self._tracks])[:, None]
        clear = alone(bodies)
        shades = np.full((len(people), PARTS, BINS), np.nan)
        there = stack(expected) if expected else None
        if there is not None:
            # One pose where two people should be may be either's, or some joints the one's and some the other's.
            here = (box_iou(there.boxes, bodies.boxes) > _OVERLAP) & (gap < _MIXED_S)
            clear &= here.sum(axis=0) <= 1
        if image is not None and self.config.use_colour:
            shades[clear] = colours(image, [pose for pose, is_clear in zip(people, clear, strict=True) if is_clear])
        return _Scene(time_s, tuple(people), bodies, clear, shades, there, gap)

    def _likeness(self, scene: _Scene) -> Floats:
        """Return how well each pose continues each track, (T, N) in [0, 1]; 0 where it cannot."""
        if scene.expected is None:
            return np.zeros((0, len(scene.people)))
        gap = scene.gap_s
        colour = colour_likeness(np.stack([track.colour for track in self._tracks]), scene.shades)
        likeness = body_likeness(scene.expected, scene.bodies, gap, colour)
        weak = np.array([not pose.score >= self.config.weak_score for pose in scene.people])
        found_again = gap > self.config.refound_s
        possible = ~(found_again & (weak | (colour < self.config.least_colour)))
        seen = np.array([track.seen for track in self._tracks])[:, None]
        trusted = np.where(seen >= self.config.probation, 1.0, 0.92)
        result: Floats = np.where(possible, likeness * trusted * self.config.fading(gap), 0.0)
        return result

    def _after_cut(self, scene: _Scene) -> _Scene:
        """Forget who does not lie where they were expected; a flash of light is no cut."""
        if scene.expected is None:
            return scene
        stays = np.flatnonzero((oks(scene.expected, scene.bodies) >= _SAME_PLACE).any(axis=1))
        self._tracks = [self._tracks[place] for place in stays]
        return replace(scene, expected=scene.expected.take(stays) if len(stays) else None, gap_s=scene.gap_s[stays])

    def _continue(self, scene: _Scene, pairs: dict[int, int], doubtful: set[int]) -> list[Pose]:
        numbered = []
        for place, pose in enumerate(scene.people):
            body, shades = scene.bodies.take([place]), scene.shades[place]
            flags: tuple[str, ...] = (UNCERTAIN,) if place in doubtful else ()
            if place in pairs:
                track = self._tracks[pairs[place]]
                if scene.time_s - track.last_s > self.config.refound_s:
                    flags += (REFOUND,)
                track.follow(body, pose.score, scene.time_s, is_alone=bool(scene.clear[place]))
                track.colour = blend(track.colour, shades, _NEW_COLOUR)
            else:
                track = Track.begin(next(self._numbers), body, pose.score, shades, scene.time_s)
                self._tracks.append(track)
            numbered.append(replace(pose, track_id=track.number, flags=pose.flags + flags))
        return numbered


def _canonical(pose: Pose) -> tuple[float, ...]:
    # Joints last: two boxes may be equal, two people hardly.
    joints = (float(value) for value in np.nan_to_num(pose.joints).ravel())
    return (pose.box.x, pose.box.y, pose.box.width, pose.box.height, pose.box.score, *joints)
