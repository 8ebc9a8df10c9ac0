"""Collects the licences of every part of the bundle, and writes THIRD-PARTY.md; fails where a part has none.

Run by the Python of the environment that the bundle was made from: python licences.py BUNDLE ORIGINS REFUSED, where
ORIGINS is the table of the spec file: path in the bundle, path on this machine; REFUSED lists the paths in whose places
there are stand-ins of our own.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bundle.environment import BuildError, parts, read_lines
from bundle.vendored import KEPT_TEXTS, vendored

_TEXT = re.compile(r"(?i)(licen[cs]e|copying|notice|copyright|authors|third-?party|privacy)[\w.-]*$")
_NO_TEXT = re.compile(r"(?i)\.(py|pyc|pyi|so|dll|js|json|spdx)$")
_HEAD = """\
# What the packaged program consists of

SADI-NET itself is free software under the AGPL-3.0-or-later (LICENSE). It stands on the work of others, listed here
with the licence that each states; the texts lie in the folder named in the last column. Libraries under the GPL and
LGPL are files of their own, which may be replaced by other builds of the same version; their source is to be had from
their makers, at the addresses below.

| part | version | licence | source | texts |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that others made.

    Attributes:
        name: as its makers call it.
        version: of it, as far as it is known.
        licence: what they say it is.
        source: where it comes from.
        texts: files with the full licences, on this machine; one at least.
    """

    name: str
    version: str
    licence: str
    source: str
    texts: tuple[Path, ...]

    @property
    def folder(self) -> str:
        """The name of the folder with its texts."""
        return re.sub(r"[^\w.+-]", "_", self.name)


def collect(origins: list[list[str]], names: list[str]) -> list[Part]:
    """Return all parts of a bundle.

    Args:
        origins: path in the bundle, path on this machine, of each library.
        names: of the Python distributions.

    Raises:
        BuildError: for a part whose licence is not known.
    """
    found = [of_distribution(name) for name in names if name != "sadinet"]
    found += [_of_python(), of_distribution("pyinstaller")]
    found += vendored_parts([place for place, _ in origins])
    system = {Path(origin).resolve() for _, origin in origins if _is_systems(Path(origin))}
    if sys.platform == "linux":
        found += [_of_system(package) for package in sorted({_package_of(path) for path in system})]
    return found


def vendored_parts(places: list[str]) -> list[Part]:
    """Return the libraries that wheels bring along, whose licences the wheels do not hold."""
    made = []
    for known in vendored(places):
        texts = tuple(KEPT_TEXTS / f"{name}.txt" for name in known.texts)
        made.append(Part(known.name, f"as in {known.wheel}", known.licence, known.source, texts))
    return made


def of_distribution(name: str) -> Part:
    """Describe a Python distribution by its own metadata; raises `BuildError` if no licence text is known."""
    there = metadata.distribution(name)
    texts = tuple(
        path
        for entry in there.files or ()
        if _TEXT.search(entry.name) and not _NO_TEXT.search(entry.name)
        for path in [Path(str(entry.locate()))]
        if path.is_file()
    )
    stated = _stated(there.metadata)
    if not texts and "apache" in stated.lower():
        texts = (KEPT_TEXTS / "Apache-2.0.txt",)
    if not texts:
        raise BuildError(f"{name} {there.version} has no licence file; add what its makers state")
    return Part(there.metadata["Name"], there.version, stated, _home(there.metadata), texts)


def write(bundle: Path, found: list[Part]) -> None:
    """Write THIRD-PARTY.md and the folder `licences`."""
    target = bundle / "licences"
    shutil.rmtree(target, ignore_errors=True)
    rows = []
    for part in sorted(found, key=lambda part: part.name.lower()):
        folder = target / part.folder
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(part.texts):
            place = folder / (text.name if text.name not in {other.name for other in folder.iterdir()} else "")
            shutil.copyfile(text, place if place != folder else folder / f"{number}-{text.name}")
        licence = " ".join(part.licence.split()).replace("|", "/")
        rows.append(f"| {part.name} | {part.version} | {licence} | {part.source} | licences/{part.folder} |\n")
    (bundle / "THIRD-PARTY.md").write_text(_HEAD + "".join(rows), encoding="utf-8")


def _stated(about: metadata.PackageMetadata) -> str:
    if expression := _field(about, "License-Expression"):
        return expression
    classifiers = [text.rpartition(" :: ")[2] for text in about.get_all("Classifier") or () if "License ::" in text]
    said = _field(about, "License")
    return said if said and len(said) < 100 and "\n" not in said else ", ".join(classifiers) or "see the texts"


def _home(about: metadata.PackageMetadata) -> str:
    links = [str(link).partition(", ") for link in about.get_all("Project-URL") or ()]
    for wanted in ("source", "repository", "homepage"):
        for label, _, address in links:
            if label.lower().startswith(wanted):
                return address
    return _field(about, "Home-page") or "see its metadata"


def _field(about: metadata.PackageMetadata, name: str) -> str:
    return str(about[name]) if name in about else ""


def _of_python() -> Part:
    library = Path(sysconfig.get_path("stdlib"))
    version = platform.python_version()
    short = ".".join(version.split(".")[:2])
    places = (
        library / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        Path(f"/usr/share/doc/python{short}/copyright"),
    )
    texts = tuple(path for path in places if path.is_file())[:1]
    if not texts:
        raise BuildError(f"the licence of Python is none of {', '.join(map(str, places))}; install it there")
    return Part("Python", version, "PSF-2.0", "https://www.python.org", texts)


def _is_systems(path: Path) -> bool:
    own = (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve() if sys.base_prefix != "/usr" else None)
    return not any(place is not None and path.resolve().is_relative_to(place) for place in own)


@cache
def _package_of(path: Path) -> str:
    """Return the Debian package of a library; raises `BuildError` if there is none."""
    text = str(path)
    # Some packages still say /lib for what lies in /usr/lib.
    for name in (text, text.removeprefix("/usr"), "/usr" + text):
        done = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.partition(": ")[0].partition(",")[0].partition(":")[0]
    raise BuildError(f"{path} goes into the bundle, but no Debian package has it: its licence is not known")


def _of_system(package: str) -> Part:
    text = Path("/usr/share/doc") / package / "copyright"
    if not text.is_file():
        raise BuildError(f"{text} is missing; apt-get install --reinstall {package}")
    asked = ["dpkg-query", "--show", "--showformat=${Version}", package]
    version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return Part(package, version, "see the text", f"Debian package {package}", (text,))


def main() -> int:
    """Do it; returns the exit code."""
    bundle, origins = Path(sys.argv[1]), read_lines(Path(sys.argv[2]))
    refused = {path for (path,) in read_lines(Path(sys.argv[3]))}
    there = [
        line
        for line in origins
        if line[0] not in refused and any((bundle / folder / line[0]).exists() for folder in ("_internal", "."))
    ]
    try:
        write(bundle, collect(there, parts()))
    except BuildError as error:
        print(f"licences: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
