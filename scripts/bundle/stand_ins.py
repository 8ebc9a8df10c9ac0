"""Small libraries that stand in for large ones of a bundle for Linux.

OpenCV's wheel brings an OpenBLAS of its own for a handful of LAPACK functions; SciPy's has the same functions, with
"scipy_" before their names. The stand-in passes each call on.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

_JUMPS = {"x86_64": "jmp {}@PLT", "aarch64": "b {}"}
_PREFIX = "scipy_"
_UNDEFINED = re.compile(r"^\s*\d+:.*\sUND\s+([A-Za-z_]\w*)", re.MULTILINE)
_DEFINED = re.compile(r"^\s*\d+:.*\s(?:GLOBAL|WEAK)\s+(?:DEFAULT|PROTECTED)\s+\d+\s+([A-Za-z_]\w*)", re.MULTILINE)


def compiler() -> str | None:
    """Return the system's C compiler, whose assembler and linker make the libraries."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def forward_blas(folder: Path, tool: str) -> int:
    """Replace OpenCV's OpenBLAS by a library that passes its calls on to SciPy's; returns how many bytes that saved.

    Args:
        folder: of the bundle's libraries.
        tool: a C compiler.
    """
    users = sorted(folder.glob("cv2/*.so"))
    olds = sorted(folder.glob("opencv*.libs/libopenblas*"))
    others = sorted(folder.glob("scipy.libs/libscipy_openblas-*"))  # the one with 32-bit integers, as OpenCV's
    jump = _JUMPS.get(platform.machine())
    if not (len(users) == len(olds) == len(others) == 1) or jump is None:
        return 0
    old, other = olds[0], others[0]
    names = sorted(_names(users[0], _UNDEFINED) & _names(old, _DEFINED))
    if not names or not {_PREFIX + name for name in names} <= _names(other, _DEFINED):
        return 0
    source = old.with_name("blas.s")
    lines = [f".globl {name}\n.type {name},%function\n{name}: {jump.format(_PREFIX + name)}\n" for name in names]
    source.write_text(".text\n" + "".join(lines) + '.section .note.GNU-stack,"",%progbits\n', encoding="ascii")
    before, made = old.stat().st_size, old.with_name("blas.so")
    links = [f"-Wl,-soname,{old.name}", "-Wl,-rpath,$ORIGIN/../scipy.libs", str(other)]
    subprocess.run(
        [tool, "-shared", "-nostdlib", "-o", str(made), str(source), *links], check=True, capture_output=True
    )
    made.replace(old)
    source.unlink()
    return before - old.stat().st_size


def _names(library: Path, pattern: re.Pattern[str]) -> set[str]:
    command = ["readelf", "-W", "--dyn-syms", str(library)]
    return set(pattern.findall(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
