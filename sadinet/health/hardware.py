"""Processors, cards, runtimes and cameras."""

from __future__ import annotations

import importlib
import os
import platform
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sadinet._version import __version__
from sadinet.errors import SourceError
from sadinet.health.finding import Finding, first_line, is_installed

_CAMERA_LIMIT_S = 8
_CARD_LIMIT_S = 15


def check_system() -> Iterator[Finding]:
    """Tell versions and processor."""
    yield Finding("sadinet", __version__)
    is_new = sys.version_info >= (3, 11)
    yield Finding(
        "Python", f"{platform.python_version()}, {sys.executable}", "ok" if is_new else "missing", "3.11 or newer"
    )
    yield Finding("system", _system())
    yield Finding("CPU", f"{_cpu_name()}, {_usable_cores()} of {os.cpu_count()} logical cores usable")


def check_devices() -> Iterator[Finding]:
    """Tell which engines there are, and what each can run on."""
    yield _onnxruntime()
    torch = (
        _torch() if is_installed("torch") else Finding("torch", "not installed", remedy="pip install 'sadinet[torch]'")
    )
    yield torch
    cards = _cards()
    if cards:
        is_driven = "CUDA" in _onnxruntime().text or "cuda" in torch.text
        remedy = "" if is_driven else "pip install 'sadinet[torch]', or onnxruntime-gpu in place of onnxruntime"
        yield Finding("NVIDIA", ", ".join(cards), "ok" if is_driven else "note", remedy)


def check_cameras() -> Iterator[Finding]:
    """Name the cameras as the program does, by number, name and lasting identity; none is opened."""
    told: queue.SimpleQueue[list[Finding]] = queue.SimpleQueue()
    # A driver that hangs would hang whoever asks it.
    threading.Thread(target=lambda: told.put(_cameras()), name="cameras", daemon=True).start()
    try:
        yield from told.get(timeout=_CAMERA_LIMIT_S)
    except queue.Empty:
        text = f"not listed within {_CAMERA_LIMIT_S} s"
        yield Finding("cameras", text, "note", "unplug them one by one to find the one that hangs")


def _system() -> str:
    try:
        pretty = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        pretty = ""
    return ", ".join(part for part in (pretty, f"{platform.system()} {platform.release()}", platform.machine()) if part)


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        return _output(["sysctl", "-n", "machdep.cpu.brand_string"], 5).strip() or platform.processor()
    return platform.processor() or "unknown"


def _usable_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def _onnxruntime() -> Finding:
    try:
        runtime: Any = importlib.import_module("onnxruntime")
        names = [name.removesuffix("ExecutionProvider") for name in runtime.get_available_providers()]
    except Exception as error:  # noqa: BLE001  a broken library may raise anything
        return Finding("onnxruntime", f"does not load: {first_line(error)}", "missing", "pip install onnxruntime")
    return Finding("onnxruntime", "runs on " + ", ".join(names))


def _torch() -> Finding:
    try:
        torch: Any = importlib.import_module("torch")
        devices = ["cpu"]
        if torch.cuda.is_available():
            devices += [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            devices.append("mps")
        version = torch.__version__
    except Exception as error:  # noqa: BLE001  a broken library may raise anything
        return Finding("torch", f"does not load: {first_line(error)}", "note", "pip install --force-reinstall torch")
    return Finding("torch", f"{version}, runs on {', '.join(devices)}")


def _cards() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    return [line.partition(" (UUID")[0] for line in _output(["nvidia-smi", "-L"], _CARD_LIMIT_S).splitlines() if line]


def _cameras() -> list[Finding]:
    try:
        # Late, as it needs libraries that may not load.
        from sadinet.media.camera_list import list_cameras

        found = list_cameras()
    except SourceError as error:
        return [Finding("cameras", error.message, "note", error.remedy)]
    except Exception as error:  # noqa: BLE001  a broken library may raise anything
        return [Finding("cameras", f"cannot be listed: {first_line(error)}", "note")]
    return [Finding(f"camera {each.index}", f"{each.name}, {each.identity}") for each in found] or [
        Finding("cameras", "none found")
    ]


def _output(command: list[str], limit_s: float) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=limit_s, errors="replace").stdout
    except subprocess.TimeoutExpired as error:
        return error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
    except OSError:
        return ""
