"""How a queue is told in one line."""

from __future__ import annotations

import math

from app.batch_state import BatchPhase, BatchState

_PHASES = {
    BatchPhase.STARTING: "Loading the models and looking at the files …",
    BatchPhase.PAUSING: "Pausing at the next frame …",
    BatchPhase.STOPPING: "Stopping at the next frame …",
}


def course_text(state: BatchState) -> str:
    """Return one line on how far a queue is."""
    if state.phase in _PHASES:
        return _PHASES[state.phase]
    items = state.shown
    if not items:
        return ""
    if not state.phase.is_busy and state.summary:
        return state.summary
    over = sum(item.state.is_over for item in items)
    parts = [f"{over} of {len(items)} {'input' if len(items) == 1 else 'inputs'}"]
    if state.frames:
        parts.append(f"{state.done:,} of {state.frames:,} frames")
    if state.phase is BatchPhase.PAUSED:
        parts.append("paused")
    elif state.phase is BatchPhase.RUNNING and math.isfinite(state.fps):
        parts.append(f"{state.fps:.1f} fps")
        if math.isfinite(state.left_s):
            parts.append(f"about {_clock(state.left_s)} left")
    return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
