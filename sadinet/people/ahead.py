"""Let the detector look at a coming frame while the poses of this one are found."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from sadinet.geometry import Box
from sadinet.people.detector import Detector
from sadinet.people.estimator import Image


class AheadDetector:
    """A detector with a thread of its own that may begin before it is asked.

    What it finds in a picture does not depend on when it looked. One picture at a time is begun; a picture that
    was begun for nothing costs its time and no more.

    Args:
        detector: is called from one thread only.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="detector")
        self._begun: tuple[Image, Future[tuple[Box, ...]]] | None = None
        self.runtime = detector.runtime

    def begin(self, image: Image) -> None:
        """Begin to look at a picture, unless it was begun or another is still being looked at."""
        if self._begun is not None:
            begun, found = self._begun
            if begun is image or not found.done():
                return
        self._begun = image, self._thread.submit(self._detector, image)

    def __call__(self, image: Image) -> tuple[Box, ...]:
        """Return the boxes of the people in a picture, as the detector does."""
        if self._begun is not None and self._begun[0] is image:
            found = self._begun[1]
            self._begun = None
            return found.result()
        return self._thread.submit(self._detector, image).result()
