"""Frame -> who is where and who is who: the detector now and then, poses and numbers in every frame."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sadinet.errors import InputError
from sadinet.geometry import Box, box_iou
from sadinet.people.ahead import AheadDetector
from sadinet.people.clock import Clock
from sadinet.people.crops import Expected, Sighting, box_rows, expect, is_believable, twins, without_twins
from sadinet.people.detector import Detector
from sadinet.people.estimator import Image, PoseEstimator
from sadinet.people.scene import CUT, Thumbnail, is_cut, thumbnail
from sadinet.people.similarity import bodies_of
from sadinet.people.tracker import Tracker, Tracking
from sadinet.results import Frame, FrameResult, Pose

NO_TIME = "no_time"
"""What a video's frame is flagged with whose time is not known; a picture has no time and no such flag."""

_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class Following:
    """How people are followed from frame to frame; each value changes results.

    Attributes:
        interval: the detector looks at every n-th frame.
        at_least_every_s: and never less often than this, so that a low rate leaves no long gaps.
        search_s: after somebody was lost, it looks at every frame for so long.
        lost_ratio: a pose in a crop from the last pose is lost when its mean score falls below this share of
            the person's usual one.
        reach: or when its middle is farther from where it should be, by the square root of the box's area.
        same_oks: poses more alike than this are of one person.
        inside: share of a person's expected box that must lie in the frame.
        coast_s: how long a person whom the detector overlooks is followed by the poses alone.
        tracking: how poses become tracks.
    """

    interval: int = 3
    at_least_every_s: float = 0.2
    search_s: float = 0.2
    lost_ratio: float = 0.7
    reach: float = 0.35
    same_oks: float = 0.85
    inside: float = 0.3
    coast_s: float = 0.3
    tracking: Tracking = field(default_factory=Tracking)


class Follower:
    """Finds the people of a video's frames, one frame after the other, and numbers them.

    Pictures, which have no time, are looked at each for itself: detector and poses, no numbers.

    Args:
        detector: frame -> boxes.
        estimator: frame and boxes -> poses.
        config: thresholds.

    Attributes:
        config: thresholds.
        detection_interval: the detector looks at every n-th frame; may be changed between frames.

    Raises:
        InputError: if the interval is below 1.
    """

    def __init__(self, detector: Detector, estimator: PoseEstimator, config: Following | None = None) -> None:
        self.config = config or Following()
        self._detector = detector
        self._estimator = estimator
        self._tracker = Tracker(self.config.tracking)
        self.detection_interval = self.config.interval
        self.reset()

    @property
    def detection_interval(self) -> int:
        """The detector looks at every n-th frame."""
        return self._interval

    @detection_interval.setter
    def detection_interval(self, interval: int) -> None:
        if interval < 1:
            raise InputError(f"detection interval {interval}", "1 looks at every frame, 2 at every other ..")
        self._interval = interval

    def reset(self) -> None:
        """Forget everybody: the next frame is the first of a video or chunk."""
        self._tracker.reset()
        self._clock = Clock()
        self._thumbnail: Thumbnail | None = None
        self._since_detection = 0
        self._detected_s = -math.inf
        self._lost_s = -math.inf
        self._sightings: dict[int, Sighting] = {}
        self._present: frozenset[int] = frozenset()

    def __call__(self, frame: Frame, upcoming: Sequence[Frame] = ()) -> FrameResult:
        """Find and number the people in a frame.

        Args:
            frame: the next one.
            upcoming: those behind it, as far as they are known; the detector may begin with one of them. They
                change how soon a result is there, and nothing else.

        Returns:
            Poses by rising number; `timings_ms` has "detect", "pose" and "track". The first frame of a new scene
            is flagged.

        Raises:
            InputError: for a frame that is no (H, W, 3) uint8 picture.
        """
        watch = _Watch()
        if math.isnan(frame.time_s) and NO_TIME not in frame.flags:
            return self._picture(frame, watch)
        now_s = self._clock.tick(frame.time_s)
        with watch("detect"):
            is_new_scene = self._is_new_scene(frame.image)
        if is_new_scene:
            frame = replace(frame, flags=(*frame.flags, CUT))
        expected = () if is_new_scene else self._expected(frame, now_s)
        found: tuple[Pose, ...] | None = None
        boxes: tuple[Box, ...] = ()
        self._since_detection += 1
        if not is_new_scene and not self._is_due(now_s):
            self._look_ahead(upcoming)
            with watch("pose"):
                found = self._from_last(frame.image, expected)
        if found is None:
            with watch("detect"):
                boxes = self._detector(frame.image)
            self._since_detection, self._detected_s = 0, now_s
            self._look_ahead(upcoming)
            with watch("pose"):
                found = self._from_boxes(frame.image, boxes, self._overlooked(boxes, expected, now_s))
        with watch("track"):
            poses = self._tracker.update(found, now_s, frame.image, is_cut=is_new_scene)
            self._remember(poses, frozenset(boxes), now_s)
        ordered = sorted(poses, key=lambda pose: pose.track_id or 0)
        return FrameResult(frame, tuple(ordered), watch.timings_ms)

    def _picture(self, frame: Frame, watch: _Watch) -> FrameResult:
        with watch("detect"):
            boxes = self._detector(frame.image)
        with watch("pose"):
            poses = self._estimator(frame.image, boxes)
        return FrameResult(frame, poses, watch.timings_ms)

    def _is_new_scene(self, image: Image) -> bool:
        before, self._thumbnail = self._thumbnail, thumbnail(image)
        return before is not None and is_cut(before, self._thumbnail)

    def _is_due(self, now_s: float) -> bool:
        """Say whether the detector has to look at this frame, whatever its poses will be."""
        return self._will_be_due(self._since_detection, now_s)

    def _will_be_due(self, since: int, time_s: float) -> bool:
        """Say so of a frame `since` frames behind the last that the detector saw, as far as is known by now."""
        return (
            since >= self._interval
            or time_s - self._detected_s >= self.config.at_least_every_s - _ROUNDING_S
            or time_s - self._lost_s <= self.config.search_s
        )

    def _look_ahead(self, upcoming: Sequence[Frame]) -> None:
        """Begin to look for people in the next frame in which that is due, whatever the poses will be."""
        if not isinstance(self._detector, AheadDetector):
            return
        for since, frame in enumerate(upcoming, self._since_detection + 1):
            if self._will_be_due(since, frame.time_s):
                self._detector.begin(frame.image)
                return

    def _expected(self, frame: Frame, now_s: float) -> tuple[Expected, ...]:
        """Return where those of the frame before should be now, by number."""
        present = (track for track in self._tracker.tracks if track.number in self._present)
        places = (expect(track, self._sightings[track.number], now_s, frame.size_wh) for track in present)
        return tuple(place for place in places if place is not None)

    def _from_last(self, image: Image, expected: Sequence[Expected]) -> tuple[Pose, ...] | None:
        """Return poses in crops from the last ones; None if anybody is lost, so that the detector must look."""
        if len(expected) < len(self._present) or any(each.inside < self.config.inside for each in expected):
            return None
        poses = self._estimator(image, [each.box for each in expected])
        if not all(self._is_believable(pose, each) for pose, each in zip(poses, expected, strict=True)):
            return None
        return None if twins(poses, self.config.same_oks) else poses

    def _from_boxes(self, image: Image, boxes: Sequence[Box], overlooked: Sequence[Expected]) -> tuple[Pose, ...]:
        """Return the poses in the detector's boxes, and of those whom it overlooks but who are still there."""
        poses = self._estimator(image, [*boxes, *(each.box for each in overlooked)])
        seen = list(without_twins(poses[: len(boxes)], self.config.same_oks))
        for pose, each in zip(poses[len(boxes) :], overlooked, strict=True):
            if self._is_believable(pose, each) and not twins([*seen, pose], self.config.same_oks / 2):
                seen.append(pose)
        return tuple(seen)

    def _overlooked(self, boxes: Sequence[Box], expected: Sequence[Expected], now_s: float) -> list[Expected]:
        """Return who was seen by the detector a moment ago but is in none of its boxes now."""
        recent = [
            each
            for each in expected
            if now_s - self._sightings[each.number].time_s <= self.config.coast_s and each.inside >= self.config.inside
        ]
        overlap = box_iou(box_rows([each.box for each in recent]), box_rows(boxes))
        return [each for each, row in zip(recent, overlap, strict=True) if row.max(initial=0) < 0.3]

    def _is_believable(self, pose: Pose, expected: Expected) -> bool:
        return is_believable(pose, expected, lost_ratio=self.config.lost_ratio, reach=self.config.reach)

    def _remember(self, poses: Sequence[Pose], boxes: frozenset[Box], now_s: float) -> None:
        """Note who is here, whom the detector saw, and whether somebody was lost."""
        numbers = {pose.track_id: pose for pose in poses if pose.track_id is not None}
        for number, pose in numbers.items():
            if pose.box in boxes or number not in self._sightings:
                self._sightings[number] = Sighting(now_s, pose.box, bodies_of([pose], pose.skeleton))
        trusted = {track.number for track in self._tracker.tracks if track.seen >= self.config.tracking.probation}
        if (self._present & trusted) - numbers.keys():
            self._lost_s = now_s
        self._present = frozenset(numbers)
        remembered = {track.number for track in self._tracker.tracks}
        self._sightings = {number: seen for number, seen in self._sightings.items() if number in remembered}


class _Watch:
    """Adds up the time that stages take, by name."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        spent = (time.perf_counter() - started) * 1e3
        self.timings_ms[stage] = self.timings_ms.get(stage, 0.0) + spent
