"""What several tests of the command line need."""

from __future__ import annotations

import os
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


@pytest.fixture
def start():
    """Start the command line, or other code, in a process of its own."""
    started = []

    def start(*arguments: object, code: str = "") -> subprocess.Popen[str]:
        command = ["-c", code] if code else ["-m", "sadinet", *map(str, arguments)]
        process = subprocess.Popen(
            [sys.executable, *command],
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
