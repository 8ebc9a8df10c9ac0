"""Tell how far a run is: bars on a terminal, plain lines elsewhere, nothing when told to be quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY_S = 10.0
"""Without a terminal: seconds between two lines about one input."""


class Reporter(Protocol):
    """Hears of each input and frame; a context manager."""

    def begin(self, name: str, expected: int | None) -> None:
        """An input begins; `expected` frames, None where nobody knows."""

    def frame(self) -> None:
        """A frame is done."""

    def end(self) -> None:
        """The input is done, or failed."""

    def say(self, line: str) -> None:
        """Print a line that stays."""

    def complain(self, line: str) -> None:
        """Print a line that stays to the standard error, quiet or not."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Lines:
    """Plain lines, for logs and pipes.

    Args:
        is_quiet: print complaints alone.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._name = ""
        self._expected: int | None = None
        self._frames = 0
        self._began = self._told = 0.0

    def begin(self, name: str, expected: int | None) -> None:
        """Remember what begins."""
        self._name, self._expected, self._frames = name, expected, 0
        self._began = self._told = time.monotonic()

    def frame(self) -> None:
        """Count, and print a line now and then."""
        self._frames += 1
        now = time.monotonic()
        if now - self._told < LINE_EVERY_S:
            return
        self._told = now
        fps = self._frames / (now - self._began)
        of = "" if self._expected is None else f" of {self._expected}"
        left = "" if self._expected is None else f", {clock((self._expected - self._frames) / fps)} left"
        self.say(f"{self._name}: {self._frames}{of} frames, {fps:.1f} fps{left}")

    def end(self) -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Print a line to the standard output, unless quiet."""
        if not self._is_quiet:
            print(line, flush=True)

    def complain(self, line: str) -> None:
        """Print a line to the standard error."""
        print("sadinet:", " ".join(line.split()), file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Bars(Lines):
    """A bar with frames, fps and the time left, on the standard error so that the output can be piped."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = _make_bars()
        self._task: TaskID | None = None

    def begin(self, name: str, expected: int | None) -> None:
        """Show a bar."""
        from rich.markup import escape

        self._task = self._progress.add_task(escape(name), total=expected)

    def frame(self) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.advance(self._task)

    def say(self, line: str) -> None:
        """Print a line above the bar, or to a standard output that is no terminal."""
        if sys.stdout.isatty():
            self._print(line)
        else:
            super().say(line)

    def complain(self, line: str) -> None:
        """Print a line above the bar."""
        self._print("sadinet: " + " ".join(line.split()))

    def end(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._progress.refresh()  # else lines that follow at once would redraw it
        self._task = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _print(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


def make_reporter(*, is_quiet: bool) -> Reporter:
    """Return bars where the standard error is a terminal, else lines."""
    if is_quiet:
        return Lines(is_quiet=True)
    return Bars() if sys.stderr.isatty() else Lines()


def print_facts(facts: Iterable[tuple[str, str]], indent: int = 2) -> None:
    """Print names and values below each other; long values are left for the terminal to wrap, so they can be copied."""
    lines = list(facts)
    widest = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        print(" " * indent + name.ljust(widest + 2) + value)


def clock(seconds: float) -> str:
    """Return seconds as 1:02 or 1:02:03."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _make_bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Fps(ProgressColumn):
        """Frames a second, lately."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.1f} fps", style="progress.data.speed")

    class Frames(ProgressColumn):
        """Frames done, of how many."""

        def render(self, task: Task) -> Text:
            total = "" if task.total is None else f"/{task.total:.0f}"
            return Text(f"{task.completed:.0f}{total}", style="progress.download")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        Frames(),
        Fps(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        redirect_stdout=False,  # else what is piped would come out on the terminal
        redirect_stderr=False,
    )
