"""Files in, results out: every frame, in order, none dropped.

A thread reads ahead while the models run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from sadinet.media.source import Source, open_source
from sadinet.pipeline.lookahead import Lookahead
from sadinet.pipeline.prefetch import prefetch
from sadinet.pipeline.stages import People, Settings
from sadinet.results import Frame, FrameResult


class Pipeline:
    """Iterates over the `FrameResult`s of a source, with the people of a video numbered over time.

    A video is followed in one go; `sadinet run` follows it chunk by chunk (`Settings.chunk_frames`) and begins
    each with the detector, so that its tables may differ in the frames behind a chunk's beginning.

        with Pipeline.open("walk.mp4") as pipeline:
            for result in pipeline:
                print(result.frame.time_s, len(result.poses))

    Attributes:
        source: where frames come from; its `skipped` and `problems` tell what could not be read.
        people: the models.
    """

    def __init__(self, source: Source, people: People) -> None:
        self.source = source
        self.people = people

    @classmethod
    def open(cls, where: str | os.PathLike[str], settings: Settings | None = None, **changes: Any) -> Pipeline:
        """Open a video, a picture, a folder of pictures or a pattern, and load the models.

        Args:
            where: path or pattern.
            settings: how to run; None for the defaults.
            changes: single settings by name, such as `weights="sadinet-s"` or `device="cpu"`.

        Raises:
            SourceError: if nothing there can be read.
            DeviceError, WeightsError, InputError: for settings that cannot be had.
        """
        people = People(replace(settings or Settings(), **changes))
        return cls(open_source(where), people)

    def __iter__(self) -> Iterator[FrameResult]:
        follow = self.people.follower()
        items = Lookahead(prefetch(_timed(self.source)), self.people.settings.following.interval)
        with closing(items):
            for frame, read_ms in items:
                result = follow(frame, [each for each, _ in items.upcoming])
                yield replace(result, timings_ms={"read": read_ms, **result.timings_ms})

    def __enter__(self) -> Self:
        self.source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.__exit__(kind, error, trace)


def _timed(source: Source) -> Iterator[tuple[Frame, float]]:
    """Yield frames and the milliseconds that each took to read."""
    started = time.perf_counter()
    for frame in source:
        yield frame, (time.perf_counter() - started) * 1e3
        started = time.perf_counter()
