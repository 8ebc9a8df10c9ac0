"""Measure the desktop program over time, in its real window, on a clip of 1280x720 played as a camera.

    python scripts/measure_app.py --minutes 60 --json app.json

The clip is made of the demo clip (scripts/camera_clip.py) and played at 30 frames a second by `Playback`, which drops
what is not taken, as a camera does. Without a display the window is on Xvfb, which this starts itself. Nothing else
should run meanwhile. Figures begin when the program has warmed up: five seconds, or a tenth of a shorter run, behind
the first skeleton. With `--check` the exit code is 1 if a figure is not as wanted.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The checkout's own packages, however this file is started.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RATE_HZ = 30.0
WARM_S = 5.0
SETTLED_S = 120.0
"""Memory that is taken in the first two minutes is no leak: buffers fill, pages and plots load."""
PIECES = 40
"""Medians of so many pieces of the run go into the slope of the memory."""
PATIENCE_S = 300.0

WANTED: dict[str, tuple[str, float]] = {
    "window_s": ("at most", 3.0),
    "window_to_skeleton_s": ("at most", 4.0),
    "shown_fps": ("at least", 25.0),
    "latency_median_ms": ("at most", 120.0),
    "latency_p95_ms": ("at most", 200.0),
    "heartbeat_p999_ms": ("at most", 50.0),
    "memory_growth_mb_per_hour": ("at most", 50.0),
    "threads_more": ("at most", 0.0),
    "timers_more": ("at most", 0.0),
}
"""Figure -> what it must reach on two cores."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--video", type=Path, help="played in place of the clip that is made")
    parser.add_argument("--people", type=int, choices=(1, 2), default=1, help="in the clip that is made (1)")
    parser.add_argument("--weights", default="default", metavar="NAME|PATH")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--platform", choices=("xcb", "offscreen"), help="Qt's (xcb, with Xvfb if need be)")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a figure is not as wanted")
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.minutes <= 0:
        parser.error("--minutes must be above 0")
    if options.began is not None:
        return measured(options)
    # Here alone, as it loads OpenCV, which the program that is measured does later.
    from camera_clip import make_clip

    with tempfile.TemporaryDirectory(prefix="sadinet-") as folder:
        clip = options.video or make_clip(Path(folder) / "clip.mp4", options.people)
        with display(options.platform) as environment:
            return run_apart(options, clip, Path(folder), environment)


def run_apart(options: argparse.Namespace, clip: Path, folder: Path, environment: dict[str, str]) -> int:
    """Run the program in a process of its own, so that its start is measured from nothing on; report its figures."""
    path = folder / "figures.json"
    given = {"--weights": options.weights, "--engine": options.engine, "--device": options.device}
    command = [sys.executable, __file__, "--minutes", str(options.minutes), "--video", str(clip), "--json", str(path)]
    command += [*itertools.chain(*given.items()), "--people", str(options.people)]
    with subprocess.Popen([*command, "--began", str(time.monotonic())], env=environment) as run:
        code = run.wait(60 * options.minutes + 2 * PATIENCE_S)
    if not path.is_file():
        print(f"measure_app: the program ended with {code}, without figures", file=sys.stderr)
        return code or 1
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    missed = report(figures)
    return code or (1 if missed and options.check else 0)


def report(figures: dict[str, Any]) -> list[str]:
    """Print a line for each figure; returns those that are not as wanted."""
    missed = []
    for name, value in figures.items():
        line = f"{name:28} {value if value is not None else 'not told of so short a run'}"
        if name in WANTED and value is not None:
            kind, wanted = WANTED[name]
            is_good = value <= wanted if kind == "at most" else value >= wanted
            line = f"{line:44} {kind} {wanted:g}: {'yes' if is_good else 'NO'}"
            if not is_good:
                missed.append(name)
        print(line)
    return missed


@contextmanager
def display(wished: str | None) -> Iterator[dict[str, str]]:
    """Give the environment in which the program has a display."""
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1"}
    if wished == "offscreen" or os.name == "nt" or sys.platform == "darwin":
        yield environment if wished is None else {**environment, "QT_QPA_PLATFORM": wished}
        return
    environment["QT_QPA_PLATFORM"] = "xcb"
    if environment.get("DISPLAY"):
        yield environment
        return
    if shutil.which("Xvfb") is None:
        raise SystemExit("measure_app: no display, and Xvfb is not installed (or use --platform offscreen)")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        try:
            yield {**environment, "DISPLAY": f":{number}"}
        finally:
            server.terminate()


@dataclass(slots=True)
class Samples:
    """What is noted while it runs.

    Attributes:
        memory: seconds since the figures begin, and MB.
        latencies_ms: from capture to screen, of each picture.
    """

    memory: list[tuple[float, float]] = field(default_factory=list)
    latencies_ms: array[float] = field(default_factory=lambda: array("f"))  # a list would grow by megabytes an hour


def measured(options: argparse.Namespace) -> int:
    """Run the program and write its figures; the process in which this is called does nothing else."""
    from PyQt6.QtCore import QTimer
    from PyQt6.QtWidgets import QApplication

    from app.choice import DEMO
    from app.controller import Controller
    from app.loading import ModelChoice
    from app.main_window import MainWindow
    from app.settings import AppSettings
    from app.workers import Workers

    app = QApplication(sys.argv[:1])
    figures: dict[str, Any] = {"result": "ended too early", "minutes": options.minutes, "people": options.people}
    with tempfile.TemporaryDirectory(prefix="sadinet-") as name:
        folder = Path(name)
        choice = ModelChoice(options.weights, options.engine, options.device)
        workers = Workers(choice, folder / "cache", open_source=lambda _: played(options.video))
        window = MainWindow(Controller(workers), AppSettings(folder=name), folder)
        window.show()
        app.processEvents()
        figures["window_s"] = round(time.monotonic() - options.began, 3)
        window.controller.start(DEMO)
        steps = measuring(window, options, figures)
        timer = QTimer(window)
        timer.timeout.connect(lambda: next(steps, None) is not None or app.quit())
        timer.start(100)
        app.exec()
        timer.stop()
        window.close()
        late = (*workers.stop(5.0), *window.desk.finish(2.0), *window.side.stop(2.0))
        figures["threads_not_ended"] = list(late)
    options.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    sys.stdout.flush()
    # As the program itself: threads of runtimes may crash the interpreter on its way out.
    os._exit(0 if figures["result"] == "measured" else 1)


def played(path: Path) -> Any:
    """Return the clip as a camera."""
    from sadinet.media.playback import Playback

    return Playback(path, rate_hz=RATE_HZ, is_looped=True)


def measuring(window: Any, options: argparse.Namespace, figures: dict[str, Any]) -> Generator[bool, None, None]:
    """Go through the run, a step whenever the window's timer comes; fill the figures."""
    deadline_s = time.monotonic() + PATIENCE_S
    while window.shown is None or not window.shown.poses:
        errors = [problem.line for problem in window.controller.state.problems if problem.is_error]
        if time.monotonic() > deadline_s or errors:
            figures["result"] = "; ".join(("nobody was found", *errors))
            return
        yield True
    since_s = time.monotonic() - options.began
    figures["first_skeleton_s"] = round(since_s, 3)
    figures["window_to_skeleton_s"] = round(since_s - figures["window_s"], 3)
    warm_s = min(WARM_S, 6 * options.minutes)
    began_s = time.monotonic()
    while time.monotonic() - began_s < warm_s:
        yield True
    before = counted()
    rendering, samples = window.rendering, Samples()
    window.heartbeat.forget()
    rendering.take_latencies()
    shown, status, began_s = rendering.shown, rendering.status, time.monotonic()
    sampled_s = 0.0
    while (spent_s := time.monotonic() - began_s) < 60 * options.minutes:
        samples.latencies_ms.extend(rendering.take_latencies())
        if spent_s >= sampled_s:
            samples.memory.append((spent_s, memory_mb()))
            sampled_s += max(0.5, 60 * options.minutes / 3600)
        yield True
    last = rendering.status
    if status is None or last is None or len(samples.latencies_ms) < 2:
        figures["result"] = "; ".join(problem.line for problem in window.controller.state.problems) or "it stood still"
        return
    captured = last.captured - status.captured
    figures["shown_fps"] = round((rendering.shown - shown) / spent_s, 2)
    figures["source_fps"] = round(captured / spent_s, 2)
    figures["dropped"] = last.dropped - status.dropped
    figures["dropped_percent"] = round(100 * (last.dropped - status.dropped) / max(1, captured), 2)
    figures["latency_median_ms"] = round(statistics.median(samples.latencies_ms), 1)
    figures["latency_p95_ms"] = round(statistics.quantiles(samples.latencies_ms, n=20)[-1], 1)
    figures["heartbeat_p999_ms"] = window.heartbeat.percentile_ms(99.9)
    figures["heartbeat_worst_ms"] = round(window.heartbeat.worst_ms, 1)
    figures["paint_ms"] = round(window.viewer.canvas.paint_ms, 2)
    figures |= of_memory(samples.memory)
    after = counted()
    for name in ("threads", "timers"):
        figures |= {f"{name}_start": before[name], f"{name}_end": after[name]}
        figures[f"{name}_more"] = after[name] - before[name]
    runtime = window.controller.models.pose
    figures["runtime"] = f"{runtime.engine} {runtime.version}, {runtime.device}, {runtime.precision}"
    figures["machine"] = f"{platform.platform()}, {os.cpu_count()} cores"
    figures["result"] = "measured"


def of_memory(samples: list[tuple[float, float]]) -> dict[str, float | None]:
    """Return memory at the beginning, after two minutes and at the end, MB, and its growth an hour.

    The growth is the median of the slopes between medians of pieces of the run; a run of less than four minutes does
    not tell it from settling.
    """
    import numpy as np

    settled = np.array([sample for sample in samples if sample[0] >= SETTLED_S])
    growth: float | None = None
    if len(settled) > 1 and settled[-1, 0] - settled[0, 0] >= SETTLED_S:
        pieces = [np.median(piece, axis=0) for piece in np.array_split(settled, min(PIECES, len(settled)))]
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(pieces, 2)]
        growth = round(float(np.median(slopes)) * 3600, 2)
    return {
        "memory_start_mb": round(samples[0][1], 1),
        "memory_2_minutes_mb": round(float(settled[0, 1]), 1) if len(settled) else None,
        "memory_end_mb": round(samples[-1][1], 1),
        "memory_growth_mb_per_hour": growth,
    }


def counted() -> dict[str, int]:
    """Return how many threads of Python there are, and how many timers of Qt run."""
    from PyQt6 import sip
    from PyQt6.QtCore import QTimer

    timers = [each for each in gc.get_objects() if issubclass(type(each), QTimer) and not sip.isdeleted(each)]
    return {"threads": threading.active_count(), "timers": sum(timer.isActive() for timer in timers)}


def memory_mb() -> float:
    """Return the memory that the process takes just now, MB; 0 where the system does not tell it like Linux."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
