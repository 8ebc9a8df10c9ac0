"""Open what the user chose, as a live source. Slow, and may hang: called in a thread, with late imports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.choice import SourceChoice, SourceKind

if TYPE_CHECKING:
    from sadinet.media.live_source import LiveSource


def demo_clip() -> Path:
    """Return the video that comes with the program."""
    import sadinet

    return Path(sadinet.__file__).parent / "_demo" / "walk.mp4"


def open_live(choice: SourceChoice) -> LiveSource:
    """Open a camera, a stream or the demo clip.

    Raises:
        SourceError: if it cannot be opened in time.
        InputError: for an address that is none.
    """
    if choice.kind is SourceKind.CAMERA:
        from sadinet.media.camera import open_camera

        return open_camera(choice.where or 0, size_wh=choice.size_wh, rate_hz=choice.rate_hz)
    if choice.kind is SourceKind.STREAM:
        from sadinet.media.stream import open_stream

        return open_stream(choice.where)
    from sadinet.media.playback import Playback

    return Playback(demo_clip(), is_looped=True)
