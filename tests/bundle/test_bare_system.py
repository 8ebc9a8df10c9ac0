"""The packaged program on a system that has no Python, no network, and none of what a developer has."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.slow

CLI, APP = "/opt/sadinet/sadinet", "/opt/sadinet/sadinet-app"


@pytest.fixture(scope="module")
def without_packages(bare_system, x_server):
    """What the program says before README's packages are there: the command line's demo, and the desktop program."""
    return bare_system.run(CLI, "demo", "-o", "/tmp/early"), bare_system.run(APP, display=x_server)


@pytest.fixture(scope="module")
def system(bare_system, without_packages, needed_packages):
    """The system with README's packages."""
    bare_system.install(needed_packages)
    return bare_system


def test_there_is_no_python_and_no_network(bare_system):
    found = bare_system.run("sh", "-c", "command -v python3; cat /proc/net/dev")
    assert "python3" not in found.out
    assert [line.partition(":")[0].strip() for line in found.out.splitlines()[2:]] == ["lo"]


def test_without_the_packages_the_command_line_works_and_the_window_names_them(without_packages, needed_packages):
    demo, window = without_packages
    assert demo.code == 0, demo.err
    assert window.code == 1
    assert window.err.count("\n") == 1, window.err
    assert "apt-get install -y" in window.err
    for name in ("libegl1", "libgl1"):  # what no bundle may bring, as it belongs to the graphics driver
        assert name in window.err
        assert name in needed_packages


def test_doctor_finds_everything(system):
    done = system.run(CLI, "doctor")
    assert done.code == 0, done.out + done.err
    assert "sadinet demo works here." in done.out
    assert "MISSING" not in done.out
    assert "(note)" not in done.out
    assert done.calls == ()


def test_demo_writes_the_table_that_it_writes_from_source(system, from_source):
    done = system.run(CLI, "demo", "-o", "/tmp/demo")
    assert done.code == 0, done.err
    written = system.folder / "tmp" / "demo"
    assert sorted(path.name for path in written.iterdir()) == sorted(p.name for p in (from_source / "demo").iterdir())
    assert (written / "walk.csv").read_bytes() == (from_source / "demo" / "walk.csv").read_bytes()
    assert done.calls == ()


def test_a_batch_of_two_files_with_two_processes_ends_with_the_same_tables(system, from_source):
    done = system.run(CLI, "run", "/videos/a.mp4", "/videos/b.mp4", "-o", "/tmp/batch", "--angles", "--jobs", "2")
    assert done.code == 0, done.err
    for name in ("a.csv", "b.csv"):
        written = (system.folder / "tmp" / "batch" / name).read_bytes()
        # The source's path is in the sidecar, not in the table.
        assert written == (from_source / "batch" / name).read_bytes()
    assert done.calls == ()


def test_the_window_passes_its_own_test_on_an_x_server(system, x_server):
    done = system.run(APP, "--self-test", "--seconds", "3", display=x_server)
    assert done.code == 0, done.out + done.err
    assert "result passed" in done.out
    assert done.calls == ()


def test_the_calls_that_are_looked_for_are_seen(system):
    # The watcher itself: a program that does ask for an address is noticed, though nobody answers.
    done = system.run(CLI, "-c", "import socket; socket.socket(socket.AF_INET, 2).connect(('127.0.0.1', 9))")
    assert any("connect(" in call for call in done.calls), os.linesep.join(done.calls)
