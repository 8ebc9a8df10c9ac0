"""Where pictures come from: cameras by name, files, streams, and what was open before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.choice import SourceChoice, SourceKind
from app.icons import icon

SIZES: tuple[tuple[int, int] | None, ...] = (None, (640, 480), (1280, 720), (1920, 1080))
RATES: tuple[float | None, ...] = (None, 15.0, 30.0, 60.0)
_ICON = QSize(18, 18)


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """A camera to choose: what is shown, and what it is found by."""

    name: str
    identity: str


class SourcesPanel(QWidget):
    """Chooses a source; opens nothing itself."""

    chosen = pyqtSignal(object)
    """A `SourceChoice`."""
    address_entered = pyqtSignal(str)
    """A stream's address, or anything else that was typed there."""
    refresh_wished = pyqtSignal()
    video_wished = pyqtSignal()
    pictures_wished = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Sources")
        self._cameras: tuple[CameraEntry, ...] = ()
        self._buttons: list[tuple[QPushButton | QToolButton, str]] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(6)
        self._add_cameras(layout)
        self._add_files(layout)
        self._add_stream(layout)
        self._add_recent(layout)
        self.refresh_theme()
        self.set_cameras(())

    def set_cameras(self, cameras: Sequence[CameraEntry], note: str = "") -> None:
        """Show which cameras are there; the one that is chosen stays so."""
        current = self._camera.currentData()
        self._cameras = tuple(cameras)
        with QSignalBlocker(self._camera):
            self._camera.clear()
            for camera in cameras:
                self._camera.addItem(camera.name, camera.identity)
                self._camera.setItemData(self._camera.count() - 1, camera.identity, Qt.ItemDataRole.ToolTipRole)
            if not cameras:
                self._camera.addItem("no camera found")
            self._camera.setCurrentIndex(max(0, self._camera.findData(current)))
        for control in (self._camera, self._open_camera, self._size, self._rate):
            control.setEnabled(bool(cameras))
        self._camera.setToolTip(note or "Cameras that are plugged in, by name")

    def set_camera_wish(self, size_wh: tuple[int, int] | None, rate_hz: float | None) -> None:
        """Show what cameras are asked for."""
        with QSignalBlocker(self._size), QSignalBlocker(self._rate):
            self._size.setCurrentIndex(SIZES.index(size_wh) if size_wh in SIZES else 0)
            self._rate.setCurrentIndex(RATES.index(rate_hz) if rate_hz in RATES else 0)

    @property
    def camera_size_wh(self) -> tuple[int, int] | None:
        """Width and height that cameras are asked for."""
        return SIZES[self._size.currentIndex()]

    @property
    def camera_rate_hz(self) -> float | None:
        """Rate that cameras are asked for."""
        return RATES[self._rate.currentIndex()]

    def set_recent(self, recent: Sequence[str]) -> None:
        """Show what was open before, the last one first."""
        self._recent.clear()
        for where in recent:
            item = QListWidgetItem(Path(where).name or where)
            item.setData(Qt.ItemDataRole.UserRole, where)
            item.setToolTip(where)
            self._recent.addItem(item)
        self._recent_heading.setVisible(bool(recent))
        self._recent.setVisible(bool(recent))

    def set_current(self, choice: SourceChoice | None) -> None:
        """Mark what is open."""
        is_camera = choice is not None and choice.kind is SourceKind.CAMERA
        if choice is not None and is_camera and (place := self._camera.findData(choice.where)) >= 0:
            with QSignalBlocker(self._camera):
                self._camera.setCurrentIndex(place)
        for row in range(self._recent.count()):
            item = self._recent.item(row)
            if item is not None:
                font = item.font()
                font.setBold(choice is not None and item.data(Qt.ItemDataRole.UserRole) == choice.where)
                item.setFont(font)

    def focus_stream(self) -> None:
        """Put the cursor where an address is typed."""
        self._address.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._address.selectAll()

    def open_chosen_camera(self) -> None:
        """Open the camera that is chosen, if there is one."""
        place = self._camera.currentIndex()
        if not 0 <= place < len(self._cameras):
            return
        camera = self._cameras[place]
        wish = (self.camera_size_wh, self.camera_rate_hz)
        self.chosen.emit(SourceChoice(SourceKind.CAMERA, camera.identity, camera.name, *wish))

    def refresh_theme(self) -> None:
        """Take the icons' colours from the theme in use."""
        for button, name in self._buttons:
            button.setIcon(icon(name))

    def _add_cameras(self, layout: QVBoxLayout) -> None:
        layout.addWidget(_heading("Camera"))
        self._camera = QComboBox()
        self._camera.setAccessibleName("Camera")
        self._camera.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._camera.setMinimumContentsLength(10)
        refresh = QToolButton()
        refresh.setToolTip("Look again which cameras are plugged in (F5)")
        refresh.setAccessibleName("Look for cameras")
        refresh.clicked.connect(self.refresh_wished)
        self._buttons.append((refresh, "refresh"))
        row = QHBoxLayout()
        row.addWidget(self._camera, 1)
        row.addWidget(refresh)
        layout.addLayout(row)
        self._size = _combo("Picture size", ["camera's own", *(f"{w} × {h}" for w, h in filter(None, SIZES))])
        self._rate = _combo("Frames a second", ["camera's own", *(f"{rate:g}" for rate in filter(None, RATES))])
        form = QGridLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.setColumnStretch(1, 1)
        for line, (text, combo) in enumerate((("Size", self._size), ("Rate", self._rate))):
            label = QLabel(text)
            label.setBuddy(combo)
            form.addWidget(label, line, 0)
            form.addWidget(combo, line, 1)
        layout.addLayout(form)
        self._open_camera = self._button("Open camera", "camera", "Show this camera (Ctrl+K)")
        self._open_camera.clicked.connect(self.open_chosen_camera)
        layout.addWidget(self._open_camera)

    def _add_files(self, layout: QVBoxLayout) -> None:
        layout.addSpacing(10)
        layout.addWidget(_heading("Files"))
        video = self._button("Open video …", "video", "Open a video file (Ctrl+O); or drop one on the window")
        video.clicked.connect(self.video_wished)
        pictures = self._button("Open pictures …", "pictures", "Open a folder of pictures (Ctrl+Shift+O)")
        pictures.clicked.connect(self.pictures_wished)
        demo = self._button("Demo clip", "demo", "Play the clip that comes with the program (Ctrl+D)")
        demo.clicked.connect(lambda: self.chosen.emit(SourceChoice(SourceKind.DEMO, label="Demo clip")))
        for button in (video, pictures, demo):
            layout.addWidget(button)

    def _add_stream(self, layout: QVBoxLayout) -> None:
        layout.addSpacing(10)
        layout.addWidget(_heading("Stream"))
        self._address = QLineEdit()
        self._address.setPlaceholderText("rtsp:// or http:// …")
        self._address.setAccessibleName("Address of a stream")
        self._address.setToolTip("Address of a network camera or stream (Ctrl+U), Enter opens it")
        self._address.setClearButtonEnabled(True)
        connect = QToolButton()
        connect.setToolTip("Open this address")
        connect.setAccessibleName("Open the stream")
        self._buttons.append((connect, "stream"))
        row = QHBoxLayout()
        row.addWidget(self._address, 1)
        row.addWidget(connect)
        layout.addLayout(row)
        self._address.returnPressed.connect(self._enter)
        connect.clicked.connect(self._enter)

    def _add_recent(self, layout: QVBoxLayout) -> None:
        layout.addSpacing(10)
        self._recent_heading = _heading("Recent")
        layout.addWidget(self._recent_heading)
        self._recent = QListWidget()
        self._recent.setAccessibleName("Recently opened")
        self._recent.setProperty("role", "plain")
        self._recent.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._recent.itemActivated.connect(self._reopen)
        layout.addWidget(self._recent, 1)
        layout.addStretch(0)

    def _button(self, text: str, name: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setIconSize(_ICON)
        button.setToolTip(tip)
        button.setAccessibleName(text.rstrip(" …"))
        button.setStyleSheet("text-align: left;")
        self._buttons.append((button, name))
        return button

    def _enter(self) -> None:
        if text := self._address.text().strip():
            self.address_entered.emit(text)

    def _reopen(self, item: QListWidgetItem) -> None:
        self.address_entered.emit(item.data(Qt.ItemDataRole.UserRole))


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _combo(name: str, texts: Sequence[str]) -> QComboBox:
    combo = QComboBox()
    combo.addItems(list(texts))
    combo.setAccessibleName(name)
    combo.setToolTip(f"{name} to ask the camera for; it may give another, which is told then")
    return combo
