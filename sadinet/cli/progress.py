"""Tell how far a run is: bars on a terminal, plain lines elsewhere, JSON to programs, nothing when told to be quiet."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_EVERY_S = 10.0
"""Without a terminal: seconds between two lines about one input."""

TELL_EVERY_S = 1.0
"""To programs: seconds between two objects about one input."""


class Reporter(Protocol):
    """Hears of inputs and frames, of several inputs at a time; a context manager."""

    def begin(self, name: str, expected: int | None, done: int = 0) -> int:
        """Begin something of `expected` frames, None where nobody knows; returns its number."""

    def advance(self, number: int, frames: int = 1) -> None:
        """Some more frames are done; below 0 if some have to be done again."""

    def expect(self, number: int, frames: int) -> None:
        """It has another number of frames than was thought."""

    def end(self, number: int) -> None:
        """It is done, or failed."""

    def say(self, line: str) -> None:
        """Print a line that stays."""

    def complain(self, line: str) -> None:
        """Print a line that stays to the standard error, quiet or not."""

    def tell(self, event: str, **facts: Any) -> None:
        """Tell a program that listens."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(slots=True)
class _Course:
    """Something that is under way."""

    name: str
    expected: int | None
    frames: int
    new_frames: int
    began: float
    told: float

    def advance(self, frames: int, every_s: float) -> float | None:
        """Count; returns frames a second if it is time to tell of them again."""
        self.frames += frames
        self.new_frames += frames
        now = time.monotonic()
        if now - self.told < every_s:
            return None
        self.told = now
        return max(0, self.new_frames) / (now - self.began)


class Lines:
    """Plain lines, for logs and pipes.

    Args:
        is_quiet: print complaints alone.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._courses: dict[int, _Course] = {}
        self._next = 0

    def begin(self, name: str, expected: int | None, done: int = 0) -> int:
        """Remember what begins."""
        now = time.monotonic()
        self._next += 1
        self._courses[self._next] = _Course(name, expected, done, 0, now, now)
        return self._next

    def advance(self, number: int, frames: int = 1) -> None:
        """Count, and print a line now and then."""
        course = self._courses[number]
        fps = course.advance(frames, LINE_EVERY_S)
        if fps is None:
            return
        of = left = ""
        if course.expected is not None:
            of = f" of {course.expected}"
            left = f", {clock((course.expected - course.frames) / fps)} left" if fps else ""
        self.say(f"{course.name}: {course.frames}{of} frames, {fps:.1f} fps{left}")

    def expect(self, number: int, frames: int) -> None:
        """Take another number."""
        self._courses[number].expected = frames

    def end(self, number: int) -> None:
        """Forget it."""
        self._courses.pop(number, None)

    def say(self, line: str) -> None:
        """Print a line to the standard output, unless quiet."""
        if not self._is_quiet:
            print(line, flush=True)

    def complain(self, line: str) -> None:
        """Print a line to the standard error."""
        print("sadinet:", " ".join(line.split()), file=sys.stderr, flush=True)

    def tell(self, event: str, **facts: Any) -> None:
        """Do nothing: people listen."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class JsonLines(Lines):
    """One JSON object a line on the standard output, for programs; complaints go to the standard error too."""

    def begin(self, name: str, expected: int | None, done: int = 0) -> int:
        """Remember what begins."""
        number = super().begin(name, expected, done)
        self.tell("begin", name=name, frames=expected, done=done)
        return number

    def advance(self, number: int, frames: int = 1) -> None:
        """Count, and tell once a second at most."""
        course = self._courses[number]
        fps = course.advance(frames, TELL_EVERY_S)
        if fps is not None:
            self.tell("progress", name=course.name, frames=course.frames, of=course.expected, fps=round(fps, 2))

    def say(self, line: str) -> None:
        """Do nothing: what is said to people is told to programs in other words."""

    def complain(self, line: str) -> None:
        """Print a line to the standard error, and tell it."""
        super().complain(line)
        self.tell("complaint", text=" ".join(line.split()))

    def tell(self, event: str, **facts: Any) -> None:
        """Print an object."""
        print(json.dumps({"event": event, **facts}, allow_nan=False), flush=True)


class Bars(Lines):
    """Bars with frames, fps and the time left, on the standard error so that the output can be piped."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = _make_bars()

    def begin(self, name: str, expected: int | None, done: int = 0) -> int:
        """Show a bar."""
        from rich.markup import escape

        return int(self._progress.add_task(escape(name), total=expected, completed=done))

    def advance(self, number: int, frames: int = 1) -> None:
        """Move a bar."""
        from rich.progress import TaskID

        self._progress.advance(TaskID(number), frames)

    def expect(self, number: int, frames: int) -> None:
        """Take another length."""
        from rich.progress import TaskID

        self._progress.update(TaskID(number), total=frames)

    def end(self, number: int) -> None:
        """Take a bar away."""
        from rich.progress import TaskID

        self._progress.remove_task(TaskID(number))
        self._progress.refresh()  # else lines that follow at once would redraw it

    def say(self, line: str) -> None:
        """Print a line above the bars, or to a standard output that is no terminal."""
        if sys.stdout.isatty():
            self._print(line)
        else:
            super().say(line)

    def complain(self, line: str) -> None:
        """Print a line above the bars."""
        self._print("sadinet: " + " ".join(line.split()))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _print(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


def make_reporter(*, is_quiet: bool, is_json: bool = False) -> Reporter:
    """Return bars where the standard error is a terminal, else lines; JSON if a program listens."""
    if is_json:
        return JsonLines()
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
