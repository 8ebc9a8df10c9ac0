"""Write the pages and pictures of docs/ that come from the code; say which are stale; build the website.

python scripts/make_docs.py            write them
python scripts/make_docs.py --check    only say which are stale
python scripts/make_docs.py --site DIR build the website (needs the extra docs)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

# The checkout's own packages, however this file is started.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from docs_commands import commands_page
from docs_imports import imports_svg
from docs_site import build_site
from docs_troubles import BY_HAND, troubles_page

from sadinet.atomic import write_bytes

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page or picture that comes from the code, and what it has to hold."""
    yield DOCS / "commands.md", commands_page(ROOT / "scripts")
    troubles = DOCS / "troubleshooting.md"
    yield troubles, troubles_page(troubles.read_text(encoding="utf-8").partition(BY_HAND)[2])
    yield DOCS / "pictures" / "imports.svg", imports_svg(ROOT)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code: 1 if a page is stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, and say which pages are stale")
    parser.add_argument("--site", type=Path, metavar="DIR", help="build the website into this folder")
    options = parser.parse_args(arguments)
    if options.site is not None:
        return build_site(ROOT, options.site)
    stale = [path for path, text in pages() if _changes(path, text, may_write=not options.check)]
    for path in stale:
        print(path.relative_to(ROOT), "is stale: run python scripts/make_docs.py" if options.check else "written")
    return int(options.check and bool(stale))


def _changes(path: Path, text: str, *, may_write: bool) -> bool:
    """Return whether a file differs from what it has to hold, and write it if allowed."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    if may_write:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, text.encode())
    return True


if __name__ == "__main__":
    sys.exit(main())
