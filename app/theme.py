"""Dark and light: colours by name, the palette and the style sheet made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they are for, as "#rrggbb".

    Attributes:
        name: "dark" or "light".
        window: behind everything; `panel`, areas on it; `raised`, buttons and fields on these.
        border: lines between areas; `outline`, around what can be operated.
        text: what is read; `muted`, what is read second.
        accent: what is on, chosen or focused; `on_accent`, text on it.
        good, warn, bad: states.
        canvas: behind a picture.
        left, right, midline: sides of the body, as in `sadinet.media.draw`.
    """

    name: str
    window: str
    panel: str
    raised: str
    border: str
    outline: str
    text: str
    muted: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    canvas: str
    left: str = "#289fe9"
    right: str = "#f0640c"
    midline: str = "#e8e8e8"

    @property
    def is_dark(self) -> bool:
        """Whether text is brighter than what it stands on."""
        return self.name == "dark"


DARK: Final = Theme(
    name="dark",
    window="#16191d",
    panel="#1e2228",
    raised="#2a2f37",
    border="#313740",
    outline="#7b8694",
    text="#e8ebef",
    muted="#a3adb9",
    accent="#4ea8e8",
    on_accent="#0b1016",
    good="#4cc38a",
    warn="#e8b04a",
    bad="#ff7a6b",
    canvas="#0c0e11",
)

LIGHT: Final = Theme(
    name="light",
    window="#e9ecf0",
    panel="#f7f8fa",
    raised="#ffffff",
    border="#d3d8de",
    outline="#77818d",
    text="#1a1e24",
    muted="#545e6a",
    accent="#0b67b2",
    on_accent="#ffffff",
    good="#12744a",
    warn="#875400",
    bad="#b3261e",
    canvas="#23272d",
    midline="#5b6470",
)

THEMES: Final = {theme.name: theme for theme in (DARK, LIGHT)}
"""Themes by name."""


class _Current:
    theme: Theme = DARK


def current() -> Theme:
    """Return the theme in use; widgets that paint themselves ask whenever they paint."""
    return _Current.theme


def colour(name: str, alpha: float = 1.0) -> QColor:
    """Return a colour of the theme in use, by the name of the field in `Theme`."""
    found = QColor(getattr(_Current.theme, name))
    found.setAlphaF(alpha)
    return found


def apply(app: QApplication, theme: Theme) -> None:
    """Put a theme on the whole application; widgets hear of it by a change of their palette."""
    _Current.theme = theme
    app.setStyle("Fusion")
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme))


def palette(theme: Theme) -> QPalette:
    """Return Qt's palette of a theme."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.raised,
        QPalette.ColorRole.AlternateBase: theme.panel,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.muted,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.Mid: theme.border,
        QPalette.ColorRole.Dark: theme.border,
        QPalette.ColorRole.Light: theme.panel,
    }
    for role, name in roles.items():
        made.setColor(role, QColor(name))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        faded = QColor(theme.text)
        faded.setAlphaF(0.4)
        made.setColor(QPalette.ColorGroup.Disabled, role, faded)
    return made


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of a theme: what the palette does not reach."""
    faded = f"rgba({QColor(theme.text).red()}, {QColor(theme.text).green()}, {QColor(theme.text).blue()}, 0.4)"
    return f"""
QToolTip {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.outline}; padding: 3px; }}
QMenuBar {{ background: {theme.panel}; border-bottom: 1px solid {theme.border}; padding: 1px 4px; }}
QMenuBar::item {{ padding: 4px 9px; background: transparent; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {theme.accent}; color: {theme.on_accent}; }}
QMenu {{ background: {theme.raised}; border: 1px solid {theme.border}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 20px; }}
QMenu::item:disabled {{ color: {faded}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {theme.border}; margin: 4px 8px; }}
QPushButton, QToolButton {{ background: {theme.raised}; border: 1px solid {theme.border}; border-radius: 5px;
  padding: 4px 10px; min-height: 18px; }}
QToolButton {{ padding: 4px 6px; }}
QPushButton:hover, QToolButton:hover {{ border-color: {theme.outline}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {theme.border}; }}
QPushButton:checked, QToolButton:checked {{ background: {theme.accent}; color: {theme.on_accent};
  border-color: {theme.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {faded}; background: transparent; }}
QPushButton:focus, QToolButton:focus, QLineEdit:focus, QListWidget:focus, QTableWidget:focus,
QTreeWidget:focus, QTableView:focus {{ border: 1px solid {theme.accent}; }}
QPushButton[role="primary"] {{ background: {theme.accent}; color: {theme.on_accent}; border-color: {theme.accent};
  font-weight: 600; }}
QPushButton[role="primary"]:disabled {{ background: transparent; color: {faded}; border-color: {theme.border}; }}
QToolButton[role="flat"] {{ background: transparent; border-color: transparent; }}
QToolButton[role="flat"]:hover {{ background: {theme.raised}; }}
QToolButton[role="flat"]:focus {{ border-color: {theme.accent}; }}
QToolButton[role="flat"]:checked {{ background: {theme.accent}; color: {theme.on_accent}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QLineEdit, QPlainTextEdit, QTextEdit, QTextBrowser, QListWidget, QTableWidget,
QTreeWidget, QTableView {{ background: {theme.raised}; border: 1px solid {theme.border}; border-radius: 5px; }}
QLineEdit {{ padding: 3px 6px; min-height: 20px; }}
QLineEdit:disabled {{ color: {faded}; background: transparent; }}
QComboBox, QSpinBox, QDoubleSpinBox {{ min-height: 26px; }}
QListWidget::item {{ padding: 4px; }}
QListWidget[role="plain"] {{ background: transparent; border-color: transparent; }}
QListWidget[role="plain"]:focus {{ border-color: {theme.accent}; }}
QListWidget[role="plain"]::item {{ border-radius: 4px; }}
QListWidget[role="plain"]::item:hover {{ background: {theme.raised}; }}
QListWidget[role="plain"]::item:selected {{ background: {theme.raised}; color: {theme.text}; }}
QComboBox QAbstractItemView {{ background: {theme.raised}; border: 1px solid {theme.border};
  selection-background-color: {theme.accent}; selection-color: {theme.on_accent}; }}
QHeaderView::section {{ background: {theme.panel}; color: {theme.muted}; border: none;
  border-bottom: 1px solid {theme.border}; padding: 4px 6px; }}
QTableView, QTableWidget {{ gridline-color: {theme.border}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {theme.border}; }}
QTabBar {{ background: transparent; }}
QTabBar::tab {{ color: {theme.muted}; background: transparent; border: none; border-bottom: 2px solid transparent;
  padding: 6px 12px; }}
QTabBar::tab:selected {{ color: {theme.text}; border-bottom: 2px solid {theme.accent}; }}
QTabBar::tab:hover {{ color: {theme.text}; }}
QTabBar::tab:focus {{ color: {theme.accent}; }}
QTabBar::tab:disabled {{ color: {faded}; }}
QSplitter::handle {{ background: {theme.border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {theme.outline}; border-radius: 3px; margin: 2px; min-height: 24px;
  min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QGroupBox {{ border: none; margin-top: 20px; font-weight: 600; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; color: {theme.muted}; }}
QProgressBar {{ background: {theme.raised}; border: 1px solid {theme.border}; border-radius: 4px; text-align: center;
  min-height: 14px; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: 3px; }}
QSlider::groove:horizontal {{ height: 4px; background: {theme.border}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {theme.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {theme.text}; width: 12px; height: 12px; margin: -4px 0;
  border-radius: 6px; }}
QSlider::handle:horizontal:focus {{ background: {theme.accent}; border: 2px solid {theme.text}; width: 10px;
  height: 10px; margin: -5px 0; border-radius: 7px; }}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{ background: {theme.border}; }}
QWidget[role="panel"] {{ background: {theme.panel}; }}
QLabel[role="heading"] {{ color: {theme.muted}; font-weight: 600; }}
QLabel[role="muted"] {{ color: {theme.muted}; }}
QLabel[role="hint"] {{ color: {theme.muted}; font-size: 15px; }}
QLabel[role="title"] {{ font-size: 15px; font-weight: 600; }}
"""
