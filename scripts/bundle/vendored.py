"""Libraries that wheels bring along without their licences, and where the texts are kept here.

The texts are the copyright files of the same libraries' Debian packages, and the common licences that they refer to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

KEPT_TEXTS = Path(__file__).parent / "licences"


@dataclass(frozen=True, slots=True)
class Vendored:
    """A library within a wheel.

    Attributes:
        pattern: matches the beginnings of its files' names.
        name: as its makers call it.
        wheel: whose wheel it is in.
        licence: that of the library as it is built there.
        source: where it comes from.
        texts: names of its files in the folder `licences`.
    """

    pattern: str
    name: str
    wheel: str
    licence: str
    source: str
    texts: tuple[str, ...]


_FFMPEG = "(lib)?(avcodec|avdevice|avfilter|avformat|avutil|swresample|swscale)"

_IN_AV = (
    (
        _FFMPEG,
        "FFmpeg",
        "LGPL-2.1-or-later, with GPL parts as built",
        "https://ffmpeg.org",
        ("ffmpeg", "LGPL-2.1", "GPL-2", "GPL-3"),
    ),
    ("(lib)?x264", "x264", "GPL-2.0-or-later", "https://www.videolan.org/developers/x264.html", ("x264", "GPL-2")),
    ("(lib)?x265", "x265", "GPL-2.0-or-later", "https://www.videolan.org/developers/x265.html", ("x265", "GPL-2")),
    ("(lib)?SvtAv1", "SVT-AV1", "BSD-3-Clause-Clear", "https://gitlab.com/AOMediaCodec/SVT-AV1", ("svt-av1",)),
    ("(lib)?dav1d", "dav1d", "BSD-2-Clause", "https://code.videolan.org/videolan/dav1d", ("dav1d",)),
    ("(lib)?vpx", "libvpx", "BSD-3-Clause", "https://chromium.googlesource.com/webm/libvpx", ("libvpx",)),
    ("(lib)?opus", "Opus", "BSD-3-Clause", "https://opus-codec.org", ("opus",)),
    (
        "(lib)?(webp|sharpyuv)",
        "libwebp",
        "BSD-3-Clause",
        "https://chromium.googlesource.com/webm/libwebp",
        ("libwebp",),
    ),
    ("(lib)?mp3lame", "LAME", "LGPL-2.0-or-later", "https://lame.sourceforge.io", ("lame", "LGPL-2")),
    (
        "(lib)?opencore-amr",
        "opencore-amr",
        "Apache-2.0",
        "https://sourceforge.net/projects/opencore-amr",
        ("opencore-amr", "Apache-2.0"),
    ),
    ("(lib)?gnutls", "GnuTLS", "LGPL-2.1-or-later", "https://www.gnutls.org", ("gnutls", "LGPL-2.1")),
    (
        "(lib)?(nettle|hogweed)",
        "Nettle",
        "LGPL-3.0-or-later or GPL-2.0-or-later",
        "https://www.lysator.liu.se/~nisse/nettle",
        ("nettle", "LGPL-3", "GPL-2"),
    ),
    ("(lib)?gmp", "GMP", "LGPL-3.0-or-later or GPL-2.0-or-later", "https://gmplib.org", ("gmp", "LGPL-3", "GPL-2")),
    (
        "(lib)?unistring",
        "libunistring",
        "LGPL-3.0-or-later or GPL-2.0-or-later",
        "https://www.gnu.org/software/libunistring",
        ("libunistring", "LGPL-3", "GPL-2"),
    ),
    ("(lib)?(asound)", "alsa-lib", "LGPL-2.1-or-later", "https://www.alsa-project.org", ("alsa-lib", "LGPL-2.1")),
    ("(lib)?vpl", "libvpl", "MIT", "https://github.com/intel/libvpl", ("libvpl",)),
    ("(lib)?drm", "libdrm", "MIT", "https://gitlab.freedesktop.org/mesa/drm", ("libdrm",)),
    ("(lib)?xcb", "libxcb", "MIT", "https://xcb.freedesktop.org", ("libxcb",)),
    ("(lib)?Xau", "libXau", "MIT", "https://gitlab.freedesktop.org/xorg/lib/libxau", ("libxau",)),
)

KNOWN = (
    *(Vendored(pattern, name, "PyAV", licence, source, texts) for pattern, name, licence, source, texts in _IN_AV),
    Vendored(
        "(lib)?Qt6",
        "Third parties within Qt",
        "PyQt6-Qt6",
        "BSD, MIT, FreeType and others, by part",
        "https://doc.qt.io/qt-6/licenses-used-in-qt.html",
        ("qt-third-parties", "LGPL-3", "GPL-2", "GPL-3"),
    ),
    Vendored("(lib)?icu", "ICU", "PyQt6-Qt6", "Unicode-3.0", "https://icu.unicode.org", ("icu",)),
)
"""All that are known."""


def vendored(places: Iterable[str]) -> list[Vendored]:
    """Return the libraries among a bundle's files that PyAV's or Qt's wheels bring along.

    Raises:
        ValueError: for a library beside PyAV that is not in the table; its licence would be missing.
    """
    found: dict[str, Vendored] = {}
    for place in places:
        path = PurePath(place.replace("\\", "/"))
        is_av = path.parts[0].startswith("av.libs")
        if not is_av and "Qt6" not in path.parts:
            continue
        wheel = "PyAV" if is_av else "PyQt6-Qt6"
        known = [each for each in KNOWN if each.wheel == wheel and re.match(each.pattern, path.name)]
        if is_av and not known:
            raise ValueError(f"{place}: whose library is this, and under which licence? Add it to bundle/vendored.py")
        found |= {each.name: each for each in known}
    return list(found.values())
