"""Commands that README.md and docs/ name in a sentence exist; their code blocks run in tests/docs/test_blocks.py."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sadinet.cli.main import make_parser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
NAMED = sorted(
    {
        line
        for page in PAGES
        for line in re.findall(r"`(sadinet (?:run|inspect|plot|info|doctor|demo)\b[^`\n]*)`", page.read_text("utf-8"))
    }
)


@pytest.mark.parametrize("line", NAMED)
def test_commands_are_ones_that_exist(line):
    words = shlex.split(line.replace("...", ""))[1:]
    parser = make_parser()
    if "--help" in words:
        with pytest.raises(SystemExit, match=r"^0$"):
            parser.parse_args(words)
    elif words[0] == "run" and ("-o" not in words or len(words) == 3):  # only a part of the line is meant
        parser.parse_args([*words, *([] if "-o" in words else ["x.mp4", "-o", "results"])])
    elif words[0] in ("inspect", "plot") and len(words) == 1:
        assert callable(parser.parse_args([*words, "x"]).command)
    else:
        assert callable(parser.parse_args(words).command)


def test_some_are_named():
    assert len(NAMED) >= 5
