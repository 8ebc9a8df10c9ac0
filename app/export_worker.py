"""Previews and exports beside the window. Commands come from one thread, which also polls."""

from __future__ import annotations

import logging
import queue
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.background import Background
from app.batch_state import BatchOptions, Fault
from app.exporting import Exported, Preview, export, planned, preview
from sadinet.errors import SadinetError

if TYPE_CHECKING:
    from app.analysis import Analysed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportState:
    """What there is to show.

    Attributes:
        preview: of the format that was asked for last; None until it is there.
        preview_fault: why there is none.
        planned: names of the files that would be written, and whether each is there already.
        is_busy: whether an export is under way.
        stage: of it: "poses" or "drawing".
        done: frames of this stage.
        exported: what the last export wrote.
        fault: why it did not.
    """

    preview: Preview | None = None
    preview_fault: Fault | None = None
    planned: tuple[tuple[str, bool], ...] = ()
    is_busy: bool = False
    stage: str = ""
    done: int = 0
    exported: Exported | None = None
    fault: Fault | None = None


Change = Callable[[ExportState], ExportState]


class ExportWorker:
    """Shows what an export would give, and does it."""

    def __init__(self) -> None:
        self._looking = Background("app preview")
        self._writing = Background("app export")
        self._changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self._state = ExportState()
        self._asked = 0
        self._is_cancelled = False

    def poll(self) -> ExportState:
        """Return how it is now."""
        while True:
            try:
                change = self._changes.get_nowait()
            except queue.Empty:
                return self._state
            self._state = change(self._state)

    def look(self, analysed: Analysed, format_name: str, options: BatchOptions) -> None:
        """Show the beginning of a table; an earlier wish that was not begun yet is forgotten."""
        self._asked += 1
        number = self._asked
        self._looking.do(lambda: self._look(analysed, format_name, options, number))

    def start(self, analysed: Analysed, options: BatchOptions) -> None:
        """Write the files; one export at a time."""
        if self._state.is_busy:
            return
        self._is_cancelled = False
        self._state = replace(self._state, is_busy=True, stage="", done=0, exported=None, fault=None)
        self._writing.do(lambda: self._export(analysed, options))

    def cancel(self) -> None:
        """Stop at the next frame; files of an earlier export stay as they were."""
        self._is_cancelled = True

    def close(self, deadline_s: float = 3.0) -> tuple[str, ...]:
        """End; returns the names of the threads that did not end in time."""
        self._asked += 1
        self._is_cancelled = True
        deadline = time.monotonic() + deadline_s
        return (*self._looking.close(deadline), *self._writing.close(deadline))

    def _look(self, analysed: Analysed, format_name: str, options: BatchOptions, number: int) -> None:
        if number != self._asked:
            return
        shown: Preview | None = None
        fault: Fault | None = None
        try:
            shown = preview(analysed, format_name, options)
        except Exception as error:  # noqa: BLE001  nobody above a thread would see it
            fault = _fault(error, "there is no preview")
        files = _planned(analysed, options)
        if number == self._asked:
            self._changes.put(lambda state: replace(state, preview=shown, preview_fault=fault, planned=files))

    def _export(self, analysed: Analysed, options: BatchOptions) -> None:
        exported: Exported | None = None
        fault: Fault | None = None
        try:
            exported = export(analysed, options, self._tell)
        except Exception as error:  # noqa: BLE001  nobody above a thread would see it
            fault = _fault(error, "the export failed")
        files = _planned(analysed, options)
        self._changes.put(
            lambda state: replace(state, is_busy=False, exported=exported, fault=fault, planned=files, stage="")
        )

    def _tell(self, frames: int, stage: str) -> bool:
        self._changes.put(
            lambda state: replace(state, stage=stage, done=frames + (state.done if state.stage == stage else 0))
        )
        return not self._is_cancelled


def _planned(analysed: Analysed, options: BatchOptions) -> tuple[tuple[str, bool], ...]:
    if not options.folder:
        return ()
    try:
        return tuple((path.name, path.exists()) for path in planned(analysed, options).outputs.paths)
    except (SadinetError, OSError):
        return ()  # the export will say what is wrong


def _fault(error: Exception, what: str) -> Fault:
    if isinstance(error, SadinetError):
        return Fault(error.message, error.remedy, f"{type(error).__name__}: {error}")
    _log.error("%s", what, exc_info=error)
    details = "".join(traceback.format_exception(error))
    return Fault(f"{what}: {type(error).__name__}: {error}", "copy the details and report them", details)
