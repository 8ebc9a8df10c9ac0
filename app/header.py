"""The line on top: which page, what is open, and what is always at hand."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QTabBar, QToolButton, QWidget

from app.icons import icon
from app.state import AppState, Phase

PAGES = {"viewer": "Viewer", "batch": "Batch", "compare": "Compare", "export": "Export"}
"""Name -> what the tab says."""

_ICON = QSize(18, 18)
_BUTTONS = {"snapshot": "Snapshot", "record": "Record", "full_screen": "", "light": ""}
_ICONS = {"full_screen": "full_screen", "light": "theme", "snapshot": "snapshot", "record": "record"}


class Header(QWidget):
    """Tabs of the pages, and buttons of some actions."""

    page_chosen = pyqtSignal(str)

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._actions = actions
        self._tabs = QTabBar()
        self._tabs.setAccessibleName("Pages")
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._names: list[str] = []
        for name in ("viewer", "batch", "compare"):
            self._add_tab(name)
        self._tabs.currentChanged.connect(lambda place: self.page_chosen.emit(self._names[place]))
        self._source = QLabel()
        self._source.setProperty("role", "muted")
        self._source.setAccessibleName("What is open")
        self._source.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._source.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = {name: self._button(name, text) for name, text in _BUTTONS.items()}
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.setSpacing(4)
        row.addWidget(self._tabs)
        row.addWidget(self._source, 1)
        for button in self._buttons.values():
            row.addWidget(button)
        self.refresh_theme()

    def set_page(self, name: str) -> None:
        """Mark a page; one that has no tab yet gets one."""
        if name not in self._names:
            self._add_tab(name)
        with QSignalBlocker(self._tabs):
            self._tabs.setCurrentIndex(self._names.index(name))

    def set_source(self, state: AppState) -> None:
        """Say what is open."""
        name = "" if state.source is None else state.source.name
        words = {Phase.OPENING: f"opening {name} …", Phase.OPEN: name}
        self._source.setText(words.get(state.phase, ""))

    def refresh_theme(self) -> None:
        """Take the icons' colours from the theme in use."""
        for name, button in self._buttons.items():
            is_on = name == "record" and button.isChecked()
            button.setIcon(icon("stop" if is_on else _ICONS[name]))

    def _add_tab(self, name: str) -> None:
        self._names.append(name)
        with QSignalBlocker(self._tabs):
            place = self._tabs.addTab(PAGES[name])
        action = self._actions.get(f"page_{name}", self._actions["export"])
        self._tabs.setTabToolTip(place, action.toolTip())

    def _button(self, name: str, text: str) -> QToolButton:
        action = self._actions[name]
        button = QToolButton()
        button.setProperty("role", "flat")
        button.setIconSize(_ICON)
        button.setText(text)
        with_text, without = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
        button.setToolButtonStyle(with_text if text else without)
        button.setToolTip(action.toolTip())
        button.setAccessibleName(action.text().replace("&", "").rstrip(" …"))
        button.setCheckable(action.isCheckable() and name == "record")
        button.clicked.connect(action.trigger)
        action.changed.connect(lambda: self._follow(name))
        return button

    def _follow(self, name: str) -> None:
        button, action = self._buttons[name], self._actions[name]
        button.setEnabled(action.isEnabled())
        if name == "record":
            button.setChecked(action.isChecked())
            button.setText("Stop recording" if action.isChecked() else _BUTTONS[name])
            button.setIcon(icon("stop" if action.isChecked() else "record"))
