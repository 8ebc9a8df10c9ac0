"""What Windows shows of a program file: PyInstaller's version resource."""

from __future__ import annotations

import re
from pathlib import Path

_RESOURCE = """\
VSVersionInfo(
  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, flags=0x0, OS=0x40004, fileType=0x1, subtype=0x0,
                    date=(0, 0)),
  kids=[
    StringFileInfo([StringTable("040904B0", [
      StringStruct("CompanyName", "SADI-NET"),
      StringStruct("FileDescription", "SADI-NET, human pose estimation"),
      StringStruct("FileVersion", "{version}"),
      StringStruct("InternalName", "sadinet"),
      StringStruct("LegalCopyright", "AGPL-3.0-or-later"),
      StringStruct("ProductName", "SADI-NET"),
      StringStruct("ProductVersion", "{version}"),
    ])]),
    VarFileInfo([VarStruct("Translation", [0x409, 1200])]),
  ],
)
"""


def write_version(path: Path, version: str) -> None:
    """Write the resource of a version, such as 0.1.0.dev0; Windows knows four numbers, the rest is text."""
    found = [int(number) for number in re.findall(r"\d+", re.split(r"[a-z.]*(?:a|b|rc|dev|post)", version)[0])]
    numbers = tuple([*found, 0, 0, 0, 0][:4])
    path.write_text(_RESOURCE.format(numbers=numbers, version=version), encoding="utf-8")
