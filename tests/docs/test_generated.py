"""Pages and pictures that come from the code are up to date; the website builds without a warning; links hold."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "make_docs.py"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


def test_no_page_is_stale():
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pictures_drawn_by_scripts_are_those_that_are_there(tmp_path):
    for name in ("numbers", "angles"):
        drawn = tmp_path / f"{name}.svg"
        subprocess.run([sys.executable, ROOT / "scripts" / f"draw_{name}.py", drawn], check=True, timeout=300)
        assert drawn.read_bytes() == (ROOT / "docs" / "pictures" / drawn.name).read_bytes()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_are_there(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"https?://|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name} links to {target}"


def test_every_page_can_be_reached_from_the_index():
    found, ahead = set(), [ROOT / "docs" / "index.md"]
    while ahead:
        page = ahead.pop()
        if page in found:
            continue
        found.add(page)
        links = re.findall(r"\]\(([\w./-]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        ahead += [(page.parent / link).resolve() for link in links if (page.parent / link).is_file()]
    assert {path for path in PAGES if path.parent == ROOT / "docs"} <= found


def test_options_of_commands_that_are_not_run_exist():
    """What cannot run here is at least held against the script's own words."""
    for page in PAGES:
        for name, rest in re.findall(r"python scripts/(\w+\.py)((?:[^\n`]|\\\n)*)", page.read_text(encoding="utf-8")):
            if name == "NAME.py":
                continue
            script = ROOT / "scripts" / name
            assert script.is_file(), f"{page.name} names {name}"
            said = script.read_text(encoding="utf-8")
            for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", rest):
                assert f'"{option}"' in said, f"{page.name}: {name} has no {option}"


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="the website needs pip install '.[docs]'")
def test_the_website_builds_without_a_warning(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, "--site", tmp_path / "site"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "models" / "sadinet-s" / "index.html").is_file()
