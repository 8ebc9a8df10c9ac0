"""Strict reading of one JSON object: every key is asked for by type, and none may be left over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from sadinet.errors import WeightsError

Word = TypeVar("Word", bound=str)


class Fields:
    """A JSON object of a manifest, read key by key.

    Attributes:
        where: the file, and the keys that lead to this object; every error begins with it.
    """

    def __init__(self, values: object, where: str, path: str = "") -> None:
        self.where = where
        self._path = path
        if not isinstance(values, dict):
            raise self.error("", "must be an object with keys")
        self._values: dict[str, Any] = values
        self._asked: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def error(self, key: str, problem: str) -> WeightsError:
        """Return the error that names the file, the key and the problem."""
        name = ".".join(part for part in (self._path, key) if part)
        return WeightsError(": ".join(part for part in (f"manifest {self.where}", name, problem) if part))

    def finish(self) -> None:
        """Raise `WeightsError` if a key is there that nobody asked for."""
        if unknown := sorted(set(self._values) - self._asked):
            raise self.error(unknown[0], "unknown key")

    def part(self, key: str) -> Fields:
        """Return the object below `key`."""
        return Fields(self._get(key), self.where, ".".join(part for part in (self._path, key) if part))

    def is_text(self, key: str) -> bool:
        """Say whether the value of `key` is a text."""
        return isinstance(self._get(key), str)

    def text(self, key: str) -> str:
        """Return a text that is not empty."""
        value = self._get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"must be a text, not {_shown(value)}")
        return value

    def text_or_none(self, key: str) -> str | None:
        """Return a text, or None for null."""
        return None if self._get(key) is None else self.text(key)

    def choice(self, key: str, known: Sequence[Word]) -> Word:
        """Return a text out of `known`."""
        value = self._get(key)
        if value not in known or not isinstance(value, str):
            raise self.error(key, f"must be one of {', '.join(known)}, not {_shown(value)}")
        return cast("Word", value)

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an object as it stands."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self.error(key, f"must be an object with keys, not {_shown(value)}")
        return value

    def mapping_or_none(self, key: str) -> dict[str, Any] | None:
        """Return an object as it stands, or None for null."""
        return None if self._get(key) is None else self.mapping(key)

    def integer(self, key: str, *, at_least: int | None = None) -> int:
        """Return a whole number."""
        return self._integer(key, self._get(key), at_least)

    def integers(self, key: str, count: int, *, at_least: int | None = None) -> tuple[int, ...]:
        """Return `count` whole numbers."""
        return tuple(self._integer(key, value, at_least) for value in self._list(key, count))

    def number(self, key: str, *, above: float | None = None, at_most: float | None = None) -> float:
        """Return a finite number."""
        return self._number(key, self._get(key), above, at_most)

    def numbers(self, key: str, count: int, *, above: float | None = None) -> tuple[float, ...]:
        """Return `count` finite numbers."""
        return tuple(self._number(key, value, above, None) for value in self._list(key, count))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return texts, any number of them."""
        values = self._list(key)
        for value in values:
            if not isinstance(value, str) or not value.strip():
                raise self.error(key, f"must hold texts, not {_shown(value)}")
        return tuple(values)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return pairs of texts, any number of them."""
        values = self._list(key)
        for value in values:
            if not isinstance(value, list) or len(value) != 2 or not all(isinstance(name, str) for name in value):
                raise self.error(key, f"must hold pairs of texts, not {_shown(value)}")
        return tuple((first, second) for first, second in values)

    def _get(self, key: str) -> Any:
        self._asked.add(key)
        if key not in self._values:
            raise self.error(key, "missing")
        return self._values[key]

    def _list(self, key: str, count: int | None = None) -> list[Any]:
        value = self._get(key)
        if not isinstance(value, list) or (count is not None and len(value) != count):
            wanted = "a list" if count is None else f"a list of {count}"
            raise self.error(key, f"must be {wanted}, not {_shown(value)}")
        return value

    def _integer(self, key: str, value: Any, at_least: int | None) -> int:
        # JSON's true is an int to Python.
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, f"must be a whole number, not {_shown(value)}")
        if at_least is not None and value < at_least:
            raise self.error(key, f"must be at least {at_least}, not {value}")
        return value

    def _number(self, key: str, value: Any, above: float | None, at_most: float | None) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise self.error(key, f"must be a finite number, not {_shown(value)}")
        if above is not None and value <= above:
            raise self.error(key, f"must be above {above:g}, not {value:g}")
        if at_most is not None and value > at_most:
            raise self.error(key, f"must be at most {at_most:g}, not {value:g}")
        return float(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
