"""Makes the packaged program for this system: `sadinet` and `sadinet-app` in one folder, without a Python of their own.

python scripts/build_app.py -o dist

Python 3.11 or newer is all that is needed to start; what goes in is installed into an environment made for it. Linux
also needs binutils, and a C compiler for the smaller bundle. docs/packaging.md tells more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "scripts"))

from bundle import icu, linux, slim, stand_ins, windows  # noqa: E402
from bundle.cuda import tell_sizes  # noqa: E402
from bundle.environment import BuildError, make, make_wheel, read_lines, write_lines  # noqa: E402

PARTS = TOP / "scripts" / "bundle"
TEXTS = ("README.md", "CHANGELOG.md", "LICENSE")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.cuda:
            tell_sizes(TOP / "pyproject.toml", options.out / "work")
        if options.sizes:
            return 0
        _check_tools()
        folder = build(options.out, options.environment, is_cuda=options.cuda)
        if not options.no_archive:
            print(f"archive {_archive(folder, options.level)}")
    except (BuildError, ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"build_app: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path("dist"), metavar="DIR", help="where it goes (dist)")
    parser.add_argument("--cuda", action="store_true", help="with ONNX Runtime for NVIDIA cards; says first how large")
    parser.add_argument("--sizes", action="store_true", help="with --cuda: say how large, and build nothing")
    parser.add_argument("--no-archive", action="store_true", help="only the folder")
    parser.add_argument(
        "--level", type=int, choices=range(10), default=6, metavar="N", help="how hard Linux's archive is packed (6)"
    )
    parser.add_argument(
        "--environment", type=Path, metavar="DIR", help="an environment that an earlier build made, used as it is"
    )
    return parser


def build(out: Path, environment: Path | None = None, *, is_cuda: bool = False) -> Path:
    """Make the folder of the packaged program; returns its path.

    Args:
        out: where the folder `sadinet` goes; `work` beside it holds what is needed on the way.
        environment: one that an earlier build made, with the program in it; None makes it anew.
        is_cuda: take ONNX Runtime with CUDA.

    Raises:
        BuildError: if a step fails; its own output is above.
    """
    out = out.absolute()
    work = out / "work"
    made = work / "made"
    made.mkdir(parents=True, exist_ok=True)
    write_lines(made / "refused.txt", [])
    if environment is None:
        python = make(work / "env", TOP / "pyproject.toml", make_wheel(TOP, work / "wheel"), is_cuda=is_cuda)
    else:
        python = environment.absolute() / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    version = _output(python, "-c", "import sadinet; print(sadinet.__version__)").strip()
    _run(python, PARTS / "icon.py", made)
    windows.write_version(made / "version.txt", version)
    folder = out / "sadinet"
    _freeze(python, out, made, version)
    if sys.platform == "linux":
        _slim(folder, made)
        linux.add_desktop_files(folder, made)
    for name in TEXTS:
        shutil.copyfile(TOP / name, folder / name)
    _run(python, PARTS / "licences.py", folder, made / "origins.txt", made / "refused.txt")
    if sys.platform == "linux":
        slim.merge(folder)
    print(f"{folder}: {slim.size_mb(folder):.0f} MB", flush=True)
    return folder


def _check_tools() -> None:
    missing = [tool for tool in ("objdump", "readelf") if sys.platform == "linux" and shutil.which(tool) is None]
    if missing:
        raise BuildError(f"{' and '.join(missing)} are not there: apt-get install binutils")


def _freeze(python: Path, out: Path, made: Path, version: str) -> None:
    os.environ.update(SADINET_BUNDLE_MADE=str(made), SADINET_BUNDLE_VERSION=version)
    _run(
        *(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"),
        *("--distpath", out, "--workpath", out / "work" / "pyinstaller", PARTS / "sadinet.spec"),
    )


def _slim(folder: Path, made: Path) -> None:
    inside = folder / "_internal"
    steps: dict[str, Callable[[], object]] = {
        "one FFmpeg": lambda: slim.share(inside, read_lines(made / "shared.txt")),
    }
    if tool := stand_ins.compiler():
        steps |= {
            "OpenCV's OpenBLAS": lambda: stand_ins.forward_blas(inside, tool),
            "NumPy's OpenBLAS": lambda: stand_ins.forward_numpys_blas(inside, tool),
            "libraries that nobody calls": lambda: write_lines(
                made / "refused.txt", ([path] for path in stand_ins.refuse(inside, tool))
            ),
            "ICU's other languages": lambda: [
                icu.make_smaller(data, tool) for data in inside.glob("PyQt6/Qt6/lib/libicudata.so.*")
            ],
        }
    else:
        print("no C compiler: three OpenBLAS, unused encoders and all of ICU's data stay in", flush=True)
    steps |= {
        "libraries that nobody needs": lambda: slim.prune(inside),
        "what debuggers read": lambda: slim.strip(folder),
        "names for CUDA's loader": lambda: slim.link_to_top(inside, inside.glob("nvidia/**/lib*.so.*")),
    }
    before = slim.size_mb(folder)
    print(f"as PyInstaller made it: {before:.0f} MB", flush=True)
    for name, step in steps.items():
        step()
        after = slim.size_mb(folder)
        if before - after >= 0.1:
            print(f"{before - after:6.1f} MB less: {name}", flush=True)
        before = after


def _archive(folder: Path, level: int) -> str:
    if sys.platform == "linux":
        path = linux.pack(folder, folder.parent, level)
    else:
        path = Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))
    return f"{path}: {path.stat().st_size / 1e6:.0f} MB"


def _run(python: Path, *arguments: str | Path) -> None:
    """Run something in the environment, without what this shell's Python is set to; raises `BuildError` if it fails."""
    if subprocess.run([*_isolated(python), *map(str, arguments)], env=_environment(), check=False).returncode:
        raise BuildError(f"{' '.join(str(each) for each in arguments[:2])} failed; its own message is above")


def _output(python: Path, *arguments: str) -> str:
    command = [*_isolated(python), *arguments]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{python} has no SADI-NET: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def _isolated(python: Path) -> list[str]:
    # Nothing is imported from the folder that this is started in, which may be the checkout: what was installed is
    # what is bundled.
    return [str(python), "-P"]


def _environment() -> dict[str, str]:
    left_out = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in left_out}


if __name__ == "__main__":
    sys.exit(main())
