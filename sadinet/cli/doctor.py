"""Tell what was found on this machine, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator

from sadinet.cli.progress import print_facts
from sadinet.health.finding import Finding
from sadinet.health.hardware import check_cameras, check_devices, check_system
from sadinet.health.libraries import check_libraries, check_system_libraries
from sadinet.health.models import check_models, check_run

HELP = "what is here, what is missing, and the remedy"
EPILOG = "Exit code 0 if `sadinet demo` works here, else 1."

_SECTIONS: dict[str, Callable[[], Iterable[Finding]]] = {
    "System": check_system,
    "Libraries": lambda: [*check_libraries(), *check_system_libraries()],
    "Engines and devices": check_devices,
    "Models": check_models,
    "Cameras": check_cameras,
    "Self-check": lambda: [check_run()],
}
_MARKS = {"ok": "", "note": "  (note)", "missing": "  (MISSING)"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments: none."""


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    findings: list[Finding] = []
    for title, check in _SECTIONS.items():
        found = list(check())
        print(("" if title == "System" else "\n") + title)
        print_facts((each.name, each.text + _MARKS[each.state]) for each in found)
        findings += found
    wrong = [each for each in findings if each.state != "ok"]
    is_working = all(each.state != "missing" for each in wrong)
    print("\nsadinet demo " + ("works here." if is_working else "does not work here."))
    for line in _remedies(wrong):
        print(line)
    return 0 if is_working else 1


def _remedies(wrong: Iterable[Finding]) -> Iterator[str]:
    found = list(wrong)
    packages = dict.fromkeys(package for each in found for package in each.packages)
    if packages:
        yield f"  as root: apt-get install -y --no-install-recommends {' '.join(packages)}"
    for each in found:
        if not each.packages:
            yield f"  {each.name}: {each.text}" + (f" -> {each.remedy}" if each.remedy else "")
