"""Takes out of a finished bundle for Linux what is there twice, or for nobody.

Every step leaves alone what it does not know; the bundle works without any of them, and is larger then.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)$", re.MULTILINE)
_MAGIC = b"\x7fELF"
_LOAD = 1
_PRUNED = (".", "PyQt6/Qt6/lib", "*.libs")
"""Folders whose libraries are there only because others need them."""
_LOADED_BY_NAME = re.compile(r"libpython|libscipy_openblas|libnvidia|libcu|libonnxruntime")


def libraries(folder: Path) -> list[Path]:
    """Return the ELF files of a folder, links left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                if stream.read(4) == _MAGIC:
                    found.append(path)
    return found


def share(folder: Path, pairs: Iterable[Sequence[str]]) -> None:
    """Put links to PyAV's FFmpeg in the places of OpenCV's.

    Args:
        folder: of the bundle's libraries.
        pairs: OpenCV's library, PyAV's; paths in the folder.
    """
    for place, other in pairs:
        source = folder / other
        _link(folder / place, source)
        # The loader looks for what FFmpeg needs beside the link, not beside the file.
        for beside in source.parent.iterdir():
            _link((folder / place).parent / beside.name, beside)


def link_to_top(folder: Path, libraries: Iterable[Path]) -> None:
    """Put links to libraries where the program's loader looks: CUDA's are loaded by their bare names."""
    for path in list(libraries):
        _link(folder / path.name, path)


def prune(folder: Path) -> list[str]:
    """Remove libraries that no other file needs; returns their paths in the folder."""
    removed: list[str] = []
    candidates = {
        path
        for pattern in _PRUNED
        for place in ([folder] if pattern == "." else folder.glob(pattern))
        for path in place.iterdir()
        if ".so" in path.name and path.is_file() and not _LOADED_BY_NAME.match(path.name)
    }
    needs = {path: set(_needed(path)) for path in libraries(folder.parent)}
    while True:
        wanted = set().union(*needs.values())
        unused = [path for path in candidates if path.name not in wanted]
        if not unused:
            return sorted(removed)
        for path in unused:
            path.unlink()
            candidates.discard(path)
            needs.pop(path, None)
            removed.append(path.relative_to(folder).as_posix())


def strip(folder: Path) -> None:
    """Remove what only a debugger reads, where the result still loads.

    Wheels' libraries have often been edited after linking; taking something out of those may move what must lie at
    the beginning of a page.
    """
    tool = shutil.which("strip")
    if tool is None:
        return
    for path in libraries(folder):
        slimmer = path.with_name(path.name + ".slim")
        done = subprocess.run(
            [tool, "--strip-unneeded", "-o", str(slimmer), str(path)], capture_output=True, check=False
        )
        if done.returncode == 0 and is_aligned(slimmer) and slimmer.stat().st_size < path.stat().st_size:
            slimmer.chmod(path.stat().st_mode)
            slimmer.replace(path)
        slimmer.unlink(missing_ok=True)


def is_aligned(library: Path) -> bool:
    """Say whether the loader could map a library of 64 bits, little-endian: segments lie in the file as in memory."""
    content = library.read_bytes()
    if content[:6] != _MAGIC + b"\x02\x01":
        return False
    table = struct.unpack_from("<Q", content, 32)[0]
    size, count = struct.unpack_from("<HH", content, 54)
    for i in range(count):
        kind, _, offset, address, _, _, _, alignment = struct.unpack_from("<IIQQQQQQ", content, table + i * size)
        if kind == _LOAD and (address - offset) % max(alignment, 1):
            return False
    return True


def merge(folder: Path, smallest: int = 100_000) -> int:
    """Make hard links of files with the same content; returns how many bytes that saved.

    Args:
        folder: of the bundle.
        smallest: bytes of the smallest file that is worth it.
    """
    by_kind: dict[tuple[int, int], list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and (status := path.stat()).st_size >= smallest:
            by_kind.setdefault((status.st_size, status.st_mode), []).append(path)
    saved = 0
    for (size, _), paths in by_kind.items():
        first: dict[str, Path] = {}
        for path in paths if len(paths) > 1 else ():
            with path.open("rb") as stream:
                other = first.setdefault(hashlib.file_digest(stream, "sha256").hexdigest(), path)
            if not other.samefile(path):
                saved += size
                path.unlink()
                os.link(other, path)
    return saved


def size_mb(folder: Path) -> float:
    """Return what a folder holds, in units of 10^6 bytes; what is linked counts once."""
    files = {
        (status.st_dev, status.st_ino): status.st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
        for status in [path.stat()]
    }
    return sum(files.values()) / 1e6


def _needed(path: Path) -> list[str]:
    done = subprocess.run(["objdump", "-p", str(path)], capture_output=True, text=True, check=False)
    return _NEEDED.findall(done.stdout)


def _link(place: Path, source: Path) -> None:
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(source, place.parent))
