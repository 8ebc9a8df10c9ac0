"""Run `sadinet run` on a long video that is made on the spot, and watch how much memory it holds.

    python scripts/measure_memory.py --minutes 30 --rate 10 --png memory.png

The bundled clip is scaled to 1280x720 and repeated until the video is long enough. Prints the peak, the level after two
minutes and at the end, and the growth between; with --png draws the course.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from itertools import count
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

import sadinet
from sadinet.media.chart import Chart, Figure, Series
from sadinet.media.chart_png import write_png
from sadinet.media.video import VideoReader

CLIP = Path(sadinet.__file__).parent / "_demo" / "walk.mp4"
SIZE_WH = (1280, 720)
SETTLED_S = 120.0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long the video is")
    parser.add_argument("--rate", type=int, default=30, help="its frames a second")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--png", type=Path, help="draw the course here")
    return parser.parse_args(arguments)


def make_video(path: Path, minutes: float, rate: int) -> int:
    """Write the bundled clip, scaled and repeated; returns the number of frames."""
    with VideoReader(CLIP) as reader:
        pictures = [_letterboxed(frame.image) for frame in reader]
    wanted = round(minutes * 60 * rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "26"})
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        for number in range(wanted):
            picture = av.VideoFrame.from_ndarray(pictures[number % len(pictures)], format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return wanted


def _letterboxed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = round(image.shape[0] * SIZE_WH[0] / image.shape[1])
    canvas = np.full((SIZE_WH[1], SIZE_WH[0], 3), 90, np.uint8)
    top = (SIZE_WH[1] - height) // 2
    canvas[top : top + height] = cv2.resize(image, (SIZE_WH[0], height), interpolation=cv2.INTER_AREA)
    return canvas


def watch(command: list[str], every_s: float = 1.0) -> tuple[list[float], list[float], int]:
    """Run a command; returns seconds, megabytes that it and its children hold, and its exit code."""
    process = subprocess.Popen(command)
    began = time.monotonic()
    seconds: list[float] = []
    megabytes: list[float] = []
    for number in count(1):
        try:
            code = process.wait(timeout=max(0.0, began + number * every_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            seconds.append(time.monotonic() - began)
            megabytes.append(sum(map(resident_mb, [process.pid, *children(process.pid)])))
            continue
        return seconds, megabytes, code
    raise AssertionError("unreachable")


def resident_mb(process: int) -> float:
    """Return the resident memory of a process, 0 for one that is gone. Linux only."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * 4096 / 1e6


def children(process: int) -> list[int]:
    """Return all processes below one."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    direct = [int(each) for each in listed]
    return direct + [below for each in direct for below in children(each)]


def main(arguments: list[str] | None = None) -> int:
    """Measure; returns the exit code of the run."""
    options = parse(arguments)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "long.mp4"
        frames = make_video(video, options.minutes, options.rate)
        command = [sys.executable, "-m", "sadinet", "run", str(video), "-o", folder + "/out", "--quiet"]
        seconds, megabytes, code = watch([*command, "--jobs", str(options.jobs)])
    settled = [each for at, each in zip(seconds, megabytes, strict=True) if at >= SETTLED_S] or megabytes[-1:]
    half = len(settled) // 2
    before, behind = float(np.median(settled[: half + 1])), float(np.median(settled[half:]))
    print(f"{frames} frames of {SIZE_WH[0]}x{SIZE_WH[1]} in {seconds[-1]:.0f} s, exit code {code}")
    print(f"peak {max(megabytes):.0f} MB; after two minutes {settled[0]:.0f} MB, at the end {settled[-1]:.0f} MB")
    print(f"median of the first half after two minutes {before:.0f} MB, of the second {behind:.0f} MB")
    if options.png:
        draw(options.png, np.array(seconds), np.array(megabytes))
    return code


def draw(path: Path, seconds: NDArray[np.float64], megabytes: NDArray[np.float64]) -> None:
    """Draw the course of memory."""
    series = Series("", seconds, megabytes, tone="people")
    top = float(np.ceil(megabytes.max() / 100) * 100)
    chart = Chart("resident memory, MB", (series,), x_kind="time", x_label="since the start", y_range=(0.0, top))
    figure = Figure(
        ((chart,),),
        title="Memory of sadinet run over a long video",
        description="Resident memory of the process and its children over the time of a run.",
    )
    write_png(path, figure)


if __name__ == "__main__":
    sys.exit(main())
