"""Text files that hold whole lines at every moment: for what is written while it happens and must outlive a crash."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sadinet.atomic import output_error


class GrowingText:
    """A UTF-8 text file under its own name from the first moment on; each `write` reaches the system at once.

    When the process is killed, what was written is there. When the disk is full, the file ends with the last text
    that found room.

    Args:
        path: the file to make or replace.

    Raises:
        OutputError: if the folder is missing or cannot be written; later, if the disk is full.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._bytes = 0
        try:
            self._stream = self.path.open("wb", buffering=0)
        except OSError as error:
            raise output_error(self.path, error) from error

    def write(self, text: str) -> None:
        """Append text, whole lines of it; if there is no room for all, nothing of it stays."""
        data = text.encode("utf-8", errors="backslashreplace")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._stream.truncate(self._bytes)
                self._stream.seek(self._bytes)
            raise output_error(self.path, error) from error
        self._bytes += len(data)

    def finish(self) -> None:
        """Sync what was written to the disk and let go of the file."""
        if self._stream.closed:
            return
        try:
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise output_error(self.path, error) from error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the file; what was written stays."""
        with contextlib.suppress(OSError):
            self._stream.close()
