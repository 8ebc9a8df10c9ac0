"""Runs of batches with the shipped models, in this process and in others."""

from __future__ import annotations

import copy
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from sadinet.batch.describe import BatchSettings
from sadinet.batch.naming import Job, Wanted, plan_jobs
from sadinet.batch.runner import Outcome
from sadinet.batch.session import Session, batch_people, run_batch
from sadinet.media.source import open_source
from sadinet.motion.settings import MotionSettings
from sadinet.pipeline import People, Settings

ROOT = Path(__file__).parents[2]


@dataclass
class Heard:
    """Keeps what a batch tells, and may do something when it does."""

    began_with: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    frames: dict[tuple[str, str], int] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    on_advance: Callable[[str, int], None] | None = None
    names: dict[int, str] = field(default_factory=dict)
    now: str = ""

    def began(self, place: int, job: Job, frames: int | None, done: int) -> None:
        self.names[place] = Path(job.where).name
        self.began_with[self.names[place]] = (frames, done)

    def advanced(self, place: int, frames: int, stage: str) -> None:
        key = (self.names[place], stage)
        self.frames[key] = self.frames.get(key, 0) + frames
        if self.on_advance is not None:
            self.now = self.names[place]
            self.on_advance(stage, self.frames[key])

    def ended(self, place: int, outcome: Outcome) -> None:
        self.outcomes[Path(outcome.job.where).name] = outcome


@dataclass
class Batches:
    """Runs batches with models that were loaded once.

    Attributes:
        people: the models, as `sadinet run` makes them.
        heard: what the last batch told.
    """

    people: People
    heard: Heard = field(default_factory=Heard)

    def with_chunks(self, chunk_frames: int) -> People:
        clone = copy.copy(self.people)
        clone.settings = replace(self.people.settings, chunk_frames=chunk_frames)
        return clone

    def __call__(
        self,
        inputs: list[Path] | Path,
        out: Path,
        *,
        chunk_frames: int = 4,
        wanted: Wanted | None = None,
        motion: MotionSettings | None = None,
        on_advance: Callable[[str, int], None] | None = None,
        people: People | None = None,
        **more: Any,
    ) -> Session:
        out.mkdir(exist_ok=True)
        wanted = wanted or Wanted()
        names = [str(each) for each in (inputs if isinstance(inputs, list) else [inputs])]
        jobs, _ = plan_jobs(names, out, wanted)
        people = people or self.with_chunks(chunk_frames)
        settings = BatchSettings(people.settings, motion or MotionSettings(), wanted)
        self.heard = Heard(on_advance=on_advance)
        return run_batch(jobs, out, settings, people, self.heard, **more)

    def one(self, where: Path, out: Path, **more: Any) -> Outcome:
        (outcome,) = self(where, out, **more).outcomes
        return outcome


@pytest.fixture(scope="session")
def batches() -> Batches:
    """Runs batches in this process."""
    return Batches(People(batch_people(Settings(engine="onnx", device="cpu"))))


def digests(folder: Path) -> dict[str, str]:
    """The hash of each output in a folder of results; the report, which tells times of day, is none."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    parts = {path: path.relative_to(folder).as_posix() for path in files}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path, name in parts.items()
        if not name.startswith((".sadinet/", "sadinet-report"))
    }


def write_video(path: Path, images: list[np.ndarray], *, rate: int = 30, keys_every: int = 3) -> Path:
    """Write an H.264 video that can be read from the middle."""
    with av.open(str(path), "w") as container:
        options = {"g": str(keys_every), "keyint_min": str(keys_every), "bf": "2", "sc_threshold": "0"}
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def images(clip) -> list[np.ndarray]:
    """The bundled clip's first 26 pictures at half its size."""
    with open_source(clip) as source:
        shown = [frame.image for frame in islice(source, 26)]
    return [cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for image in shown]


@pytest.fixture(scope="session")
def stroll(images, tmp_path_factory) -> Path:
    """One walker, 16 frames, with a key frame every 3."""
    return write_video(tmp_path_factory.mktemp("stroll") / "stroll.mp4", images[:16])


@pytest.fixture(scope="session")
def torn(images, tmp_path_factory) -> Path:
    """A video of 26 frames, of which a broad stretch does not decode: from there on it is read from its start."""
    path = write_video(tmp_path_factory.mktemp("torn") / "torn.mp4", images)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(3)
    for place, size in places[15:20]:
        # The length in front of a packet's data stays: the container is whole, its content is not.
        data[place + 5 : place + size] = noise.bytes(size - 5)
    path.write_bytes(data)
    return path


class CommandLine:
    """`sadinet run` in a process of its own."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: object, code: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *(["-c", code] if code else ["-m", "sadinet", "run"]), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.started.append(process)
        return process

    def done(self, *arguments: object) -> tuple[int, list[str], list[str]]:
        """Run to the end; returns the exit code, lines printed, lines complained."""
        process = self(*arguments)
        printed, complained = process.communicate(timeout=900)
        assert "Traceback" not in complained, complained
        return process.returncode, printed.splitlines(), complained.splitlines()


@pytest.fixture
def start():
    """Starts `sadinet run`, and ends what is left of it."""
    line = CommandLine()
    yield line
    for process in line.started:
        process.kill()
        process.communicate()


def wait_for(claim: Callable[[], bool], timeout_s: float = 900) -> None:
    """Wait until something holds; the limit is for what never does, not for machines that are busy."""
    deadline = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


@pytest.fixture(scope="session", name="digests")
def give_digests() -> Callable[[Path], dict[str, str]]:
    return digests


@pytest.fixture(scope="session", name="wait_for")
def give_wait_for() -> Callable[..., None]:
    return wait_for


@pytest.fixture(scope="session", name="write_video")
def give_write_video() -> Callable[..., Path]:
    return write_video
