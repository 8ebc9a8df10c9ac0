"""Small libraries that stand in for large ones of a bundle for Linux.

OpenCV's wheel brings an OpenBLAS of its own for a handful of LAPACK functions, NumPy's another one; SciPy's has the
same functions, under slightly other names. Their stand-ins pass each call on. Others are linked in and never called:
encoders that the program does not write with, filters. Their stand-ins refuse whatever is asked of them.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

_JUMPS = {"x86_64": "jmp {}@PLT", "aarch64": "b {}"}
_PREFIX = "scipy_"
_UNDEFINED = re.compile(r"^\s*\d+:.*\sUND\s+([A-Za-z_]\w*)", re.MULTILINE)
_DEFINED = re.compile(r"^\s*\d+:.*\s(?:GLOBAL|WEAK)\s+(?:DEFAULT|PROTECTED)\s+\d+\s+([A-Za-z_]\w*)", re.MULTILINE)
_FUNCTIONS = re.compile(
    r"^\s*\d+:.*\sI?FUNC\s+(?:GLOBAL|WEAK)\s+(?:DEFAULT|PROTECTED)\s+\d+\s+([A-Za-z_]\w*)", re.MULTILINE
)
_VERSION = re.compile(r"^\d+ 0x00 0x[0-9a-f]+ (\w+)", re.MULTILINE)
_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)$", re.MULTILINE)

REFUSED = (
    "av.libs/libx265-*.so*",  # writes H.265; the program writes H.264 with x264, and FFmpeg reads both by itself
    "av.libs/libSvtAv1Enc-*.so*",  # writes AV1; dav1d reads it
    "av.libs/libavfilter-*.so*",
    "av.libs/libavdevice-*.so*",  # cameras are opened with OpenCV
    "opencv*.libs/libaom-*.so*",  # AV1 within AVIF pictures, which the program does not take
)
"""Libraries that others are linked against, and of which nothing is called but what tells their version."""

_TEXTS = re.compile(r"\w+_(?:configuration|license|version_str|to_string|error|error_detail)")
_CODES = (
    (re.compile(r"svt_\w+"), "(int) 0x80001005"),  # EB_ErrorBadParameter
    (re.compile(r"aom_codec_(?:control|dec_|decode|destroy|enc_|encode|set_)\w*"), "1"),  # AOM_CODEC_ERROR
)
"""What functions return where they refuse; others return 0, which is no object, and no version."""

# Fortran's functions take addresses. Whole numbers of 64 bits are read where 32 are expected, as both are
# little-endian; those that come back are made longer.
_WIDEN = """\
typedef __INT32_TYPE__ narrow;
typedef __INT64_TYPE__ wide;
static void widen(void *values, wide count) {
    while (count-- > 0) ((wide *) values)[count] = ((narrow *) values)[count];
}
"""

_LAPACK: dict[str, tuple[int, int, dict[int, str]]] = {
    "gesv": (8, 8, {4: "*a0"}),
    "getrf": (6, 6, {4: "*a0 < *a1 ? *a0 : *a1"}),
    "potrf": (5, 5, {}),
    "syevd": (11, 11, {-3: "1"}),
    "heevd": (13, 13, {-3: "1"}),
    "geev": (14, 14, {}),
    "gesdd": (14, 15, {}),
    "gelsd": (14, 15, {9: "1", -2: "1"}),
    "geqrf": (8, 8, {}),
    "orgqr": (9, 9, {}),
    "ungqr": (9, 9, {}),
}
"""LAPACK's functions that NumPy calls: how many arguments they have, for real and for complex numbers, and which of
them come back as whole numbers, how many of these; the last argument always does, as one."""


def compiler() -> str | None:
    """Return the system's C compiler, which makes the libraries."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def forward_blas(folder: Path, tool: str) -> int:
    """Replace OpenCV's OpenBLAS by a library that passes its calls on to SciPy's; returns how many bytes that saved.

    Args:
        folder: of the bundle's libraries.
        tool: a C compiler.
    """
    users = sorted(folder.glob("cv2/*.so"))
    return _forward(folder, tool, users, "opencv*.libs/libopenblas*")


def forward_numpys_blas(folder: Path, tool: str) -> int:
    """Replace NumPy's OpenBLAS, whose whole numbers have 64 bits, likewise; returns how many bytes that saved.

    Args:
        folder: of the bundle's libraries.
        tool: a C compiler.
    """
    users = [path for path in sorted(folder.glob("numpy/**/*.so")) if "openblas" in " ".join(_needed(path))]
    return _forward(folder, tool, users, "numpy.libs/libscipy_openblas64_*")


def refuse(folder: Path, tool: str) -> list[str]:
    """Replace libraries of which nothing is called by ones that refuse everything; returns their paths in the folder.

    Args:
        folder: of the bundle's libraries.
        tool: a C compiler.
    """
    users = {
        path: _needed(path)
        for pattern in ("av/**/*.so", "av.libs/*.so*", "cv2/*.so", "opencv*.libs/*.so*")
        for path in folder.glob(pattern)
        if not path.is_symlink()
    }
    replaced = []
    for pattern in REFUSED:
        for old in sorted(path for path in folder.glob(pattern) if path in users):
            taken = set[str]().union(
                *(_names(path, _UNDEFINED) for path, needed in users.items() if old.name in needed)
            )
            names = sorted(taken & _names(old, _DEFINED))
            if set(names) <= _names(old, _FUNCTIONS):  # nobody can stand in for data
                _replace(old, tool, (_refusal(name) for name in names))
                users[old] = []
                replaced.append(old.relative_to(folder).as_posix())
    return replaced


def _forward(folder: Path, tool: str, users: Sequence[Path], pattern: str) -> int:
    olds = sorted(folder.glob(pattern))
    others = sorted(folder.glob("scipy.libs/libscipy_openblas-*"))  # the one with 32-bit integers
    jump = _JUMPS.get(platform.machine())
    if not users or not (len(olds) == len(others) == 1) or jump is None:
        return 0
    old, other = olds[0], others[0]
    names = sorted(set[str]().union(*(_names(path, _UNDEFINED) for path in users)) & _names(old, _DEFINED))
    theirs = {name: _name_in_scipy(name) for name in names}
    code = {name: _passed_on(name, there, jump) for name, there in theirs.items()}
    if not names or not set(theirs.values()) <= _names(other, _DEFINED) or None in code.values():
        return 0
    before = old.stat().st_size
    links = ["-Wl,-rpath,$ORIGIN/../scipy.libs", str(other)]
    _replace(old, tool, [_WIDEN, *(text for text in code.values() if text)], links)
    return before - old.stat().st_size


def _name_in_scipy(name: str) -> str:
    plain = name.removeprefix(_PREFIX)
    if plain != name:  # NumPy's
        plain = plain.removesuffix("64_")
    return _PREFIX + plain


def _passed_on(name: str, there: str, jump: str) -> str | None:
    """Return the code of a function that calls another one; None where its arguments are not known.

    Args:
        name: of the function; it ends in "64_" where whole numbers have 64 bits.
        there: name of the one that is called.
        jump: this machine's instruction that goes to a function.
    """
    is_wide = name.endswith("64_")
    fortran = re.fullmatch(r"scipy_([sdcz])([a-z]+)_", there)
    # C's functions take whole numbers by value, in registers or places of 64 bits; copy gives none back.
    if not is_wide or there.startswith(_PREFIX + "cblas_") or (fortran and fortran[2] == "copy"):
        return f'__asm__(".globl {name}\\n.type {name},%function\\n{name}: {jump.format(there)}\\n");\n'
    if fortran is None or fortran[2] not in _LAPACK:
        return None
    real, complex_, returned = _LAPACK[fortran[2]]
    count = real if fortran[1] in "sd" else complex_
    types = ", ".join(f"narrow *a{i}" for i in range(count))
    values = ", ".join(f"a{i}" for i in range(count))
    widened = "".join(f" widen(a{i % count}, {size});" for i, size in {**returned, -1: "1"}.items())
    return f"void {there}({types});\nvoid {name}({types}) {{ {there}({values});{widened} }}\n"


def _refusal(name: str) -> str:
    if _TEXTS.fullmatch(name):
        return f'const char *{name}(void) {{ return ""; }}\n'
    code = next((value for pattern, value in _CODES if pattern.fullmatch(name)), "0")
    return f"long {name}(void) {{ return {code}; }}\n"


def _replace(old: Path, tool: str, code: Iterable[str], links: Sequence[str] = ()) -> None:
    """Put a library made of C code in the place of another one, with its name and its symbols' version."""
    source, made, script = (old.with_name(f"stand-in.{end}") for end in ("c", "so", "map"))
    source.write_text("".join(code), encoding="ascii")
    options = ["-shared", "-nostdlib", "-fPIC", "-O1", "-fno-strict-aliasing", "-fno-stack-protector", "-w"]
    command = [tool, *options, f"-Wl,-soname,{old.name}", "-o", str(made), str(source), *links]
    if version := _VERSION.search(_dump(old)):
        script.write_text(f"{version[1]} {{ global: *; }};\n", encoding="ascii")
        command.append(f"-Wl,--version-script={script}")
    subprocess.run(command, check=True, capture_output=True)
    made.chmod(0o755)
    made.replace(old)
    source.unlink()
    script.unlink(missing_ok=True)


def _names(library: Path, pattern: re.Pattern[str]) -> set[str]:
    command = ["readelf", "-W", "--dyn-syms", str(library)]
    return set(pattern.findall(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def _needed(library: Path) -> list[str]:
    return _NEEDED.findall(_dump(library))


def _dump(library: Path) -> str:
    return subprocess.run(["objdump", "-p", str(library)], capture_output=True, text=True, check=True).stdout
