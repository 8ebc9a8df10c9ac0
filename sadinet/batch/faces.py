"""Which heads to cover in each frame of an input, known before the frame itself is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, tee

from sadinet.batch.windows import Window
from sadinet.media.blur import heads_in_time
from sadinet.media.heads import Head
from sadinet.results import Pose

FrameHeads = tuple[Head, ...]
"""What is to be covered in one frame."""

_STEP_S = 0.04  # from a frame to one without a time, or with one that does not rise


def with_heads(
    windows: Iterable[Window], *, is_blurred: bool, are_pictures: bool
) -> Iterator[tuple[Window, tuple[FrameHeads, ...]]]:
    """Yield windows in their order, each with the heads to cover in its frames.

    Heads are those of the measured joints, also of people who were found a moment before or are a moment later, in
    another window too: windows are held back for that, which takes little, as they hold no pictures.

    Args:
        windows: of one input.
        is_blurred: whether heads are covered at all; if not, there are none.
        are_pictures: whether nothing connects the frames.
    """
    if not is_blurred:
        for window in windows:
            yield window, ((),) * window.recording.frames
        return
    given, looked_at = tee(windows)
    heads = heads_in_time(_moments(looked_at, are_pictures=are_pictures))
    for window in given:
        yield window, tuple(islice(heads, window.recording.frames))


def _moments(windows: Iterable[Window], *, are_pictures: bool) -> Iterator[tuple[float, Sequence[Pose]]]:
    """Yield when each frame is, by a clock that always rises, and who is in it; pictures have no time."""
    now_s, last_s = 0.0, math.nan
    for window in windows:
        taken = window.recording
        for position in range(taken.frames):
            time_s = float(taken.time_s[position])
            step_s = time_s - last_s
            now_s += step_s if step_s > 0 else _STEP_S
            last_s = time_s
            yield math.nan if are_pictures else now_s, taken.poses(position)
