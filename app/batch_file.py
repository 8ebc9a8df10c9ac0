"""The queue on the disk, so that it is there again after a restart."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_type_hints

from app.batch_state import BatchOptions, BatchState, Item, ItemState
from sadinet.atomic import output_error, write_bytes

VERSION = 1
"""Goes up when a value changes its meaning."""


def save_queue(path: Path, state: BatchState) -> None:
    """Write items and options, and whether a run is under way.

    Raises:
        OutputError: if the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error
    items = [{**asdict(item), "state": item.state.value} for item in state.items]
    values = {
        "version": VERSION,
        "is_running": state.phase.is_busy and not state.is_check,
        "options": asdict(state.options),
        "items": items,
    }
    # Names of files need not be valid Unicode; as escapes they stay what they are.
    write_bytes(path, (json.dumps(values, indent=1) + "\n").encode("ascii"))


def load_queue(path: Path) -> tuple[BatchState, str]:
    """Return the queue that was saved, and a line if it cannot be used; an empty one then."""
    try:
        values = json.loads(path.read_text(encoding="ascii"))
        if values["version"] > VERSION:
            return BatchState(), "The list of files was written by a later version; it begins anew."
        items = tuple(_item(each) for each in values["items"])
        return BatchState(items, _options(values["options"]), was_cut=bool(values["is_running"])), ""
    except FileNotFoundError:
        return BatchState(), ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return BatchState(), "The list of files cannot be read; it begins anew."


def _item(values: dict[str, Any]) -> Item:
    state = ItemState(values["state"])
    # Nothing is being worked on any more.
    is_cut = state is ItemState.RUNNING
    found = {
        **values,
        "state": ItemState.WAITING if is_cut else state,
        "stage": "",
        "notes": tuple(values["notes"]),
        "outputs": tuple(values["outputs"]),
    }
    _check(found, Item)
    return Item(**found)


def _options(values: dict[str, Any]) -> BatchOptions:
    # What a later revision added has its default.
    found = {name: value for name, value in values.items() if name in get_type_hints(BatchOptions)}
    found["formats"] = tuple(found["formats"])
    _check(found, BatchOptions)
    return BatchOptions(**found)


def _check(values: dict[str, Any], kind: type) -> None:
    """Raise TypeError for a value of another type than its field has."""
    for name, hint in get_type_hints(kind).items():
        if name not in values or hint not in (str, int, bool, float):
            continue
        found = type(values[name])
        if found is not hint and not (hint is float and found is int):
            raise TypeError(name)
