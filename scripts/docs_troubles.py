"""The page of troubles: each mistake is made, and what the program said of it is written down."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sadinet.cli.main import main

HEAD = """\
# Troubleshooting

Begin with `sadinet doctor`: it tries libraries, engines, models and cameras, and names what is missing and what to do.
An error is one line, with the remedy in brackets; `sadinet --debug COMMAND` adds where in the code it came from. The
examples were made by `python scripts/make_docs.py`, which makes each mistake and writes down what the program said.
"""


BY_HAND = "<!-- from here on written by hand -->\n"


@dataclass(frozen=True)
class Trouble:
    """A mistake that people make.

    Attributes:
        title: of the entry.
        command: what they type.
        advice: what the message leaves open.
        prepare: makes what the command needs in the current folder.
    """

    title: str
    command: str
    advice: str
    prepare: Callable[[], object] = lambda: None


def _write(name: str, content: bytes) -> Callable[[], object]:
    def make() -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)

    return make


def _damaged_model() -> None:
    """Copy the default model, and change one of its bytes."""
    from sadinet.weights import find_weights

    weights = find_weights("default")
    Path("own").mkdir()
    for path in (weights.path, weights.file("onnx")):
        Path("own", path.name).write_bytes(path.read_bytes())
    name = Path("own", weights.file("onnx").name)
    data = bytearray(name.read_bytes())
    data[len(data) // 2] ^= 1
    name.write_bytes(bytes(data))
    Path("own", weights.path.name).rename("own/model.json")
    text = Path("own/model.json").read_text(encoding="utf-8")
    Path("own/model.json").write_text(text.replace(f'"{weights.name}"', '"model"', 1), encoding="utf-8")


TROUBLES = (
    Trouble("A file is not there", "sadinet run gone.mp4 -o results", ""),
    Trouble(
        "A file is no video",
        "sadinet run notes.mp4 -o results",
        "The other inputs of the same line are done. `sadinet inspect FILE` tells what a file holds.",
        _write("notes.mp4", b"not a video\n" * 99),
    ),
    Trouble(
        "A recording is empty",
        "sadinet run clip.mp4 -o results",
        "Cameras leave such files when their card is full, or when they are switched off while recording.",
        _write("clip.mp4", b""),
    ),
    Trouble(
        "A folder seems to hold nothing",
        "sadinet run holiday -o results",
        "A pattern in quotes finds videos in folders inside it, too: `sadinet run 'holiday/**/*.mp4' -o results`.",
        _write("holiday/day1/readme.txt", b"-"),
    ),
    Trouble("A pattern matches nothing", "sadinet run 'shots/*.png' -o results", ""),
    Trouble(
        "A stream is given to `sadinet run`",
        "sadinet run rtsp://camera.local/1 -o results",
        "Streams are watched in the program (Ctrl+U) or from Python: [live](live.md).",
    ),
    Trouble(
        "A model is not found",
        "sadinet run clip.mp4 -o results --weights sadinet-x",
        "`sadinet info` lists all models.",
    ),
    Trouble(
        "A model is damaged",
        "sadinet run clip.mp4 -o results --weights own/model.json",
        "One byte was changed here. For a network of your own, fill in its size and hash again after each export: "
        "[your own network](own-network.md).",
        _damaged_model,
    ),
    Trouble(
        "A format does not exist",
        "sadinet run clip.mp4 -o results --format xlsx",
        "Spreadsheet programs open the CSV table.",
    ),
    Trouble(
        "The results cannot be written",
        "sadinet run clip.mp4 -o results.csv",
        "`-o` names a folder, and a file of that name is there.",
        _write("results.csv", b"mine\n"),
    ),
    Trouble(
        "A table cannot be drawn",
        "sadinet plot measured.csv",
        "Only tables of this program can be drawn; one that a spreadsheet has saved again may have lost its columns.",
        _write("measured.csv", b"a,b\n1,2\n"),
    ),
)


def troubles_page(rest: str) -> str:
    """Return the page in Markdown; `rest` is what was written by hand and follows the examples."""
    return "\n".join([HEAD, *(_entry(trouble) for trouble in TROUBLES), BY_HAND]) + rest


def _entry(trouble: Trouble) -> str:
    with _folder():
        trouble.prepare()
        code, said = _tried(trouble.command)
    lines = [f"## {trouble.title}", "", "```text", f"$ {trouble.command}", *said, f"exit code {code}", "```", ""]
    return "\n".join([*lines, trouble.advice, ""] if trouble.advice else lines)


def _tried(command: str) -> tuple[int, list[str]]:
    """Run a command that fails; returns its exit code and what it complained of."""
    out, complaints = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaints):
        try:
            code = main(shlex.split(command)[1:])
        except SystemExit as end:
            code = int(end.code or 0)
    said = re.sub(r"\b[0-9a-f]{64}\b", "…", complaints.getvalue())  # they change with every model
    return code, said.strip().splitlines()


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    """Work in a folder of its own, with a video in it."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="sadinet-") as folder:
        os.chdir(folder)
        try:
            clip = resources.files("sadinet").joinpath("_demo", "walk.mp4")
            Path("clip.mp4").write_bytes(clip.read_bytes())
            yield
        finally:
            os.chdir(before)
