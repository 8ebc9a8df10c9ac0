"""One run at a time on a folder of results."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from sadinet.atomic import output_error
from sadinet.errors import OutputError
from sadinet.tables.sidecar import local_time


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a record's folder for this process until the block ends; the system lets go of it if the process dies.

    Raises:
        OutputError: if another process holds it, naming that one, or the folder cannot be written.
    """
    holder = folder / "running.json"
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputError(
            f"{folder.parent} is in use by {_described(holder)}", "wait until that is done, or choose another folder"
        ) from None
    except OSError as error:
        raise output_error(folder / "lock", error) from error
    try:
        told = {"process": os.getpid(), "machine": platform.node(), "since": local_time()}
        with contextlib.suppress(OSError):
            holder.write_text(json.dumps(told), encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _described(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {told['process']} on {told['machine']} since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # it is just beginning or ending
