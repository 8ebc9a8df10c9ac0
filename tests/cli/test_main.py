"""What every subcommand shares: speed of --help, exit codes, one line a complaint."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import get_args

import pytest

from sadinet._version import __version__
from sadinet.cli import options, run
from sadinet.cli.main import make_parser
from sadinet.dark import Method
from sadinet.skeletons import SKELETONS
from sadinet.tables.writer import FORMATS

HEAVY = ("torch", "numpy", "cv2", "scipy", "av", "onnxruntime", "rich")


def test_help_answers_at_once(start):
    spent_s = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = start("--help")
        text, _ = process.communicate()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Processor time, as waiting for other programs is not ours.
        spent_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert process.returncode == 0
    assert all(command in text for command in ("run", "demo", "info", "doctor"))
    assert min(spent_s) < 0.5


@pytest.mark.parametrize("command", ["", "run", "plot", "demo", "info", "doctor"])
def test_help_imports_nothing_heavy(command):
    code = f"""
import contextlib, io, sys
from sadinet.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main({[*command.split(), "--help"]!r})
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_version(sadinet):
    assert sadinet("--version") == (0, [f"sadinet {__version__}"], [])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "COMMAND"),
        (["walk"], "walk"),
        (["run", "a.mp4"], "--out"),
        (["run", "-o", "x"], "INPUT"),
        (["run", "a.mp4", "-o", "x", "--engine", "abacus"], "abacus"),
        (["run", "a.mp4", "-o", "x", "--device", "tpu"], "tpu"),
        (["run", "a.mp4", "-o", "x", "--skeleton", "body20"], "body20"),
        (["run", "a.mp4", "-o", "x", "--threads", "0"], "at least 1"),
        (["run", "a.mp4", "-o", "x", "--threads", "two"], "two"),
        (["run", "a.mp4", "-o", "x", "--detector-score", "1.5"], "at most 1"),
        (["run", "a.mp4", "-o", "x", "--format", "csv,xls"], "xls"),
        (["run", "a.mp4", "-o", "x", "--jobs", "0"], "at least 1"),
        (["run", "a.mp4", "-o", "x", "--cutoff", "-6"], "above 0"),
        (["run", "a.mp4", "-o", "x", "--cutoff", "nan"], "above 0"),
        (["run", "", "-o", "x"], "an empty name"),
        (["run", "a.mp4", "-o", ""], "an empty name"),
        (["demo", "-o", ""], "an empty name"),
    ],
)
def test_wrong_use_is_one_line_and_2(sadinet, arguments, word):
    code, printed, complained = sadinet(*arguments)
    assert (code, printed, len(complained)) == (2, [], 1)
    assert word in complained[0]


def test_choices_are_those_of_the_library():
    assert set(options.SKELETONS) == set(SKELETONS)
    assert set(options.METHODS) == set(get_args(Method))
    assert tuple(FORMATS) == run.FORMATS


def test_every_subcommand_explains_itself():
    text = make_parser().format_help()
    assert text.count("\n    ") >= 4


def test_a_reader_that_goes_away_is_no_error(start):
    process = start("run", "--help")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() in (0, 141)


def test_a_library_that_does_not_load_is_one_line(start, tmp_path):
    code = f"""
import sys
class Missing:
    def find_spec(self, name, path, target=None):
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory", name="cv2")
sys.meta_path.insert(0, Missing())
from sadinet.cli.main import main
sys.exit(main(["run", "a.png", "-o", {str(tmp_path)!r}]))
"""
    process = start(code=code)
    _, complained = process.communicate()
    assert process.returncode == 1
    assert len(complained.splitlines()) == 1
    assert "libGL.so.1" in complained
    assert "sadinet doctor" in complained
