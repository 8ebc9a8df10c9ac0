"""What the program remembers: one frozen value, kept in an INI file.

A file that is damaged, or was written by a later version, gives the defaults, and says so. That of a later version is
left as it is.
"""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from PyQt6.QtCore import QSettings

from app.choice import SourceChoice, SourceKind
from app.view_options import ViewOptions

VERSION: Final = 1
"""Goes up when a value changes its meaning."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Everything that is remembered.

    Attributes:
        theme: "dark" or "light".
        geometry: of the window, as Qt encodes it, in hexadecimal digits; `layout`, of its parts.
        page: which page was open.
        view: what is drawn.
        is_smooth: whether live joints are smoothed.
        source: what was open last; None for the demo clip.
        recent: files, folders and streams, the last one first.
        speed: of files, times their true speed.
        is_looped: whether files begin again.
        camera_size_wh, camera_rate_hz: what cameras are asked for; None for their own.
        weights, engine, device: as for `sadinet.pipeline.Settings`.
        folder: where recordings, snapshots and exports go; empty for the user's folder of videos.
        angle_limits: angle -> least and greatest degrees before it alarms.
        has_alarm_sound: whether an alarm is heard.
    """

    theme: str = "dark"
    geometry: str = ""
    layout: str = ""
    page: str = "viewer"
    view: ViewOptions = field(default_factory=ViewOptions)
    is_smooth: bool = True
    source: SourceChoice | None = None
    recent: tuple[str, ...] = ()
    speed: float = 1.0
    is_looped: bool = True
    camera_size_wh: tuple[int, int] | None = None
    camera_rate_hz: float | None = None
    weights: str = "default"
    engine: str = "auto"
    device: str = "auto"
    folder: str = ""
    angle_limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    has_alarm_sound: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found.

    Attributes:
        settings: the values, or defaults.
        note: what could not be used, for the user; empty if all is well.
        may_save: whether the file may be written over.
    """

    settings: AppSettings
    note: str = ""
    may_save: bool = True


def load(path: Path) -> Loaded:
    """Read the settings; single values that make no sense are replaced by their defaults, and told."""
    if not path.exists() or path.stat().st_size == 0:
        return Loaded(AppSettings())
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    version = stored.value("version")
    if stored.status() != QSettings.Status.NoError or not isinstance(version, str) or not version.isdecimal():
        _set_aside(path)
        return Loaded(AppSettings(), "The settings file is damaged; the program starts with its defaults.")
    if int(version) > VERSION:
        note = "The settings were written by a later version; the program starts with its defaults and keeps the file."
        return Loaded(AppSettings(), note, may_save=False)
    values: dict[str, Any] = {}
    bad: list[str] = []
    hints = get_type_hints(AppSettings)
    for each in dataclasses.fields(AppSettings):
        text = stored.value(each.name)
        if text is None:
            continue
        try:
            values[each.name] = _decode(json.loads(str(text)), hints[each.name])
        except (ValueError, TypeError, KeyError):
            bad.append(each.name)
    note = f"Some settings make no sense and are at their defaults: {', '.join(bad)}." if bad else ""
    return Loaded(AppSettings(**values), note)


def save(path: Path, settings: AppSettings) -> bool:
    """Write the settings; returns whether the disk took them."""
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    stored.setValue("version", str(VERSION))
    for each in dataclasses.fields(AppSettings):
        stored.setValue(each.name, json.dumps(_encode(getattr(settings, each.name)), sort_keys=True))
    stored.sync()
    return stored.status() == QSettings.Status.NoError


def _set_aside(path: Path) -> None:
    try:
        shutil.copyfile(path, path.with_name(path.name + ".damaged"))
        path.unlink()
    except OSError:
        return  # it stays, and is written over


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _encode(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, SourceKind):
        return value.value
    if isinstance(value, Mapping):
        return {key: _encode(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_encode(each) for each in value]
    return value


def _decode(value: Any, hint: Any) -> Any:
    """Return a value of the type that a field has; raises ValueError or TypeError for anything else."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and type(None) in parts:
            return None
        (only,) = (part for part in parts if part is not type(None))
        return _decode(value, only)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _decode_dataclass(value, hint)
    if origin is tuple:
        items = _checked(value, list)
        kinds = [parts[0]] * len(items) if len(parts) == 2 and parts[1] is Ellipsis else list(parts)
        return tuple(_decode(item, kind) for item, kind in zip(items, kinds, strict=True))
    if origin is not None:  # a mapping
        return {_decode(key, parts[0]): _decode(each, parts[1]) for key, each in _checked(value, dict).items()}
    if hint is SourceKind:
        return SourceKind(value)
    return _decode_plain(value, hint)


def _decode_dataclass(value: Any, hint: type) -> Any:
    found, hints = _checked(value, dict), get_type_hints(hint)
    # A field that a later revision added has its default.
    return hint(**{name: _decode(each, hints[name]) for name, each in found.items() if name in hints})


def _decode_plain(value: Any, hint: type) -> Any:
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(value)
        return float(value)
    if type(value) is not hint:
        raise TypeError(value)
    return value


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(value)
    return value
