"""Commands for the open file; they do nothing where none is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.clips import Clip
    from app.player import FilePlayer


class FileControl:
    """Plays, steps and seeks, and keeps speed and loop from one file to the next.

    Args:
        current: returns the player of the open file, None where none is open.
    """

    def __init__(self, current: Callable[[], FilePlayer | None]) -> None:
        self._current = current
        self._speed, self._is_looped = 1.0, True

    def player(self, clip: Clip, *, is_playing: bool) -> FilePlayer:
        """Return a player for a file that is about to be open."""
        from app.player import FilePlayer

        return FilePlayer(clip, speed=self._speed, is_looped=self._is_looped, is_playing=is_playing)

    def play(self, is_playing: bool) -> None:
        """Let the file run on, or stand."""
        if (player := self._current()) is not None:
            player.play(is_playing)

    def seek(self, frame: int) -> None:
        """Show this frame."""
        if (player := self._current()) is not None:
            player.seek(frame)

    def step(self, frames: int) -> None:
        """Stand, and go so many frames on, or back."""
        if (player := self._current()) is not None:
            player.step(frames)

    def set_speed(self, speed: float) -> None:
        """Play at so many times the true speed."""
        self._speed = speed
        if (player := self._current()) is not None:
            player.set_speed(speed)

    def set_looped(self, is_looped: bool) -> None:
        """Begin again at the end, or not."""
        self._is_looped = is_looped
        if (player := self._current()) is not None:
            player.set_looped(is_looped)
