"""What Linux wants beside the program: an entry for its menus, the icon, an installer for one user, and an archive."""

from __future__ import annotations

import contextlib
import lzma
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bundle.icon_sides import SIDES

_BRANCHES = {"x86_64": "--x86"}
"""xz's filters for a machine's code, which make it some 5% smaller; every xz unpacks them."""

_DESKTOP = """\
[Desktop Entry]
Type=Application
Name=SADI-NET
GenericName=Human pose estimation
Comment=Find people and their joints in videos and live pictures
Exec="@FOLDER@/sadinet-app"
TryExec=@FOLDER@/sadinet-app
Icon=sadinet
Terminal=false
Categories=Graphics;Video;Science;Education;
StartupWMClass=SADI-NET
"""

_INSTALL = """\
#!/bin/sh
# Adds SADI-NET to this user's menus, and `sadinet` to ~/.local/bin; the folder stays where it is.
# "install.sh --remove" takes both out again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$data/applications/sadinet.desktop
if [ "${1:-}" = --remove ]; then
    rm -f "$entry" "$HOME/.local/bin/sadinet" "$HOME/.local/bin/sadinet-app" \\
        "$data"/icons/hicolor/*/apps/sadinet.png
    exit 0
fi
mkdir -p "$data/applications" "$HOME/.local/bin"
# Within quotes, a desktop entry wants these letters with a backslash, itself written double.
folder=$(printf '%s' "$here" | sed -e 's/[\\\\"`$]/\\\\\\\\&/g' -e 's/%/%%/g')
while IFS= read -r line; do
    case $line in
    Exec=*) printf 'Exec="%s/sadinet-app"\\n' "$folder" ;;
    TryExec=*) printf 'TryExec=%s/sadinet-app\\n' "$here" ;;
    *) printf '%s\\n' "$line" ;;
    esac
done <"$here/share/sadinet.desktop" >"$entry"
for icon in "$here"/share/icons/hicolor/*; do
    size=$(basename "$icon")
    mkdir -p "$data/icons/hicolor/$size/apps"
    cp "$icon/apps/sadinet.png" "$data/icons/hicolor/$size/apps/sadinet.png"
done
ln -sf "$here/sadinet" "$here/sadinet-app" "$HOME/.local/bin/"
"""


def add_desktop_files(folder: Path, made: Path) -> None:
    """Put the menu entry, the icons and the installer into the bundle.

    Args:
        folder: the bundle.
        made: where sadinet-SIDE.png lie.
    """
    share = folder / "share"
    share.mkdir(exist_ok=True)
    (share / "sadinet.desktop").write_text(_DESKTOP, encoding="utf-8")
    for side in SIDES:
        place = share / "icons" / "hicolor" / f"{side}x{side}" / "apps"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / f"sadinet-{side}.png", place / "sadinet.png")
    script = folder / "install.sh"
    script.write_text(_INSTALL, encoding="utf-8")
    script.chmod(0o755)


def pack(folder: Path, out: Path, level: int = 6) -> Path:
    """Pack a bundle; returns the archive's path.

    Args:
        folder: the bundle.
        out: where the archive goes.
        level: how hard to compress, 0 (fast) to 9.
    """
    archive = out / f"sadinet-linux-{platform.machine()}.tar.xz"
    partial = archive.with_suffix(".part")
    with _compressed(partial, level) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        tar.add(folder, arcname="sadinet", filter=_as_roots)
    partial.replace(archive)
    return archive


@contextlib.contextmanager
def _compressed(path: Path, level: int) -> Iterator[IO[bytes]]:
    """Open a file whose content is compressed; by the program xz where it is there, as that uses all cores."""
    tool = shutil.which("xz")
    if tool is None:
        with lzma.open(path, "wb", preset=level) as stream:
            yield stream
        return
    with path.open("wb") as target:
        filters = [_BRANCHES[machine]] if (machine := platform.machine()) in _BRANCHES else []
        # Copies of code lie far apart: the dictionary reaches further than a level's own.
        filters.append(f"--lzma2=preset={level},dict=64MiB")
        packing = subprocess.Popen([tool, "-T0", "-c", *filters], stdin=subprocess.PIPE, stdout=target)
        assert packing.stdin is not None  # noqa: S101  asked for
        with packing.stdin as stream:
            yield stream
        if packing.wait():
            raise OSError(f"xz could not write {path}")


def _as_roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    # Whoever built it is nobody's business.
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
