"""What leads from one state of a queue to the next. No Qt, no threads."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace

from app.batch_events import Advanced, BatchEvent, Began, Ended, Held, Line, Looked, Over, Ready, Reported
from app.batch_state import BatchPhase, BatchState, Item, ItemState


def heard(state: BatchState, event: BatchEvent, now_s: float) -> BatchState:
    """Return the queue after an event, heard at `now_s` of a monotonic clock."""
    if isinstance(event, Looked):
        return _looked(state, event)
    if isinstance(event, Line):
        return replace(state, lines=(*state.lines, event.text))
    if isinstance(event, Ready):
        return _in_phase(state, BatchPhase.STARTING, BatchPhase.RUNNING, heard_s=now_s)
    if isinstance(event, Began):
        item = replace(_item(state, event.where), state=ItemState.RUNNING, stage="poses", notes=())
        known = item.frames if event.frames is None else event.frames
        return _with(state, replace(item, done=event.done, frames=known))
    if isinstance(event, Advanced):
        return _advanced(state, event, now_s)
    if isinstance(event, Ended):
        return _ended(state, event)
    if isinstance(event, Held):
        if event.is_held:
            return _in_phase(state, BatchPhase.PAUSING, BatchPhase.PAUSED, heard_s=math.nan)
        return _in_phase(state, BatchPhase.PAUSED, BatchPhase.RUNNING, heard_s=now_s)
    if isinstance(event, Reported):
        return replace(state, summary=event.summary, report=event.page)
    return _over(state, event)


def starting(state: BatchState, *, is_check: bool = False) -> BatchState:
    """A run begins; what failed is tried again, and what is done is looked at, as options may have changed."""
    failed = ItemState.FAILED
    items = (replace(item, state=ItemState.WAITING, done=0) if item.state is failed else item for item in state.items)
    return replace(
        state,
        items=tuple(items),
        phase=BatchPhase.STARTING,
        is_check=is_check,
        was_cut=False,
        lines=(),
        summary="",
        report="",
        fault=None,
        computed=0,
        active_s=0.0,
        heard_s=math.nan,
    )


def removed(state: BatchState, wheres: Sequence[str]) -> BatchState:
    """Inputs are taken off the list; those that are being worked on stay."""
    items = []
    for item in state.items:
        if item.where not in wheres or item.state is ItemState.RUNNING:
            items.append(item)
        elif item.state.has_results or state.phase.is_busy:
            items.append(replace(item, is_removed=True))
    return replace(state, items=tuple(items))


def contains(state: BatchState, where: str) -> bool:
    """Return whether the list has an input, by whatever path."""
    place = os.path.realpath(where)
    return any(os.path.realpath(item.where) == place for item in state.shown)


def _item(state: BatchState, where: str) -> Item:
    return next((item for item in state.items if item.where == where), Item(where))


def _with(state: BatchState, changed: Item) -> BatchState:
    if all(item.where != changed.where for item in state.items):
        return replace(state, items=(*state.items, changed))
    items = tuple(changed if item.where == changed.where else item for item in state.items)
    return replace(state, items=items)


def _looked(state: BatchState, event: Looked) -> BatchState:
    item = replace(_item(state, event.where), is_removed=False)
    if item.state is ItemState.RUNNING:
        return state
    notes = (event.error,) if event.error else event.notes
    if item.state.is_over:
        return _with(state, item)
    return _with(state, replace(item, frames=item.frames if event.frames is None else event.frames, notes=notes))


def _advanced(state: BatchState, event: Advanced, now_s: float) -> BatchState:
    item = _item(state, event.where)
    done = item.done + event.frames if item.stage == event.stage else event.frames
    state = _with(state, replace(item, stage=event.stage, done=done))
    since = 0.0 if math.isnan(state.heard_s) else now_s - state.heard_s
    computed = state.computed + (event.frames if event.stage == "poses" else 0)
    return replace(state, computed=computed, active_s=state.active_s + since, heard_s=now_s)


def _ended(state: BatchState, event: Ended) -> BatchState:
    item = _item(state, event.where)
    frames = item.frames if event.frames is None else event.frames
    return _with(
        state,
        replace(
            item,
            state=event.state,
            stage="",
            done=frames or 0 if event.state.has_results else item.done,
            frames=frames,
            people=event.people,
            notes=event.notes,
            outputs=event.outputs,
            page=event.page,
        ),
    )


def _in_phase(state: BatchState, before: BatchPhase, after: BatchPhase, *, heard_s: float) -> BatchState:
    return replace(state, phase=after, heard_s=heard_s) if state.phase is before else state


def _over(state: BatchState, event: Over) -> BatchState:
    # A pause that ended the process, as it works in several, stays a pause.
    is_paused = state.phase is BatchPhase.PAUSING and event.fault is None
    items = tuple(
        replace(item, state=ItemState.WAITING, stage="") if item.state is ItemState.RUNNING else item
        for item in state.items
        if not item.is_removed or item.state.has_results
    )
    phase = BatchPhase.PAUSED if is_paused else BatchPhase.IDLE
    return replace(state, items=items, phase=phase, fault=event.fault, heard_s=math.nan)
