"""Stands in, within the packaged program, for parts of SciPy that it imports at once and that nothing of ours calls.

PyInstaller runs this before the program itself. What is taken from such a module is a class that can be named,
inherited from and passed on, as imports do; whoever makes or calls one is told that it is not there.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

ABSENT = (
    "scipy.interpolate._interpnd",  # over scattered points; needs scipy.spatial
    "scipy.linalg._decomp_interpolative",
    "scipy.optimize._highspy._core",  # linear programs
    "scipy.optimize._highspy._highs_options",
    "scipy.sparse._sparsetools",  # what computes with sparse matrices
    "scipy.sparse.csgraph",
    "scipy.sparse.linalg",
    "scipy.spatial",  # trees of neighbours, hulls, rotations
    "scipy.stats",
)
"""Modules that are left out, with all below them."""


class _Named(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Named(f"{cls.__name__}.{name}", (_Absent,), {})


class _Absent(metaclass=_Named):
    def __new__(cls, *_: object, **__: object) -> _Absent:
        raise ImportError(f"{cls.__name__} is left out of the packaged program")


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Named(f"{self.__name__}.{name}", (_Absent,), {})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that are left out, and makes empty ones of their names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the description of a module that is left out; None for every other."""
        if not any(fullname == name or fullname.startswith(name + ".") for name in ABSENT):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return an empty module."""
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is in it."""


if getattr(sys, "frozen", False):
    sys.meta_path.insert(0, Finder())
