"""What makes clips, for the tests of reading and writing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def clips() -> ModuleType:
    """The module beside this one; tests are no package, so it is loaded by its path."""
    spec = importlib.util.spec_from_file_location("clip_maker", Path(__file__).with_name("clip_maker.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
