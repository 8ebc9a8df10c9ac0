"""A file that belongs to one program at a time, as two may be open at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock


class Claim:
    """Claims a file, until it is let go or the program ends, however it does.

    Args:
        path: the file; a lock of its name lies beside it.

    Attributes:
        is_ours: whether no other program has it. Where the system refuses locks, nobody knows, and it counts as ours.
    """

    def __init__(self, path: Path) -> None:
        from filelock import FileLock, Timeout

        self.is_ours = True
        self._lock: BaseFileLock | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # It is let go of by another thread when the program ends.
            lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)
            lock.acquire(timeout=0)
            self._lock = lock
        except Timeout:
            self.is_ours = False
        except (OSError, NotImplementedError):
            return

    def let_go(self) -> None:
        """Leave the file to others."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
