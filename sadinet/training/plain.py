"""Settings as frozen dataclasses: read from TOML and from NAME=VALUE on the command line, every mistake named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from sadinet.errors import InputError

Settings = TypeVar("Settings")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a settings file.

    Raises:
        InputError: if it is missing or not TOML; the message has the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error


def override(values: dict[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Return settings changed by "a.b=VALUE" texts; VALUE is TOML, a bare word counts as a text.

    Raises:
        InputError: for a text without "=", or a name below a value that has no names.
    """
    result: dict[str, Any] = _copy(values)
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        keys = name.strip().split(".")
        if not equals or not all(keys):
            raise InputError(f"setting {assignment!r}", "write NAME=VALUE, as in rate=1e-3 or network.stacks=2")
        place = result
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise InputError(f"setting {assignment!r}: {key} is a value and has no parts")
        place[keys[-1]] = _value(text.strip())
    return result


def _copy(values: Any) -> Any:
    return {key: _copy(value) for key, value in values.items()} if isinstance(values, dict) else values


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def build(kind: type[Settings], values: Mapping[str, Any], where: str = "") -> Settings:
    """Build a dataclass from plain values, dataclasses within it too.

    Args:
        kind: a dataclass with type annotations.
        values: by field name; a whole number is taken where a fraction is wanted, a list where a tuple is.
        where: names that lead here, for messages.

    Raises:
        InputError: for an unknown, missing or wrong value; names it with what would be right.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"setting {where} is {values!r}", "must be a table with names")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(known)):
        raise InputError(f"unknown setting {_name(where, unknown[0])}", "one of: " + ", ".join(known))
    hints = get_type_hints(kind)
    made = {name: _convert(hints[name], value, _name(where, name)) for name, value in values.items()}
    try:
        return kind(**made)
    except TypeError as error:
        raise InputError(f"settings {where or 'at the top'} are not complete: {error}") from error
    except InputError as error:
        if not where:
            raise
        raise InputError(f"in {where}: {error.message}", error.remedy) from error


def _name(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _convert(hint: Any, value: Any, name: str) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return build(hint, value, name)
    if origin is Literal:
        if value not in parts:
            raise InputError(f"setting {name} is {value!r}", "one of: " + ", ".join(map(str, parts)))
        return value
    if origin is tuple:
        return _tuple(parts, value, name)
    if origin in (Union, UnionType):
        kinds = [part for part in parts if part is not type(None)]
        return None if value is None else _convert(kinds[0], value, name)
    return _scalar(hint, value, name)


def _tuple(parts: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InputError(f"setting {name} is {value!r}", "must be a list")
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(_convert(parts[0], item, f"{name}[{i}]") for i, item in enumerate(value))
    if len(value) != len(parts):
        raise InputError(f"setting {name} is {value!r}", f"must be a list of {len(parts)}")
    return tuple(_convert(part, item, name) for part, item in zip(parts, value, strict=True))


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}


def _scalar(hint: Any, value: Any, name: str) -> Any:
    # Python's true is an int; a setting's is not.
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if type(value) is not hint:
        raise InputError(f"setting {name} is {value!r}", f"must be {_WORDS.get(hint, hint)}")
    return value
