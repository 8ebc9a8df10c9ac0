"""Switches of what is drawn over the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.view_options import ViewOptions


@dataclass(frozen=True, slots=True)
class _Switch:
    field: str
    text: str
    key: str
    tip: str


_OVERLAY: Final = (
    _Switch("skeleton", "Skeleton", "S", "Lines between joints: blue is the person's left, orange the right"),
    _Switch("joints", "Joints", "D", "A dot at each joint"),
    _Switch("ids", "Numbers and scores", "I", "Each person's number and mean score"),
    _Switch("names", "Names of joints", "N", "Each joint's name beside it"),
    _Switch("boxes", "Boxes", "B", "The box around each person that the network looks at"),
    _Switch("trails", "Trails", "T", "Where each person was in the last two seconds"),
    _Switch("ellipses", "Uncertainty", "E", "One standard deviation around each joint"),
)
_PICTURE: Final = (
    _Switch("mirror", "Mirror", "M", "Show the picture as a mirror does; results stay as they are"),
    _Switch("blur", "Hide faces", "H", "Blur faces in the view, in snapshots and in recordings"),
)
NO_HEATMAP: Final = "none"


class ViewPanel(QWidget):
    """Shows and changes `ViewOptions`; every switch is also an action with a key of its own."""

    options_changed = pyqtSignal(object)
    """The new `ViewOptions`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("View")
        self._options = ViewOptions()
        self.switches: dict[str, QAction] = {}
        """Action of each switch, by the name of its field."""
        self._boxes: dict[str, QCheckBox] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(6)
        self._add_switches(layout, "Overlay", _OVERLAY)
        layout.addSpacing(10)
        self._add_threshold(layout)
        layout.addSpacing(10)
        self._add_heatmap(layout)
        layout.addSpacing(10)
        self._add_switches(layout, "Picture", _PICTURE)
        layout.addSpacing(12)
        usual = QPushButton("Defaults")
        usual.setToolTip("Put all switches of the view back")
        usual.setAccessibleName("Put the view back as at first")
        usual.clicked.connect(self._put_back)
        layout.addWidget(usual)
        layout.addStretch(1)

    @property
    def options(self) -> ViewOptions:
        """What is chosen."""
        return self._options

    def set_options(self, options: ViewOptions) -> None:
        """Show options; nothing is emitted."""
        self._options = options
        for field, action in self.switches.items():
            with QSignalBlocker(action):
                action.setChecked(getattr(options, field))
            self._boxes[field].setChecked(getattr(options, field))
        with QSignalBlocker(self._slider), QSignalBlocker(self._spin):
            self._slider.setValue(round(options.threshold * 100))
            self._spin.setValue(options.threshold)
        self._choose_heatmap(options.heatmap_joint)

    def set_joints(self, joints: Sequence[str]) -> None:
        """Offer these joints' heatmaps."""
        with QSignalBlocker(self._heatmap):
            self._heatmap.clear()
            self._heatmap.addItem(NO_HEATMAP, None)
            for joint in joints:
                self._heatmap.addItem(joint.replace("_", " "), joint)
        self._heatmap.setEnabled(bool(joints))
        self._choose_heatmap(self._options.heatmap_joint)

    def _add_switches(self, layout: QVBoxLayout, heading: str, switches: Sequence[_Switch]) -> None:
        layout.addWidget(_heading(heading))
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for row, switch in enumerate(switches):
            box = QCheckBox(switch.text)
            box.setToolTip(f"{switch.tip} ({switch.key})")
            box.setAccessibleName(switch.text)
            key = QLabel(switch.key)
            key.setProperty("role", "muted")
            key.setToolTip(f"Key {switch.key}")
            grid.addWidget(box, row, 0)
            grid.addWidget(key, row, 1)
            self._connect(switch, box)
        layout.addLayout(grid)

    def _connect(self, switch: _Switch, box: QCheckBox) -> None:
        action = QAction(switch.text, self)
        action.setCheckable(True)
        action.setShortcut(QKeySequence(switch.key))
        action.setToolTip(f"{switch.tip} ({switch.key})")
        action.setChecked(getattr(self._options, switch.field))
        box.setChecked(action.isChecked())
        # Clicked, not toggled: what a program sets is no wish of the user.
        box.clicked.connect(action.setChecked)
        action.toggled.connect(lambda on: self._switch(switch.field, on))
        self.addAction(action)
        self.switches[switch.field] = action
        self._boxes[switch.field] = box

    def _add_threshold(self, layout: QVBoxLayout) -> None:
        layout.addWidget(_heading("Least score"))
        tip = "Joints that score lower are not drawn; they stay in every table"
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, 100)
        self._slider.setPageStep(10)
        self._slider.setAccessibleName("Least score of joints that are drawn, per cent")
        self._spin = QDoubleSpinBox()
        self._spin.setRange(0.0, 1.0)
        self._spin.setSingleStep(0.05)
        self._spin.setDecimals(2)
        self._spin.setAccessibleName("Least score of joints that are drawn")
        for control in (self._slider, self._spin):
            control.setToolTip(tip)
        self._slider.setValue(round(self._options.threshold * 100))
        self._spin.setValue(self._options.threshold)
        self._slider.valueChanged.connect(lambda value: self._spin.setValue(value / 100))
        self._spin.valueChanged.connect(self._set_threshold)
        row = QHBoxLayout()
        row.addWidget(self._slider, 1)
        row.addWidget(self._spin)
        layout.addLayout(row)

    def _add_heatmap(self, layout: QVBoxLayout) -> None:
        layout.addWidget(_heading("Heatmap"))
        self._heatmap = QComboBox()
        self._heatmap.setAccessibleName("Joint whose heatmap lies over the picture")
        self._heatmap.setToolTip("Where the network sees this joint, brighter where it is surer")
        self._heatmap.currentIndexChanged.connect(self._set_heatmap)
        layout.addWidget(self._heatmap)
        self.set_joints(())

    def _choose_heatmap(self, joint: str | None) -> None:
        with QSignalBlocker(self._heatmap):
            self._heatmap.setCurrentIndex(max(0, self._heatmap.findData(joint)))

    def _switch(self, field: str, on: bool) -> None:
        self._boxes[field].setChecked(on)
        changed: dict[str, Any] = {field: on}
        self._change(replace(self._options, **changed))

    def _set_threshold(self, value: float) -> None:
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(value * 100))
        self._change(replace(self._options, threshold=round(value, 2)))

    def _set_heatmap(self, place: int) -> None:
        self._change(replace(self._options, heatmap_joint=self._heatmap.itemData(place)))

    def _put_back(self) -> None:
        options = ViewOptions()
        self.set_options(options)
        self.options_changed.emit(options)

    def _change(self, options: ViewOptions) -> None:
        if options != self._options:
            self._options = options
            self.options_changed.emit(options)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label
