"""The packaged program that is tested, and a bare system to test it in.

SADINET_BUNDLE names what scripts/build_app.py made: the folder or the archive. Nothing is built here. With
SADINET_BARE_SYSTEM=required the tests of a bare system fail where they would be skipped.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

VARIABLE = "SADINET_BUNDLE"
TOP = Path(__file__).parents[2]


_LIMIT_S = 900
_INTERNET = re.compile(r"\bAF_INET6?\b")
_UNSHARED = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
# How this system's apt reaches its packages; nothing else of its settings is for another system.
_APT_WAYS = re.compile(r"Acquire::(?:https?|Check-[\w-]+|Retries|ForceIPv4)\b")
_MIRROR = re.compile(r"^(?:URIs:|deb(?: \[[^]]*\])?) +(http://\S+/debian/?)(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """What a program did: exit code, what it printed, and its calls that named an address of a network."""

    code: int
    out: str
    err: str
    calls: tuple[str, ...]


class BareSystem:
    """A system in a folder.

    Args:
        folder: its root.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path) -> BareSystem:
        """Make one of the same release as this system; skips where that is not to be had."""
        release = _os_release()
        if release.get("ID") != "debian":
            cannot("debootstrap is run on Debian only, for packages of its own release")
        command = ["debootstrap", "--variant=minbase", release["VERSION_CODENAME"], str(folder), *_mirror()]
        for _ in range(2):  # a download may break off
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S)
            if done.returncode == 0:
                break
        else:
            cannot(f"debootstrap failed: {done.stdout.strip().splitlines()[-1:]}")
        told = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
        ways = [line + "\n" for line in told.splitlines() if _APT_WAYS.match(line)]
        (folder / "etc" / "apt" / "apt.conf.d" / "00ways").write_text("".join(ways), encoding="utf-8")
        return cls(folder)

    def install(self, packages: Sequence[str]) -> None:
        """Install Debian packages, with network."""
        shutil.copyfile("/etc/resolv.conf", self.folder / "etc" / "resolv.conf")
        listed = " ".join(map(shlex.quote, packages))
        script = f"apt-get update -q && apt-get install -q -y --no-install-recommends {listed}"
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        command = ["chroot", str(self.folder), "sh", "-ec", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_LIMIT_S)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def run(self, *command: str, display: str = "", **environment: str) -> Ran:
        """Run a program in the system, without a network, and with nothing of this process's environment.

        Args:
            command: program and arguments, as the system sees them.
            display: of an X server whose socket is shown to it.
            environment: variables for it.
        """
        root = shlex.quote(str(self.folder))
        sockets = "/tmp/.X11-unix"
        steps = [f"mount -t proc proc {root}/proc", f"mount --bind /dev {root}/dev"]
        if display:
            steps += [f"mkdir -p {root}{sockets}", f"mount --bind {sockets} {root}{sockets}"]
            environment["DISPLAY"] = display
        variables = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **environment}
        settings = " ".join(shlex.quote(f"{name}={value}") for name, value in variables.items())
        steps.append(f"exec chroot {root} env -i {settings} {shlex.join(command)}")
        log = self.folder / "calls.log"
        log.unlink(missing_ok=True)
        unshared = [*_UNSHARED, "sh", "-ec", "\n".join(steps)]
        traced = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,bind", "-o", str(log), *unshared]
        done = subprocess.run(traced, capture_output=True, text=True, errors="replace", timeout=_LIMIT_S)
        calls = tuple(line for line in log.read_text("utf-8", "replace").splitlines() if _INTERNET.search(line))
        return Ran(done.returncode, done.stdout, done.stderr, calls)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory) -> Path:
    """The folder of the packaged program."""
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip(f"{VARIABLE} names no bundle; scripts/build_app.py makes one")
    path = Path(named).absolute()
    if path.is_dir():
        return path
    folder = tmp_path_factory.mktemp("bundle")
    shutil.unpack_archive(path, folder, filter="fully_trusted")
    return folder / "sadinet"


@pytest.fixture(scope="session")
def from_source(tmp_path_factory, clip) -> Path:
    """Folder of what the program writes when it is run from source: demo/walk.csv, batch/a.csv, batch/b.csv."""
    folder = tmp_path_factory.mktemp("source")
    videos(folder, clip)
    _sadinet("demo", "-o", folder / "demo")
    _sadinet("run", folder / "a.mp4", folder / "b.mp4", "-o", folder / "batch", "--angles")
    return folder


def videos(folder: Path, clip: Path) -> None:
    """Put two videos into a folder: the bundled one, and one cut off in the middle of its pictures."""
    shutil.copyfile(clip, folder / "a.mp4")
    subprocess.run([sys.executable, "-c", _SHORTER, str(clip), str(folder / "b.mp4")], check=True)


_SHORTER = """
import itertools, sys
from pathlib import Path
from sadinet.media.overlay import OverlayWriter
from sadinet.media.source import open_source
with open_source(Path(sys.argv[1])) as source, OverlayWriter(Path(sys.argv[2])) as writer:
    for frame in itertools.islice(source, 40):
        writer.write(frame.image, frame.time_s)
"""


def _sadinet(*arguments: object) -> None:
    command = [sys.executable, "-m", "sadinet", *map(str, arguments), "--device", "cpu"]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True, timeout=600)


@pytest.fixture(scope="session")
def needed_packages() -> list[str]:
    """The Debian packages of README's line, without Python's."""
    line = re.search(r"apt-get install -y --no-install-recommends (.+)", (TOP / "README.md").read_text("utf-8"))
    assert line is not None
    return [name for name in line[1].split() if not name.startswith("python3")]


@pytest.fixture(scope="session")
def bare_system(bundle, clip) -> Iterator[BareSystem]:
    """A Debian with nothing but its essential packages, and the bundle in it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        cannot("a system within the system takes root on Linux")
    for tool in ("debootstrap", "unshare", "strace", "Xvfb"):
        if shutil.which(tool) is None:
            cannot(f"{tool} is not there: apt-get install debootstrap strace util-linux xvfb")
    tried = subprocess.run([*_UNSHARED, "true"], capture_output=True, text=True)
    if tried.returncode:
        cannot(f"namespaces are not allowed here: {tried.stderr.strip()}")
    # In memory, where there is enough: its thousands of small files would wait for the disk.
    shm = Path("/dev/shm")
    base = shm if shm.is_dir() and shutil.disk_usage(shm).free > 3e9 else None
    folder = Path(tempfile.mkdtemp(prefix="sadinet-bare-", dir=base))
    try:
        system = BareSystem.make(folder)
        shutil.copytree(bundle, folder / "opt" / "sadinet", symlinks=True)
        (folder / "videos").mkdir()
        videos(folder / "videos", clip)
        yield system
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def x_server() -> Iterator[str]:
    """Run an X server that no network reaches; yields its display."""
    if shutil.which("Xvfb") is None:
        cannot("Xvfb is not there: apt-get install xvfb")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()  # ends when the server does
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(30)


def cannot(why: str) -> NoReturn:
    """Skip a test of the bare system; fail it where it has to run."""
    if os.environ.get("SADINET_BARE_SYSTEM") == "required":
        pytest.fail(why)
    pytest.skip(why)


def _mirror() -> list[str]:
    """Return where this system has its packages from, if that needs no certificates; empty for Debian's own server."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    listed = [path.read_text("utf-8") for path in files if path.suffix in (".list", ".sources") and path.is_file()]
    return _MIRROR.findall("\n".join(listed))[:1]


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
