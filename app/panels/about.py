"""What the program is, whose work it stands on, and what its models can and cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Final

from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.panels.paper import Paper
from sadinet._version import __version__
from sadinet.weights import Weights


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the program contains or uses.

    Attributes:
        name: as people know it.
        licence: its licence's short name.
        role: what it does here.
        package: its name for Python's package index, for the version; empty if it is none.
    """

    name: str
    licence: str
    role: str
    package: str = ""


PARTS: Final = (
    Part("SADI-NET", "AGPL-3.0-or-later", "this program and its pose models"),
    Part("person detector (yolo11n)", "AGPL-3.0", "weights by Ultralytics, trained on COCO"),
    Part("Qt and PyQt6", "LGPL-3.0 (Qt), GPL-3.0 (PyQt6)", "windows", "PyQt6"),
    Part("FFmpeg", "LGPL-3.0, as built for PyAV", "reads and writes video"),
    Part("x264, x265", "GPL-2.0-or-later", "write H.264 and H.265, within FFmpeg"),
    Part("PyAV", "BSD-3-Clause", "FFmpeg for Python", "av"),
    Part("OpenCV", "Apache-2.0", "pictures, cameras, recorded overlays", "opencv-python"),
    Part("ONNX Runtime", "MIT", "runs the networks", "onnxruntime"),
    Part("NumPy", "BSD-3-Clause", "arrays", "numpy"),
    Part("SciPy", "BSD-3-Clause", "assignment and filters", "scipy"),
    Part("pyqtgraph", "MIT", "plots", "pyqtgraph"),
    Part("cv2-enumerate-cameras", "MIT", "cameras by name", "cv2-enumerate-cameras"),
    Part("Rich", "MIT", "progress in the terminal", "rich"),
    Part("filelock", "MIT", "one run at a time in a folder", "filelock"),
    Part("platformdirs", "MIT", "places of settings", "platformdirs"),
)
"""Licences as these projects state them."""

_ABOUT: Final = """\
## SADI-NET {version}

Finds people in videos, cameras and pictures, and the joints of each; says with every joint how sure it is.

Everything runs on this computer: nothing is sent, and nothing is loaded from a network.

Free software under the GNU Affero General Public License, version 3 or later. It comes **without any warranty**, and
it is **no medical device**: it measures what a picture shows, with the uncertainty that it states.

The network follows *SADI-NET* (arXiv 2311.05323), its decoding *DARK* (arXiv 1910.06278).
"""


class AboutDialog(QDialog):
    """Shows version, licences and model cards; does not block the window.

    Args:
        models: whose cards are shown.
        parent: the window.
    """

    def __init__(self, models: tuple[Weights, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About SADI-NET")
        self.setModal(False)
        self.resize(780, 560)
        self._models = models
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("About")
        self.tabs.addTab(Paper(_ABOUT.format(version=__version__), "About"), "About")
        self.tabs.addTab(Paper(licences_text(), "Licences"), "Licences")
        self.tabs.addTab(self._cards(), "Models")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        for button in buttons.buttons():
            button.setIcon(QIcon())  # the style's own is black on black in the dark
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(buttons)

    def _cards(self) -> QWidget:
        holder = QWidget()
        self.names = QListWidget()
        self.names.setAccessibleName("Models")
        self.names.setMaximumWidth(170)
        self.names.setSpacing(3)
        self.card = Paper("", "Model card")
        for weights in self._models:
            self.names.addItem(weights.name)
        self.names.currentRowChanged.connect(self._show_card)
        row = QHBoxLayout()
        row.addWidget(self.names)
        row.addWidget(self.card, 1)
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 8, 0, 0)
        if not self._models:
            layout.addWidget(QLabel("No model is there."))
        layout.addLayout(row, 1)
        if self._models:
            self.names.setCurrentRow(0)
        return holder

    def _show_card(self, row: int) -> None:
        if 0 <= row < len(self._models):
            self.card.show_text(card_text(self._models[row]))


def licences_text() -> str:
    """Return the parts and their licences as Markdown."""
    rows = [f"| {part.name} | {_version(part)} | {part.licence} | {part.role} |" for part in PARTS]
    head = "| part | version | licence | what for |\n|---|---|---|---|"
    note = (
        "The whole may be passed on under the AGPL-3.0-or-later, with its source. Whoever wants other terms needs them "
        "from all of these, above all for the detector and PyQt6."
    )
    return "\n".join([head, *rows, "", note])


def card_text(weights: Weights) -> str:
    """Return a model's card as Markdown; what its manifest says where there is no card."""
    path = weights.path.with_suffix(".md")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        manifest = weights.manifest
        return (
            f"# {weights.name}\n\nThis {weights.kind} model has no card beside its manifest.\n\n"
            f"| | |\n|---|---|\n| Data | {manifest.data} |\n| Licence | {manifest.licence} |\n"
        )


def _version(part: Part) -> str:
    if not part.package:
        return __version__ if part.name == "SADI-NET" else ""
    # OpenCV without windows of its own, as the packaged program has it, goes by another name.
    for name in (part.package, f"{part.package}-headless"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"
