"""The website: docs/ and the model cards laid side by side, and built by MkDocs, which takes a warning for an error.

MkDocs wants its settings beside the folder of pages, not in it; so both are copied to a folder of their own first.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = "mkdocs.yml"


def build_site(root: Path, target: Path) -> int:
    """Build the website; returns the exit code of MkDocs."""
    with tempfile.TemporaryDirectory(prefix="sadinet-docs-") as folder:
        stage(root, Path(folder))
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
        command += ["--config-file", str(Path(folder, SETTINGS)), "--site-dir", str(target.absolute())]
        # Without its advertisement for a successor.
        return subprocess.run(command, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode


def stage(root: Path, folder: Path) -> None:
    """Copy pages and settings to a folder, with links to the rest of the checkout made links to its pages."""
    shutil.copytree(root / "docs", folder / "pages", ignore=shutil.ignore_patterns(SETTINGS))
    shutil.copy(root / "docs" / SETTINGS, folder)
    (folder / "pages" / "models").mkdir()
    for card in (root / "weights").glob("*.md"):
        if card.with_suffix(".json").is_file():
            shutil.copy(card, folder / "pages" / "models")
    for page in (folder / "pages").rglob("*.md"):
        page.write_text(_with_links(page.read_text(encoding="utf-8")), encoding="utf-8")


def _with_links(text: str) -> str:
    """Turn links to model cards into links to their pages, and those to other files beside docs/ into their text."""
    text = re.sub(r"\]\(\.\./weights/([\w-]+\.md)\)", r"](models/\1)", text)
    return re.sub(r"\[([^\]]*)\]\(\.\./[^)]+\)", r"\1", text)  # what is not on the site keeps its name alone
