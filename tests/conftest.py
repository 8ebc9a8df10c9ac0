"""Settings that all tests share."""

from __future__ import annotations

from hypothesis import settings

# The same examples on every run; no deadline, as machines that are busy are no bug.
settings.register_profile("sadinet", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("sadinet")
