"""What of the build environment goes into the packaged program, and what is left out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from bundle.absent import ABSENT

Entry = tuple[str, str, str]
"""PyInstaller's: path in the bundle, path on this machine, kind."""

EXCLUDED_MODULES = (
    # Engines and tables that are extras; whoever wants them installs the package with pip.
    "torch",
    "torchvision",
    "ultralytics",
    "openvino",
    "pyarrow",
    "pandas",
    "onnx",
    "sadinet.network",
    "sadinet.training",
    "sadinet.engines.torch",
    # What libraries use where it is there, and we do not.
    "matplotlib",
    "PIL",
    "IPython",
    "jupyter_rfb",
    "pygments",
    "markdown_it",
    "mdurl",
    "flatbuffers",
    "google",
    "tkinter",
    "setuptools",
    "pkg_resources",
    "pip",
    "pytest",
    "pyqtgraph.examples",
    "pyqtgraph.opengl",
    "readline",
    # What SciPy imports in vain: absent.py stands in.
    *ABSENT,
    "scipy.special.cython_special",
    # No connection is opened from Python.
    "ssl",
    "ftplib",
    "onnxruntime.quantization",
    "onnxruntime.tools",
    "onnxruntime.transformers",
    "onnxruntime.backend",
    "onnxruntime.datasets",
    # The parts of Qt that no window of ours has.
    "PyQt6.QtBluetooth",
    "PyQt6.QtDesigner",
    "PyQt6.QtHelp",
    "PyQt6.QtMultimedia",
    "PyQt6.QtMultimediaWidgets",
    "PyQt6.QtNetwork",
    "PyQt6.QtNfc",
    "PyQt6.QtPdf",
    "PyQt6.QtPdfWidgets",
    "PyQt6.QtPositioning",
    "PyQt6.QtPrintSupport",
    "PyQt6.QtQml",
    "PyQt6.QtQuick",
    "PyQt6.QtQuick3D",
    "PyQt6.QtQuickWidgets",
    "PyQt6.QtRemoteObjects",
    "PyQt6.QtSensors",
    "PyQt6.QtSerialPort",
    "PyQt6.QtSpatialAudio",
    "PyQt6.QtSql",
    "PyQt6.QtStateMachine",
    "PyQt6.QtSvgWidgets",
    "PyQt6.QtTest",
    "PyQt6.QtTextToSpeech",
    "PyQt6.QtWebChannel",
    "PyQt6.QtWebSockets",
    "PyQt6.QtXml",
)
"""Modules that no part of the packaged program imports."""

EXCLUDED_PARTS = frozenset({"pygments", "markdown-it-py", "mdurl", "flatbuffers", "protobuf"})
"""Distributions that others require, and of which thereby nothing is left, in lower case."""

_UNWANTED = re.compile(
    "|".join(
        (
            # Every desktop has these, README's packages bring them, and copies of another age disagree with the
            # system's settings for fonts and with its graphics drivers. The last belongs to the C library.
            r"(^|/)lib(glib-2\.0|gthread-2\.0|dbus-1|fontconfig|freetype|X11|X11-xcb|stdc\+\+|gcc_s|mvec)\.so[.\d]*$",
            r"(^|/)sadinet/_weights/[\w-]+\.safetensors$",  # for torch alone
            r"\.dist-info/(?!METADATA$|entry_points\.txt$)",  # the licences are collected elsewhere
            r"(^|/)pyqtgraph/icons/peegee/",  # pyqtgraph's own emblem
            r"(^|/)cv2/qt/",  # Qt 5 of OpenCV's own windows
            r"(^|/)libQt5\w+",
            r"(^|/)opencv_videoio_ffmpeg\w*\.dll$",  # videos are read with PyAV; cameras need Media Foundation only
            r"(^|/)PyQt6/Qt6/translations/",  # the program speaks English
            r"(^|/)PyQt6/Qt6/qml/",
            r"(^|/)PyQt6/Qt6/plugins/(egldeviceintegrations|generic|help|multimedia|networkinformation|position"
            r"|printsupport|qmllint|qmlls|sensors|sqldrivers|texttospeech|tls|webview|wayland-\w|platformthemes)",
            r"(^|/)PyQt6/Qt6/plugins/platforms/\w*(eglfs|linuxfb|minimalegl|vkkhrdisplay|vnc|wayland|webgl)",
            r"(^|/)PyQt6/Qt6/plugins/platforminputcontexts/\w*qtvirtualkeyboard",
            r"(^|/)PyQt6/Qt6/plugins/imageformats/\w*(pdf|tga|tiff|wbmp|webp|gif)",
            r"(^|/)tests?/",
            r"\.(pyi|pxd|h|hpp|c|cpp|pyx|f90|lib|a)$",
        )
    )
)


def wanted(entries: Iterable[Entry], unwanted: re.Pattern[str] = _UNWANTED) -> list[Entry]:
    """Return the entries that are to be in the bundle; a link to one that is not goes with it."""
    kept = [entry for entry in entries if not unwanted.search(_posix(entry[0]))]
    there = {PurePath(entry[0]) for entry in kept if entry[2] != "SYMLINK"}
    return [entry for entry in kept if entry[2] != "SYMLINK" or _target(entry) in there]


def is_for_cards(entry: Entry) -> bool:
    """Say whether a file is of use on graphics cards alone: half precision makes little difference on a CPU."""
    return "/_weights/" in _posix(entry[0]) and entry[0].endswith("-fp16.onnx")


def is_library(path: PurePath) -> bool:
    """Say whether a file is one that the system's loader loads."""
    return path.suffix == ".dll" or ".so" in path.suffixes


def own_ffmpeg(entries: Sequence[Entry]) -> dict[str, str]:
    """Pair the FFmpeg libraries that OpenCV's wheel for Linux brings along with those of PyAV.

    OpenCV is linked against FFmpeg, though the program reads videos with PyAV and cameras with Video4Linux. Both are
    the same major versions, whose interface is the same, so one copy serves both.

    Returns:
        Path in the bundle of OpenCV's library -> path of PyAV's that takes its place. Empty unless each of them has
        a counterpart of the same name and major version.
    """
    found: dict[str, dict[tuple[str, str], str]] = {"opencv": {}, "av.libs": {}}
    for path, _, kind in entries:
        folder, _, name = _posix(path).rpartition("/")
        match = _FFMPEG.fullmatch(name)
        if match and kind != "SYMLINK":
            for start, libraries in found.items():
                if folder.startswith(start):
                    libraries[match["name"], match["major"]] = path
    pairs = {path: found["av.libs"].get(key) for key, path in found["opencv"].items()}
    return {path: other for path, other in pairs.items() if other is not None} if all(pairs.values()) else {}


_FFMPEG = re.compile(
    r"(?P<name>lib(?:av(?:codec|device|filter|format|util)|sw(?:scale|resample)))-\w+\.so\.(?P<major>\d+)[\d.]*"
)


def _posix(path: str) -> str:
    return path.replace("\\", "/")


def _target(entry: Entry) -> PurePath:
    return PurePath(entry[0]).parent / entry[1]
