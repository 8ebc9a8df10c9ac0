"""Every control of a part of the window moved there and back, as a user's hand would; for the self-test."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QDoubleSpinBox, QScrollBar, QSpinBox, QWidget


def exercise(part: QWidget, leave_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """Move each control that can be seen and used; yields its name after each move, so that the program may follow.

    Buttons that are on or off are clicked twice; lists are gone through, sliders and numbers go to their ends; all of
    them end where they were.

    Args:
        part: what the controls lie in.
        leave_out: accessible names of controls that are left alone.

    Raises:
        RuntimeError: for a control that does not come back to where it was.
    """
    for widget in part.findChildren(QWidget):
        name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        if not widget.isVisible() or not widget.isEnabled() or name in leave_out:
            continue
        before = _state(widget)
        if before is None:
            continue
        for _ in _moves(widget):
            yield name
        if (after := _state(widget)) != before:
            raise RuntimeError(f"{name or type(widget).__name__} is at {after}, not at {before} again")


def _state(widget: QWidget) -> float | None:
    """Return where a control stands; None for whatever is no such control."""
    if isinstance(widget, QScrollBar):
        return None
    if isinstance(widget, QAbstractButton):
        return float(widget.isChecked()) if widget.isCheckable() else None
    if isinstance(widget, QComboBox):
        return float(widget.currentIndex())
    if isinstance(widget, QAbstractSlider | QSpinBox | QDoubleSpinBox):
        return float(widget.value())
    return None


def _moves(widget: QWidget) -> Iterator[None]:
    if isinstance(widget, QAbstractButton):
        for _ in range(2):
            widget.click()
            yield
    elif isinstance(widget, QComboBox):
        chosen = widget.currentIndex()
        for place in (*range(widget.count()), chosen):
            widget.setCurrentIndex(place)
            widget.activated.emit(place)
            yield
    elif isinstance(widget, QAbstractSlider | QSpinBox | QDoubleSpinBox):
        value = widget.value()
        for each in (widget.minimum(), widget.maximum(), value):
            widget.setValue(each)  # type: ignore[arg-type]  # as the control has it
            yield
