"""What every input of a batch is to give: folder, tables, overlay, page, angles, processes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.batch_state import BatchOptions
from app.loading import pose_model_names
from sadinet.tables.writer import FORMATS
from sadinet.weights import DEFAULTS

FORMAT_NAMES = {"csv": "CSV", "parquet": "Parquet", "openpose": "OpenPose", "coco": "COCO", "trc": "TRC", "c3d": "C3D"}
_WIDTH = 280
_FIELD_PX = 116


class BatchOptionsPanel(QWidget):
    """Shows and changes options; does nothing itself.

    Args:
        has_run: whether people are yet to be found, so that the model and the number of processes may be chosen.
    """

    options_changed = pyqtSignal(object)
    """`BatchOptions`."""

    def __init__(self, parent: QWidget | None = None, *, has_run: bool = True) -> None:
        super().__init__(parent)
        self.setAccessibleName("Options of the batch")
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(_WIDTH)
        self._options = BatchOptions()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(6)
        self._add_folder(rows)
        self._add_tables(rows)
        self._add_more(rows)
        self._add_numbers(rows)
        for row in (self._models_row, self._jobs_row):
            row.setVisible(has_run)
        if has_run:
            self._list_models()
        rows.addStretch(1)
        self._show()

    @property
    def options(self) -> BatchOptions:
        """What is chosen."""
        return self._options

    def set_options(self, options: BatchOptions) -> None:
        """Show these."""
        self._options = options
        self._show()

    def _add_folder(self, rows: QVBoxLayout) -> None:
        rows.addWidget(_heading("Folder of the results"))
        self._folder = QLineEdit()
        self._folder.setPlaceholderText("choose a folder")
        self._folder.setAccessibleName("Folder of the results")
        self._folder.setToolTip("Where tables, videos and pages go. What is done is remembered there too.")
        self._folder.editingFinished.connect(self._read)
        browse = QToolButton()
        browse.setText("…")
        browse.setAccessibleName("Choose the folder of the results")
        browse.setToolTip("Choose the folder of the results")
        browse.clicked.connect(self._ask_folder)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self._folder, 1)
        line.addWidget(browse)
        rows.addLayout(line)
        rows.addSpacing(8)

    def _add_tables(self, rows: QVBoxLayout) -> None:
        rows.addWidget(_heading("Tables"))
        self._formats: dict[str, QCheckBox] = {}
        for name, info in FORMATS.items():
            box = QCheckBox(FORMAT_NAMES.get(name, name))
            box.setToolTip(info.summary)
            box.setAccessibleDescription(info.summary)
            box.toggled.connect(self._read)
            self._formats[name] = box
        half = (len(self._formats) + 1) // 2
        columns = QHBoxLayout()
        for part in (list(self._formats.values())[:half], list(self._formats.values())[half:]):
            column = QVBoxLayout()
            column.setSpacing(4)
            for box in part:
                column.addWidget(box)
            columns.addLayout(column, 1)
        rows.addLayout(columns)
        rows.addSpacing(8)

    def _add_more(self, rows: QVBoxLayout) -> None:
        rows.addWidget(_heading("Further"))
        self._overlay = _box("Video with skeletons", "Also write the video, or the pictures, with the skeletons drawn")
        self._page = _box("Page for the browser", "One file with pictures and charts of each input")
        self._angles = _box("Joint angles", "Add columns of angles and their uncertainty to the tables")
        for box in (self._overlay, self._page, self._angles):
            box.toggled.connect(self._read)
            rows.addWidget(box)

    def _add_numbers(self, rows: QVBoxLayout) -> None:
        self._scale = QDoubleSpinBox()
        self._scale.setRange(0.0, 10.0)
        self._scale.setDecimals(6)
        self._scale.setSingleStep(0.0001)
        self._scale.setSpecialValueText("not measured")
        self._scale.setToolTip("Metres that a pixel shows, for TRC and C3D; without it their unit is the pixel")
        self._scale.valueChanged.connect(self._read)
        self._scale_row = _row("Metres per pixel", self._scale)
        self._jobs = QSpinBox()
        self._jobs.setRange(1, max(1, os.cpu_count() or 1))
        self._jobs.setToolTip("How many processes share the work; results do not depend on it, memory does")
        self._jobs.valueChanged.connect(self._read)
        self._jobs_row = _row("Processes", self._jobs)
        self._models = QComboBox()
        self._models.setToolTip("The network that finds joints; the models' cards under Help tell how exact each is")
        self._models.activated.connect(self._read)
        self._models_row = _row("Pose model", self._models)
        rows.addSpacing(2)
        rows.addWidget(self._models_row)
        rows.addWidget(self._scale_row)
        rows.addWidget(self._jobs_row)

    def _list_models(self) -> None:
        default = DEFAULTS["pose"]
        self._models.addItem(default, "default")
        for name in pose_model_names():
            if name != default:
                self._models.addItem(name, name)

    def _show(self) -> None:
        options = self._options
        if self._models.findData(options.weights) < 0:
            self._models.addItem(Path(options.weights).name, options.weights)
        self._models.setCurrentIndex(self._models.findData(options.weights))
        boxes = {**self._formats, "overlay": self._overlay, "page": self._page, "angles": self._angles}
        chosen = {*options.formats, *(name for name in ("overlay", "page", "angles") if getattr(options, name))}
        for name, box in boxes.items():
            with QSignalBlocker(box):
                box.setChecked(name in chosen)
        with QSignalBlocker(self._jobs), QSignalBlocker(self._folder), QSignalBlocker(self._scale):
            self._scale.setValue(options.metres_per_pixel)
            self._jobs.setValue(options.jobs)
            self._folder.setText(options.folder)
        self._scale_row.setEnabled(not {"trc", "c3d"}.isdisjoint(options.formats))

    def _read(self) -> None:
        formats = tuple(name for name, box in self._formats.items() if box.isChecked())
        if not formats:
            # Without a table there would be nothing to go on from.
            formats = ("csv",)
        typed = self._folder.text().strip()
        folder = str(Path(typed).expanduser().absolute()) if typed else ""
        chosen = replace(
            self._options,
            folder=folder,
            formats=formats,
            overlay=self._overlay.isChecked(),
            page=self._page.isChecked(),
            angles=self._angles.isChecked(),
            metres_per_pixel=round(self._scale.value(), 6),
            jobs=self._jobs.value(),
            weights=self._models.currentData(),
        )
        is_other = chosen != self._options
        self._options = chosen
        self._show()
        if is_other:
            self.options_changed.emit(chosen)

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, "Folder of the results", self._options.folder or str(Path.home()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_folder)
        dialog.open()

    def _take_folder(self, folder: str) -> None:
        self._folder.setText(folder)
        self._read()


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _box(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(tip)
    box.setAccessibleDescription(tip)
    return box


def _row(text: str, field: QAbstractSpinBox | QComboBox) -> QWidget:
    """Return a line of a label and a field."""
    row = QWidget()
    label = QLabel(text)
    label.setBuddy(field)
    field.setAccessibleName(text)
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(label, 1)
    line.addWidget(field)
    field.setFixedWidth(_FIELD_PX)
    return row
