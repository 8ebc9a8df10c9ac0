"""One person over time: where they are expected, how sure that is, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from sadinet.people.similarity import Bodies, Floats

_HOLD_S = 1.0  # who is not seen slows down: nobody walks on for ever
_NOISE = 0.05  # of a measured centre, by the person's size
_UNSTEADY = 0.5  # how much people change their speed: size^2 / s^3
_SPEED = 1.0  # how fast people may be when first seen, sizes per second


@dataclass(slots=True, eq=False)
class Track:
    """A person's state, changed from frame to frame.

    Attributes:
        number: the person's number.
        body: the last one seen, (1, ...).
        centre, velocity: (2,) of the body's middle, filtered; pixels and pixels per second.
        covariance: (2, 2) of place and speed on either axis, in units of the body's size.
        size_wh: (2,) width and height of the body's box, smoothed.
        score: mean score of the joints, smoothed.
        colour: histograms of the clothes, NaN where unknown.
        seen: number of poses so far.
        last_s: time of the last pose.
    """

    number: int
    body: Bodies
    centre: Floats
    velocity: Floats
    covariance: Floats
    size_wh: Floats
    score: float
    colour: Floats
    seen: int
    last_s: float

    @classmethod
    def begin(cls, number: int, body: Bodies, score: float, colour: Floats, time_s: float) -> Self:
        """Start a track with its first pose."""
        return cls(
            number=number,
            body=body,
            centre=body.centres[0],
            velocity=np.zeros(2),
            covariance=np.diag([_NOISE**2, _SPEED**2]),
            size_wh=body.boxes[0, 2:].copy(),
            score=score,
            colour=colour,
            seen=1,
            last_s=time_s,
        )

    def expected(self, time_s: float) -> Bodies:
        """Return the body where it should be at `time_s`: the last one, moved and of smoothed size."""
        moved = self.velocity * _travel_s(time_s - self.last_s)
        middle = self.body.boxes[0, :2] + self.body.boxes[0, 2:] / 2 + moved
        box = np.concatenate([middle - self.size_wh / 2, self.size_wh])[None]
        return replace(self.body, boxes=box, joints=self.body.joints + moved)

    def follow(self, body: Bodies, score: float, time_s: float, *, is_alone: bool = True) -> None:
        """Take in the next pose; one that is mixed up with somebody else's moves the track less."""
        elapsed = time_s - self.last_s
        size = float(np.sqrt(self.size_wh.prod()))
        travel, slowing = _travel_s(elapsed), float(np.exp(-elapsed / _HOLD_S))
        step = np.array([[1.0, travel], [0.0, slowing]])
        push = np.array([[elapsed**3 / 3, elapsed**2 / 2], [elapsed**2 / 2, elapsed]]) * _UNSTEADY
        ahead = step @ self.covariance @ step.T + push
        noise = _NOISE**2 * (1.0 if is_alone else 9.0)
        gain = ahead[:, 0] / (ahead[0, 0] + noise)
        surprise = (body.centres[0] - (self.centre + self.velocity * travel)) / size
        self.centre = self.centre + self.velocity * travel + gain[0] * surprise * size
        self.velocity = self.velocity * slowing + gain[1] * surprise * size
        self.covariance = ahead - np.outer(gain, ahead[0])
        self._resize(body.boxes[0, 2:], is_alone)
        self.body = body
        self.score += 0.2 * (score - self.score) if np.isfinite(score) else 0.0
        self.seen += 1
        self.last_s = time_s

    def _resize(self, size_wh: Floats, is_alone: bool) -> None:
        # Limbs that stretch out must not be cut; limbs that are drawn in may wait.
        share = np.where(size_wh > self.size_wh, 0.6, 0.3) * (1.0 if is_alone else 0.5)
        self.size_wh = self.size_wh + share * (size_wh - self.size_wh)


def _travel_s(elapsed: float) -> float:
    return _HOLD_S * float(-np.expm1(-elapsed / _HOLD_S))
