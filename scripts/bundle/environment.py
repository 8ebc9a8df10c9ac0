"""The environment that the packaged program is made in and from: just what it needs, whatever else is installed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from bundle.contents import EXCLUDED_PARTS

# The wheels of both are made from one source and hold the same `cv2`; this one has no Qt 5 and no windows of its own,
# which the program does not use.
REPLACED = {"opencv-python": "opencv-python-headless"}

REPLACED_FOR_CUDA = {**REPLACED, "onnxruntime": "onnxruntime-gpu"}

_NAME = re.compile(r"[\w.-]+")


class BuildError(Exception):
    """The bundle cannot be made; the message says why."""


def requirements(project: Path, extra: str = "", *, is_cuda: bool = False) -> list[str]:
    """Return what a bundle's environment needs, as pip takes it.

    Args:
        project: pyproject.toml.
        extra: the extra whose requirements come with it.
        is_cuda: take ONNX Runtime with CUDA and the libraries that it loads.
    """
    declared = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    lines = list(declared["dependencies"])
    if extra:
        lines += declared["optional-dependencies"][extra]
    return [_replaced(line, is_cuda) for line in lines]


def make(folder: Path, project: Path, wheel: Path, *, is_cuda: bool = False) -> Path:
    """Make an environment with the wheel and all it needs; returns its Python.

    Raises:
        BuildError: if something cannot be installed.
    """
    print(f"environment in {folder}", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip(python, "install", *requirements(project, "package", is_cuda=is_cuda))
    pip(python, "install", "--no-deps", str(wheel))
    return python


def make_wheel(source: Path, folder: Path) -> Path:
    """Make the wheel of a checkout; returns its path.

    Raises:
        BuildError: if that fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.whl"):
        old.unlink()
    pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", str(folder), str(source))
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise BuildError(f"pip made {len(found)} wheels in {folder}, one was expected")
    return found[0]


def pip(python: Path, *arguments: str) -> None:
    """Run pip; raises `BuildError` if it fails."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    if subprocess.run(command, check=False).returncode:
        raise BuildError(f"pip {arguments[0]} failed; its own message is above")


def parts(root: str = "sadinet") -> list[str]:
    """Return the names of this environment's distributions that the bundle consists of, the program itself first."""
    from packaging.requirements import Requirement

    found: dict[str, None] = {}
    waiting = [(root, frozenset({""}))]
    while waiting:
        name, extras = waiting.pop(0)
        try:
            there = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of those that replace each other, one is there
        if there.metadata["Name"] in found:
            continue
        found[there.metadata["Name"]] = None
        for line in there.requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                names = {needed.name, REPLACED_FOR_CUDA.get(needed.name, needed.name)}
                waiting += [(each, frozenset(needed.extras) | {""}) for each in sorted(names)]
    return [name for name in found if name.lower() not in EXCLUDED_PARTS]


def write_lines(path: Path, lines: Iterable[Sequence[str]]) -> None:
    """Write a table, one row a line, with tabs between."""
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def read_lines(path: Path) -> list[list[str]]:
    """Read what `write_lines` wrote."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def _replaced(line: str, is_cuda: bool) -> str:
    match = _NAME.match(line)
    name = match.group() if match else line
    other = (REPLACED_FOR_CUDA if is_cuda else REPLACED).get(name, name)
    if other == "onnxruntime-gpu":
        other += "[cuda,cudnn]"
    return other + line[len(name) :]
