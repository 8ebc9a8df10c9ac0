"""Tell of a batch: each input as it goes on, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sadinet.cli.progress import Reporter

if TYPE_CHECKING:
    from sadinet.batch.naming import Job
    from sadinet.batch.runner import Outcome


class RunListener:
    """Passes what a batch tells on to a reporter: each input, and all of them if they are several.

    Args:
        reporter: hears of it.
        names: of the inputs.
        frames: of all inputs.
        rounds: how often each frame is gone through: a second time if it is drawn.
    """

    def __init__(self, reporter: Reporter, names: Sequence[str], frames: int, rounds: int) -> None:
        self._reporter = reporter
        self._names = [Path(name).name or name for name in names]
        self._rounds = rounds
        self._frames: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self._running: dict[int, tuple[str, int]] = {}
        self._expected = frames * rounds
        self._all: int | None = None
        if len(names) > 1:
            drawing = ", drawing included" if rounds > 1 else ""
            self._all = reporter.begin(f"all {len(names)} inputs{drawing}", self._expected)

    def began(self, place: int, job: Job, frames: int | None, done: int) -> None:
        """Begin."""
        if done and frames != done:
            self._reporter.say(f"{job.where}: {done} frames are there from an earlier run")
        self._frames[place] = frames or 0
        self._left[place] = self._frames[place] * self._rounds - done
        self._running[place] = ("poses", self._reporter.begin(self._names[place], frames, done))
        self._expect_less(done)

    def advanced(self, place: int, frames: int, stage: str) -> None:
        """Go on."""
        before, number = self._running[place]
        if stage != before:
            self._reporter.end(number)
            number = self._reporter.begin(f"{self._names[place]} ({stage})", self._frames[place] or None)
            self._running[place] = (stage, number)
        self._reporter.advance(number, frames)
        self._left[place] -= frames
        if self._all is not None:
            self._reporter.advance(self._all, frames)

    def ended(self, place: int, outcome: Outcome) -> None:
        """Say what came of it."""
        if place in self._running:
            self._reporter.end(self._running.pop(place)[1])
            self._expect_less(self._left[place])
        where = outcome.job.where
        self._reporter.tell("end", name=where, **_facts(outcome))
        if outcome.error is not None:
            text = str(outcome.error)
            self._reporter.complain(text if where in text else f"{where}: {text}")
            return
        self._reporter.say(_told(outcome))
        for note in outcome.summary.get("notes", ()):
            self._reporter.say(f"{where}: {note}")
        for problem in outcome.summary["problems"]:
            self._reporter.complain(problem if where in problem else f"{where}: {problem}")

    def close(self) -> None:
        """Nothing more comes."""
        if self._all is not None:
            self._reporter.end(self._all)
            self._all = None

    def _expect_less(self, frames: int) -> None:
        # What need not be done any more would make the rest look fast.
        self._expected -= frames
        if self._all is not None and frames:
            self._reporter.expect(self._all, max(0, self._expected))
        if self._expected <= 0:
            self.close()


def _told(outcome: Outcome) -> str:
    job, summary = outcome.job, outcome.summary
    people = "nobody" if not summary["most_people"] else f"up to {summary['most_people']} at once"
    frames = "1 frame" if summary["frames"] == 1 else f"{summary['frames']} frames"
    speed = f", {outcome.computed_frames / outcome.seconds:.1f} fps" if outcome.computed_frames else ""
    files = ", ".join(str(job.outputs.folder / name) for name in summary["files"])
    kept = " (kept from an earlier run)" if outcome.is_kept else ""
    renamed = " (its own name is taken)" if job.is_renamed else ""
    return f"{job.where}: {frames}, {people}{speed} -> {files}{renamed}{kept}"


def _facts(outcome: Outcome) -> dict[str, object]:
    if outcome.error is not None:
        return {"state": "failed", "reason": outcome.error.message, "remedy": outcome.error.remedy}
    return {"state": "kept" if outcome.is_kept else "done", "seconds": round(outcome.seconds, 3), **outcome.summary}
