"""What both programs of the bundle begin with: `sadinet` and `sadinet-app` differ by their names alone.

One script for both, so that what is behind them is there once.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path


def _run() -> int:
    # First of all: the program starts itself for each process of `run --jobs` and of the batch page.
    multiprocessing.freeze_support()
    if len(sys.argv) > 2 and sys.argv[1] == "-c":
        # What starts `sys.executable -c CODE` to try something apart, as `sadinet doctor` does, means Python by that.
        code = sys.argv[2]
        sys.argv[:] = ["-c", *sys.argv[3:]]
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
        return 0
    for name in ("stdout", "stderr"):
        # A window of Windows has no terminal; what is written then goes nowhere instead of failing.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    if Path(sys.executable).stem.endswith("-app"):
        from app.__main__ import main as app

        return app()
    from sadinet.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(_run())
