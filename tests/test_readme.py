"""What README.md shows works: its Python examples run, in order, on the bundled clip."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from sadinet.cli.main import make_parser

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_python_examples_run(example, clip, tmp_path, monkeypatch, capsys):
    shutil.copy(clip, tmp_path / "walk.mp4")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.strip()


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("line", re.findall(r"sadinet (?:run|inspect|plot|info|doctor|demo)[^\n`&|]*", README))
def test_commands_are_ones_that_exist(line):
    words = shlex.split(line)[1:]
    if "--help" in words:
        with pytest.raises(SystemExit, match=r"^0$"):
            make_parser().parse_args(words)
    else:
        assert callable(make_parser().parse_args(words).command)
