"""What nobody caught: into the log and onto a banner, in place of the abort that PyQt makes of it."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import logging.handlers
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from app.state import Problem

if TYPE_CHECKING:
    from app.controller import Controller

_log = logging.getLogger("app")
_MOST_BYTES = 1_000_000


@contextlib.contextmanager
def kept_log(folder: Path) -> Iterator[None]:
    """Write warnings and crashes to files, and to the terminal where there is one, until the block ends."""
    with contextlib.ExitStack() as stack:
        handlers: list[logging.Handler] = [] if sys.stderr is None else [logging.StreamHandler()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / "app.log"
            handlers.append(logging.handlers.RotatingFileHandler(path, maxBytes=_MOST_BYTES, backupCount=2, delay=True))
            faulthandler.enable(stack.enter_context((folder / "crash.log").open("a", encoding="utf-8")))
            stack.callback(faulthandler.disable)
        except OSError:
            # The program works without a log; a terminal still gets everything.
            _log.debug("no log in %s", folder, exc_info=True)
        root = logging.getLogger()
        for handler in handlers:
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            handler.setLevel(logging.WARNING)
            root.addHandler(handler)
            stack.callback(handler.close)
            stack.callback(root.removeHandler, handler)
        yield


def catch_the_rest(controller: Controller) -> None:
    """Tell what nobody caught, from any thread; an interruption closes the windows."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            _close_soon()
            return
        _log.error("an error that nobody caught", exc_info=(kind, error, trace))
        details = "".join(traceback.format_exception(kind, error, trace))
        message = f"Something unexpected happened: {kind.__name__}: {error}"
        controller.workers.tell(Problem(message, "go on; copy the details and report them", details))

    def tell_of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            tell(args.exc_type, args.exc_value, args.exc_traceback)

    def close(number: int, frame: FrameType | None) -> None:
        _close_soon()

    sys.excepthook = tell
    threading.excepthook = tell_of_thread
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            # A shell's background job was started to pass over interrupts, and does.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, close)


def _close_soon() -> None:
    """Close the windows from the event loop: a signal comes at any place, also while a window is being painted."""
    QTimer.singleShot(0, QApplication.closeAllWindows)
