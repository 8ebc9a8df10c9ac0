"""What several tests of the command line need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class CommandLine:
    """Runs subcommands in this process; complaints are held to their form at once."""

    def __init__(self, capsys) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, list[str], list[str]]:
        """Return exit code, lines printed, lines complained."""
        from sadinet.cli.main import main

        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        printed, complained = self._capsys.readouterr()
        assert "Traceback" not in complained
        lines = complained.splitlines()
        assert all(line.startswith("sadinet") for line in lines), complained
        return code, printed.splitlines(), lines


@pytest.fixture
def sadinet(capsys) -> CommandLine:
    """The command line in this process."""
    return CommandLine(capsys)


def as_anybody() -> list[str]:
    """What a command begins with, so that rights to files hold for root too."""
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    if (
        shutil.which("setpriv") is None
        or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("root may read everything here, and setpriv cannot take that right away")
    return prefix


@pytest.fixture
def start():
    """Start the command line, or other code, in a process of its own."""
    started = []

    def start(*arguments: object, code: str = "", without_root: bool = False) -> subprocess.Popen[str]:
        command = ["-c", code] if code else ["-m", "sadinet", *map(str, arguments)]
        process = subprocess.Popen(
            [*(as_anybody() if without_root else []), sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
