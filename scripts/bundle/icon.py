"""Draws the program's icon: python icon.py FOLDER writes sadinet.png, .ico, .icns and hicolor's sizes.

The walker is the one of the program's own buttons. Runs without a display.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QGuiApplication, QImage, QLinearGradient, QPainter

from app.icons import DRAWINGS
from app.theme import THEMES

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bundle.icon_sides import SIDES

_FIELD = 24.0  # what the drawings of the program's buttons are measured in


def draw(side: int) -> QImage:
    """Return the icon, side x side pixels, with a see-through margin."""
    made = QImage(side, side, QImage.Format.Format_ARGB32)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    margin = side / 32
    field = QRectF(margin, margin, side - 2 * margin, side - 2 * margin)
    accent = QColor(THEMES["dark"].accent)
    shade = QLinearGradient(field.topLeft(), field.bottomLeft())
    shade.setColorAt(0.0, accent.darker(170))
    shade.setColorAt(1.0, accent.darker(330))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade)
    painter.drawRoundedRect(field, side / 5, side / 5)
    white = QColor("white")
    scale = 0.82 * side / _FIELD
    painter.translate(0.09 * side, 0.09 * side)
    painter.scale(scale, scale)
    painter.setBrush(white)
    DRAWINGS["demo"](painter, white)
    painter.end()
    return made


def write(folder: Path) -> None:
    """Write all files; raises OSError where one cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = {folder / f"sadinet-{side}.png": side for side in SIDES}
    # Windows' and macOS' kinds hold one picture here, from which the system makes the smaller ones.
    targets |= {folder / "sadinet.png": 256, folder / "sadinet.ico": 256, folder / "sadinet.icns": 512}
    for path, side in targets.items():
        if not draw(side).save(str(path)):
            raise OSError(f"Qt could not write {path}")


if __name__ == "__main__":
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = QGuiApplication(sys.argv[:1])
    write(Path(sys.argv[1]))
