"""Makes Qt's copy of ICU's data smaller: the program speaks one language.

Qt 6 cannot do without ICU, whose data hold names, calendars and rules of some 800 locales. What stays are the common
tables, those of no language in particular, and English; everything else falls back to them, as ICU provides for.
The format is ICU's "common data" (unicode/udata.h, ucmndata.h): a header, a table of names and offsets, the items.
"""

from __future__ import annotations

import platform
import re
import struct
import subprocess
from pathlib import Path

_ALIGNMENT = 16
_MACHINES = ("x86_64", "aarch64")  # both little-endian, as the data must be

_KEPT = re.compile(
    r"(?:[\w-]+/)?(?:root|en|en_US|en_US_POSIX|en_001|en_GB|pool|res_index|ucadata|supplementalData|numberingSystems"
    r"|keyTypeData|timezoneTypes|zoneinfo64|windowsZones|metaZones|metadata|likelySubtags|plurals|pluralRanges|dayPeriods"
    r"|genderList|currencyNumericCodes|icuver|icustd|tzdbNames|langInfo|grammaticalFeatures|units|unames|uemoji|ulayout"
    r"|cnvalias|confusables|nfkc|nfkc_cf|uts46|line|line_normal|word|char|sent|title)\.\w+"
)


_SOURCE = """\
.section .rodata
.globl {symbol}
.type {symbol}, %object
.balign {alignment}
{symbol}:
.incbin "{content}"
.size {symbol}, .-{symbol}
.section .note.GNU-stack, "", %progbits
"""


def make_smaller(library: Path, compiler: str) -> int:
    """Replace a library of ICU's data by one with fewer locales; returns how many bytes that saved.

    Args:
        library: libicudata.so.N.
        compiler: a C compiler, for the linker.
    """
    if platform.machine() not in _MACHINES:
        return 0
    symbol, data = _data(library)
    items = parse(data)
    kept = {name: item for name, item in items.items() if _KEPT.fullmatch(name.partition("/")[2])}
    if len(kept) < 50:  # another layout than we know
        return 0
    before = library.stat().st_size
    content = library.with_name("icu.dat")
    source = library.with_name("icu.s")
    content.write_bytes(build(data, kept))
    source.write_text(_SOURCE.format(symbol=symbol, alignment=_ALIGNMENT, content=content.name), encoding="utf-8")
    made = library.with_name("icu.so")
    command = [compiler, "-shared", "-nostdlib", f"-Wl,-soname,{library.name}", "-o", made.name, source.name]
    subprocess.run(command, cwd=library.parent, check=True, capture_output=True)
    made.replace(library)
    content.unlink()
    source.unlink()
    return before - library.stat().st_size


def parse(data: bytes) -> dict[str, bytes]:
    """Return the items of ICU's common data by name, in order; raises ValueError for something else."""
    header = struct.unpack_from("<H", data)[0]
    if data[2:4] != b"\xda\x27" or data[12:16] != b"CmnD":
        raise ValueError("not ICU's common data, little-endian")
    count = struct.unpack_from("<I", data, header)[0]
    table = [struct.unpack_from("<II", data, header + 4 + 8 * i) for i in range(count)]
    ends = [offset for _, offset in table[1:]] + [len(data) - header]
    items = {}
    for (name_at, begin), end in zip(table, ends, strict=True):
        name_end = data.index(b"\0", header + name_at)
        items[data[header + name_at : name_end].decode("ascii")] = data[header + begin : header + end]
    return items


def build(data: bytes, items: dict[str, bytes]) -> bytes:
    """Return common data with the header of others and these items; sorted by name, as ICU searches by halves."""
    header = struct.unpack_from("<H", data)[0]
    names = b"".join(name.encode("ascii") + b"\0" for name in items)
    first_name = 4 + 8 * len(items)
    table, body = bytearray(struct.pack("<I", len(items))), bytearray()
    name_at, begin = first_name, _aligned(first_name + len(names))
    for name, item in items.items():
        table += struct.pack("<II", name_at, begin + len(body))
        body += item.ljust(_aligned(len(item)), b"\xaa")
        name_at += len(name) + 1
    return data[:header] + bytes(table) + names.ljust(begin - first_name, b"\0") + bytes(body)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _data(library: Path) -> tuple[str, bytes]:
    """Return the name of the only symbol of data, and its bytes."""
    listed = subprocess.run(
        ["readelf", "-W", "--dyn-syms", "--section-headers", str(library)], capture_output=True, text=True, check=True
    ).stdout
    symbol = re.search(r"^\s*\d+:\s+([0-9a-f]+)\s+\S+\s+OBJECT\s.*\s(icudt\d+_dat)$", listed, re.MULTILINE)
    section = re.search(r"\]\s+\.rodata\s+PROGBITS\s+([0-9a-f]+)\s+([0-9a-f]+)\s+([0-9a-f]+)", listed)
    if symbol is None or section is None:
        raise ValueError(f"{library.name} is not laid out as ICU's data are")
    address, offset, size = (int(text, 16) for text in section.groups())
    begin = int(symbol[1], 16) - address
    return symbol[2], library.read_bytes()[offset + begin : offset + size]
