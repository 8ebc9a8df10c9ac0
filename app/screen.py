"""Whether a window can be shown at all; asked before Qt, which would abort with a page of its own words."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

_NEEDS_NO_SCREEN = ("offscreen", "minimal", "vnc")


def why_no_window(environment: Mapping[str, str] = os.environ) -> str:
    """Return in one line why Qt could show no window, with the remedy; empty where nothing speaks against it.

    Args:
        environment: the process's variables.
    """
    if sys.platform != "linux":
        return ""
    chosen = environment.get("QT_QPA_PLATFORM", "")
    needs_screen = not chosen.startswith(_NEEDS_NO_SCREEN)
    # The packaged program comes without Qt's plug-in for Wayland, whose sessions show X windows too.
    speaks_wayland = not getattr(sys, "frozen", False) and not chosen.startswith("xcb")
    has_wayland = speaks_wayland and bool(environment.get("WAYLAND_DISPLAY"))
    display = environment.get("DISPLAY", "")
    if missing := _missing(with_x11=needs_screen and not has_wayland):
        return f"libraries of the system are missing (as root: apt-get install -y {' '.join(missing)})"
    if not needs_screen or has_wayland:
        return ""
    if not display:
        return "there is no display (start it in a desktop session; over ssh, with ssh -X)"
    if not _answers(display):
        return f"the display {display!r} does not answer (start it in a desktop session, as the user who owns it)"
    return ""


def _missing(*, with_x11: bool) -> list[str]:
    """Return the Debian packages of system libraries that are not there."""
    from sadinet.health.libraries import check_system_libraries

    missing = [package for finding in check_system_libraries() for package in finding.packages]
    return [package for package in dict.fromkeys(missing) if with_x11 or "xcb" not in package]


def _answers(display: str) -> bool:
    """Try to connect to an X server; true where that cannot be tried."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    is_there = not xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return is_there
