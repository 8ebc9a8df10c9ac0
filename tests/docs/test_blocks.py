"""Every code block and command in README.md and docs/ runs, page by page, in a folder with a short video.

A page is read as its reader would do it: its blocks run in their order in one folder. Comments above a block, which no
reader sees, tell what the test needs to know:

    <!-- not run: REASON -->    the block cannot run here; the reason shows among the skipped tests
    <!-- file: NAME -->         the block is the content of this file
    <!-- before: STATEMENT -->  Python that comes first, for names that the text has explained
    <!-- goes on -->            Python that uses the names of the block above
    <!-- exit code: N -->       what the commands end with, where it is not 0
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from sadinet.cli.main import main
from sadinet.skeletons import LSP14, convert
from sadinet.tables.read import read_recording

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")))}
GENERATED = re.compile(r"docs/(commands|troubleshooting|models/.*)\.md")
MARK = re.compile(r"<!-- (not run|file|before|goes on|exit code|ci)(?:: ?(.*?))? ?-->")
SHELL = ("bash", "sh", "console")
COMMAND = re.compile(r"(sadinet|sadinet-app|python scripts/\S+)(\s|$)")


@dataclass
class Block:
    """A piece of code on a page.

    Attributes:
        line: where it begins, from 1.
        language: as its fence names it; "bash" for indented commands.
        text: its lines.
        marks: what the comments above it say.
    """

    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why it does not run; empty if it does."""
        return "a step of .ci/run" if "ci" in self.marks else self.marks.get("not run", "")

    @property
    def is_code(self) -> bool:
        return self.language in ("python", *SHELL) or "file" in self.marks

    @property
    def commands(self) -> list[str]:
        """One line a command; comments are left out."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks_of(text: str) -> list[Block]:
    """Return fenced blocks, and indented ones that begin with a command of ours."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if mark := MARK.fullmatch(line.strip()):
            marks[mark[1]] = mark[2] or ""
        elif fence := re.fullmatch(r"(```+)(\w*).*", line):
            body = []
            for _, inner in lines:
                if inner == fence[1]:
                    break
                body.append(inner)
            language = fence[2] or ("bash" if body and COMMAND.match(body[0]) else "")
            found.append(Block(number, language, "\n".join(body) + "\n", marks))
            marks = {}
        elif line.startswith("    ") and COMMAND.match(line.strip()):
            body = [line]
            for _, inner in lines:
                if not inner.startswith("    "):
                    break
                body.append(inner)
            found.append(Block(number, "bash", "\n".join(body) + "\n", marks))
            marks = {}
        elif line.strip():
            marks = {}
    return found


BLOCKS = {page: [each for each in blocks_of(path.read_text("utf-8")) if each.is_code] for page, path in PAGES.items()}
LEFT_OUT = [(page, block) for page, blocks in BLOCKS.items() for block in blocks if block.reason]
RUN = {
    page: run
    for page, blocks in BLOCKS.items()
    if not GENERATED.fullmatch(page) and (run := [block for block in blocks if not block.reason])
}


@pytest.fixture(scope="session")
def finished(short_clip, tmp_path_factory):
    """What `sadinet run walk.mp4 --angles` writes for the short clip."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copy(short_clip, folder / "walk.mp4")
    assert main(["run", str(folder / "walk.mp4"), "-o", str(folder), "--angles", "--no-page", "--quiet"]) == 0
    return folder


def write_lspet(root: Path, table: Path, picture: np.ndarray) -> None:
    """Write a labelled set in LSPet's layout: the walker four times, labelled by a finished table."""
    (walker,) = read_recording(table).poses(0)
    places = convert(walker.skeleton, LSP14).apply(walker.joints, axis=0)
    (root / "images").mkdir(parents=True)
    for number in range(1, 5):
        cv2.imwrite(str(root / "images" / f"im{number:05d}.jpg"), picture)
    scipy.io.savemat(root / "joints.mat", {"joints": np.repeat(np.c_[places, np.ones(14)][:, :, None], 4, axis=2)})


@pytest.fixture
def folder(tmp_path, monkeypatch, finished, walker, markers):
    """What the pages' names stand for: videos, pictures, a labelled set, a finished table, somebody's own network."""
    for name in ("walk.mp4", "video.mp4", "archive/first.mp4", "clips/second.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(finished / "walk.mp4", tmp_path / name)
    for name in ("walk.csv", "walk.json"):
        shutil.copy(finished / name, tmp_path)
    (tmp_path / "shots").mkdir()
    for name in ("picture.png", "shots/a.png", "shots/b.png"):
        cv2.imwrite(str(tmp_path / name), walker)
    write_lspet(tmp_path / "lspet", finished / "walk.csv", walker)
    markers.write(tmp_path / "hands-and-feet.onnx", 5, (160, 192))
    (tmp_path / "scripts").symlink_to(ROOT / "scripts", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.delenv("SADINET_WEIGHTS", raising=False)
    return tmp_path


@pytest.mark.parametrize("page", RUN)
def test_blocks_run_in_their_order(page, folder, monkeypatch, capsys):
    names: dict[str, object] = {}
    for block in RUN[page]:
        where = f"{page}, line {block.line}"
        if "file" in block.marks:
            path = folder / block.marks["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            if "goes on" not in block.marks:
                names = {"__name__": "page"}
            monkeypatch.syspath_prepend(str(folder))
            exec(compile(block.marks.get("before", ""), f"{where}, before", "exec"), names)
            exec(compile("\n" * block.line + block.text, page, "exec"), names)
        else:
            for command in block.commands:
                code = run(command, folder)
                wanted = int(block.marks.get("exit code", 0))
                assert code == wanted, f"{where}: {command}\n{''.join(capsys.readouterr())}"
    capsys.readouterr()


def run(command: str, folder: Path) -> int:
    """Run a line of a shell block: in this process where nothing of a shell is needed, as that is faster."""
    words = shlex.split(command)
    if words[0] == "export":
        name, _, value = words[1].partition("=")
        os.environ[name] = value  # put back with the fixture's own change of it
        return 0
    if words[0] == "sadinet" and not re.search(r"[|<>;&$]|(?<!')\*", command) and "--help" not in words:
        return main(words[1:])
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=300)
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


@pytest.mark.parametrize(("page", "block"), LEFT_OUT, ids=[f"{page}:{block.line}" for page, block in LEFT_OUT])
def test_left_out(page, block):
    assert len(block.reason.split()) > 2, "say why"
    pytest.skip(f"1 of {len(LEFT_OUT)} blocks that do not run here: {block.reason}")


@pytest.mark.parametrize("page", BLOCKS)
def test_shell_blocks_hold_commands_that_can_be_run(page):
    for block in BLOCKS[page]:
        if block.language in SHELL and not block.reason and "file" not in block.marks:
            for command in block.commands:
                assert COMMAND.match(command) or command.startswith("export "), (
                    f"{page}, line {block.line}: {command!r} is none of this program; mark the block with a reason"
                )


def test_enough_is_found():
    """The search for blocks cannot have missed them all."""
    assert sum(map(len, RUN.values())) >= 25
    assert {"README.md", "docs/own-network.md", "docs/batch.md"} <= RUN.keys()
    assert sum(block.language == "python" for blocks in RUN.values() for block in blocks) >= 8
