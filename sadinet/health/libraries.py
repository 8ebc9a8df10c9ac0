"""Python's libraries, and the system's below them."""

from __future__ import annotations

import ctypes
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from sadinet.health.finding import Finding, first_line, is_installed

NEEDED = {
    "numpy": "numpy",
    "cv2": "opencv-python",
    "av": "av",
    "onnxruntime": "onnxruntime",
    "rich": "rich",
}
"""Modules without which nothing runs, and what pip calls them."""

FOR_APP = {"PyQt6.QtWidgets": "PyQt6", "pyqtgraph": "pyqtgraph"}
"""Modules of the desktop program."""

EXTRAS = {"torch": "torch", "ultralytics": "torch", "openvino": "openvino"}
"""Modules that may be there, and the extra that installs them."""

PACKAGES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""Debian's package of each system library that OpenCV or Qt needs and a bare system lacks."""

_SONAME = re.compile(r"lib[\w.+-]+?\.so(?:\.\d+)*")
_IMPORT_LIMIT_S = 60


def check_libraries() -> Iterator[Finding]:
    """Import each needed library, and see which of the others are there."""
    for module, package in NEEDED.items():
        yield _imported(module, package)
    for module, package in FOR_APP.items():
        yield _imported_elsewhere(module, package)
    for module, extra in EXTRAS.items():
        if not is_installed(module):
            yield Finding(module, "not installed", remedy=f"pip install 'sadinet[{extra}]', if you want it")
        else:
            yield Finding(module, _version(module))


def check_system_libraries() -> Iterator[Finding]:
    """Load each system library that Qt's plug-ins need; importing Qt alone does not tell. Linux only."""
    if sys.platform != "linux":
        return
    missing = [name for name in PACKAGES if not _loads(name)]
    if not missing:
        yield Finding("system libraries", f"all {len(PACKAGES)} that Qt and OpenCV need")
    for name in missing:
        yield Finding(name, "missing; the desktop program needs it", "note", packages=(PACKAGES[name],))


def blame(module: str, package: str, message: str) -> Finding:
    """Return the finding of a library that does not load, with the Debian package where it is one of the system's."""
    missing = _SONAME.search(message)
    if missing and missing.group() in PACKAGES:
        needed = PACKAGES[missing.group()]
        return Finding(module, f"needs {missing.group()}", "missing", f"install {needed}", (needed,))
    if missing:
        return Finding(module, f"needs {missing.group()}", "missing", "install the system's package that has it")
    return Finding(module, f"does not load: {message}", "missing", f"pip install --force-reinstall {package}")


def _imported(module: str, package: str) -> Finding:
    if not is_installed(module):
        return Finding(module, "not installed", "missing", f"pip install {package}")
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  a broken library may raise anything, and that is what we are to tell
        return blame(module, package, first_line(error))
    return Finding(module, _version(package))


def _imported_elsewhere(module: str, package: str) -> Finding:
    """Import in a process of its own: this library has no Qt in its process, and Qt may abort instead of raising."""
    if not is_installed(package):
        return Finding(package, "not installed; the desktop program needs it", "note", f"pip install {package}")
    code = f"try:\n import {module}\nexcept Exception as error:\n print(error)"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=_IMPORT_LIMIT_S)
    except (subprocess.TimeoutExpired, OSError) as error:
        return Finding(package, f"does not load: {first_line(error)}", "note")
    message = done.stdout.strip() or (done.stderr.strip() if done.returncode else "")
    if not message:
        return Finding(package, _version(package))
    found = blame(package, package, message.splitlines()[-1])
    return Finding(package, f"{found.text}; the desktop program needs it", "note", found.remedy, found.packages)


def _version(package: str) -> str:
    # OpenCV without windows of its own, as the packaged program has it, goes by another name.
    for name in (package, f"{package}-headless"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "there"


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True
